# SPDX-License-Identifier: ISC
"""How long to wait for an answer: from what the server's answers took so far, not from constants."""
import threading

LEAST = 0.25    # seconds: shorter waits would blame the machine's scheduler on the server
TIMES = 20      # as many times the slowest answer
BRIEF = 0.1     # seconds for a silence that is expected


class Pace:
    """Of a whole run; all workers share it."""

    def __init__(self, timeout, slowest=0.0):
        self.timeout, self.slowest, self.hangs = timeout, slowest, 0
        self.lock = threading.Lock()

    def wait(self):
        """Seconds for a reply. After replies that did not come the next waits are shorter."""
        with self.lock:
            return min(self.timeout, max(LEAST, TIMES * self.slowest, self.timeout / 2 ** self.hangs))

    def brief(self):
        """Seconds for a reply that will hardly come."""
        with self.lock:
            return min(self.timeout, max(BRIEF, TIMES * self.slowest))

    def answered(self, seconds):
        with self.lock:
            self.slowest = max(self.slowest, seconds)

    def hung(self):
        with self.lock:
            self.hangs = min(self.hangs + 1, 30)
