#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Redis, beanstalkd and an echo server as far as smsp-load uses them, for its tests: other_servers.py [FAULT]

It prints its port on standard output. The first bytes of a connection decide which server it is. FAULT is what is wrong in
replies from the 10th on: put (its number), look (its kind), text, end (of a text), remove; with cut all replies come in two
pieces, with close the connection ends.
"""
import socket
import sys
import threading
import time

LIFETIME = 20  # seconds
FAULT = sys.argv[1] if len(sys.argv) > 1 else "none"


class Peer:
    """One connection."""

    def __init__(self, connection):
        self.connection, self.stream = connection, connection.makefile("rb")
        self.texts, self.number, self.replies = {}, 0, 0

    def faulty(self, *kinds):
        return FAULT in kinds and self.replies >= 10

    def say(self, reply):
        self.replies += 1
        if self.faulty("close"):
            self.connection.shutdown(socket.SHUT_RDWR)
        elif FAULT == "cut":
            self.connection.sendall(reply[:-1])
            time.sleep(0.002)
            self.connection.sendall(reply[-1:])
        else:
            self.connection.sendall(reply)

    def text(self, text):
        text = text[:-1] + b"?" if self.faulty("text") else text
        return text + (b"?\n" if self.faulty("end") else b"\r\n")

    def redis(self, line):
        words = []
        for _ in range(int(line[1:])):
            words.append(self.stream.read(int(self.stream.readline()[1:])))
            self.stream.readline()
        held = self.texts.setdefault(words[1], [])
        if words[0] == b"RPUSH":
            held.append(words[2])
            self.say(b":7\r\n" if self.faulty("put") else b":%d\r\n" % len(held))
            return
        text = held[0] if words[0] == b"LINDEX" else held.pop(0)
        wrong = self.faulty("look" if words[0] == b"LINDEX" else "remove")
        self.say((b"$-1\r\n" if wrong else b"$%d\r\n" % len(text) + self.text(text)))

    def beanstalkd(self, line):
        words = line.split()
        if words[0] == b"use":
            self.say(b"USING %s\r\n" % words[1])
        elif words[0] == b"put":
            self.number += 1
            self.texts[self.number] = self.stream.read(int(words[4]) + 2)[:-2]
            self.say(b"BURIED\r\n" if self.faulty("put") else b"INSERTED %d\r\n" % self.number)
        elif words[0] == b"peek":
            text = self.texts.get(int(words[1]))
            self.say(b"NOT_FOUND\r\n" if self.faulty("look") or text is None else
                     b"FOUND %s %d\r\n" % (words[1], len(text)) + self.text(text))
        else:
            self.texts.pop(int(words[1]), None)
            self.say(b"NOT_FOUND\r\n" if self.faulty("remove") else b"DELETED\r\n")

    def echo(self, line):
        line = line.replace(b"=", b"!") if self.faulty("put") else line
        self.say(line[:-2] + b"?\n" if self.faulty("text") else line)

    def serve(self):
        for line in self.stream:
            (self.redis if line[:1] == b"*" else self.echo if line[:1] == b"=" else self.beanstalkd)(line)


def serve(connection):
    with connection:
        try:
            Peer(connection).serve()
        except (OSError, ValueError):
            pass


listener = socket.create_server(("127.0.0.1", 0))
listener.settimeout(LIFETIME)
print(listener.getsockname()[1], flush=True)
try:
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
except TimeoutError:
    pass
