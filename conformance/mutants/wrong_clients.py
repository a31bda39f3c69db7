# SPDX-License-Identifier: ISC
"""Wrong in replies, connections and several clients at a time."""
import copy
import os
import socket
import threading
import time

from base import CHOICE, KO, MUST, SHOULD, Server, reference

# ---- replies


@SHOULD
class RepliesTwice(Server):
    """Each KO is sent twice."""

    def send(self, client, replies, end):
        super().send(client, [twin for reply in replies for twin in ([reply] * (1 + (reply == KO)))], end)


@SHOULD
class RepliesReversed(Server):
    """The replies to pipelined requests come in reverse order."""

    def send(self, client, replies, end):
        super().send(client, replies[::-1], end)


@SHOULD
class QuickRepliesFirst(Server):
    """Replies KO overtake others."""

    def send(self, client, replies, end):
        super().send(client, sorted(replies, key=lambda reply: reply != KO), end)


@SHOULD
class LastReplyOnly(Server):
    """Of pipelined requests only the last is answered."""

    def send(self, client, replies, end):
        super().send(client, replies[-1:], end)


@SHOULD
class HundredRepliesAtMost(Server):
    """Of a connection's requests only the first hundred are answered."""

    here = threading.local()  # a thread for each connection

    def send(self, client, replies, end):
        sent = getattr(self.here, "sent", 0)
        self.here.sent = sent + len(replies)
        super().send(client, replies[:max(100 - sent, 0)], end)


@CHOICE
class Greets(Server):
    """A line of welcome comes first."""

    def talk(self, client):
        client.sendall(b"Welcome\n")
        super().talk(client)

# ---- the end of a connection


@SHOULD
class RestRuns(Server):
    """What follows the last terminator is carried out when the client closes."""

    def receive(self, client, frames):
        requests, over = super().receive(client, frames)
        return (requests + [frames.buffer] if over and frames.buffer else requests), over


@SHOULD
class RestRunsWithoutReply(RestRuns):
    """The same, and the reply is not sent."""

    def send(self, client, replies, end):
        try:
            super().send(client, replies, end)
        except OSError:
            pass


@SHOULD
class HalfCloseDropsReplies(Server):
    """A client that has closed its side gets no more replies."""

    def send(self, client, replies, end):
        client.setblocking(False)
        try:
            time.sleep(0.002)
            if replies and client.recv(1, socket.MSG_PEEK) == b"":
                raise ConnectionError
        except BlockingIOError:
            pass
        super().send(client, replies, end)


@SHOULD
class HalfCloseDropsRequests(Server):
    """Of a client that has closed its side only the first request is carried out."""

    def answer_all(self, requests):
        return super().answer_all(requests[:1] if len(requests) > 1 and self.closing else requests)

    def receive(self, client, frames):
        requests, over = super().receive(client, frames)
        client.setblocking(False)
        try:
            time.sleep(0.002)
            self.closing = client.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            self.closing = False
        return requests, over

# ---- several clients


@CHOICE
class PairsApart(Server):
    """Two requests in one write may have another client's between them."""

    def answer_all(self, requests):
        replies = []
        for line in requests:
            replies += super().answer_all([line])
            time.sleep(0.002)
        return replies


@CHOICE
class ClientsUnlimited(Server):
    """There is always room for one more client."""

    def __init__(self, options, mail, out=None):
        options.max_clients = 1 << 20
        super().__init__(options, mail, out)


@CHOICE
class TooManyClosesSilently(Server):
    """A client over the limit is closed without a word."""

    def client(self, client):
        if self.clients >= self.options.max_clients:
            client.close()
            return
        super().client(client)


@CHOICE
class PlacesAreNotFreed(Server):
    """A client's place is not free again when it goes."""

    def client(self, client):
        super().client(client)
        with self.lock:
            self.clients += 1


@SHOULD
class OneClientAtATime(Server):
    """A second client waits until the first is gone."""

    turn = threading.Lock()

    def client(self, client):
        with self.turn:
            super().client(client)


@SHOULD
class TenClients(Server):
    """The eleventh client waits until another is gone."""

    turns = threading.Semaphore(10)

    def client(self, client):
        with self.turns:
            super().client(client)


@SHOULD
class HalfARequestBlocks(Server):
    """While a client is in the middle of a request, nobody else is served."""

    holder = None

    def receive(self, client, frames):
        requests, over = super().receive(client, frames)
        if over or not frames.buffer:
            Server.holder = None if Server.holder is client else Server.holder
        elif Server.holder is None:
            Server.holder = client
        while requests and Server.holder not in (None, client):
            time.sleep(0.01)
        return requests, over


@SHOULD
class SlowReaderBlocks(Server):
    """Replies are sent under the lock, so that who does not read stops all."""

    def send(self, client, replies, end):
        with self.lock:
            super().send(client, replies, end)


@SHOULD
class GoneClientKills(Server):
    """A connection that breaks ends the server."""

    def talk(self, client):
        try:
            super().talk(client)
        except ConnectionError:
            os._exit(1)


@SHOULD
class EmptyConnectionKills(Server):
    """A client that connects and leaves ends the server."""

    def receive(self, client, frames):
        requests, over = super().receive(client, frames)
        if over and frames.ending == frames.UNKNOWN:
            self.empty = getattr(self, "empty", 0) + 1
            if self.empty > 5:
                os._exit(1)
        return requests, over


@CHOICE
class SessionsEndWithConnection(Server):
    """When a connection ends, so do the sessions that began on it."""

    def talk(self, client):
        began = []
        local = self.mail.new_session

        def new_session(username):
            began.append((threading.get_ident(), username))
            return local(username)
        self.mail.new_session = new_session
        try:
            super().talk(client)
        finally:
            with self.lock:
                for place, username in began:
                    if place == threading.get_ident():
                        self.mail.end_session(username)


@MUST
class EachConnectionItsOwnState(Server):
    """Each connection works on a copy of the state, as a forked process without shared memory does."""

    def talk(self, client):
        own = Server.__new__(Server)
        own.__dict__.update(self.__dict__, lock=threading.Lock())
        own.mail = reference.Mail(self.options)
        for name in ("RA", "MBX", "IMQ", "ID", "AC"):
            setattr(own.mail, name, copy.deepcopy(getattr(self.mail, name)))
        reference.Server.talk(own, client)
        with self.lock:
            self.mail = own.mail


@SHOULD
class SeesOthersLate(Server):
    """A client sees what others have stored only after a while."""

    def answer_all(self, requests):
        return [self.late(line, reply) for line, reply in zip(requests, super().answer_all(requests))]

    def late(self, line, reply):
        if not line or not line.startswith(b"COUNT ") or not reply.startswith(b"COUNTED"):
            return reply
        seen = self.__dict__.setdefault("seen", {})
        key = (threading.get_ident(), line.split(b" ")[1])
        old, seen[key] = seen.get(key, reply), reply
        return old
