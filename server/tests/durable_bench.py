#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What a durable request costs: smspd with --data beside a bare loop of SQLite commits and
redis-server --appendfsync always, in turn, on the same disk. Prints a table of medians."""
import argparse
import json
import os
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

from harness import Server, wait_for

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "ci"))
from ending import end  # noqa: E402  (the path comes first)

LOAD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "client", "smsp-load")


class Flushes:
    """How often the disk below a folder is flushed; others' flushes count too, so a disk of one's own tells most."""

    def __init__(self, folder):
        device = os.stat(folder).st_dev
        self.stat = f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat"
        self.before = self.count()

    def count(self):
        try:
            with open(self.stat, encoding="ascii") as stat:
                return int(stat.read().split()[15])
        except (OSError, IndexError):
            return 0  # tmpfs, or a kernel that does not count them

    def of(self, requests):
        return (self.count() - self.before) / max(requests, 1)


def bare_commits(folder, seconds):
    """Commits of one row a second: the most that one client after the other can have. And flushes for each."""
    db = sqlite3.connect(os.path.join(folder, "bare.db"), isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE IF NOT EXISTS IMQ (place INTEGER PRIMARY KEY, sender TEXT, content TEXT)")
    flushes, began, count = Flushes(folder), time.monotonic(), 0
    while time.monotonic() - began < seconds:
        db.execute("INSERT INTO IMQ (sender, content) VALUES ('alice', ?)", ("x" * 64,))
        count += 1
    rate = count / (time.monotonic() - began)
    db.close()
    return rate, flushes.of(count)


def load(folder, port, clients, seconds, protocol, mix):
    """Requests a second, and flushes for each."""
    flushes = Flushes(folder)
    done = subprocess.run([LOAD, "-p", protocol, "-m", mix, "-c", str(clients), "-t", str(seconds), "-w", "0.3", "-q", "-j",
                           "127.0.0.1", str(port)], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    return told["requests_per_second"], flushes.of(told["requests"])


def messages(folder, seconds):
    """One client, MESSAGE after MESSAGE: each is one row and one commit, as of the bare loop."""
    with Server("--data", tempfile.mkdtemp(dir=folder), "--password-cost", "test") as server:
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"REGISTER alice secret\n")
            request = b"MESSAGE " + b"x" * 64 + client.recv(64).replace(b"OK", b"")
            flushes, began, count = Flushes(folder), time.monotonic(), 0
            while time.monotonic() - began < seconds:
                client.sendall(request)
                if client.recv(64) != b"OK\n":
                    raise SystemExit(f"durable_bench: MESSAGE {count + 1} was not answered OK")
                count += 1
            return count / (time.monotonic() - began), flushes.of(count)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def redis(folder, clients, seconds, mix):
    port = free_port()
    process = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", tempfile.mkdtemp(dir=folder), "--save", "",
                                "--appendonly", "yes", "--appendfsync", "always"], stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, "redis answers")
        return load(folder, port, clients, seconds, "redis", mix)
    finally:
        process.terminate()
        process.wait(10)


def smspd(folder, clients, seconds, mix):
    with Server("--data", tempfile.mkdtemp(dir=folder)) as server:
        return load(folder, server.port, clients, seconds, "smsp", mix)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--time", type=float, default=2, help="seconds for each figure of a round (2)")
    parser.add_argument("--dir", default=None, help="where the disk is (the usual place for temporary files)")
    parsed = parser.parse_args()
    figures = {"bare commits": [], "smspd, 1 client, MESSAGE": [], "smspd, 1 client, MESSAGE STORE": []}
    for clients in (1, 64):
        figures |= {f"smspd, {clients} clients, job": [], f"redis, {clients} clients, job": []}
    folder = tempfile.mkdtemp(prefix="smspd-bench-", dir=parsed.dir)
    try:
        for _ in range(parsed.rounds):
            figures["bare commits"].append(bare_commits(folder, parsed.time))
            figures["smspd, 1 client, MESSAGE"].append(messages(folder, parsed.time))
            figures["smspd, 1 client, MESSAGE STORE"].append(smspd(folder, 1, parsed.time, "send"))
            for clients in (1, 64):
                figures[f"smspd, {clients} clients, job"].append(smspd(folder, clients, parsed.time, "job"))
                figures[f"redis, {clients} clients, job"].append(redis(folder, clients, parsed.time, "job"))
    finally:
        shutil.rmtree(folder)
    for name, found in figures.items():
        rates, flushes = zip(*found)
        print(f"{name:32} {statistics.median(rates):9.0f}/s, {statistics.median(flushes):.2f} flushes each, "
              f"of {' '.join(f'{rate:.0f}' for rate in rates)}")
    for name in ("MESSAGE", "MESSAGE STORE"):
        ratios = [one[0] / bare[0] for bare, one in zip(figures["bare commits"], figures[f"smspd, 1 client, {name}"])]
        print(f"one durable client, {name}, of bare commits: {statistics.median(ratios):.2f}")
    return 0


if __name__ == "__main__":
    end(main)
