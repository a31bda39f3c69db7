# SPDX-License-Identifier: ISC
"""What became of a case, and what that means for the exit status."""

PASS, FAIL, DIFFERS, NOT_RUN, ERROR, XFAIL, XPASS, BLOCKED = (
    "PASS", "FAIL", "DIFFERS", "NOT RUN", "ERROR", "XFAIL", "XPASS", "BLOCKED")
ALL = (PASS, FAIL, DIFFERS, NOT_RUN, ERROR, XFAIL, XPASS, BLOCKED)
WORSE = {NOT_RUN: 0, PASS: 1, BLOCKED: 2, DIFFERS: 3, FAIL: 4, ERROR: 5}
JUDGED = {"must": ("MUST",), "should": ("MUST", "SHOULD"), "choice": ("MUST", "SHOULD", "CHOICE")}


class Result:
    """The verdict on one case, over all deliveries."""

    def __init__(self, case):
        self.case = case
        self.verdict = NOT_RUN
        self.message = ""
        self.deliveries = []  # (label, verdict, message) in the order they were played
        self.failed_delivery = None  # of the first that did not pass
        self.expected = self.actual = None
        self.line = None
        self.answer = None  # what a server that differs says instead
        self.transcript = []
        self.seconds = 0.0
        self.excuse = None  # why it is expected to fail
        self.incomplete = False  # not run because this machine lacks something
        self.blocked_by = None  # the key of the finding that it waits for, for example "MESSAGE OK"
        self.failing = None  # of a reply that is not as expected: "VERB the document's reply"
        self.sent = []  # the requests up to the step that failed

    def add(self, label, verdict, message=""):
        """Takes in one delivery; True if it made the verdict worse."""
        self.deliveries.append((label, verdict, message))
        worse = WORSE[verdict] > WORSE[self.verdict] or len(self.deliveries) == 1
        if worse:
            self.verdict, self.message = verdict, message
            self.failed_delivery = label if verdict not in (PASS, NOT_RUN, BLOCKED) else None
        return worse

    def take_over(self, trial):
        """Takes in the result of one delivery; the transcript of the worst is kept."""
        self.incomplete = self.incomplete or trial.incomplete
        for label, verdict, message in trial.deliveries:
            if self.add(label, verdict, message) or not self.transcript:
                for name in ("expected", "actual", "line", "answer", "transcript", "blocked_by", "failing", "sent"):
                    setattr(self, name, getattr(trial, name))

    def excused(self, reason):
        """This case is on the list of expected failures."""
        self.excuse = reason
        if self.verdict == PASS:
            self.verdict, self.message = XPASS, f"passes, but is expected to fail: {reason}"
        elif self.verdict in (FAIL, DIFFERS, ERROR):
            self.verdict = XFAIL

    def ran(self):
        return self.verdict not in (NOT_RUN, BLOCKED)

    def waits(self, level):
        """True if it counts at that level, but a fault is in its way."""
        return self.case.level in JUDGED[level] and self.verdict == BLOCKED

    def decides(self, level):
        """True if it makes the run fail when it is judged at that level."""
        return self.case.level in JUDGED[level] and self.verdict in (FAIL, ERROR, DIFFERS, XPASS)


def exit_status(results, level):
    """0 all passed, 1 failures, 3 could not test, or not all of it, or nothing ran.

    BLOCKED is no failure, but the fault that it waits for is one.
    """
    if any(result.decides(level) or result.waits(level) for result in results):
        return 1
    if not any(result.ran() for result in results) or any(result.incomplete for result in results):
        return 3
    if not any(result.case.level in JUDGED[level] and result.ran() for result in results):
        return 3
    return 0
