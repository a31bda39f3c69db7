#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A server that follows a script, for the tests of the client.

scripted_server.py LOG CONNECTION...

It prints the port it listens on, serves one connection after the other, and ends. Each
CONNECTION is a list of steps, separated by `;`:

    read N        read until N lines have come on this connection in all
    say TEXT      send TEXT, with Python's escapes: \\n, \\x1b
    many N TEXT   send TEXT N times
    wait SECONDS
    eof           read until the client closes
    half          close the sending direction
    reset         close so that the client gets a reset
After the last step the connection is closed. For each successful read, a line is written
to LOG: the number of the connection and the bytes.
"""
import codecs
import signal
import socket
import struct
import sys
import time

LIFETIME = 30  # seconds, whatever happens


def unescape(text):
    return codecs.escape_decode(text.encode())[0]


class Connection:
    def __init__(self, number, peer, log):
        self.number, self.peer, self.log = number, peer, log
        self.lines = 0

    def piece(self):
        """Read and log one piece; empty at the end."""
        try:
            piece = self.peer.recv(65536)
        except ConnectionResetError:
            piece = b""
        if piece:
            self.log.write(f"{self.number} {piece!r}\n")
            self.log.flush()
        self.lines += piece.count(b"\n")
        return piece

    def step(self, word, rest):
        if word == "read":
            while self.lines < int(rest) and self.piece():
                pass
        elif word == "say":
            self.peer.sendall(unescape(rest))
        elif word == "many":
            count, text = rest.split(" ", 1)
            self.peer.sendall(unescape(text) * int(count))
        elif word == "wait":
            time.sleep(float(rest))
        elif word == "eof":
            while self.piece():
                pass
        elif word == "half":
            self.peer.shutdown(socket.SHUT_WR)
        elif word == "reset":
            self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            sys.exit(f"scripted_server.py: unknown step '{word}'")


def main():
    signal.alarm(LIFETIME)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    with open(sys.argv[1], "w", encoding="utf-8") as log:
        for number, script in enumerate(sys.argv[2:], 1):
            peer, _ = listener.accept()
            if number == len(sys.argv) - 2:
                listener.close()
            connection = Connection(number, peer, log)
            try:
                for step in filter(None, (part.strip(" ") for part in script.split(";"))):
                    connection.step(*(step.split(" ", 1) + [""])[:2])
            except (BrokenPipeError, ConnectionResetError):
                pass  # the client has left, as it may
            peer.close()


if __name__ == "__main__":
    main()
