# SPDX-License-Identifier: ISC
"""Asks a server in each situation that the document describes, twice, and keeps what it says."""
from ..dialect import COUNTED, KO, LOG_IN, OK, OK_COOKIE, TEXT
from ..text import show
from ..template import turned
from ..wire import TERMINATORS, Closed, Endless, Silence
from . import learning
from .patient import Heard
from .speech import fresh_name

TOO_SHORT = ("REGISTER", "LOGIN", "LOGOUT", "MESSAGE", "STORE", "COUNT", "GETMSG", "DELMSG")


class Situation:
    """What is asked, which reply the document wants, by which rule, and what came."""

    def __init__(self, verb, kind, level, rule, about):
        self.verb, self.kind, self.level, self.rule, self.about = verb, kind, level, rule, about
        self.answers = []

    def name(self):
        return f"{self.verb} {self.about}".strip()


class Answer:
    """To one request: how is reply, silence or closed."""

    def __init__(self, request, words, reply, how, heard):
        self.request, self.words, self.reply, self.how = request, words, reply, how
        self.death, self.error = heard.death, heard.error

    def shown(self):
        if self.death:
            return f"{self.death}{': ' + self.error if self.error else ''}"
        return {"reply": show(self.reply or b""), "silence": "nothing", "closed": "the connection closed"}[self.how]


ALL = (
    ("REGISTER", OK_COOKIE, "MUST", "REG-1", ""),
    ("REGISTER", KO, "SHOULD", "REG-6", "of a username that is taken"),
    ("LOGIN", OK_COOKIE, "MUST", "LGI-1", ""),
    ("LOGIN", KO, "CHOICE", "LGI-5", "with a wrong password"),
    ("LOGIN", KO, "CHOICE", "LGI-4", "of an unknown user"),
    ("LOGOUT", OK, "CHOICE", "LGO-2", ""),
    ("LOGOUT", KO, "MUST", "LGO-3", "with an unknown cookie"),
    ("MESSAGE", OK, "MUST", "MSG-1", ""),
    ("MESSAGE", LOG_IN, "MUST", "MSG-2", "with an unknown cookie"),
    ("STORE", OK, "MUST", "STO-1", ""),
    ("STORE", KO, "MUST", "STO-3", "for an unknown user"),
    ("STORE", KO, "CHOICE", "STO-4", "on an empty queue"),
    ("STORE", LOG_IN, "CHOICE", "STO-6", "with an unknown cookie"),
    ("COUNT", COUNTED, "MUST", "CNT-1", ""),
    ("COUNT", KO, "MUST", "CNT-2", "of an unknown user"),
    ("COUNT", LOG_IN, "CHOICE", "CNT-4", "with an unknown cookie"),
    ("GETMSG", TEXT, "MUST", "GET-1", ""),
    ("GETMSG", KO, "MUST", "GET-3", "of an empty mailbox"),
    ("GETMSG", KO, "MUST", "GET-3", "of an unknown user"),
    ("GETMSG", LOG_IN, "CHOICE", "GET-5", "with an unknown cookie"),
    ("DELMSG", OK, "MUST", "DEL-1", ""),
    ("DELMSG", KO, "MUST", "DEL-2", "of an empty mailbox"),
    ("DELMSG", KO, "MUST", "DEL-2", "of an unknown user"),
    ("DELMSG", LOG_IN, "CHOICE", "DEL-4", "with an unknown cookie"),
    ("DUMP", OK, "MUST", "DMP-2", ""),
    ("*", KO, "CHOICE", "REQ-3", ""),
)


class Interview:
    """One conversation with the server, with two users of its own."""

    def __init__(self, patient):
        self.patient, self.profile = patient, patient.profile
        self.situations = [Situation(*words) for words in ALL]
        self.short = {}  # by command: the answer to the command alone
        self.connection = self.last_kind = None
        self.users = []  # (name, cookie or None)
        self.generation = 0
        self.soiled = False  # true: there may be a message on the queue already

    def of(self, verb, about):
        return next(one for one in self.situations if (one.verb, one.about) == (verb, about))

    # ---- one request

    def say(self, request, **words):
        """The Answer to a request. words: what is in it, {user: cookie: text: n:}, for the comparison."""
        answer = self.say_once(request, words)
        if answer.how == "closed" and not answer.death and self.reused:
            answer = self.say_once(request, words)
            if answer.how != "closed":
                self.note_closing()
        self.last_kind = answer.reply
        return answer

    def line(self):
        """The connection for the next request, and whether it carried one before."""
        if self.connection and (self.patient.server.death() or self.connection.ended):
            self.connection = None
        if self.connection and has_closed_now(self.connection):
            self.note_closing()
            self.connection = None
        self.reused = self.connection is not None
        if not self.connection:
            self.connection = self.patient.settings_connection()
        return self.connection

    def note_closing(self):
        """A connection that should carry on has ended after a reply."""
        kind = learning.kind_or_text(self.last_kind)
        if kind not in self.profile.closes:
            self.profile.closes.append(kind)

    def say_once(self, request, words):
        mark = self.patient.mark()
        connection, how, reply, heard = self.line(), "reply", None, Heard()
        try:
            connection.send(request.encode() + TERMINATORS[self.profile.requests])
            reply = self.patient.timed(connection)
        except Silence as silence:
            how, reply = ("reply", silence.data) if silence.data else ("silence", None)
        except Closed:
            how = "closed"
        except Endless:
            reply = b"(without end)"
        if how != "reply" or connection.ended:
            heard.closed = how == "closed"
            self.patient.autopsy(heard, mark)
        if how != "reply" or self.profile.connection == "each":
            self.hang_up()
        return Answer(request, words, reply, how, heard)

    def hang_up(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def ask(self, verb, about, request, **words):
        """Asks in a situation; the answer is kept with it."""
        answer = self.say(request, **words)
        self.of(verb, about).answers.append(answer)
        return answer

    # ---- the conversation

    def hold(self):
        self.unknown_words()
        self.sessions()
        if self.users and self.patient.server.started_here and not self.soiled:
            self.empty_queue()
        self.mail()
        self.logins()
        self.strangers()
        self.logouts()
        for _ in range(2):
            self.ask("DUMP", "", "DUMP")
        self.too_short()
        self.hang_up()

    def unknown_words(self):
        for _ in range(2):
            self.ask("*", "", fresh_name().upper() + " word")

    def sessions(self):
        """Two users with their cookies, as far as REGISTER or LOGIN gives any."""
        self.users, self.generation = [], self.patient.generation
        names = [fresh_name() for _ in range(5)]
        answers = [self.ask("REGISTER", "", f"REGISTER {name} secret", user=name) for name in names]
        cookies = learning.cookies(self, "REGISTER", answers)
        if not cookies:
            answers = [self.ask("LOGIN", "", f"LOGIN {name} secret", user=name) for name in names]
            cookies = learning.cookies(self, "LOGIN", answers)
        self.users = list(zip(names, cookies or []))[:4]
        for name in names[4:] * 2:  # nobody uses this one's cookie: some servers end the session
            self.ask("REGISTER", "of a username that is taken", f"REGISTER {name} secret", user=name)

    def still_there(self):
        """True if there are users; after a restart there are new ones."""
        if self.patient.server.death() or self.generation != self.patient.generation:
            self.patient.revive()
            if self.generation != self.patient.generation and self.users:
                self.sessions()
        return bool(self.users)

    def empty_queue(self):
        for name, cookie in self.users[:2]:
            if self.still_there():
                answer = self.ask("STORE", "on an empty queue", f"STORE {name} {cookie}", user=name, cookie=cookie)
                if answer.death:
                    break
        self.still_there()

    def mail(self):
        """A message to each user, as far as it comes."""
        for number in range(2):
            text = "text" + fresh_name()
            for verb, about, request, more in (
                    ("COUNT", "", "COUNT {name} {cookie}", {"n": 0}),
                    ("GETMSG", "of an empty mailbox", "GETMSG {name} {cookie}", {}),
                    ("DELMSG", "of an empty mailbox", "DELMSG {name} {cookie}", {}),
                    ("MESSAGE", "", "MESSAGE {text} {cookie}", {}),
                    ("STORE", "for an unknown user", "STORE {nobody} {cookie}", {}),
                    ("MESSAGE", "", "MESSAGE {text} {cookie}", {}),  # some servers have lost the first one
                    ("STORE", "", "STORE {name} {cookie}", {}),
                    ("COUNT", "", "COUNT {name} {cookie}", {"n": 1}),
                    ("GETMSG", "", "GETMSG {name} {cookie}", {}),
                    ("MESSAGE", "", "MESSAGE {text} {cookie}", {}),
                    ("STORE", "", "STORE {other} {cookie}", {}),
                    ("DELMSG", "", "DELMSG {other} {theirs}", {}),  # of a mailbox that GETMSG has not touched
                    ("COUNT", "of an unknown user", "COUNT {nobody} {cookie}", {}),
                    ("GETMSG", "of an unknown user", "GETMSG {nobody} {cookie}", {}),
                    ("DELMSG", "of an unknown user", "DELMSG {nobody} {cookie}", {})):
                if not self.still_there():
                    return
                if self.spoilt(verb, about):
                    continue
                (name, cookie), (other, theirs) = self.users[number], self.users[number + 2]
                nobody = fresh_name()
                user = nobody if "{nobody}" in request else other if "{other}" in request else name
                self.ask(verb, about, request.format(name=name, cookie=cookie, text=text, nobody=nobody, other=other,
                                                     theirs=theirs),
                         user=user, cookie=cookie, text=text, **more)

    def spoilt(self, verb, about):
        """True if the situation has ended the server already, which is enough."""
        return any(answer.death for answer in self.of(verb, about).answers)

    def logins(self):
        if not self.still_there():
            return
        names = [name for name, _ in self.users[:2]]
        for name in names:
            self.ask("LOGIN", "with a wrong password", f"LOGIN {name} wrong{fresh_name()}", user=name)
            nobody = fresh_name()
            self.ask("LOGIN", "of an unknown user", f"LOGIN {nobody} secret", user=nobody)
        if not self.of("LOGIN", "").answers and self.still_there():
            answers = [self.ask("LOGIN", "", f"LOGIN {name} secret", user=name) for name, _ in self.users[:2]]
            cookies = learning.cookies(self, "LOGIN", answers)
            if cookies:
                self.users = [(name, cookie) for (name, _), cookie in zip(self.users, cookies)]

    def strangers(self):
        """Cookies that nobody has, one alike and one that looks like none."""
        if not self.still_there():
            return
        alike = bytes(turned(byte) for byte in self.users[0][1].encode()).decode()
        for cookie in (alike, "nothing" + fresh_name()):
            name = self.users[0][0]
            for verb, request in (("LOGOUT", f"LOGOUT {cookie}"), ("MESSAGE", f"MESSAGE hello {cookie}"),
                                  ("STORE", f"STORE {name} {cookie}"), ("COUNT", f"COUNT {name} {cookie}"),
                                  ("GETMSG", f"GETMSG {name} {cookie}"), ("DELMSG", f"DELMSG {name} {cookie}")):
                if not self.still_there():
                    return
                if not self.spoilt(verb, "with an unknown cookie"):
                    self.ask(verb, "with an unknown cookie", request, cookie=cookie, user=name)

    def logouts(self):
        for number in range(2):
            if not self.still_there() or self.spoilt("LOGOUT", ""):
                return
            cookie = self.users[number][1]
            self.ask("LOGOUT", "", f"LOGOUT {cookie}", cookie=cookie)

    def too_short(self):
        """Each command alone: does it end the connection or the process?"""
        for verb in TOO_SHORT:
            self.patient.revive()
            self.short[verb] = self.say(verb)


def has_closed_now(connection):
    """Without waiting."""
    try:
        while connection.receive(0):
            pass
    except (Closed, Endless):
        pass
    return connection.ended


def ask_all(patient):
    """Fills dialect, closes and findings of the profile."""
    interview = Interview(patient)
    interview.hold()
    learning.conclude(interview)
    return interview


__all__ = ["ask_all"]
