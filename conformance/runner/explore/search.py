# SPDX-License-Identifier: ISC
"""Hypothesis makes actions up until the server differs from the model, and looks for the shortest that show it."""
import atexit
import os
import shutil
import tempfile
import time

# Hypothesis would write into the current folder.
os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = STORAGE = tempfile.mkdtemp(prefix="smsp-conformance.")
atexit.register(shutil.rmtree, STORAGE, ignore_errors=True)
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings, strategies as st  # noqa: E402

from .story import CLIENTS, KINDS, OWN, SAMPLES  # noqa: E402  (the folder comes first)

BATCH = 200         # stories from one seed
SHRINKS = (40, 80)  # plays by Hypothesis once a difference is found, and for the last steps
SHRINKING = 20.0    # seconds for each of them at most
LETTERS = "".join(chr(code) for code in range(33, 127) if chr(code) not in "{}\\>#")

contents = st.one_of(st.sampled_from(["one", "two", "KO", "OK", "COUNTED 1", *SAMPLES.values()]),
                     st.text(LETTERS, min_size=1, max_size=12))
common = st.sampled_from(OWN + ("message", "store") * 3)
actions = st.lists(st.tuples(st.one_of(common, common, st.sampled_from(KINDS)), st.integers(0, len(CLIENTS) - 1),
                             st.sampled_from((0, 0, 0, 1, 1, 2)), st.integers(0, 2), contents), min_size=10, max_size=30)


class Difference(AssertionError):
    """The server does not do what the model does."""


class TimeIsUp(BaseException):
    """Not an Exception, which Hypothesis would take for a difference."""


class Search:
    """A search with its limits; found is the shortest list of actions that differ, or None."""

    def __init__(self, judge, seconds, examples=None):
        """examples: so many stories, whatever time they take."""
        self.judge, self.examples = judge, examples
        self.deadline = None if examples else time.monotonic() + seconds
        self.plays = None  # that are left
        self.found, self.size = None, 0

    def late(self):
        return self.plays == 0 or (self.deadline is not None and time.monotonic() > self.deadline)

    def shrink(self, plays):
        """From now on so many more plays at most."""
        self.plays, self.deadline = plays, time.monotonic() + SHRINKING

    def differs(self, story):
        """As the judge says; while shrinking, one play is enough."""
        if self.plays is not None:
            self.plays -= 1
        return self.judge.differs(story, sure=self.plays is not None)

    def run(self, number):
        """The shortest actions that differ, or None; number: the seed of the first batch."""
        done = 0
        while self.found is None and not self.late() and (not self.examples or done < self.examples):
            count = min(BATCH, self.examples - done) if self.examples else BATCH
            try:
                self.batch(number, count)
            except TimeIsUp:
                break
            except Exception:  # Hypothesis tells the difference, or that it does not always come
                if self.found is None:
                    raise
            number, done = number + 1, done + count
        return self.shortest() if self.found else None

    def batch(self, number, count):
        @seed(number)
        @settings(max_examples=count, deadline=None, database=None, print_blob=False, verbosity=Verbosity.quiet,
                  report_multiple_bugs=False, suppress_health_check=list(HealthCheck),
                  phases=[Phase.generate, Phase.shrink])
        @given(actions)
        def agrees(chosen):
            self.check(chosen)
        agrees()

    def check(self, chosen):
        if self.late():
            raise TimeIsUp()
        story = self.judge.story(chosen)
        if self.differs(story):
            if self.found is None:
                self.shrink(SHRINKS[0])
            if self.found is None or len(story.exchanges) < self.size:
                self.found, self.size = chosen, len(story.exchanges)
            raise Difference()

    def shortest(self):
        """(story, result) of what Hypothesis left, after the last steps: the epilogue's actions are made plain, ever
        smaller pieces are left out, and one user, one client and plain texts
        are tried. None: it does not happen again."""
        story = self.judge.story(self.found)
        result = self.judge.differs(story)
        if result is None:
            return None
        self.shrink(SHRINKS[1])
        self.best = (story, result)
        self.chosen = story.actions[:story.exchange_at(result.line).action + 1]
        size = len(self.chosen)
        while size and not self.late():
            for at in range(len(self.chosen) - size, -1, -size):
                self.attempt(self.chosen[:at] + self.chosen[at + size:])
            size //= 2
        self.attempt([(kind, client, 0, 0, content) for kind, client, *_, content in self.chosen])
        self.attempt([(kind, 0, *rest) for kind, _, *rest in self.chosen])
        self.attempt([(*rest, f"text{number}") for number, (*rest, _) in enumerate(self.chosen, 1)])
        return self.best if self.judge.differs(self.best[0]) else (story, result)

    def attempt(self, chosen):
        """Takes these actions if they differ too."""
        if self.late() or chosen == self.chosen:
            return
        story = self.judge.story(chosen, epilogue=False)
        result = self.differs(story)
        if result:
            self.chosen, self.best = chosen, (story, result)
