# SPDX-License-Identifier: ISC
"""The servers that are compared: each is started on a free port of 127.0.0.1, with its
files in a directory of its own, and ended with all that it started."""
import os
import re
import shutil
import signal
import socket
import subprocess
import time

START_SECONDS = 60  # with a million accounts to load


class BenchError(Exception):
    """Something that keeps the benchmark from being run, in one line."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def children(pid):
    """The processes that pid started, and those that they started."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            found = [int(word) for word in file.read().split()]
    except OSError:
        return []
    return found + [below for child in found for below in children(child)]


def pss(pid):
    """The proportional share of memory in bytes: a page of n processes counts as 1/n."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return int(re.search(r"^Pss:\s+(\d+) kB", file.read(), re.MULTILINE).group(1)) * 1024


def processor_seconds(pid):
    """To the nanosecond; stat counts in hundredths of a second."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0]) / 1e9


class Server:
    """One of them. protocol and mix: what smsp-load is told."""

    def __init__(self, name, command, protocol, mix, says_port=False, most=1 << 20):
        self.name = name
        self.command = command  # a function of (port, directory) to a list of words
        self.protocol = protocol
        self.mix = mix
        self.says_port = says_port
        self.most = most  # requests under way at a time, lest a load take minutes to end
        self.process = None
        self.port = None
        self.directory = None

    def start(self, below):
        self.directory = os.path.join(below, self.name.replace(" ", "-"))
        os.makedirs(self.directory)
        return self.start_again()

    def start_again(self):
        """In the directory that it has."""
        self.port = 0 if self.says_port else free_port()
        log = os.path.join(self.directory, "log")
        with open(log, "wb") as out:
            self.process = subprocess.Popen(self.command(self.port, self.directory), stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends:
            if self.process.poll() is not None:
                break
            if self.listens(log):
                return self
            time.sleep(0.002)
        self.stop()
        with open(log, encoding="utf-8", errors="replace") as file:
            last = file.read().strip().splitlines()[-1:] or ["it said nothing"]
        raise BenchError(f"{self.name} does not listen: {last[0]}")

    def listens(self, log):
        if self.says_port and not self.port:
            with open(log, encoding="utf-8", errors="replace") as file:
                said = re.search(r"listening on 127\.0\.0\.1[: ](\d+)", file.read())
            self.port = int(said.group(1)) if said else 0
            return bool(said)
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self):
        if self.process is None:
            return
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, sign)
            except ProcessLookupError:
                break
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                continue
        self.process.wait()
        self.process = None


class Servers:
    """All that run, in a directory that goes with them. A context manager."""

    def __init__(self, build):
        self.directory = os.path.join(build, f"run-{os.getpid()}")
        self.running = {}

    def __enter__(self):
        os.makedirs(self.directory)
        return self

    def __exit__(self, *_):
        for server in self.running.values():
            server.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self, server):
        self.running[server.name] = server.start(self.directory)
        return server

    def stop(self, name):
        server = self.running.pop(name)
        server.stop()
        shutil.rmtree(os.path.join(self.directory, name.replace(" ", "-")), ignore_errors=True)


def smspd(*options, name="smspd --memory"):
    return Server(name, lambda port, directory: ["server/smspd", *options, "--max-clients", "1100",
                                                 "127.0.0.1", str(port)], "smsp", "job", says_port=True)


def smspd_durable(name="smspd --data", options=()):
    return Server(name, lambda port, directory: ["server/smspd", "--data", os.path.join(directory, "data"), *options,
                                                 "--max-clients", "1100", "127.0.0.1", str(port)],
                  "smsp", "job", says_port=True)


def redis(name, *options):
    return Server(name, lambda port, directory: [
        "redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", directory, "--save", "",
        *options], "redis", "job")


def beanstalkd(name, durable):
    def command(port, directory):
        words = ["beanstalkd", "-l", "127.0.0.1", "-p", str(port)]
        return words + (["-b", directory, "-f0"] if durable else [])
    return Server(name, command, "beanstalkd", "job", most=256 if durable else 1 << 20)


def reference(script):
    return Server("Python reference", lambda port, directory: [script, "127.0.0.1", str(port)], "smsp", "job",
                  says_port=True)


def echo(program):
    return Server("echo", lambda port, directory: [program, str(port)], "echo", "echo", says_port=True)


def durable_is_built():
    """Does this smspd keep its state (--data)?"""
    said = subprocess.run(["server/smspd", "--version"], capture_output=True, text=True, check=True).stdout
    return "SQLite" in said
