# SPDX-License-Identifier: ISC
"""Scenarios on DUMP and its terminal."""
import fcntl
import os
import select
import threading
import time

from harness import Server, scenario, wait_for, want
from process_scenarios import kill


def dump_pipe():
    """The ends of a pipe that holds 4 KiB, for a terminal that can be stopped."""
    ours, theirs = os.pipe()
    fcntl.fcntl(ours, fcntl.F_SETPIPE_SZ, 4096)
    return ours, theirs


@scenario
def dump():
    """DUMP prints before the OK, in the order and form of the specification."""
    ours, theirs = os.pipe()
    with Server(stdout=theirs) as server, server.client() as client:
        os.close(theirs)
        cookie = client.register("alice", "secret")
        other = client.register("bob")
        want(client.ask(f"COUNT bob {cookie}", f"COUNT bob {other}", "COUNT bob none", f"COUNT bob {cookie}"),
             ["COUNTED 0", "COUNTED 0", "You should log in first.", "COUNTED 0"], "replies to several sessions' requests at once")
        asked = [f"MESSAGE one {cookie}", f"STORE bob {cookie}", f"MESSAGE two {cookie}", "DUMP", f"MESSAGE three {cookie}"]
        want(client.ask(*asked), ["OK"] * 5)
        printed = os.read(ours, 65536).decode()
        want(printed, "IMQ: 1\n  1: two\nMBX: 2\n  alice: 0\n  bob: 1\n    1: one\n", "printed")
        for _ in range(30):
            want(client.ask("DUMP", "DUMP again"), ["OK", "OK"])
            want(os.read(ours, 65536).decode().count("IMQ: 2\n"), 2, "two dumps printed")
    os.close(ours)


@scenario
def stopped_terminal():
    """A terminal that takes no text delays an OK by a second at most, and nobody else."""
    ours, theirs = dump_pipe()
    with Server(stdout=theirs) as server, server.client() as asking, server.client() as waiting, \
            server.client() as other:
        os.close(theirs)
        cookie = other.register("alice")
        want(other.ask(*[f"MESSAGE {'x' * 4000} {cookie}"] * 5), ["OK"] * 5)
        began = time.monotonic()
        asking.send("DUMP", "bogus")
        waiting.send("DUMP")
        while time.monotonic() - began < 0.8:
            asked = time.monotonic()
            want(other.ask(f"COUNT alice {cookie}"), "COUNTED 0")
            want(time.monotonic() - asked < 0.9, True, "a prompt reply beside a stopped terminal")
        want((asking.replies(2), waiting.reply()), (["OK", "KO"], "OK"))
        took = time.monotonic() - began
        want(took > 0.9, True, f"the OK comes after about a second, not {took:.2f}")
        want(server.end()[0], 0, "status with a dump under way")
    os.close(ours)


class Counted:
    """Reads a pipe in a thread and counts: bytes, and printings of the whole state."""

    def __init__(self, pipe):
        self.pipe, self.bytes, self.printings = pipe, 0, 0
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        rest = b""
        while True:
            got = os.read(self.pipe, 1 << 20)
            if not got:
                return
            self.bytes += len(got)
            self.printings += (rest + got).count(b"\nMBX: ")
            rest = got[-5:]


@scenario
def dump_flood():
    """DUMPs that wait share a printing, bytes a second are bounded, and each is answered OK within about a second."""
    clients, mib, seconds = 16, 1 << 20, 4
    ours, theirs = os.pipe()
    with Server("--max-text", str(64 * mib), stdout=theirs) as server:
        os.close(theirs)
        counted = Counted(ours)
        with server.client() as client:
            cookie = client.register("alice")
            for _ in range(16):  # 4 MiB in all
                want(client.ask(*[f"MESSAGE {'x' * 4096} {cookie}"] * 64), ["OK"] * 64)
        asking = [server.client() for _ in range(clients)]
        began, answered, worst = time.monotonic(), 0, 0.0
        while time.monotonic() - began < seconds:
            asked = time.monotonic()
            for client in asking:
                client.send("DUMP")
            for client in asking:
                want(client.reply(), "OK")
                answered += 1
            worst = max(worst, time.monotonic() - asked)
        took = time.monotonic() - began
        most = 8.5 * mib * (took + 1) + 4.5 * mib  # the rate, the first 8 MiB, and the pipe
        print(f"{answered} DUMPs, {counted.printings} printings, {counted.bytes / mib / took:.1f} MiB/s, the last OK after {worst:.2f} s")
        want(counted.bytes < most, True, f"{counted.bytes} bytes in {took:.1f} s, at most {most:.0f}")
        want(0 < counted.printings <= answered // 4, True, f"{counted.printings} printings for {answered} DUMPs")
        for client in asking:
            client.socket.close()
        server.end()
    counted.thread.join()
    os.close(ours)


@scenario
def asker_leaves():
    """A client that leaves while its DUMP waits is forgotten, and its slot serves the next."""
    ours, theirs = dump_pipe()
    with Server("--max-clients", "2", stdout=theirs) as server, server.client() as other:
        os.close(theirs)
        cookie = other.register("alice")
        want(other.ask(*[f"MESSAGE {'x' * 4000} {cookie}"] * 5), ["OK"] * 5)
        stays = server.workers()
        with server.client() as asking:
            asking.send("DUMP")
            wait_for(lambda: len(server.workers()) == 2, "a second worker")
            wait_for(lambda: select.select([ours], [], [], 0)[0], "the dump begins")
            for pid in set(server.workers()) - set(stays):
                kill(pid)
        wait_for(lambda: len(server.workers()) == 1, "the second worker ends")
        for _ in range(10):
            with server.client() as client:
                want(client.ask(f"COUNT alice {cookie}"), "COUNTED 0")
            wait_for(lambda: len(server.workers()) == 1, "the worker ends")
        read = b""
        while read.count(b"\n") < 8:
            read += os.read(ours, 65536)
        want(read.count(b"xxxx\n"), 5, "texts printed when the terminal goes on")
    os.close(ours)


@scenario
def full_terminal():
    """What DUMP cannot print is lost, and its OK comes all the same."""
    with open("/dev/full", "wb") as full, Server(stdout=full) as server, server.client() as client:
        cookie = client.register("alice")
        for _ in range(20):  # more than is printed at once
            want(client.ask(f"MESSAGE {'x' * 4000} {cookie}"), "OK")
        want(client.ask("DUMP", f"COUNT alice {cookie}"), ["OK", "COUNTED 0"])
