# SPDX-License-Identifier: ISC
"""Each library call of smspd that can fail does so once: it ends with a line that says so, or goes on."""
import contextlib
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time

import fault_calls
from harness import KILLED_BY_FILTER, PATIENCE, SMSPD, Client, age, alive, children_of, scenario, wait_for

# What Linux does not let fail so: a wake-up is not lost, nor is a note between supervisor and keeper cut in two;
# children are reaped, and a descriptor is closed, or a process killed, whatever comes back. SQLite has a blob ready
# that it has found. To a supervisor that is gone the keeper has nothing to say.
LEFT_OUT = ("close", "kill", "slot.c syscall", "slot.c write", "supervisor.c waitpid", "supervisor.c recv half",
            "keeper.c send half", "keeper.c send EPIPE", "sqlite3_column_blob")


class Ledger:
    """How many messages must be in the mailboxes, at least and at most."""

    def __init__(self, messages=0):
        self.low = self.high = messages

    def note(self, reply, change):
        """A request that adds or removes one was answered so; None: not at all."""
        if reply == "OK":
            self.low, self.high = self.low + change, self.high + change
        elif reply is None:
            self.low, self.high = self.low + min(change, 0), self.high + max(change, 0)


class Visit:
    """A client whose connection may end at any time."""

    def __init__(self, host, port):
        self.client, self.host, self.port = None, host, port

    def __enter__(self):
        try:
            self.client = Client(self.host, self.port)
        except OSError:
            self.client = None
        return self

    def __exit__(self, *_):
        if self.client:
            self.client.socket.close()

    def ask(self, request):
        """The reply; None if there is none."""
        try:
            return self.client.ask(request) if self.client else None
        except TimeoutError:
            raise AssertionError(f"no reply to {request.split(' ')[0]}, and no end") from None
        except (OSError, AssertionError):
            return None


def enter(visit, name):
    """A cookie, or None."""
    for verb in ("REGISTER", "LOGIN"):
        reply = visit.ask(f"{verb} {name} pw") or ""
        if re.fullmatch("OK [0-9a-f]{32}", reply):
            return reply[3:]
        if reply not in ("", "KO"):
            raise AssertionError(f"{verb}: {reply!r}")
    return None


def use(visit, name, ledger):
    """A session; what it adds to the mailboxes is noted."""
    cookie = enter(visit, name)
    if not cookie:
        return
    for number in range(2):
        if visit.ask(f"MESSAGE number {number} {cookie}") == "OK":
            ledger.note(visit.ask(f"STORE {name} {cookie}"), 1)
    visit.ask(f"GETMSG {name} {cookie}")
    ledger.note(visit.ask(f"DELMSG {name} {cookie}"), -1)
    visit.ask(f"MESSAGE left over {cookie}")
    visit.ask("DUMP")
    visit.ask(f"LOGOUT {cookie}")


class Life:
    """One smspd from its start to its end."""

    def __init__(self, faults, data, host="127.0.0.1", ledger=None, strangers=False):
        self.data, self.host, self.ledger, self.strangers = data, host, ledger or Ledger(), strangers
        options = ["--data", data] if data else []
        self.process = subprocess.Popen(
            [SMSPD, "--password-cost", "test", "--max-clients", "2", *options, host, "0"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=faults.environment(), start_new_session=True)
        self.log, self.port = [], None
        self.listens = threading.Event()
        self.readers = [threading.Thread(target=self.read_log), threading.Thread(target=self.process.stdout.read)]
        for reader in self.readers:
            reader.start()

    def read_log(self):
        for line in self.process.stderr:
            self.log.append(line.decode(errors="replace").strip())
            found = re.fullmatch(r"smspd: listening on (?:\[(.*)\]|(.*)):(\d+)", self.log[-1])
            if found and not self.port:
                self.host, self.port = found[1] or found[2], int(found[3])
                self.listens.set()
        self.listens.set()

    def visit(self):
        """Sessions, a client over the limit, the keeper's end, and sessions again."""
        with Visit(self.host, self.port) as one, Visit(self.host, self.port) as two:
            use(one, "alice", self.ledger)
            two.ask("bogus")
            with Visit(self.host, self.port) as three:
                three.ask("COUNT alice no")
            if self.strangers:
                self.write_otherwise()
                use(one, "alice", self.ledger)
        if self.data:
            self.kill_keeper()
            with Visit(self.host, self.port) as one:
                use(one, "bob", self.ledger)

    def write_otherwise(self):
        """Another program writes to the database, which is loaded again."""
        try:
            with contextlib.closing(sqlite3.connect(os.path.join(self.data, "mail.db"), timeout=1)) as db:
                db.execute("DELETE FROM IMQ")
                db.commit()
        except sqlite3.Error:
            pass
        time.sleep(0.15)

    def kill_keeper(self):
        """The oldest child, if it is still there."""
        try:
            os.kill(min(children_of(self.process.pid), key=age), signal.SIGKILL)
        except (OSError, ValueError):
            pass

    def end(self):
        """(status, processes that were left)"""
        pids = [self.process.pid, *children_of(self.process.pid)]
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            status = None
        try:
            wait_for(lambda: not any(alive(pid) for pid in pids), "all end", 2)
            left = 0
        except AssertionError:
            left = sum(map(alive, pids))
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        for reader in self.readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return status, left


def judge(life, status, left):
    """None, or what is wrong with such an end."""
    last = life.log[-1] if life.log else ""
    if left:
        return f"{left} processes are left"
    if any(KILLED_BY_FILTER in line for line in life.log):
        return "the sandbox's filter killed a process"
    if status == 0 and life.port:
        return None
    if status == 1 and re.match("smspd: .* .*", last) and "listening on" not in last and not last.startswith("smspd: sandbox"):
        return None
    return f"status {status}, last line {last!r}"


def kept(data, ledger):
    """None, or what the database has not that it should have: a start without faults tells."""
    done = subprocess.run([SMSPD, "--check", "--data", data], capture_output=True, text=True, check=False)
    found = re.search(r"messages in MBX: (\d+)", done.stdout)
    empty = "there is no database" in done.stderr or "it is empty" in done.stderr
    if not found and not (empty and ledger.low == 0):
        return f"--check afterwards: status {done.returncode}, {done.stderr.strip()!r}"
    if found and not ledger.low <= int(found[1]) <= ledger.high:
        return f"{found[1]} messages are there, acknowledged were {ledger.low} to {ledger.high}"
    return None


def live(faults, template=None, host="127.0.0.1", messages=0, strangers=False):
    """A server with a directory of its own, a copy of the template if that is one; None, or what was wrong."""
    with tempfile.TemporaryDirectory(prefix="smspd-calls.") as folder:
        data = os.path.join(folder, "data") if template is not False else None
        if template:
            shutil.copytree(template, data)
        life = Life(faults, data, host, Ledger(messages), strangers)
        trouble = None
        try:
            if not life.listens.wait(PATIENCE):
                trouble = "it neither listens nor ends"
            if life.port:
                life.visit()
        except AssertionError as error:
            trouble = str(error)
        finally:
            status, left = life.end()
        return trouble or judge(life, status, left) or (kept(data, life.ledger) if data and os.path.exists(data) else None)


def check(faults, template):
    """smspd --check: sound, or a line and status 1."""
    with tempfile.TemporaryDirectory(prefix="smspd-calls.") as folder:
        data = os.path.join(folder, "data")
        shutil.copytree(template, data)
        done = subprocess.run([SMSPD, "--check", "--data", data], capture_output=True, text=True, check=False,
                              env=faults.environment(), timeout=PATIENCE)
    said = done.stderr.strip().split("\n")[-1]
    if done.returncode == 0 and "sound" in done.stdout or done.returncode == 1 and said.startswith("smspd: "):
        return None
    return f"--check: status {done.returncode}, {said!r}, {done.stdout!r}"


def play(*lives):
    """Each life, and each call of it that fails."""
    total, wrong = 0, []
    for play_one in lives:
        count, more = fault_calls.try_all(SMSPD, play_one, LEFT_OUT)
        total, wrong = total + count, wrong + more
    print(f"# {total} calls failed")
    if wrong or total < 20 * len(lives):
        raise AssertionError("\n".join(wrong) or f"only {total} calls failed")


@scenario
def calls_with_data():
    """With --data, on a directory that is new."""
    play(live)


@scenario
def calls_with_old_data():
    """With --data, on a directory that was used before, and when it is checked."""
    with tempfile.TemporaryDirectory(prefix="smspd-calls.") as folder, fault_calls.Faults() as faults:
        template = os.path.join(folder, "template")
        life = Life(faults, template)
        try:
            life.listens.wait(PATIENCE)
            for name in ("alice", "carol"):
                with Visit(life.host, life.port) as visit:
                    use(visit, name, life.ledger)
        finally:
            life.end()
        messages = life.ledger.low
        play(lambda faults: live(faults, template, messages=messages, strangers=True), lambda faults: check(faults, template))


@scenario
def calls_in_memory():
    """Without --data, on all addresses of this machine that localhost means."""
    lives = [lambda faults: live(faults, False, "localhost")]
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        lives.append(lambda faults: live(faults, False, "::1"))
    except OSError:
        pass  # no IPv6 here
    play(*lives)
