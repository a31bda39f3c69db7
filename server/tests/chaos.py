#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Plays many clients against a real smspd with --data, while processes die, the disk
fails and others behave badly; then checks that nothing that was acknowledged is lost
or doubled. Exit status: 0 it is so, 1 it is not, 2 usage."""
import argparse
import os
import random
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager

import chaos_faults
import store_scenarios
from chaos_ledger import Ledger
from harness import Server, alive, children_of, end_cleanly, wait_for
from store_scenarios import Disk, directory, mail_of

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "ci"))
from ending import end  # noqa: E402  (the path comes first)

LOG_IN = "You should log in first."
PATIENCE = 20  # seconds for a server to answer again, whatever has happened
NAMES = [f"user{number}" for number in range(8)]


class Run:
    """The server under test, and what is known of its trouble."""

    def __init__(self, seed, data, control):
        self.random = random.Random(f"{seed} faults")
        self.seed, self.data, self.disk = seed, data, Disk(control)
        self.max_clients = 40
        self.ledger = Ledger()
        self.over = threading.Event()
        self.calm_since = 0.0  # monotonic; infinity while the disk fails
        self.server = None
        self.gave_up = 0
        self.start(0)

    def start(self, port):
        self.server = Server("--data", self.data, "--max-clients", str(self.max_clients), "--request-timeout", "5",
                             port=port, env=self.disk.environment).__enter__()

    def restart(self, kill):
        """Ends the server, kindly or not, and starts another where it was."""
        port, process = self.server.port, self.server.process
        pids = [process.pid, *children_of(process.pid)]
        (process.kill if kill else process.terminate)()
        process.wait(PATIENCE)
        process.stderr.close()
        wait_for(lambda: not any(alive(pid) for pid in pids), "every process of the server ends")
        self.start(port)

    @contextmanager
    def trouble(self):
        """While this lasts changes may be refused, and a little longer: the fourth failed
        LOGIN of a connection is told a second later."""
        self.calm_since = float("inf")
        try:
            yield
        finally:
            self.calm_since = time.monotonic() + 2.5

    def look_after(self):
        """A server may give up when the disk keeps failing; it says so. Never otherwise."""
        if self.server.process.poll() is None:
            return
        log = self.server.process.stderr.read().decode()
        if self.calm_since == 0 or "giving up" not in log:
            self.ledger.complain(f"the server ended by itself: {log}")
        self.gave_up += 1
        self.restart(kill=True)


class Player(threading.Thread):
    """A client that keeps account of what it is told."""

    def __init__(self, run, name):
        super().__init__()
        self.run_, self.name_ = run, name
        self.random = random.Random(f"{run.seed} {name}")
        self.client = None
        self.cookies = set()  # that may be the right one: several after a LOGIN without a reply
        self.number = 0
        self.done = Counter()

    def connect(self):
        """A connection that answers, within PATIENCE."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                self.client = self.run_.server.client()
                if self.client.ask("COUNT nobody x") == LOG_IN:
                    return
                self.client.socket.close()  # over the limit
            except (OSError, AssertionError, TypeError, UnicodeDecodeError):
                self.drop()
            time.sleep(0.02)
        raise AssertionError(f"no answer within {PATIENCE} s")

    def drop(self):
        if self.client is not None:
            self.client.socket.close()
        self.client = None

    def ask(self, *requests):
        """The replies in a list; None for each that did not come."""
        replies = []
        try:
            self.client.send(*requests)
            while len(replies) < len(requests):
                reply = self.client.reply()
                if reply is None:
                    break
                replies.append(reply)
        except (OSError, AssertionError):
            pass
        if len(replies) < len(requests):
            self.drop()
        return replies + [None] * (len(requests) - len(replies))

    def log_in(self, verb="LOGIN"):
        reply, = self.ask(f"{verb} {self.name_} pw")
        if reply is None:
            self.cookies.add("unknown")
        elif reply.startswith("OK "):
            self.cookies = {reply[3:]}
        else:
            self.expect_trouble(f"{verb}: {reply}")

    def cookie(self):
        return next(cookie for cookie in self.cookies if cookie != "unknown")

    def expect_trouble(self, what):
        """KO to a change is right only while the disk fails."""
        if time.monotonic() > self.run_.calm_since:
            self.run_.ledger.complain(f"{self.name_}: {what} without trouble on the disk")
        self.done["refused"] += 1

    def send(self):
        target = self.random.choice(NAMES)
        text = self.run_.ledger.send(self.name_, target, self.number)
        self.number += 1
        cookie = self.cookie()
        replies = self.ask(f"MESSAGE {text} {cookie}", f"STORE {target} {cookie}")
        if replies == ["OK", "OK"]:
            self.run_.ledger.outcome(text, "stored")
            self.done["acknowledged"] += 2
        elif replies == ["KO", "KO"]:
            self.run_.ledger.outcome(text, "refused")
            self.expect_trouble("a pair was refused")
        elif replies == [LOG_IN, LOG_IN]:
            self.run_.ledger.outcome(text, "refused")
            self.session_lost()
        elif None in replies:
            self.run_.ledger.outcome(text, "unknown")
            self.done["unknown"] += 2
        else:
            self.run_.ledger.outcome(text, "unknown")
            self.run_.ledger.complain(f"{self.name_}: MESSAGE and STORE: {replies}")

    def fetch(self):
        cookie = self.cookie()
        text, = self.ask(f"GETMSG {self.name_} {cookie}")
        if text == LOG_IN:
            self.session_lost()
        elif text not in ("KO", None):  # only we delete, so it is still the first
            gone, = self.ask(f"DELMSG {self.name_} {cookie}")
            self.run_.ledger.read(self.name_, text, None if gone is None else gone == "OK")
            self.done["acknowledged"] += gone == "OK"
            self.done["unknown"] += gone is None
            if gone == "KO":
                self.expect_trouble("DELMSG was refused")

    def session_lost(self):
        if "unknown" not in self.cookies:
            self.run_.ledger.complain(f"{self.name_}: the session is gone")
        self.log_in()

    def run(self):
        try:
            while not self.run_.over.is_set():
                if self.client is None:
                    self.connect()
                elif self.random.random() < 0.02:
                    self.log_in()
                elif self.random.random() < 0.6:
                    self.send()
                else:
                    self.fetch()
        except AssertionError as error:
            self.run_.ledger.complain(f"{self.name_}: {error}")
        self.drop()


def play(run, seconds):
    """Gives back the players and how often each fault has happened."""
    players = [Player(run, name) for name in NAMES]
    happened = Counter({name: 0 for name in chaos_faults.FAULTS})
    for player in players:
        player.connect()
        player.log_in("REGISTER")
    for player in players:
        player.start()
    until = time.monotonic() + seconds
    order = []
    while time.monotonic() < until:
        time.sleep(run.random.uniform(0.02, 0.25))
        order = order or run.random.sample(sorted(chaos_faults.FAULTS), len(chaos_faults.FAULTS))
        name = order.pop()
        try:
            happened[name] += chaos_faults.FAULTS[name](run)
        except (OSError, AssertionError):
            pass  # the server was in no state to be harmed
        run.look_after()
    run.over.set()
    for player in players:
        player.join(3 * PATIENCE)
        if player.is_alive():
            run.ledger.complain(f"{player.name_} hangs")
    return players, happened


def collect(run):
    """All that is there after one more restart: mailboxes, and what waits on the IMQ."""
    run.disk.heal()
    run.restart(kill=True)
    mailboxes, waiting = {}, []
    for name in NAMES:
        with run.server.client() as client:
            reply = client.ask(f"LOGIN {name} pw")
            if reply == "KO":
                run.ledger.complain(f"the account of {name} is gone")
                return {}, []
            mailboxes[name] = mail_of(client, name, reply[3:])
    with run.server.client() as client:
        cookie = client.ask(f"LOGIN {NAMES[0]} pw")[3:]
        while client.ask(f"STORE {NAMES[0]} {cookie}") == "OK":
            waiting += mail_of(client, NAMES[0], cookie)
    return mailboxes, waiting


def report(run, players, happened, settled, seconds):
    done = sum((player.done for player in players), Counter())
    lost, doubled, wrong = settled
    print(f"{seconds:.0f} s, {len(players)} clients")
    print("faults: " + ", ".join(f"{name} {count}" for name, count in sorted(happened.items())))
    print(f"effects acknowledged {done['acknowledged']}, refused {done['refused']}, unknown {done['unknown']}; "
          f"servers that gave up {run.gave_up}")
    print(f"lost {len(lost)}, doubled {len(doubled)}, wrong replies {len(wrong)}")
    for kind, texts in (("lost", lost), ("doubled", doubled), ("wrong", wrong)):
        for text in texts[:10]:
            print(f"  {kind}: {text}")
    if done["acknowledged"] == 0 or sum(happened.values()) == 0:
        print("nothing happened: this run shows nothing")
        return 1
    return 1 if lost or doubled or wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--time", type=float, default=60, help="seconds (60)")
    parser.add_argument("--seed", type=int, default=None, help="repeats the decisions of a run (random)")
    parsed = parser.parse_args()
    if not os.path.exists(store_scenarios.FAULTS):
        parser.error("SMSPD_FAULTS: no library of disk faults there; run make chaos")
    end_cleanly()
    seed = parsed.seed if parsed.seed is not None else random.randrange(1000000)
    began = time.monotonic()
    print(f"chaos: seed {seed}: {len(chaos_faults.FAULTS)} kinds of faults for {parsed.time:.0f} s, then what is there is "
          "compared with what was acknowledged", flush=True)
    with directory() as data, directory() as control:
        run = Run(seed, data, control)
        try:
            players, happened = play(run, parsed.time)
            settled = run.ledger.settle(*collect(run))
        finally:
            run.over.set()
            run.disk.heal()
            run.server.process.kill()
            run.server.process.wait()
    return report(run, players, happened, settled, time.monotonic() - began)


def guarded():
    try:
        return main()
    except KeyboardInterrupt:
        print("chaos: interrupted; nothing is left of it", file=sys.stderr)
        return 130


if __name__ == "__main__":
    end(guarded)
