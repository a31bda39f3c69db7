# SPDX-License-Identifier: ISC
"""Root causes: what is wrong with a server, each named once, with the cases that fail or wait because of it.

The diagnosis gives the first causes. Each failing case that none of them explains is compared with the cases that
passed: what it does that none of those does is its mark, and another failing case that does the same has the same cause.
"""
from .traces import marks_of
from .verdict import BLOCKED, DIFFERS, ERROR, FAIL, PASS

COMMANDS = {"REG": "REGISTER", "LGI": "LOGIN", "LGO": "LOGOUT", "MSG": "MESSAGE", "STO": "STORE", "CNT": "COUNT",
            "DEL": "DELMSG", "GET": "GETMSG", "DMP": "DUMP"}
ELSEWHERE = 4  # marks by which a case is less simple that fails at another command than the one it is about
FEW = 0.34  # of a rule's cases
LEVELS = ("MUST", "SHOULD", "CHOICE")


class Fault:
    """One root cause. report.schema.json describes the same fields."""

    def __init__(self, level, rule, title, sent=(), came="", expected=""):
        self.level, self.rule = level, rule
        self.title = title        # one line: what is wrong
        self.sent = list(sent)    # what was sent, request by request, as a person reads it
        self.came, self.expected = came, expected
        self.sentence = ""        # of the document
        self.again = ""           # the command that repeats it
        self.case = None          # the id of the case that shows it, or None: only the diagnosis met it
        self.key = None           # the command and reply that cases wait for, for example "MESSAGE OK"
        self.same = []            # ids of the other cases that fail for the same cause
        self.blocks = []          # ids of the cases that are BLOCKED by it

    def record(self, number):
        """For JSON."""
        names = ("level", "rule", "title", "sentence", "sent", "came", "expected", "again", "case", "same", "blocks")
        return dict({"number": number}, **{name: getattr(self, name) for name in names})

    def shown_by(self, result, again):
        """Takes the case that shows it best."""
        self.case, self.sentence, self.again = result.case.id, result.case.sentence, again(result)

    def place(self, share):
        """The order of the report: by level, what blocks most, then by how many of its rule's cases fail."""
        return LEVELS.index(self.level), -len(self.blocks), -share.get(self.rule, 1.0)


def find_faults(results, profile, again):
    """All faults, MUST first, then SHOULD; then what differs at CHOICE, which is no fault. Root causes come first."""
    bad = [result for result in results if result.verdict in (FAIL, ERROR, DIFFERS)]
    faults = of_diagnosis(results, bad, profile, again)
    known = {case for fault in faults for case in fault.same + [fault.case]}
    faults += of_cases([result for result in bad if result.case.id not in known],
                       [result for result in results if result.verdict == PASS], again)
    faults = one_a_rule(faults, {result.case.id: result for result in bad}, profile)
    note_blocked(faults, results, bad)
    counts = counts_of(results)
    share = {rule: bad * bad / ran for rule, (bad, ran) in counts.items()}
    faults.sort(key=lambda fault: fault.place(share))
    return folded(faults, {result.case.id: result for result in bad}, counts)


def note_blocked(faults, results, bad):
    """Cases whose set-up failed wait for the fault that shows at the same command and reply."""
    failing = {result.case.id: result.failing for result in bad}
    known = {case for fault in faults for case in fault.blocks}
    for result in results:
        if result.verdict == BLOCKED and result.case.id not in known:
            cause = next((fault for fault in faults if failing.get(fault.case) == result.blocked_by), None)
            if cause:
                cause.blocks.append(result.case.id)


def one_a_rule(faults, bad, profile):
    """The faults of cases, those of one rule together. A form that the dialect knows is a fault of its own."""
    kept = {}
    for number, fault in enumerate(faults):
        result = bad.get(fault.case)
        habit = result and result.case.group == "form" and profile and profile.speaks_so(result.failing)
        name = (fault.level, fault.rule) if result and not habit and not fault.blocks else number
        if name in kept:
            kept[name].same += [fault.case] + fault.same
        else:
            kept[name] = fault
    return list(kept.values())


def folded(faults, bad, counts):
    """The faults without those that are consequences: most cases of their rule pass, they fail at another command than
    the one that they are about, and they use a command that has a fault of its own."""
    kept = []
    for fault in faults:
        result = bad.get(fault.case)
        cause = result and fault.level != "CHOICE" and consequence_of(result, kept, counts)
        if cause:
            cause.same += [fault.case] + fault.same
        else:
            kept.append(fault)
    return kept


def consequence_of(result, causes, counts):
    """The MUST fault that explains a failing case, or None."""
    failed, ran = counts[result.case.rules[0]]
    if result.case.group == "form" or failed > FEW * ran or at_home(result):
        return None
    used = " ".join(step.text for step in result.case.steps if step.what in ("send", "raw"))
    return next((cause for cause in causes if cause.level == "MUST" and COMMANDS.get(cause.rule[:3], "?") in used
                 and cause.rule != result.case.rules[0]), None)


def counts_of(results):
    """{rule: (how many of the cases about it did not pass, how many ran)}."""
    counts = {}
    for result in results:
        if result.ran():
            count = counts.setdefault(result.case.rules[0], [0, 0])
            count[0] += result.verdict != PASS
            count[1] += 1
    return counts


def of_diagnosis(results, bad, profile, again):
    """A fault for each finding, with the cases that met or wait for it."""
    faults = []
    for finding in profile.findings if profile else ():
        fault = Fault(finding.level, finding.rule, finding.title, finding.sent, finding.came, finding.expected)
        fault.key = finding.key
        met = sorted([result for result in bad if meets(result, finding)], key=simplicity)
        if met:
            fault.shown_by(met[0], again)
            fault.same = [result.case.id for result in met[1:]]
        fault.sentence = fault.sentence or sentence_of(finding.rule, results)
        fault.blocks = [result.case.id for result in results
                        if result.verdict == BLOCKED and finding.key == result.blocked_by]
        faults.append(fault)
    return faults


def meets(result, finding):
    """True if this case failed because of what the diagnosis found."""
    verb = (result.failing or "").split(" ")[0]
    if finding.dies:
        return result.verdict == ERROR and verb == finding.dies
    if finding.key == "FRM-16":
        return result.case.rules[0] == finding.key
    return finding.key is not None and finding.key in (result.failing, f"{verb} *")


def sentence_of(rule, results):
    """The sentence of a case that is about this rule."""
    return next((result.case.sentence for result in results if result.case.rules[0] == rule), "")


def of_cases(bad, passed, again):
    """Faults of failing cases: the simplest first, and with it all others that its mark explains."""
    waiting = sorted(bad, key=simplicity)
    marks = {result.case.id: marks_of(result.case, result.line) for result in bad + passed}
    good = [marks[result.case.id] for result in passed]
    faults = []
    while waiting:
        root = waiting.pop(0)
        form = root.case.group == "form"  # all other cases read through the dialect
        mark = None if form else mark_of(marks[root.case.id], good, [marks[other.case.id] for other in waiting])
        explained = [other for other in waiting if mark and mark <= marks[other.case.id]
                     and (at_home(root) or not at_home(other))]
        waiting = [other for other in waiting if other not in explained]
        faults.append(fault_of(root, explained, again))
    return faults


def simplicity(result):
    """Of cases that fail for one cause, the first is the one to show."""
    case = result.case
    level = 2 if result.verdict == DIFFERS else LEVELS.index(case.level)
    return level, case.group != "form", len(marks_of(case, result.line)) + ELSEWHERE * (not at_home(result)), case.id


def at_home(result):
    """True if a case fails at the command that it is about."""
    return (result.failing or "").split(" ")[0] == COMMANDS.get(result.case.rules[0][:3])


def mark_of(own, good, others):
    """As few of its own marks as it takes that no good case has all of them; those that other failing cases share stay.
    None if a good case does the same."""
    mark = set(own)
    if any(mark <= other for other in good):
        return None
    for one in sorted(own, key=lambda one: (sum(one in other for other in others), one)):
        less = mark - {one}
        if not any(less <= other for other in good):
            mark = less
    return mark


def fault_of(root, explained, again):
    case = root.case
    level = "SHOULD" if root.verdict == ERROR and case.level == "CHOICE" else case.level
    came = root.actual if root.actual is not None else root.message
    fault = Fault(level, case.rules[0], case.title, root.sent, came, root.expected or "")
    fault.shown_by(root, again)
    fault.same = [result.case.id for result in explained]
    return fault
