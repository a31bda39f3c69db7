# SPDX-License-Identifier: ISC
"""A server's own words for the document's replies. The form of each reply is judged once, in cases/form; all other
cases read replies through the dialect, so that one wrong word is one fault.

forms is {verb: {the document's reply: [the server's]}}, for example {"REGISTER": {"OK {cookie}": ["OK. {cookie}"]}}.
{cookie}, {n} and {text} stand for what they say, {any} for something that is never the same; {nothing} is silence,
{closed} a connection that ends. The verb * is any word that is no command.
"""
import re

OK_COOKIE, OK, KO, LOG_IN, COUNTED, TEXT = ("OK {cookie}", "OK", "KO", "You should log in first.", "COUNTED {n}",
                                            "{text}")
KINDS = (OK_COOKIE, OK, KO, LOG_IN, COUNTED, TEXT)
REFUSALS = (KO, LOG_IN)
VERBS = ("REGISTER", "LOGIN", "LOGOUT", "MESSAGE", "STORE", "COUNT", "GETMSG", "DELMSG", "DUMP")
HOLES = {"{cookie}": r"(?P<hole>\S{1,255})", "{n}": r"(?P<hole>[0-9]+)", "{text}": r"(?P<hole>.*)", "{any}": ".*"}
NOTHING, CLOSED = "{nothing}", "{closed}"


def verb_of(request):
    """The command of a request in bytes, or * for what is none."""
    word = request.split(b" ", 1)[0].strip(b"\r\n\0").decode("latin-1")
    return word if word in VERBS else "*"


def kind_of(reply):
    """Which of the document's replies this is, or None."""
    if reply in (b"OK", b"KO", LOG_IN.encode()):
        return reply.decode()
    if re.fullmatch(rb"OK [^ \r\n\0]{1,255}", reply):
        return OK_COOKIE
    return COUNTED if re.fullmatch(rb"COUNTED (0|[1-9][0-9]*)", reply) else None


def pattern(form):
    """A compiled expression for a form of the server."""
    parts = re.split(r"(\{(?:cookie|n|text|any)\})", form)
    text = "".join(HOLES.get(part) or re.escape(part) for part in parts)
    return re.compile(text.encode("utf-8", "surrogateescape"), re.DOTALL)


class Dialect:
    """Reads what a server says as what the document would say. Without forms, everything is read as it is."""

    def __init__(self, forms=None):
        self.forms = {}
        for verb, kinds in (forms or {}).items():
            for kind, words in kinds.items():
                for form in words:
                    self.learn(verb, kind, form)

    def learn(self, verb, kind, form):
        """ValueError if there is no such verb or reply."""
        if verb not in VERBS + ("*",):
            raise ValueError(f"dialect: {verb}: want one of {', '.join(VERBS)} or *")
        if kind not in KINDS:
            raise ValueError(f"dialect: {verb}: {kind}: want one of {', '.join(KINDS)}")
        known = self.forms.setdefault(verb, {}).setdefault(kind, [])
        if form not in known:
            known.append(form)

    def of(self, verb, kind):
        return self.forms.get(verb, {}).get(kind, [])

    def readings(self, verb, reply):
        """The replies of the document that this one may mean, itself first."""
        found, plain = [reply], kind_of(reply) in (OK, KO, LOG_IN)
        for kind, forms in self.forms.get(verb, {}).items():
            for form in forms:
                if form in (NOTHING, CLOSED) or (plain and "{" in form):
                    continue  # a KO is no bare cookie
                match = pattern(form).fullmatch(reply)
                if match:
                    hole = match.group("hole") if "hole" in match.re.groupindex else b""
                    found.append(re.sub(rb"\{\w+\}", lambda _, hole=hole: hole, kind.encode()))
        return found

    def without_words(self, verb, how):
        """What silence (NOTHING) or a closed connection (CLOSED) means after a command: replies of the document."""
        return [kind.encode() for kind, forms in self.forms.get(verb, {}).items() if how in forms]
