# SPDX-License-Identifier: ISC
"""Plays many cases in all deliveries, several at a time, and judges them."""
import re
import threading
import time
import traceback

from . import server as servers
from .client import ClientPlayer
from .dialect import VERBS
from .delivery import impossible, ways
from .player import Incomplete, Mismatch, NoSuchLimit, Player, Unplayable
from .transcript import LEVELS
from .traces import exchanges, key_of, keys_of, leaves_messages, several_at_once
from .verdict import BLOCKED, DIFFERS, ERROR, FAIL, NOT_RUN, PASS, Result

ONE_AT_A_TIME = "FRM-16"  # the rule, and the key of the finding
ENDS = {"lf": "LF", "crlf": "CR LF", "nul": "NUL", "none": "the end of what one read returns"}
TIME_IS_UP = "the time for the run was over; --time SECONDS gives it more"
RESTARTS, QUICK, RESTART_AFTER = 4, 2.0, 0.1  # tries to start a server that ends within so many seconds, and the pause
TRIES = 5  # plays of a case whose times a busy machine spoils


class Target:
    """What is tested: how to get a server for a case, and what it can do."""

    def __init__(self, limits, command=None, address=None, name=None, patience=15.0, client=None):
        self.limits, self.command, self.address, self.patience = limits, command, address, patience
        self.client = client  # the path of our client, or None
        self.name = name or command or f"{address[0]}:{address[1]}"
        self.has_started = False  # once, so that it can
        self.port = None  # where it listens, if that is not where it is told to

    def server(self, options=None):
        """One that is not started yet. options: {name: value}, which limits.command_options knows."""
        if self.address:
            return servers.Attached(*self.address)
        return servers.Started(self.command, self.limits.command_options(options or {}), patience=self.patience,
                               port=self.port)

    def refusal(self, case):
        """(why this case cannot be run here or None, is a tool missing)."""
        if case.kind == "client" and not self.client:
            return "it is about smsp, the client of this project", False
        if (case.wants_terminal or case.kind == "client") and servers.pexpect is None:
            return "it needs a terminal: python3-pexpect is missing", True
        if self.address and (case.fresh or case.wants_terminal):
            return "it needs a server that it may start and whose terminal it may see", False
        if case.options and self.limits.command_options(case.options) is None:
            return f"the profile tells no option for: {' '.join(case.options)}", False
        return None, False


def style_refusal(case, settings):
    """Why this case cannot be run with this framing and connection style, or None."""
    if "terminated" in case.needs and settings.framing == "none":
        return "it needs requests with a terminator"
    if "keep" in case.needs and settings.connection == "each":
        return "it needs a connection that carries several requests"
    if settings.profile.replies in ("none", "close") and several_at_once(case):
        return "it needs replies that have an end"
    unknown = [framing for framing in case.framings.values() if framing not in settings.profile.speaks]
    if unknown:
        return f"the server does not take {' or '.join(ENDS[name] for name in unknown)} for the end of a request"
    return None


def is_setup(case, key):
    """True if a request only prepares what a CHOICE case is about, so that its failure says nothing about the choice."""
    prefix = {"REGISTER OK {cookie}": "REG", "LOGIN OK {cookie}": "LGI", "MESSAGE OK": "MSG"}.get(key)
    return prefix is not None and case.group != "form" and case.rules[0][:3] not in (prefix, "REQ", "FRM")


def blocking_key(case, profile):
    """The key of the finding that this case waits for, or None."""
    for key, about in keys_of(case):
        finding = profile.broken(key)
        if finding and not about:
            return finding.key
    for verb in VERBS:
        finding = profile.broken("DUMP OK" if verb == "DUMP" else f"{verb} *")
        if finding and any(step.what == "raw" and verb in step.text for step in case.steps):
            return finding.key
    if profile.clients == "one" and case.rules[0] != ONE_AT_A_TIME and "many" in case.needs:
        return ONE_AT_A_TIME
    return None


class Worker(threading.Thread):
    """Takes cases from the suite until there are none left; has a server of its own."""

    def __init__(self, suite, server=None):
        super().__init__(daemon=True)
        self.suite, self.target, self.settings = suite, suite.target, suite.settings
        self.shared = server

    def run(self):
        try:
            for case in iter(self.suite.next_case, None):
                began = time.monotonic()
                result = Result(case)
                try:
                    if self.suite.late():
                        result.add("", NOT_RUN, TIME_IS_UP)
                        result.incomplete = True
                    else:
                        self.judge(case, result)
                except Exception:  # a fault of the runner is a verdict too, and not the end of the run
                    result.add("", ERROR, "the runner failed: " + traceback.format_exc().strip().replace("\n", " | "))
                result.seconds = time.monotonic() - began
                self.suite.finished(result)
        finally:
            self.drop()
            self.suite.left(self)

    def drop(self):
        if self.shared:
            self.shared.stop()
        self.shared = None

    def judge(self, case, result):
        why, result.incomplete = self.target.refusal(case)
        why = why or style_refusal(case, self.settings)
        if why:
            result.add("", NOT_RUN, why)
            return
        result.blocked_by = blocking_key(case, self.settings.profile)
        if result.blocked_by:
            finding = self.settings.profile.broken(result.blocked_by)
            result.add("", BLOCKED, f"it needs what does not work: {finding.title}")
            return
        for name in self.suite.deliveries:
            why = impossible(name, self.settings.framing, self.settings.connection, case)
            if why:
                result.add(name, NOT_RUN, why)
                continue
            for way in ways(name, self.settings.framing):
                if self.suite.stopping:
                    return
                self.play(case, way, result)
                if result.verdict not in (PASS, NOT_RUN):
                    return
        self.after(case, result)

    def server_for(self, case):
        """A started one. CannotStart."""
        if case.fresh:
            return self.started(case.options)
        if not self.shared or self.shared.death():
            self.drop()
            self.shared = self.started()
        return self.shared

    def started(self, options=None):
        """A new server. One that has started before is tried again: two at a time may write the same file of theirs,
        and then one reads what the other has half written. CannotStart."""
        for trial in range(RESTARTS):
            server = self.target.server(options)
            began = time.monotonic()
            try:
                server.start(self.settings)
                self.target.has_started = True
                return server
            except servers.CannotStart:
                if trial == RESTARTS - 1 or not self.target.has_started or time.monotonic() - began > QUICK:
                    raise
                time.sleep(RESTART_AFTER * (trial + 1))
        return None

    def play(self, case, way, result):
        """One delivery. If the machine was too busy to keep its times, and it did not pass, then again: the first play
        that kept them decides; if there is none, what most of the plays say."""
        kind = ClientPlayer if case.kind == "client" else Player
        trials = []
        while len(trials) < TRIES and not self.suite.late():
            trials.append(Result(case))
            spoiled = self.play_once(case, way, trials[-1], kind)
            if not spoiled or (len(trials) == 1 and trials[0].verdict in (PASS, NOT_RUN)):
                result.take_over(trials[-1])
                return
        failed = [trial for trial in trials if trial.verdict not in (PASS, NOT_RUN)]
        if trials:
            result.take_over(failed[0] if 2 * len(failed) > len(trials) else trials[-1])

    def play_once(self, case, way, result, kind):
        """One delivery against one server; its verdict goes into the result. True: it was spoiled."""
        try:
            server = self.server_for(case)
        except servers.CannotStart as error:
            result.add(way.label(), ERROR, f"could not start: {error}")
            return False
        player = kind(case, server, way, self.settings)
        player.program = self.target.client
        player.stopped = lambda: self.suite.stopping or self.suite.late()
        try:
            self.play_on(player, way, result)
        finally:
            if server is not self.shared:
                server.stop()
            elif server.started_here and (result.verdict not in (PASS, NOT_RUN) or leaves_messages(case)):
                self.drop()  # what a case leaves behind must not spoil the next one
        return player.spoiled

    def play_on(self, player, way, result):
        case, server = player.case, player.server
        try:
            player.play()
            trouble = servers.trouble(server, self.settings) if case.fresh else server.death()
            verdict, message = (ERROR, f"afterwards {trouble}") if trouble else (PASS, "")
            if not trouble and not player.checks:
                verdict, message = ERROR, "nothing was checked"
        except Incomplete as error:
            verdict, message, result.incomplete = NOT_RUN, str(error), True
        except Unplayable if self.suite.late() else ():
            verdict, message, result.incomplete = NOT_RUN, TIME_IS_UP, True
        except (NoSuchLimit, Unplayable) as error:
            verdict, message = NOT_RUN, f"the profile says there is no limit: {error}" if isinstance(
                error, NoSuchLimit) else str(error)
        except Mismatch as mismatch:
            verdict, message = self.judge_mismatch(player, mismatch, result)
        except OSError as error:
            trouble = servers.trouble(server, self.settings)
            verdict, message = ERROR, trouble or f"a connection failed: {error.strerror or error}"
        result.add(way.label(), verdict, message)
        result.transcript = player.transcript

    def judge_mismatch(self, player, mismatch, result):
        case, server = player.case, player.server
        result.line, result.expected, result.actual = mismatch.step.line, mismatch.expected, mismatch.actual
        result.failing = next((key_of(send, expect) for send, expect in exchanges(case) if expect is mismatch.step), None)
        result.sent = [entry.partition(" ")[2] for _, _, entry in player.transcript if re.match(r"\w+>", entry)]
        trouble = servers.trouble(server, self.settings)
        if trouble:
            return ERROR, f"{mismatch}; {trouble}"
        if case.level != "CHOICE":
            return FAIL, str(mismatch)
        if is_setup(case, result.failing):
            result.blocked_by = result.failing
            return BLOCKED, f"its set-up fails: {mismatch}"
        result.answer = mismatch.actual
        known = any(mismatch.actual == other.source for other in mismatch.step.others)
        return DIFFERS, f"{mismatch}" + (" (the document allows it)" if known else "")

    def after(self, case, result):
        """A case is passed only if another client is served after it."""
        if result.verdict != PASS or case.fresh or not self.shared:
            return
        trouble = servers.trouble(self.shared, self.settings)
        if trouble:
            result.add("afterwards", ERROR, f"after the case {trouble}")
            if self.shared.started_here:
                self.drop()


class Suite:
    """The run: hands out cases, collects results in the order of the cases."""

    def __init__(self, cases, target, settings, deliveries, jobs=1, excuses=None, seconds=None):
        """seconds: the whole run takes no longer."""
        self.deadline = None if seconds is None else time.monotonic() + seconds
        self.cases, self.target, self.settings = cases, target, settings
        self.deliveries, self.jobs, self.excuses = deliveries, jobs, excuses or {}
        self.lock = threading.Lock()
        self.queue = list(range(len(cases)))
        if seconds is not None:  # what may not be reached is what matters least
            self.queue.sort(key=lambda number: LEVELS.index(cases[number].level))
        self.results = [None] * len(cases)
        self.stopping = False
        self.broken = None
        self.working = set()
        self.idle = threading.Condition()

    def late(self):
        return self.deadline is not None and time.monotonic() > self.deadline

    def next_case(self):
        with self.lock:
            if self.stopping or not self.queue:
                return None
            return self.cases[self.queue.pop(0)]

    def finished(self, result):
        if result.case.id in self.excuses:
            result.excused(self.excuses[result.case.id])
        with self.lock:
            self.results[self.cases.index(result.case)] = result
            try:
                self.tell(result)
            except OSError as error:  # nobody reads the report any more
                self.broken, self.stopping = error, True

    def left(self, worker):
        with self.idle:
            self.working.discard(worker)
            self.idle.notify_all()

    def wait(self):
        """Until no worker is at work. Not by join(), which believes a thread dead once Ctrl-C ended a join() of it."""
        with self.idle:
            while self.working:
                self.idle.wait()

    def tell(self, result):
        """For a reporter to put in place."""

    def run(self, server=None):
        """All results. server: one that is started already."""
        workers = [Worker(self, server if number == 0 else None) for number in range(self.jobs)]
        self.working.update(workers)
        try:
            for worker in workers:
                worker.start()
            self.wait()
        finally:
            self.stopping = True
            self.wait()
        if self.broken:
            raise self.broken
        return [result for result in self.results if result]
