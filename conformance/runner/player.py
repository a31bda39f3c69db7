# SPDX-License-Identifier: ISC
"""Plays one transcript once, against one server, in one delivery."""
import time

from .dialect import CLOSED, NOTHING, verb_of
from .pace import Pace
from .profile import Profile
from .template import NoSuchLimit
from .text import show, shortened, visible
from .values import Values
from .wire import TERMINATORS, Closed, Connection, Endless, Silence

LONG_PAUSE = 0.075  # seconds: half of what makes a server take the first bytes for a request (FRM-4)
TOLD = 100  # entries of a long transcript that are kept at its beginning, and at its end
MOMENT = 0.02  # seconds in which a server that closes after some replies has done so
SETTLE = 0.05  # seconds in which a reply too many would come


class Mismatch(Exception):
    """What came is not what the transcript says. kind: reply, silence, closed, extra, terminal."""

    def __init__(self, kind, step, expected, actual):
        super().__init__(f"expected {expected}, got {actual}")
        self.kind, self.step, self.expected, self.actual = kind, step, expected, actual


class Incomplete(Exception):
    """This machine lacks what the case needs; nothing is known about the server."""


class Unplayable(Exception):
    """This case cannot be played here; why."""


def stays_open(step):
    """True if the step wants the connection open and silent."""
    return step.template is not None and step.template.special is not None and step.template.special.kind == "nothing"


def last_reply(case):
    """The step that a case of a form is about."""
    return next((step for step in reversed(case.steps) if step.what in ("expect", "refuse")), None)


def has_closed(connection):
    """True if the server has closed it, or does so within a moment."""
    try:
        while connection.receive(MOMENT):
            pass
    except (Closed, Endless):
        pass
    return connection.ended


def unwanted(step):
    """What a refuse step asks for, in words: the reply that must not come, and why."""
    return f"any answer but {step.template.source}" + (f", since {step.why}" if step.why else "")


class Settings:
    """What holds for a whole run."""

    def __init__(self, framing="lf", connection="keep", timeout=2.0, limits=None, profile=None):
        self.timeout, self.limits = timeout, limits or {}
        self.pace = Pace(timeout)
        self.take(profile or Profile())
        if not profile:
            self.framing, self.connection = framing, connection

    def take(self, profile):
        """What is known of the server."""
        self.profile = profile
        self.framing, self.connection = profile.requests, profile.connection
        self.pace.answered(profile.slowest)

    def connect(self, server, framing=None, timeout=None):
        """A Connection to the server, by its profile. OSError."""
        profile, framing = self.profile, framing or self.framing
        replies = profile.replies if profile.ends_so(framing) else framing
        noise = tuple(text.encode("utf-8", "surrogateescape") for text in (profile.greeting, profile.prompt))
        return Connection(server.address, framing, timeout or self.pace.wait(), replies, noise, server.take_spare())


class Player:
    """The clients of one transcript and what they have seen."""

    def __init__(self, case, server, delivery, settings):
        self.case, self.server, self.delivery, self.settings = case, server, delivery, settings
        framing = settings.framing
        self.values = Values(settings.limits, TERMINATORS[framing], address=server.address)
        self.connections = {}  # by client: those that are owed replies, oldest first
        self.sent = {}  # by client: when
        self.early = {}  # by client: how many bytes of its next request are sent
        self.started = time.monotonic()
        self.transcript = []
        self.checks = 0
        self.stopped = lambda: False  # true: somebody wants the run to end
        self.spoiled = False  # the machine was too busy for the times that the transcript asks for
        self.exact = last_reply(case) if case.group == "form" else None  # judged by its form, not by what it means
        self.shares = settings.profile.clients == "one" and case.rules[0] != "FRM-16"
        self.terminal_mark = 0
        if case.wants_terminal:
            server.settle()
            self.terminal_mark = server.terminal.mark()

    def play(self):
        """Mismatch, Unplayable, NoSuchLimit or OSError; otherwise all was as expected."""
        try:
            at = 0
            while at < len(self.case.steps):
                at = self.take(at)
            self.nothing_left()
        finally:
            for connections in self.connections.values():
                for connection in connections:
                    self.leave(connection)

    def leave(self, connection):
        """Closes a connection; of a server that cannot bear an unused one, not before it has said something."""
        if self.settings.profile.fragile and not connection.spoke and not connection.ended:
            try:
                connection.send(self.settings.profile.alive.encode() + TERMINATORS[connection.framing])
                connection.reply()
            except (Closed, Silence, Endless):
                pass
        connection.close()

    # ---- sending

    def framing(self, who):
        return self.case.framings.get(who, self.settings.framing)

    def open(self, who):
        connection = self.settings.connect(self.server, self.framing(who))
        self.connections.setdefault(self.key(who), []).append(connection)
        return connection

    def key(self, who):
        """Clients of a server that serves one at a time share a connection."""
        return "everybody" if self.shares else who

    def connection(self, who):
        """The one that a client sends on: a new one each time if the server wants it so."""
        known = self.connections.get(self.key(who))
        if self.settings.connection == "each" or not known:
            return self.open(who)
        if self.settings.profile.closes and self.case.level != "CHOICE" and not known[-1].asked and has_closed(known[-1]):
            self.leave(known.pop())
            return self.open(who)
        return known[-1]

    def take(self, at):
        """Does the step; returns the number of the next one."""
        if self.stopped():
            raise Unplayable("the run was stopped")
        step = self.case.steps[at]
        self.step_began = time.monotonic()
        if step.what == "send":
            return self.send_group(at)
        if step.what in ("terminal-line", "terminal-has", "terminal-lacks"):
            return self.check_terminal(at)
        getattr(self, "do_" + step.what.replace("-", "_"))(step)
        return at + 1

    def group(self, at):
        """The steps from `at` that go out in one piece: more than one only if pipelined."""
        steps, who, taken = self.case.steps, self.case.steps[at].who, [at]
        if self.delivery.name != "pipelined":
            return taken
        for place in range(at + 1, len(steps)):
            step = steps[place]
            if step.who != who or step.what not in ("send", "expect", "refuse"):
                break
            if step.template.special and step.template.special.kind != "anything":
                break
            if step.what == "send":
                if not all(self.values.knows_cookie(name) for name in step.template.cookies()):
                    break
                taken.append(place)
        return taken

    def send_group(self, at):
        """Sends the group that begins here, and hears the replies to all of it but the last."""
        steps, who = self.case.steps, self.case.steps[at].who
        group = self.group(at)
        requests = [self.request(steps[place]) for place in group]
        connection = self.connection(who)
        for place, request in zip(group, requests):
            self.note(steps[place], visible(request))
        terminator = TERMINATORS[connection.framing]
        data = b"".join(request + terminator for request in requests)
        self.deliver(connection, data[self.early.pop(who, 0):], group[-1], terminator)
        for place in range(at, group[-1]):
            if steps[place].what != "send":
                self.take(place)
        return group[-1] + 1

    def request(self, step):
        try:
            return step.template.expand(self.values)
        except KeyError as error:
            raise Mismatch("reply", step, "a cookie for it", f"none: {error.args[0][1]} never got one") from None

    def deliver(self, connection, data, last, terminator):
        who = self.case.steps[last].who
        borrowed = self.next_start(last, self.delivery.borrowed())
        if borrowed:
            self.early[who] = len(borrowed)
        pieces = self.delivery.pieces(data, len(terminator))
        pieces[-1] += borrowed
        before = self.sent[who] = time.monotonic()
        try:
            for number, piece in enumerate(pieces):
                if self.delivery.breathes(number, len(pieces)):
                    time.sleep(self.delivery.breath())
                connection.send(piece)
                before = self.keep_time(before) if len(pieces) > 1 else before
            if self.delivery.name == "half-close" and self.is_last(last):
                connection.half_close()
        except Closed:
            pass  # its last words are still to be read

    def keep_time(self, before):
        """A pause between pieces that became long because the machine is busy spoils the play."""
        now = time.monotonic()
        self.spoiled = self.spoiled or now - before > LONG_PAUSE
        return now

    def next_start(self, at, count):
        """The first bytes of the same client's next request, if that is all that it does until then."""
        who = self.case.steps[at].who
        for step in self.case.steps[at + 1:]:
            if step.what == "pause" or step.what.startswith("terminal"):
                return b""
            if step.who != who or step.what in ("expect", "refuse"):
                continue
            fits = step.what == "send" and len(step.template.start()) > count
            return step.template.start()[:count] if fits else b""
        return b""

    def is_last(self, at):
        who = self.case.steps[at].who
        if self.settings.connection == "each":
            return True
        return not any(step.who == who and (step.what in ("send", "raw", "action") or stays_open(step))
                       for step in self.case.steps[at + 1:])

    def do_raw(self, step):
        data = self.request(step)
        connection = self.connection(step.who)
        self.note(step, visible(data))
        self.sent[step.who] = time.monotonic()
        try:
            for piece in self.delivery.pieces(data, 0) if self.delivery.name == "bytes" else [data]:
                connection.send(piece)
        except Closed:
            pass

    # ---- hearing

    def heard_from(self, step):
        """The connection on which this client's next reply comes."""
        connections = self.connections.get(self.key(step.who))
        if not connections:
            return self.open(step.who)
        return connections[0 if self.settings.connection == "each" else -1]

    def hear(self, step, timeout=None):
        """The next reply; Mismatch if there is none."""
        connection = self.heard_from(step)
        expected = ("anything but " if step.what == "refuse" else "") + step.template.describe(self.values)
        self.verb = verb_of(connection.take_asked())
        if timeout is None and step is not self.exact and self.dialect().without_words(self.verb, NOTHING):
            timeout = self.settings.pace.brief()
        began = time.monotonic()
        try:
            reply = connection.reply(step.template.literal(self.values), timeout)
            self.settings.pace.answered(time.monotonic() - began)
        except Silence as silence:
            so_far = f", only {show(silence.data)}" if silence.data else ""
            if timeout is None:
                self.settings.pace.hung()
            waited = connection.timeout if timeout is None else timeout
            raise Mismatch("silence", step, expected, f"no reply within {waited:.3g} s{so_far}") from None
        except Closed:
            so_far = f" after {show(connection.buffer)}" if connection.buffer else ""
            raise Mismatch("closed", step, expected, f"the connection closed{so_far}") from None
        except Endless:
            raise Mismatch("reply", step, expected, "a reply without end") from None
        self.note(step, visible(reply), "<")
        if self.settings.connection == "each":
            self.spend(step)
        return reply

    def spend(self, step):
        """One reply a connection: close it, and see that nothing more came."""
        connection = self.connections[self.key(step.who)].pop(0)
        connection.skip_noise(time.monotonic())
        rest = connection.buffer
        connection.close()
        if rest:
            raise Mismatch("extra", step, "one reply", f"more after it: {show(rest)}")

    def do_expect(self, step):
        special = step.template.special
        if special:
            self.expect_special(step, special)
        else:
            reply, readings = self.understand(step)
            if not self.matches(step, readings):
                expected = " or ".join(template.describe(self.values) for template in [step.template] + self.equals(step))
                raise Mismatch("reply", step, expected, show(reply))
        self.checks += special is None or special.kind != "anything or nothing"

    def equals(self, step):
        """The other answers that are as good: of a CHOICE there are none, they are told apart."""
        return [] if self.case.level == "CHOICE" else step.others

    def dialect(self):
        return self.settings.profile.dialect

    def understand(self, step):
        """(the next reply, what it may mean in the document's words). Silence has a meaning for some servers."""
        try:
            reply = self.hear(step)
        except Mismatch as mismatch:
            how = {"silence": NOTHING, "closed": CLOSED}.get(mismatch.kind)
            meanings = self.dialect().without_words(self.verb, how) if how and step is not self.exact else []
            if not meanings:
                raise
            return mismatch.actual.encode(), meanings
        return reply, [reply] if step is self.exact else self.dialect().readings(self.verb, reply)

    def matches(self, step, readings):
        return any(not template.special and template.match(reading, self.values)
                   for template in [step.template] + self.equals(step) for reading in readings)

    def expect_special(self, step, special):
        if special.kind == "anything":
            self.understand(step)
        elif special.kind in ("anything or nothing", "anything or closed"):
            try:
                self.hear(step)
            except Mismatch as mismatch:
                if mismatch.kind not in (("closed",) if special.kind == "anything or closed" else ("silence", "closed")):
                    raise
        elif special.kind == "closed":
            self.expect_closed(step)
        else:
            self.expect_nothing(step, float(special.arguments[0]) if special.arguments else 0.2)

    def expect_closed(self, step):
        connection = self.heard_from(step)
        rest = connection.rest(connection.timeout)
        if rest:
            raise Mismatch("extra", step, "the connection to close", show(rest))
        if not connection.ended:
            raise Mismatch("silence", step, "the connection to close", "it stays open")
        self.note(step, "(closed)", "<")

    def expect_nothing(self, step, seconds):
        connection = self.heard_from(step)
        self.keep_time(before=self.sent.get(step.who, self.step_began) + LONG_PAUSE * 3)
        until = time.monotonic() + seconds
        try:
            while not connection.buffer and connection.receive(until - time.monotonic()):
                pass
        except Closed:
            raise Mismatch("closed", step, "nothing yet", "the connection closed") from None
        self.keep_time(before=until)
        if connection.buffer:
            raise Mismatch("extra", step, "nothing yet", show(connection.buffer))

    def do_refuse(self, step):
        """Any other reply, silence, or a closed connection: all of them refuse."""
        self.checks += 1
        try:
            reply, readings = self.understand(step)
        except Mismatch as mismatch:
            if mismatch.kind not in ("silence", "closed"):
                raise
            return
        if all(step.template.match(reading, self.values) for reading in readings[1:] or readings):
            raise Mismatch("reply", step, unwanted(step), show(reply))

    def do_expect_raw(self, step):
        expected = self.request(step)
        connection = self.heard_from(step)
        try:
            data = connection.exactly(len(expected))
        except (Closed, Silence, Endless):
            data = connection.buffer
        self.note(step, visible(data), "<<")
        if data != expected:
            raise Mismatch("reply" if data else "silence", step, visible(expected), show(data) or "nothing")
        self.checks += 1

    # ---- the rest

    def do_pause(self, step):
        time.sleep(float(step.text))
        self.keep_time(before=self.step_began + float(step.text))

    def do_action(self, step):
        self.note(step, step.text, ":")
        if step.text == "connect":
            self.open(step.who)
            return
        connection = self.connection(step.who)
        if step.text == "half-close":
            connection.half_close()
            return
        connection.reset() if step.text == "reset" else connection.close()
        self.connections[self.key(step.who)].clear()

    def do_terminal(self, step):
        self.note(step, step.text, ":")
        if step.text == "mark":
            self.server.terminal.wait(0, lambda text: False, SETTLE)
            self.terminal_mark = self.server.terminal.mark()
        else:
            self.server.terminal.flow(step.text == "go")

    def check_terminal(self, at):
        """A run of terminal lines; returns the number of the step after it."""
        steps, end = self.case.steps, at
        while end < len(steps) and steps[end].what == steps[at].what:
            end += 1
        wanted = [self.request(step).decode() for step in steps[at:end]]
        terminal, since, what = self.server.terminal, self.terminal_mark, steps[at].what
        if what == "terminal-line":
            text = terminal.wait(since, lambda text: text == "".join(f"{line}\n" for line in wanted), self.settings.timeout)
            self.terminal_mark = terminal.mark()
            good = text.split("\n")[:-1] == wanted
        elif what == "terminal-has":
            text = terminal.wait(since, lambda text: all(word in text for word in wanted), self.settings.timeout)
            good = all(word in text for word in wanted)
        else:
            text = terminal.wait(since, lambda text: any(word in text for word in wanted), SETTLE)
            good = not any(word in text for word in wanted)
        self.note(steps[at], visible(text.encode()), "<")
        self.checks += 1
        if not good:
            kind = "lack" if what == "terminal-lacks" else "show"
            raise Mismatch("terminal", steps[at], f"the terminal to {kind} {visible(chr(10).join(wanted).encode())}",
                           show(text.encode()) or "nothing on it")
        return end

    def nothing_left(self):
        """No reply too many, on any connection."""
        for who, connections in self.connections.items():
            for connection in connections:
                if connection.ended and not connection.buffer:
                    continue
                connection.half_close()
                rest = connection.rest(SETTLE)
                if rest:
                    step = [step for step in self.case.steps if who in (step.who, "everybody")][-1]
                    raise Mismatch("extra", step, f"no more replies to {who}", show(rest))

    def note(self, step, text, mark=None):
        arrow = mark or {"send": ">", "raw": ">>"}.get(step.what, ":")
        entry = f"{step.who}{arrow} {shortened(text)}"
        self.transcript.append((round(time.monotonic() - self.started, 4), step.line, entry))
        if len(self.transcript) > 2 * TOLD:
            self.transcript[TOLD:TOLD + 2] = [(self.transcript[TOLD][0], step.line, "...")]


__all__ = ["Incomplete", "Mismatch", "NoSuchLimit", "Player", "Settings", "Unplayable"]
