# SPDX-License-Identifier: ISC
"""Plays stories against the server, and learns what it does where the document is silent."""
from ..delivery import Delivery
from ..suite import Suite, Worker
from ..verdict import ERROR, FAIL, Result
from .story import CONTENTS, DOUBTS, SAMPLES, Habits, Story

FRESH = 100  # stories after which the server is started again, since its accounts become many
TRIALS = 3   # plays of a story that differs, all but the first on a server of its own; it must differ in two of them


class Judge:
    """Says of a list of actions whether the server does what the model does."""

    def __init__(self, target, settings, server=None):
        self.worker = Worker(Suite([], target, settings, ["whole"]), server)
        self.habits = Habits(settings.profile, restarts=not target.address)
        self.stories = self.requests = 0

    def close(self):
        self.worker.drop()

    def story(self, actions, epilogue=True):
        story = Story(self.habits).tell(actions)
        return story.tell(story.epilogue()) if epilogue else story

    def differs(self, story, sure=False):
        """The Result of a play that failed, or None. What happens once only is not believed, unless the caller is sure
        that the server is wrong."""
        if not story.judged():
            return None
        failures = 0
        for trial in range(TRIALS):
            if trial and self.habits.restarts:
                self.worker.drop()
            clean = self.worker.shared is None or not self.habits.restarts
            result = self.play(story)
            if result.verdict in (FAIL, ERROR):
                failures += clean if sure else 1
            elif trial == 0:
                return None
            if failures == (1 if sure else 2):
                return result
        return None

    def play(self, story):
        """The Result. CannotStart."""
        self.stories += 1
        self.requests += len(story.exchanges)
        if self.stories % FRESH == 0 and self.habits.restarts:
            self.worker.drop()
        result = Result(story.case())
        self.worker.server_for(result.case)
        self.worker.play(result.case, Delivery("whole"), result)
        return result

    # ---- what the document does not say

    def learn(self):
        """Tries each doubt once. A doubt in which the server does otherwise than the model is never used."""
        self.habits.closes = self.is_so("closes", [("logout", 0, 0, 0, "")] * 2) and not self.is_so(
            "closes", [("logout", 0, 0, 0, "")] * 2, value=False)
        self.habits.shared = self.is_so("shared", self.around("other delmsg"), value=True, settles="other delmsg")
        for kind in DOUBTS:
            self.settle(kind, self.around(kind))
        for content in CONTENTS:
            self.settle(content, [("message", 0, 0, 0, SAMPLES[content]), ("store", 0, 0, 0, "")])

    @staticmethod
    def around(kind):
        """Actions that show what a doubt changes: both users have mail, and one message is on the queue."""
        queue = [] if kind == "store, empty queue" else [("message", 0, 0, 0, "on-the-queue")]
        mail = [action for who in (0, 1) for action in (("message", 0, who, 0, f"mail{who}"), ("store", 0, who, who, ""))]
        return mail + [("login", 0, 0, 0, "")] + queue + [(kind, 0, 0, 0, ""), ("login", 0, 0, 0, "")]

    def settle(self, kind, actions):
        self.habits.settled.add(kind)
        if self.differs(self.story(actions)):
            self.habits.settled.discard(kind)

    def is_so(self, name, actions, value=True, settles=None):
        """True if the server does what the model does with this habit."""
        before, settled = getattr(self.habits, name), set(self.habits.settled)
        setattr(self.habits, name, value)
        self.habits.settled |= {settles} if settles else set()
        try:
            return self.differs(self.story(actions)) is None
        finally:
            setattr(self.habits, name, before)
            self.habits.settled = settled
