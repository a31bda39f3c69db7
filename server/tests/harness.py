# SPDX-License-Identifier: ISC
"""Starts smspd on a free loopback port for one test, and talks to it."""
import atexit
import functools
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SMSPD = os.environ.get("SMSPD", os.path.join(HERE, "..", "smspd"))
KILLED_BY_FILTER = f"ended by signal {signal.SIGSYS:d}"  # in a server's log
PATIENCE = 10.0  # seconds for anything that should happen at once
SCENARIOS = {}   # by name: functions that play one each


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


@functools.lru_cache(maxsize=None)
def preloadable(path):
    """A name of the library without white space and colons, at which the loader splits LD_PRELOAD."""
    path = os.path.abspath(path)
    if re.search(r"[\s:]", path):
        folder = tempfile.mkdtemp(prefix="smspd-preload.")
        os.chmod(folder, 0o755)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        link = os.path.join(folder, os.path.basename(path))
        os.symlink(path, link)
        return link
    return path


def want(actual, expected, what="reply"):
    """Fails with both values, bytes made visible."""
    if actual != expected:
        raise AssertionError(f"{what}: want {expected!r}, got {actual!r}")


def wait_for(condition, what, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def children_of(pid):
    """The pids whose parent is pid; zombies count."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as stat:
                    if int(stat.read().rsplit(")", 1)[1].split()[1]) == pid:
                        found.append(int(name))
            except OSError:
                continue
    return sorted(found)


def end_cleanly(seconds=None):
    """A signal that ends us, or so many seconds, is an exception: servers are ended too."""
    def leave(number, _):
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, leave)
    if seconds:
        signal.alarm(seconds)


def age(pid):
    """What is less for a process that began earlier."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
        return int(stat.read().rsplit(")", 1)[1].split()[19]), pid


def alive(pid):
    """A zombie whose parent takes its time is not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Server:
    """smspd with the given options, ended when the with block ends, whatever happens."""

    def __init__(self, *options, host="127.0.0.1", port=0, program=SMSPD, under=(), stdout=None, stderr=None, **more):
        cost = () if "--password-cost" in options else ("--password-cost", "test")
        self.options, self.host, self.asked, self.program = (*cost, *options), host, str(port), program
        self.under, self.stdout, self.stderr, self.more = under, stdout, stderr, more
        self.log = ""
        self.process = None
        self.ports = {}
        self.keeper = None

    def __enter__(self):
        self.process = subprocess.Popen(
            [*self.under, self.program, *self.options, self.host, self.asked], stdin=subprocess.DEVNULL,
            stdout=self.stdout or subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True, **self.more)
        try:
            self.read_log()
            self.keeper = min(children_of(self.process.pid), key=age)  # a worker's number may come to be lower
        except BaseException:
            self.__exit__()
            raise
        return self

    def read_log(self):
        """Up to the line that says where it listens, which is the last of the start."""
        while True:
            line = self.process.stderr.readline().decode()
            self.log += line
            listening = re.match(r"smspd: listening on (?:\[(.*)\]|(.*)):(\d+)\n", line)
            if listening:
                self.ports[listening.group(1) or listening.group(2)] = int(listening.group(3))
                if self.host != "localhost" or len(self.ports) == 1:
                    break
            elif not line:
                raise AssertionError("the server did not start: " + self.log)

    def __exit__(self, *_):
        pids = [self.process.pid, *children_of(self.process.pid)]
        try:
            self.process.terminate()
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        wait_for(lambda: not any(alive(pid) for pid in pids), "every process of the server ends")
        rest = b"" if self.process.stderr.closed else self.process.stderr.read()
        self.process.stderr.close()
        want(KILLED_BY_FILTER in rest.decode(errors="replace"), False, "the sandbox's filter killed a process")

    @property
    def port(self):
        return next(iter(self.ports.values()))

    def workers(self):
        return [pid for pid in children_of(self.process.pid) if pid != self.keeper]

    def client(self, **more):
        return Client(next(iter(self.ports)), self.port, **more)

    def quiet(self):
        """Waits until no worker is left."""
        wait_for(lambda: not self.workers(), "every worker ends")

    def end(self, sig=signal.SIGTERM):
        """Ends it by a signal and gives back its status and the rest of its log."""
        self.process.send_signal(sig)
        status = self.process.wait(PATIENCE)
        return status, self.process.stderr.read().decode()


class Client:
    """A connection; requests and replies are str without terminator."""

    def __init__(self, host, port, ending=b"\n", receive_buffer=None):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ending = ending
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send_bytes(self, data):
        self.socket.sendall(data)

    def send(self, *requests):
        self.send_bytes(b"".join(request.encode() + self.ending for request in requests))

    def reply(self):
        """The next reply; None at the end of the stream."""
        while self.ending not in self.rest:
            data = self.socket.recv(65536)
            if not data:
                want(self.rest, b"", "left at the end of the stream")
                return None
            self.rest += data
        line, self.rest = self.rest.split(self.ending, 1)
        return line.decode()

    def replies(self, count):
        return [self.reply() for _ in range(count)]

    def ask(self, *requests):
        """Sends the requests in one write and gives back the reply, or all of them."""
        self.send(*requests)
        found = self.replies(len(requests))
        return found[0] if len(found) == 1 else found

    def register(self, name, password="pw"):
        reply = self.ask(f"REGISTER {name} {password}")
        if not re.fullmatch(r"OK [0-9a-f]{32}", reply):
            raise AssertionError(f"REGISTER {name}: {reply!r}")
        return reply[3:]

    def finish(self):
        """Half-closes, and gives back all that still comes."""
        self.socket.shutdown(socket.SHUT_WR)
        data = self.rest
        while True:
            more = self.socket.recv(65536)
            if not more:
                return data
            data += more
