# SPDX-License-Identifier: ISC
"""One connection: sends bytes in pieces, and finds replies in what comes back."""
import select
import socket
import time

TERMINATORS = {"lf": b"\n", "crlf": b"\r\n", "nul": b"\0", "none": b""}
REPLY_LONGEST = 1 << 20
WINDOW = 1 << 16
QUIET = 0.06  # seconds of silence after which a reply without terminator is over


class Closed(Exception):
    """The server closed the connection."""


class Silence(Exception):
    """Nothing came in time; what did come is in data."""

    def __init__(self, data=b""):
        super().__init__("silence")
        self.data = data


class Endless(Exception):
    """A reply that does not end."""


def connected(address, timeout):
    """A socket with a small window, so that a server soon feels a client that does not read."""
    found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0]
    made = socket.socket(*found[:3])
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
        made.settimeout(timeout)
        made.connect(found[4])
    except OSError:
        made.close()
        raise
    return made


class Connection:
    """A client. framing, of requests, is lf, crlf, nul or none; replies is one of these or close."""

    def __init__(self, address, framing, timeout, replies=None, noise=(b"", b""), made=None):
        """noise: what the server says unasked (at the start, after each reply). made: a socket that is connected."""
        self.framing, self.timeout, self.replies = framing, timeout, replies or framing
        self.owed, self.prompt = noise
        self.buffer = self.begun = b""
        self.asked = []  # the requests that are sent and not answered, oldest first
        self.ended = self.half_closed = self.spoke = False
        self.socket = made or connected(address, timeout)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def count_requests(self, data):
        """Remembers the requests that these bytes complete."""
        mark = TERMINATORS[self.framing]
        *whole, self.begun = (self.begun + data).split(mark) if mark else (data, b"")
        self.asked += [one[:200] for one in whole]

    def take_asked(self):
        """The request that the next reply answers."""
        return self.asked.pop(0) if self.asked else self.begun

    def skip_noise(self, deadline):
        """Drops what the server says unasked. Closed, as receive()."""
        while self.owed and self.owed.startswith(self.buffer) and len(self.buffer) < len(self.owed):
            if not self.receive(deadline - time.monotonic()):
                return
        if self.owed and self.buffer.startswith(self.owed):
            self.buffer = self.buffer[len(self.owed):]
        self.owed = b""

    def send(self, data):
        """All of data. Closed: the server takes no more; what it said before can still be read."""
        self.spoke = self.spoke or bool(data)
        self.count_requests(data)
        view = memoryview(data)
        deadline = time.monotonic() + self.timeout + len(data) / 1e6
        while view:
            try:
                view = view[self.socket.send(view):]
            except BlockingIOError:
                if not select.select([], [self.socket], [], max(0, deadline - time.monotonic()))[1]:
                    raise Silence() from None
            except OSError:
                raise Closed() from None

    def receive(self, seconds):
        """Adds what comes within so many seconds to the buffer; False: nothing came."""
        if self.ended:
            raise Closed()
        if not select.select([self.socket], [], [], max(0, seconds))[0]:
            return False
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return True
        except OSError:
            data = b""  # a reset is a way to close
        if not data:
            self.ended = True
            raise Closed()
        self.buffer += data
        if len(self.buffer) > REPLY_LONGEST:
            raise Endless()
        return True

    def reply(self, expected=None, timeout=None):
        """The next reply without its terminator. expected: bytes at which an unterminated one is over."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        self.skip_noise(deadline)
        if self.replies in ("none", "close"):
            line = self.unterminated(expected, deadline)
        else:
            line = self.terminated(deadline)
        self.owed = self.prompt
        return line

    def terminated(self, deadline):
        mark = TERMINATORS[self.replies][-1:]
        while mark not in self.buffer:
            if not self.receive(deadline - time.monotonic()):
                raise Silence(self.buffer)
        line, self.buffer = self.buffer.split(mark, 1)
        return line[:-1] if self.replies == "crlf" and line.endswith(b"\r") else line

    def unterminated(self, expected, deadline):
        """What came until the server stopped, prompted or closed."""
        to_the_end = self.replies == "close"
        try:
            while not self.buffer:
                if not self.receive(deadline - time.monotonic()):
                    raise Silence()
            while self.buffer != expected or to_the_end:
                if self.prompt and self.prompt in self.buffer:
                    line, self.buffer = self.buffer.split(self.prompt, 1)
                    self.buffer = self.prompt + self.buffer
                    return line
                if not self.receive(deadline - time.monotonic() if to_the_end else QUIET):
                    break
        except Closed:
            if not self.buffer:
                raise
        line, self.buffer = self.buffer, b""
        for mark in (b"\r\n", b"\n", b"\0"):
            if line.endswith(mark):
                return line[:-len(mark)]
        return line

    def exactly(self, count):
        """The next count bytes as they are."""
        deadline = time.monotonic() + self.timeout
        self.skip_noise(time.monotonic())
        while len(self.buffer) < count:
            if not self.receive(deadline - time.monotonic()):
                raise Silence(self.buffer)
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def rest(self, seconds):
        """All that still comes until the server closes, or is silent for so long, without what it says unasked."""
        try:
            self.skip_noise(time.monotonic() + seconds)
            while self.receive(seconds):
                pass
        except (Closed, Endless):
            pass
        data, self.buffer = self.buffer, b""
        return data

    def half_close(self):
        if not self.half_closed:
            self.half_closed = True
            try:
                self.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # closed by the server already

    def reset(self):
        """Close so that the server sees a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def close(self):
        self.ended = True
        self.socket.close()
