# SPDX-License-Identifier: ISC
"""The server while it is diagnosed: started again whenever a question has ended it."""
import time

from ..server import CannotStart
from ..wire import Closed, Connection, Endless, connected
from .traceback import last_error

FIRST = 0.6      # seconds for an answer while none was heard yet
LEAST = 0.2      # seconds for an answer at least
TIMES = 6        # as many times the slowest answer
QUIET = 0.05     # seconds after which nothing more comes
RESTARTS = 40    # a server that ends more often is given up
DYING = 0.3      # seconds in which a server that is about to end has ended


class Unreachable(Exception):
    """It cannot be asked any more; why."""


class Heard:
    """What came back: bytes, whether the connection ended, how the server ended (None: it lives), what it printed."""

    def __init__(self, data=b"", closed=False):
        self.data, self.closed = data, closed
        self.early = b""     # what came before the last piece was sent
        self.death = self.error = None


class Patient:
    """Asks, and keeps the server alive."""

    def __init__(self, target, settings, profile):
        self.target, self.settings, self.profile = target, settings, profile
        self.server = None
        self.restarts, self.slowest, self.answers = 0, 0.0, 0
        self.generation = 0  # how often it was started; what it knew before is gone
        self.load = 1.0

    def start(self):
        self.server = self.target.server()
        self.server.start(self.settings)
        self.generation += 1
        self.load = slowness()

    def stop(self):
        if self.server:
            self.server.stop()

    def revive(self):
        """Starts it again if it has ended."""
        if not self.server.death():
            return
        if not self.server.started_here:
            raise Unreachable("it ended")
        self.restarts += 1
        if self.restarts > RESTARTS:
            raise Unreachable(f"it ended {RESTARTS} times")
        self.server.stop()
        try:
            self.start()
        except CannotStart as error:
            raise Unreachable(str(error)) from None

    def wait(self):
        """Seconds for an answer: long on a busy machine and for a slow server."""
        least = LEAST if self.answers else FIRST
        return min(self.settings.timeout, max(least * self.load, TIMES * self.slowest))

    def timed(self, connection):
        """The reply; how long it took is remembered."""
        began = time.monotonic()
        reply = connection.reply(timeout=self.wait())
        self.answers += 1
        self.slowest = max(self.slowest, time.monotonic() - began)
        return reply

    def quiet(self):
        return min(self.settings.timeout, max(QUIET * self.load, min(2 * self.slowest, 0.25)))

    def socket(self, framing="none"):
        """A bare connection, whose bytes are looked at one by one."""
        self.revive()
        try:
            return Connection(self.server.address, framing, self.settings.timeout, made=self.server.take_spare())
        except OSError as error:
            if self.server.death():
                self.revive()
                return Connection(self.server.address, framing, self.settings.timeout)
            raise Unreachable(f"it takes no connection: {error.strerror or error}") from None

    def collect(self, connection, wait=None, enough=None):
        """All that comes until it is quiet, as Heard. enough(data): no more will come."""
        began = time.monotonic()
        heard = Heard()
        seconds = self.wait() if wait is None else wait
        try:
            while connection.receive(seconds):
                if seconds != self.quiet():
                    self.answers += 1
                    self.slowest = max(self.slowest, time.monotonic() - began)
                seconds = self.quiet()
                if enough and enough(connection.buffer):
                    break
        except Closed:
            heard.closed = True
        except Endless:
            pass
        heard.data, connection.buffer = connection.buffer, b""
        return heard

    def settings_connection(self):
        """A Connection by what is known so far."""
        self.revive()
        try:
            return self.settings.connect(self.server, self.profile.requests, self.wait())
        except OSError as error:
            raise Unreachable(f"it takes no connection: {error.strerror or error}") from None

    def mark(self):
        return self.server.terminal.mark()

    def autopsy(self, heard, mark):
        """If nothing came: has the server ended, and what did it print?"""
        deadline = time.monotonic() + DYING * self.load
        while heard.closed and not self.server.death() and time.monotonic() < deadline:
            if last_error(self.server.said(mark)):
                time.sleep(0.02)
                break
            time.sleep(0.01)
        heard.death = self.server.death()
        heard.error = last_error(self.server.said(mark))
        return heard

    def touch(self):
        """Connects and leaves without a word, as the last thing: some servers do not bear it."""
        if not self.server.started_here:
            return
        self.revive()
        mark = self.mark()
        try:
            connected(self.server.address, self.settings.timeout).close()
        except OSError:
            return
        heard = Heard(closed=True)
        self.autopsy(heard, mark)
        if heard.death:
            self.profile.fragile = True
            self.fragile_error = heard
            self.revive()


def slowness():
    """How many times longer than usual a short sleep takes now: 1 on an idle machine."""
    began = time.monotonic()
    for _ in range(5):
        time.sleep(0.002)
    return max(1.0, min(20.0, (time.monotonic() - began) / 0.0125))
