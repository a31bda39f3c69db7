# SPDX-License-Identifier: ISC
"""Turns a list of actions into a case: the reference server's Mail says what each reply should be.

An action is (kind, client, whose cookie, which user, content). Where the document gives the reply, the case expects
it. Where the document is silent (a doubt), any reply will do, and the action is used only if the server was seen to
change no more by it than the reference does.
"""
import importlib.util
import os
import re

from ..dialect import COUNTED, KO, LOG_IN, OK, OK_COOKIE, TEXT, kind_of
from ..transcript import Reader

SUITE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SPEC = importlib.util.spec_from_file_location("smsp_reference", os.path.join(SUITE, "reference", "smsp_reference.py"))
reference = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(reference)

USERS = ("alice", "bob", "carol")
CLIENTS = ("a", "b", "c")
PASSWORD = "secret"
FREE = "{anything or nothing}"
MAILBOX = ("COUNT", "GETMSG", "DELMSG")
OWN = ("login", "logout", "message", "store", "count", "getmsg", "delmsg", "dump")
STRANGE = ("count nobody", "getmsg nobody", "delmsg nobody", "store nobody", "dead logout", "dead message")
DOUBTS = {  # kind: the request
    "taken": "REGISTER {user} other",
    "taken, same password": "REGISTER {user} " + PASSWORD,
    "wrong password": "LOGIN {user} wrong",
    "unknown login": "LOGIN {nobody} " + PASSWORD,
    "store, empty queue": "STORE {user} {cookie}",
    "other count": "COUNT {other} {cookie}",
    "other getmsg": "GETMSG {other} {cookie}",
    "other delmsg": "DELMSG {other} {cookie}",
    "dead store": "STORE {user} {dead}",
    "dead count": "COUNT {user} {dead}",
    "dead getmsg": "GETMSG {user} {dead}",
    "dead delmsg": "DELMSG {user} {dead}",
    "no cookie": "DELMSG {user}",
    "no words": "LOGOUT",
    "one word more": "GETMSG {user} {cookie} more",
    "unknown verb": "HELLO {cookie}",
    "small letters": "delmsg {user} {cookie}",
    "dump with a cookie": "DUMP {cookie}",
}
CONTENTS = ("spaces", "letters beyond ASCII", "a long text")  # doubts too: not every server takes them
SAMPLES = {"spaces": "two words", "letters beyond ASCII": "größer", "a long text": "x" * 300}
PLAIN = {"id": "explored", "version": 1, "title": "explored", "level": "MUST", "rules": "SES-1", "sentence": "-"}
KINDS = OWN + STRANGE + tuple(DOUBTS)
RULES = {
    f"REGISTER {OK_COOKIE}": "REG-1", f"LOGIN {OK_COOKIE}": "LGI-1", f"LOGOUT {KO}": "LGO-3", f"MESSAGE {OK}": "MSG-1",
    f"MESSAGE {LOG_IN}": "MSG-2", f"STORE {OK}": "STO-1", f"STORE {KO}": "STO-3", f"COUNT {COUNTED}": "CNT-1",
    f"COUNT {KO}": "CNT-2", f"DELMSG {OK}": "DEL-1", f"DELMSG {KO}": "DEL-2", f"GETMSG {TEXT}": "GET-1",
    f"GETMSG {KO}": "GET-3", f"DUMP {OK}": "DMP-2",
}


def doubt_of(content):
    """Why a server may refuse this content, or None."""
    if not content.isascii():
        return "letters beyond ASCII"
    if " " in content:
        return "spaces"
    return "a long text" if len(content) > 100 else None


class Habits:
    """What is known of the server: the doubts that are settled, and what does not work at all."""

    def __init__(self, profile, restarts=True):
        self.profile = profile
        self.restarts = restarts  # the queue may be taken for empty at the start
        self.settled = set()
        self.shared = False       # anybody may remove from any mailbox
        self.closes = False       # LOGOUT ends the connection

    def allows(self, kind):
        return kind in self.settled and (kind != "store, empty queue" or self.restarts)

    def broken(self, key):
        return self.profile.broken(key) is not None


class Exchange:
    """One request and its reply. action: the number of the action that it belongs to."""

    def __init__(self, client, request, reply, key, action):
        self.client, self.request, self.reply, self.key, self.action = client, request, reply, key, action
        self.rule = RULES.get(key)


class Story:
    """Actions, one after the other, and the exchanges that they lead to."""

    def __init__(self, habits):
        self.habits = habits
        options = ["--shared-mailboxes"] if habits.shared else []
        self.mail = reference.Mail(reference.read_options(options + ["127.0.0.1", "0"]))
        self.names, self.cookies = {}, {}  # of each cookie its name, of each user the cookies, the last one last
        self.labels = {client: client for client in CLIENTS}
        self.exchanges, self.actions = [], []

    def tell(self, actions):
        for action in actions:
            self.actions.append(action)
            self.act(*action)
        return self

    # ---- an action

    def act(self, kind, client, who, target, content):
        user, other = USERS[who], USERS[(who + 1 + target % 2) % len(USERS)]
        if kind == "dump":
            self.say(client, "DUMP")
        elif kind == "login":
            self.enter(client, user, again=True)
        elif kind == "logout":
            self.logout(client, user)
        elif kind in ("message", "dead message"):
            self.message(client, self.dead(user, target) if kind[0] == "d" else self.cookie(client, user), content)
        elif kind == "dead logout":
            self.say(client, f"LOGOUT {self.dead(user, target)}")
        elif kind in DOUBTS:
            self.doubt(kind, client, user, other)
        elif kind == "store":
            self.store(client, user, USERS[target % len(USERS)])
        else:
            verb, _, nobody = kind.partition(" ")
            cookie = self.cookie(client, user)
            self.say(client, f"{verb.upper()} {{user:{nobody or user}}} {cookie}")

    def enter(self, client, user, again=False):
        """REGISTER, or LOGIN, of a user who has no session; again: also of one who has."""
        known = user.encode() in self.mail.RA
        self.register(client, user)
        if known and (again or user.encode() not in self.mail.ID):
            self.say(client, f"LOGIN {{user:{user}}} {PASSWORD}")

    def register(self, client, user):
        if user.encode() not in self.mail.RA:
            self.say(client, f"REGISTER {{user:{user}}} {PASSWORD}")

    def cookie(self, client, user):
        self.enter(client, user)
        return f"{{cookie:{self.names[self.mail.ID[user.encode()]]}}}" if user.encode() in self.mail.ID else "{stranger}"

    def dead(self, user, target):
        """Something that is nobody's cookie now: an old one if there is one."""
        old = [self.names[cookie] for cookie in self.cookies.get(user, []) if cookie not in self.mail.AC]
        if old and target != 2:
            return f"{{cookie:{old[-1]}}}"
        return f"{{user:{user}}}" if target == 1 else "{stranger}"

    def logout(self, client, user):
        self.say(client, f"LOGOUT {self.cookie(client, user)}", free=True)
        if self.habits.closes:
            label = self.labels[CLIENTS[client]]
            self.labels[CLIENTS[client]] = f"{CLIENTS[client]}{int(label[1:] or 1) + 1}"

    def message(self, client, cookie, content):
        if doubt_of(content) is None or doubt_of(content) in self.habits.settled:
            self.say(client, f"MESSAGE {content} {cookie}")

    def store(self, client, user, recipient):
        cookie = self.cookie(client, user)
        self.register(client, recipient)
        empty = not self.mail.IMQ
        if not empty or self.habits.allows("store, empty queue"):
            self.say(client, f"STORE {{user:{recipient}}} {cookie}", free=empty)

    def doubt(self, kind, client, user, other):
        if not self.habits.allows(kind):
            return
        cookie = self.cookie(client, user)
        self.register(client, other)
        if kind == "store, empty queue" and self.mail.IMQ:
            return
        words = {"{user}": f"{{user:{user}}}", "{other}": f"{{user:{other}}}", "{nobody}": "{user:nobody}",
                 "{cookie}": cookie, "{dead}": self.dead(user, 0)}
        self.say(client, re.sub(r"\{\w+\}", lambda found: words[found.group()], DOUBTS[kind]), free=True)

    # ---- an exchange

    def say(self, client, request, free=False):
        """Asks the model, and writes down the request and the reply. Left out if it is known not to work."""
        verb = request.split(" ")[0]
        mail, line = self.mail, re.sub(r"\{(\w+):?(\w*)\}", self.meaning, request).encode()
        before = dict(mail.ID)
        if not free and self.habits.broken(self.key(verb, self.foreseen(line))):
            return
        reply = self.foreseen(line) if verb == "DUMP" else mail.answer(line)
        if mail.ID != before and reply.startswith(b"OK "):
            user, cookie = line.split(b" ")[1].decode(), reply[3:]
            known = self.cookies.setdefault(user, [])
            known.append(cookie)
            self.names[cookie] = user + (str(len(known)) if len(known) > 1 else "")
            shown = f"OK {{cookie:{self.names[cookie]}}}"
        else:
            shown = reply.decode()
        key = f"{verb} {FREE}" if free else self.key(verb, reply)
        self.exchanges.append(Exchange(self.labels[CLIENTS[client]], request, FREE if free else shown, key,
                                       len(self.actions) - 1))

    def foreseen(self, line):
        """The kind of reply that this will get, without a change."""
        words = line.split(b" ")
        if words[0] in (b"REGISTER", b"LOGIN"):
            return b"OK x"
        if words[0] in (b"COUNT", b"GETMSG"):
            return self.mail.answer(line)
        if words[0] == b"DUMP":
            return b"OK"
        known = self.mail.user_of(words[-1]) is not None
        if words[0] == b"MESSAGE":
            return b"OK" if known else LOG_IN.encode()
        if words[0] == b"STORE":
            return b"OK" if self.mail.is_user(words[1]) else b"KO"
        return b"OK" if words[0] == b"DELMSG" and self.mail.MBX.get(words[1]) else b"KO"

    @staticmethod
    def key(verb, reply):
        """As of a case; a message that looks like another reply is a text all the same."""
        return f"{verb} {(KO if reply == b'KO' else TEXT) if verb == 'GETMSG' else kind_of(reply)}"

    def meaning(self, found):
        kind, name = found.groups()
        if kind == "cookie":
            return next(cookie for cookie, known in self.names.items() if known == name).decode()
        return name if kind == "user" else "f" * 32

    def epilogue(self):
        """Actions that show what is left: the queue, the mailboxes, and whether old cookies are dead."""
        known = [number for number, user in enumerate(USERS) if user.encode() in self.mail.RA]
        if not known:
            return []
        last = [("store", 0, known[0], known[0], "")] * len(self.mail.IMQ)
        for who in known:
            last += [("count", 0, who, 0, ""), ("getmsg", 0, who, 0, "")]
            if any(cookie not in self.mail.AC for cookie in self.cookies.get(USERS[who], [])):
                last.append(("dead message", 0, who, 0, "x"))
        return last

    # ---- the case

    def judged(self):
        return sum(exchange.reply != FREE for exchange in self.exchanges)

    def text(self, header, at=None, came=""):
        """The case file, with a comment above the reply of the exchange `at`: what came instead."""
        lines = [f"{key}: {value}" for key, value in header.items()] + [""]
        for exchange in self.exchanges:
            lines.append(f"{exchange.client}> {exchange.request}")
            lines += [f"# {came}"] if exchange is at else []
            lines.append(f"{exchange.client}< {exchange.reply}")
        return "\n".join(lines) + "\n"

    def case(self):
        return Reader("found/explored.case", self.text(PLAIN)).read()

    def exchange_at(self, line):
        """The exchange whose reply is on this line of case(); the last one if there is no line."""
        return self.exchanges[(line - len(PLAIN) - 3) // 2] if line else self.exchanges[-1]
