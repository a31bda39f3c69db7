#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A reference server for the Simple Mail Server Protocol, in one file, to be read.

It is written from the document and from engine/PROTOCOL.md, whose rules the
comments name, and favours plainness over speed. From top to bottom:

  Mail        what the server keeps (RA, MBX, IMQ, ID, AC) and the nine commands
  Frames      finds the requests in the bytes that a client sends
  Terminal    prints what DUMP shows
  Server      sockets, one thread for each client

Run it with: ./smsp_reference.py HOST PORT   (PORT 0 picks a free one)
"""
import argparse
import hmac
import queue
import re
import secrets
import socket
import sys
import threading

OK = b"OK"
KO = b"KO"
LOG_IN = b"You should log in first."

USERNAME = re.compile(rb"[a-zA-Z0-9]{1,32}")
COOKIE = re.compile(rb"[0-9a-f]{32}")
CONTROL = re.compile("[\x00-\x1f\x7f\x80-\x9f]")
PASSWORD_MAX = 128
CONTENT_MAX = 4096
REQUEST_MAX = len(b"MESSAGE ") + CONTENT_MAX + len(b" ") + 32


def blocks(content):
    """Text memory comes in blocks of 64 bytes: 50 of text in the first, 60 in each further one."""
    return 1 + max(0, len(content) - 50 + 59) // 60


def is_text(line):
    """UTF-8 without control characters (REQ-1)."""
    try:
        return not CONTROL.search(line.decode("utf-8"))
    except UnicodeDecodeError:
        return False


class Mail:
    """What the server keeps, and the commands. Not for several threads at once: Server has a lock."""

    def __init__(self, options):
        self.options = options
        self.RA = {}   # Registered Accounts: username to password
        self.MBX = {}  # User Mailboxes: username to a list of messages, oldest first
        self.IMQ = []  # Incoming Message Queue: (sender, content), the most recent last
        self.ID = {}   # Session Cookies: username to cookie
        self.AC = []   # Assigned Cookies
        self.messages = 0  # in the IMQ and the mailboxes together
        self.blocks = 0    # of text memory that they take
        self.commands = {
            # verb: (command, number of parts after the verb, reply to an unknown cookie or None)
            b"REGISTER": (self.register, 2, None),
            b"LOGIN": (self.login, 2, None),
            b"LOGOUT": (self.logout, 1, KO),
            b"MESSAGE": (self.message, 2, LOG_IN),
            b"STORE": (self.store, 2, LOG_IN),
            b"COUNT": (self.count, 2, LOG_IN),
            b"DELMSG": (self.delmsg, 2, LOG_IN),
            b"GETMSG": (self.getmsg, 2, LOG_IN),
        }

    # ---- a request (REQ-1 to REQ-7: the checks in their order)

    def answer(self, line):
        """The reply to one request other than DUMP."""
        if line is None or len(line) > REQUEST_MAX:
            return KO
        if not is_text(line):
            return KO
        verb, space, rest = line.partition(b" ")
        if verb not in self.commands:
            return KO
        command, count, stranger = self.commands[verb]
        parts = self.split(verb, rest) if space else []
        if stranger is not None and len(parts) == count - 1:
            parts.append(b"")  # a missing cookie is an unknown one (REQ-5)
        if len(parts) != count:
            return KO
        if stranger is None:
            return command(*parts)
        user = self.user_of(parts[-1])
        if user is None:
            return stranger
        return command(user, *parts[:-1])

    def split(self, verb, rest):
        """The parts after the verb; each single space separates two (REQ-4)."""
        if verb == b"LOGOUT":
            return [rest]  # "the rest of the string" (LGO-3)
        if verb == b"MESSAGE":
            return rest.rsplit(b" ", 1)  # the content is all up to the last space (MSG-3)
        return rest.split(b" ")

    def user_of(self, cookie):
        """Whose session this is, or None. A session is its cookie (SES-1)."""
        if not COOKIE.fullmatch(cookie):
            return None
        for user, known in self.ID.items():
            if hmac.compare_digest(known, cookie):
                return user
        return None

    def is_user(self, username):
        return username in self.RA

    # ---- accounts and sessions

    def register(self, username, password):
        if not USERNAME.fullmatch(username) or not self.password_fits(password):
            return KO  # REG-7, REG-8
        if self.is_user(username) or len(self.RA) >= self.options.max_accounts:
            return KO  # REG-6, REG-9
        self.RA[username] = password
        self.MBX[username] = []
        return OK + b" " + self.new_session(username)

    def login(self, username, password):
        if not self.password_fits(password):
            return KO
        if not self.is_user(username) or not hmac.compare_digest(self.RA[username], password):
            return KO  # LGI-4, LGI-5
        return OK + b" " + self.new_session(username)

    def password_fits(self, password):
        return 1 <= len(password) <= PASSWORD_MAX

    def new_session(self, username):
        """A cookie that is not among the assigned ones (REG-5); the user's old one goes (LGI-3)."""
        cookie = self.draw()
        while cookie in self.AC:
            cookie = self.draw()
        self.end_session(username)
        self.ID[username] = cookie
        self.AC.append(cookie)
        return cookie

    def draw(self):
        return secrets.token_hex(16).encode()

    def end_session(self, username):
        if username in self.ID:
            self.AC.remove(self.ID.pop(username))

    def logout(self, user):
        self.end_session(user)
        return OK

    # ---- messages

    def message(self, user, content):
        if not 1 <= len(content) <= CONTENT_MAX:
            return KO  # MSG-4
        if not self.room_for(user, content):
            return KO  # MSG-5
        self.IMQ.append((user, content))
        self.messages += 1
        self.blocks += blocks(content)
        return OK

    def room_for(self, user, content):
        if self.messages >= self.options.max_messages:
            return False
        if sum(sender == user for sender, _ in self.IMQ) >= (self.options.max_messages + 3) // 4:
            return False  # the sender's share of the IMQ
        return self.blocks + blocks(content) <= self.options.max_text // 64

    def store(self, user, recipient):
        if not self.is_user(recipient) or not self.IMQ:
            return KO  # STO-3, STO-4
        if len(self.MBX[recipient]) >= self.options.max_mailbox:
            return KO  # STO-5
        _, content = self.IMQ.pop()  # the most recent one
        self.MBX[recipient].append(content)
        return OK

    def count(self, user, owner):
        if not self.is_user(owner):
            return KO
        return b"COUNTED %d" % len(self.MBX[owner])

    def may_open(self, user, owner):
        """Is there such a mailbox, with a message in it, and is it this user's? (DEL-2, DEL-3, GET-3, GET-4)"""
        if not self.is_user(owner) or not (user == owner or self.options.shared_mailboxes):
            return False
        return len(self.MBX[owner]) > 0

    def delmsg(self, user, owner):
        if not self.may_open(user, owner):
            return KO
        content = self.MBX[owner].pop(0)
        self.messages -= 1
        self.blocks -= blocks(content)
        return OK

    def getmsg(self, user, owner):
        return self.MBX[owner][0] if self.may_open(user, owner) else KO

    # ---- DUMP

    def is_dump(self, line):
        """Further words are ignored (DMP-3)."""
        return line is not None and len(line) <= REQUEST_MAX and is_text(line) and line.split(b" ")[0] == b"DUMP"

    def dump(self):
        """What DUMP prints (DMP-6)."""
        lines = [f"IMQ: {len(self.IMQ)}"]
        for number, (_, content) in enumerate(self.IMQ, 1):
            lines.append(f"  {number}: {content.decode()}")
        lines.append(f"MBX: {len(self.MBX)}")
        for username, messages in self.MBX.items():
            lines.append(f"  {username.decode()}: {len(messages)}")
            for number, content in enumerate(messages, 1):
                lines.append(f"    {number}: {content.decode()}")
        return "\n".join(lines) + "\n"


class Frames:
    """Finds the requests of one connection. A request that is too long comes out as None (FRM-7)."""

    UNKNOWN, SILENCE = "unknown", b""  # what may end a request, besides LF and NUL

    def __init__(self, style="auto"):
        self.style = style
        self.ending = self.UNKNOWN
        self.buffer = b""
        self.too_long = False

    def feed(self, data):
        """The requests that data completes."""
        self.buffer += data
        requests = []
        while self.ending != self.SILENCE:
            if self.ending == self.UNKNOWN:
                self.ending = self.first_terminator()  # it is fixed for good (FRM-1)
            if self.ending == self.UNKNOWN or self.ending not in self.buffer:
                break
            line, self.buffer = self.buffer.split(self.ending, 1)
            requests.append(self.finished(line))
        if len(self.buffer) > REQUEST_MAX + 2:
            self.too_long, self.buffer = True, b""
        return requests

    def first_terminator(self):
        found = re.search(rb"[\n\0]", self.buffer)
        return found.group() if found else self.UNKNOWN

    def finished(self, line):
        if self.ending == b"\n" and line.endswith(b"\r"):
            line = line[:-1]  # FRM-2
        too_long, self.too_long = self.too_long or len(line) > REQUEST_MAX, False
        return None if too_long else line

    def patience(self):
        """Seconds of silence that end a request, or None (FRM-4, FRM-5)."""
        if self.style == "terminated" or not (self.buffer or self.too_long):
            return None
        return {self.UNKNOWN: 0.150, self.SILENCE: 0.020}.get(self.ending)

    def silence(self):
        """The request that silence, or the end of input, completes."""
        held = len(self.buffer)
        if self.patience() is None or (self.ending == self.UNKNOWN and held < 2 and not self.too_long):
            return []
        self.ending = self.SILENCE
        line, self.buffer = self.buffer, b""
        for mark in (b"\r\n", b"\n", b"\0"):  # one of them is dropped (FRM-6)
            if line.endswith(mark):
                line = line[:-len(mark)]
                break
        return [self.finished(line)]

    def reply_end(self):
        """What ends a reply (FRM-3, FRM-5)."""
        if self.ending == self.SILENCE:
            return b"\0" if self.style == "course" else b""
        return b"\n" if self.ending == self.UNKNOWN else self.ending


class Terminal:
    """Prints one text after the other. Who waits for one that does not get printed waits a second (DMP-4)."""

    def __init__(self, out):
        self.out = out
        self.waiting = queue.Queue()
        threading.Thread(target=self.print_all, daemon=True).start()

    def print_all(self):
        while True:
            text, printed = self.waiting.get()
            self.out.write(text)
            self.out.flush()
            printed.set()

    def show(self, text):
        printed = threading.Event()
        self.waiting.put((text, printed))
        printed.wait(1.0)


class Server:
    """Listens, and serves each client in a thread."""

    frames = Frames

    def __init__(self, options, mail, out=None):
        self.options, self.mail = options, mail
        self.terminal = Terminal(out or sys.stdout)
        self.lock = threading.Lock()
        self.clients = 0

    def serve(self, host, port):
        listener = socket.create_server((host, port), reuse_port=False, backlog=512)
        print(f"smsp_reference: listening on {host}:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
        while True:
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.client, args=(client,), daemon=True).start()

    def client(self, client):
        """One client from its first byte to its end, whatever it does."""
        with self.lock:
            self.clients += 1
            welcome = self.clients <= self.options.max_clients
        try:
            if welcome:
                self.talk(client)
            else:
                client.sendall(KO + b"\n")  # FRM-12
            self.say_goodbye(client)
        except OSError:
            pass  # the client is gone
        finally:
            client.close()
            with self.lock:
                self.clients -= 1

    def talk(self, client):
        frames = self.frames(self.options.framing)
        while True:
            requests, over = self.receive(client, frames)
            self.send(client, self.answer_all(requests), frames.reply_end())
            if over:
                return

    def send(self, client, replies, end):
        """All of them; only then is more read (FRM-14)."""
        client.settimeout(None)
        client.sendall(b"".join(reply + end for reply in replies))

    def receive(self, client, frames):
        """(the requests that are complete now, has the client's input ended)."""
        client.settimeout(frames.patience())
        try:
            data = client.recv(65536)
        except TimeoutError:
            return frames.silence(), False
        if not data:
            return frames.silence(), True
        return frames.feed(data), False

    def answer_all(self, requests):
        """The replies, in order. Requests that came together run without another client's between (FRM-11)."""
        replies, requests = [], list(requests)
        while requests:
            printout = None
            with self.lock:
                while requests and printout is None:
                    line = requests.pop(0)
                    if self.mail.is_dump(line):
                        printout = self.mail.dump()
                        replies.append(OK)
                    else:
                        replies.append(self.mail.answer(line))
            if printout is not None:
                self.terminal.show(printout)
        return replies

    def say_goodbye(self, client):
        """No reset may destroy the last reply (FRM-13)."""
        client.shutdown(socket.SHUT_WR)
        client.settimeout(1.0)
        while client.recv(65536):
            pass


def read_options(arguments):
    parser = argparse.ArgumentParser(description="A reference server for the Simple Mail Server Protocol.")
    parser.add_argument("--max-clients", type=int, default=512)
    parser.add_argument("--max-accounts", type=int, default=100_000)
    parser.add_argument("--max-messages", type=int, default=1_000_000)
    parser.add_argument("--max-text", type=int, default=256 << 20)
    parser.add_argument("--max-mailbox", type=int, default=100_000)
    parser.add_argument("--framing", choices=("auto", "terminated", "course"), default="auto")
    parser.add_argument("--shared-mailboxes", action="store_true")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    return parser.parse_args(arguments)


def main(arguments, make_mail=Mail, make_server=Server):
    options = read_options(arguments)
    try:
        make_server(options, make_mail(options)).serve(options.host, options.port)
    except OSError as error:
        print(f"smsp_reference: {options.host}:{options.port}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
