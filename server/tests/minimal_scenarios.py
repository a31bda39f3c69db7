#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""minimal_scenarios.py NAME PROGRAM: what can go wrong in the minimal server, played against it."""
import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time

TRIES = 50  # of a kill that must come while the password is hashed


class Failure(Exception):
    """What was wanted and what came."""


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)

    def ask(self, request):
        self.send(request)
        return self.reply()

    def send(self, request):
        self.socket.sendall(request.encode() + b"\n")

    def reply(self):
        line = b""
        while not line.endswith(b"\n"):
            some = self.socket.recv(4096)
            if not some:
                return None
            line += some
        return line.decode().rstrip("\n")


class Minimal:
    """A running server; its standard error is read line by line."""

    def __init__(self, program, stdout=subprocess.DEVNULL):
        self.process = subprocess.Popen([program, "127.0.0.1", "0"], stdout=stdout, stderr=subprocess.PIPE)
        self.port = int(re.search(rb"listening on \S*:(\d+)$", self.log_line().rstrip()).group(1))

    def log_line(self, seconds=20):
        readable, _, _ = select.select([self.process.stderr], [], [], seconds)
        return self.process.stderr.readline() if readable else b""

    def children(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as children:
            return {int(pid) for pid in children.read().split()}

    def kill_one_that_hashes(self, name):
        """Starts a REGISTER and kills its process; it holds the lock while it hashes the password."""
        before = self.children()
        client = Client(self.port)
        client.ask("COUNT nobody 00")  # its process is there now
        child = (self.children() - before).pop()
        client.send(f"REGISTER {name} secret")
        time.sleep(0.005)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


@contextlib.contextmanager
def running(program, **options):
    server = Minimal(program, **options)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()


def want(what, wanted, got):
    if wanted != got:
        raise Failure(f"{what}: wanted {wanted!r}, got {got!r}")


def register(client, name):
    reply = client.ask(f"REGISTER {name} secret")
    want(f"REGISTER {name}", "OK ", (reply or "")[:3])
    return reply.split()[1]


def kill_with_lock(server):
    """Kills processes until one held the lock, which the next to lock the state says; the line."""
    other = Client(server.port)
    other.ask("COUNT nobody 00")
    for number in range(TRIES):
        server.kill_one_that_hashes(f"victim{number}")
        want("COUNT without a session", "You should log in first.", other.ask("COUNT nobody 00"))
        line = server.log_line(0.2)
        if line:
            return line.decode()
    raise Failure(f"none of {TRIES} kills came while a process held the lock")


def killed_with_lock(program):
    with running(program) as server:
        alice = Client(server.port)
        cookie = register(alice, "alice")
        want("MESSAGE", "OK", alice.ask(f"MESSAGE hello {cookie}"))
        want("STORE", "OK", alice.ask(f"STORE alice {cookie}"))
        want("the log says", True, "undone" in kill_with_lock(server))
        want("the mail is there", "COUNTED 1", alice.ask(f"COUNT alice {cookie}"))
        want("its text too", "hello", alice.ask(f"GETMSG alice {cookie}"))
        register(Client(server.port), "bob")


def damaged(program):
    with running(program) as server:
        register(Client(server.port), "alice")
        want("the log says", True, "all mail is lost" in kill_with_lock(server))
        want("alice is gone", "KO", Client(server.port).ask("LOGIN alice secret"))
        register(Client(server.port), "alice")


def stopped_terminal(program):
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb"), running(program, stdout=writing) as server:
        os.close(writing)
        alice, bob = Client(server.port), Client(server.port)
        cookie = register(alice, "alice")
        for _ in range(40):  # more than a pipe holds
            alice.send(f"MESSAGE {'x' * 4000} {cookie}")
            want("MESSAGE", "OK", alice.reply())
        alice.send("DUMP")
        register(bob, "bob")


if __name__ == "__main__":
    try:
        {scenario.__name__: scenario for scenario in (killed_with_lock, damaged, stopped_terminal)}[sys.argv[1]](sys.argv[2])
    except Failure as failure:
        sys.exit(f"minimal_scenarios.py: {failure}")
