# SPDX-License-Identifier: ISC
"""What is known of a server before it is judged: how it speaks, its dialect, its limits. Saved and read as JSON."""
import json

from .dialect import Dialect
from .limits import OUR_OPTIONS, OURS

FORMAT, VERSION = "smsp-profile", 1
ENDS = ("lf", "crlf", "nul", "none")
CHOICES = {  # name: (default, the values that it may have)
    "requests": ("lf", ENDS),
    "replies": ("lf", ENDS + ("close",)),
    "connection": ("keep", ("keep", "each")),
    "clients": ("many", ("many", "one")),
}


class BadServerProfile(Exception):
    """File and what is wrong."""


class Finding:
    """What the diagnosis saw go wrong. key: what cases wait for, for example "MESSAGE OK"; None: nothing waits."""

    FIELDS = ("key", "level", "rule", "title", "sent", "came", "expected", "dies")

    def __init__(self, key, level, rule, title, sent=(), came="", expected="", dies=None):
        self.dies = dies  # the command that ends the process
        self.key, self.level, self.rule, self.title = key, level, rule, title
        self.sent, self.came, self.expected = list(sent), came, expected

    def record(self):
        return {name: getattr(self, name) for name in self.FIELDS}


class Profile:
    """How a server speaks. The defaults are those of a server that speaks as ours."""

    def __init__(self):
        for name, (default, _) in CHOICES.items():
            setattr(self, name, default)
        self.greeting = ""     # what it says when a client connects
        self.prompt = ""       # what comes after each reply, and is no part of it
        self.port = None       # where it listens, if that is not where it was told to
        self.fragile = False   # it ends when a client connects and leaves without a word
        self.closes = []       # the replies after which it closes the connection, by the document's words
        self.speaks = list(ENDS)  # what it takes for the end of a request
        self.alive = "LOGOUT nobody"  # a request that it is known to answer
        self.slowest = 0.0     # seconds that its slowest answer took
        self.dialect = Dialect()
        self.limits = {}
        self.options = {}
        self.findings = []
        self.lines = []        # the diagnosis for people

    def ends_so(self, framing):
        """True if replies to requests of this framing end as those of its own do. LF and CR LF are alike to a server
        whose replies end in another way than its requests."""
        alike = ("lf", "crlf")
        return framing == self.requests or (self.replies != self.requests and framing in alike and self.requests in alike)

    def broken(self, key):
        """The finding that a case waits for, or None. The key `LOGOUT *` is all of LOGOUT."""
        every = key.split(" ")[0] + " *"
        return next((finding for finding in self.findings if finding.key in (key, every, "* *")), None)

    def speaks_so(self, key):
        """True if the dialect has words of its own for a command and its reply."""
        verb, _, kind = (key or "").partition(" ")
        return bool(self.dialect.of(verb, kind))

    def gone(self, verb):
        """True if the server does not know a command at all."""
        return any(finding.key == f"{verb} *" for finding in self.findings)

    # ---- JSON

    PLAIN = ("requests", "replies", "greeting", "prompt", "connection", "clients", "port", "fragile", "closes",
             "speaks", "alive", "slowest", "limits", "options")

    def record(self):
        record = {"format": FORMAT, "version": VERSION}
        record.update({name: getattr(self, name) for name in self.PLAIN})
        record["dialect"] = self.dialect.forms
        record["findings"] = [finding.record() for finding in self.findings]
        record["diagnosis"] = self.lines
        return record

    def write(self, path):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.record(), file, ensure_ascii=False, indent=1)
            file.write("\n")


def read_profile(path):
    """The Profile in a file; what is missing has its default. BadServerProfile."""
    try:
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
    except OSError as error:
        raise BadServerProfile(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise BadServerProfile(f"{path}: no JSON: {error}; --save-profile FILE writes a profile") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT or record.get("version") != VERSION:
        raise BadServerProfile(f"{path}: want \"format\": \"{FORMAT}\" and \"version\": {VERSION}; "
                               "--save-profile FILE writes a profile")
    try:
        return from_record(record)
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise BadServerProfile(f"{path}: {error}") from None


def from_record(record):
    profile = Profile()
    known = set(Profile.PLAIN) | {"format", "version", "dialect", "findings", "diagnosis"}
    for name in record:
        if name not in known:
            raise ValueError(f"{name} is no field of a profile; known: {', '.join(sorted(known))}")
    for name in Profile.PLAIN:
        value = record.get(name, getattr(profile, name))
        check(name, value, getattr(profile, name))
        setattr(profile, name, value)
    profile.dialect = Dialect(record.get("dialect"))
    profile.findings = [Finding(**finding) for finding in record.get("findings", [])]
    profile.lines = list(record.get("diagnosis", []))
    return profile


def check(name, value, default):
    """ValueError if a field cannot have this value."""
    if name in CHOICES and value not in CHOICES[name][1]:
        raise ValueError(f"{name}: {value!r}: want one of {', '.join(CHOICES[name][1])}")
    if name == "port":
        if value is not None and not (isinstance(value, int) and 0 < value < 65536):
            raise ValueError(f"port: {value!r}: want a number from 1 to 65535, or null")
    elif name == "slowest":
        if not isinstance(value, (int, float)) or value < 0:
            raise ValueError(f"slowest: {value!r}: want seconds")
    elif not isinstance(value, type(default)):
        raise ValueError(f"{name}: {value!r}: want a {type(default).__name__}")
    if name == "limits":
        for limit, number in value.items():
            if limit not in OURS or not (number is None or (isinstance(number, int) and number > 0)):
                raise ValueError(f"limits: {limit}: {number!r}: want a number over 0 or null (no limit), "
                                 f"of {', '.join(OURS)}")
    if name == "options":
        for option in value:
            if option not in OUR_OPTIONS:
                raise ValueError(f"options: {option}: want some of {', '.join(OUR_OPTIONS)}")
