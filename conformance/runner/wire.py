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
    """A client. framing is lf, crlf, nul or none."""

    def __init__(self, address, framing, timeout):
        self.framing, self.timeout = framing, timeout
        self.buffer = b""
        self.ended = self.half_closed = False
        self.socket = connected(address, timeout)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data):
        """All of data. Closed: the server takes no more; what it said before can still be read."""
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
        if self.framing == "none":
            return self.unterminated(expected, deadline)
        mark = TERMINATORS[self.framing][-1:]
        while mark not in self.buffer:
            if not self.receive(deadline - time.monotonic()):
                raise Silence(self.buffer)
        line, self.buffer = self.buffer.split(mark, 1)
        return line[:-1] if self.framing == "crlf" and line.endswith(b"\r") else line

    def unterminated(self, expected, deadline):
        """What came until the server stopped or closed."""
        try:
            while not self.buffer:
                if not self.receive(deadline - time.monotonic()):
                    raise Silence()
            while self.buffer != expected and self.receive(QUIET):
                pass
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
        while len(self.buffer) < count:
            if not self.receive(deadline - time.monotonic()):
                raise Silence(self.buffer)
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def rest(self, seconds):
        """All that still comes until the server closes, or is silent for so long."""
        try:
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
