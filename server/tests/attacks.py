#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""attacks.py [SECONDS [CLIENTS...]]: how long an innocent client waits beside each attack.

For each attack and each number of hostile clients (64 and 500 by default), an innocent client of another address sends
COUNT one at a time for so many seconds (3), and logs in on new connections. The table has the median, the 99th percentile
and the worst, in milliseconds. Times depend on the machine: run it on one without other load.
"""
import contextlib
import subprocess
import sys
import time

from fairness_scenarios import flood
from harness import Server, end_cleanly

INNOCENT, HOSTILE = "127.0.0.1", "127.0.0.2"
LOGINS = 8


def texts(server):
    """The attacks: what each hostile client sends, again and again."""
    with server.client() as client:
        cookie = client.ask("REGISTER mallory secret")[3:]
        client.ask(*[f"MESSAGE {'x' * 4096} {cookie}", f"STORE mallory {cookie}"] * 2)
    return {
        "nobody": None,
        "REGISTER of a taken name": "REGISTER mallory x\n" * 50,
        "LOGIN with a wrong password": "LOGIN mallory wrong\n" * 50,
        "long GETMSGs": f"GETMSG mallory {cookie}\n" * 50,
        "MESSAGEs that fill the text memory": f"MESSAGE {'y' * 4096} {cookie}\nSTORE mallory {cookie}\n" * 8,
        "DUMP": "DUMP\n" * 50,
        "half a request": "COUNT mall",
        "requests that do not parse": "\x01\n" * 500,
    }


@contextlib.contextmanager
def connect_storm(server):
    program = """
import socket, sys
while True:
    client = socket.create_connection(("127.0.0.1", int(sys.argv[1])), source_address=(sys.argv[2], 0))
    client.send(b"DUMP\\n")
    client.close()
"""
    processes = [subprocess.Popen(["/usr/bin/python3", "-c", program, str(server.port), HOSTILE], stderr=subprocess.DEVNULL)
                 for _ in range(2)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


@contextlib.contextmanager
def busy_processes():
    hogs = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(2)]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def timed(function):
    began = time.monotonic()
    function()
    return (time.monotonic() - began) * 1000


def log_in(server):
    with server.client() as client:
        if not client.ask("LOGIN innocent secret").startswith("OK "):
            raise AssertionError("the innocent client's LOGIN failed")


def measure(server, seconds):
    """Sorted milliseconds of COUNTs on one connection, and of LOGINs on new ones."""
    with server.client() as client:
        cookie = client.ask("LOGIN innocent secret")[3:]
        until = time.monotonic() + seconds
        counts = []
        while time.monotonic() < until:
            counts.append(timed(lambda: client.ask(f"COUNT innocent {cookie}")))
            time.sleep(0.002)
    return sorted(counts), sorted(timed(lambda: log_in(server)) for _ in range(LOGINS))


def row(name, clients, counts, logins):
    at = [counts[len(counts) // 2], counts[len(counts) * 99 // 100], counts[-1], logins[len(logins) // 2], logins[-1]]
    print(f"| {name} | {clients} | " + " | ".join(f"{value:.1f}" for value in at) + " |", flush=True)


def main():
    end_cleanly(1800)
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    numbers = [int(word) for word in sys.argv[2:]] or [64, 500]
    print("| attack | hostile clients | COUNT median | 99 % | worst | LOGIN median | worst |\n|---|---|---|---|---|---|---|")
    for clients in numbers:
        with Server("--max-clients", "1000", "--password-cost", "full") as server:
            with server.client() as client:
                client.ask("REGISTER innocent secret")
            attacks = {name: flood(server, clients, text.encode(), HOSTILE) if text else contextlib.nullcontext()
                       for name, text in texts(server).items()}
            attacks["two processes that connect, write and close"] = connect_storm(server)
            attacks["two busy processes"] = busy_processes()
            for name, attack in attacks.items():
                with attack:
                    time.sleep(0.5)
                    row(name, clients, *measure(server, seconds))
                time.sleep(0.5)
    return 0


if __name__ == "__main__":
    sys.exit(main())
