# SPDX-License-Identifier: ISC
"""What stands on a line of a transcript: text with escapes and {placeholders}.

A template is expanded into the bytes to send, or matched against a reply, which
binds cookies and numbers that it meets for the first time.
"""
import re

from .text import take_escape, visible

WHOLE_LINE = {"anything", "anything or closed", "anything or nothing", "closed", "nothing"}
SHORT = 10  # characters of a cookie that hold fewer than 64 random bits, the least that OWASP asks of a session's name
STRANGE = 24  # characters of a cookie that nobody has, if the server's own are shorter


def turned(byte):
    """Another character of the same class."""
    for first, count in ((b"0", 10), (b"a", 6), (b"g", 20), (b"A", 26)):
        if first[0] <= byte < first[0] + count:
            return first[0] + (byte - first[0] + 1) % count
    return byte


def stranger(cookie):
    """Looks like the cookie but is nobody's: short ones are lengthened, since another client may have their neighbour."""
    other = bytes(turned(byte) for byte in cookie)
    return other if len(other) >= STRANGE or not other else (other * STRANGE)[:STRANGE]


def piece(change):
    """A filter. What is left of a short cookie may be another client's, so a stranger takes its place."""
    return lambda cookie: change(cookie) if len(cookie) > SHORT else stranger(cookie)


FILTERS = {
    "upper": bytes.upper,
    "cut": piece(lambda cookie: cookie[:-1]),
    "first": piece(lambda cookie: cookie[:1]),
    "half": piece(lambda cookie: cookie[:len(cookie) // 2]),
    "longer": piece(lambda cookie: cookie + cookie[-1:]),
}
OPEN = {"any": b".*", "short": b"[^ ]{0,%d}" % SHORT}
LENGTH = re.compile(r"(\d+|[a-z]+)(?:([+-])(\d+))?\Z")
LIMITS = ("username", "password", "content", "request")


class NoSuchLimit(Exception):
    """The server's profile says that it has no limit of this kind."""


class Placeholder:
    """{kind:argument:argument|filter}"""

    def __init__(self, text):
        body, _, self.filter = text.partition("|")
        self.kind, *self.arguments = body.split(":")
        self.source = text
        self.check()

    def check(self):
        counts = {"user": (1, 2), "text": (1, 1), "cookie": (1, 1), "number": (1, 1), "fill": (2, 2), "nothing": (0, 1),
                  "stranger": (0, 0), "end": (0, 0), "any": (0, 0), "short": (0, 0), "hex": (1, 1), "host": (0, 0), "port": (0, 0), "anything": (0, 0),
                  "anything or nothing": (0, 0), "anything or closed": (0, 0), "closed": (0, 0)}
        if self.kind not in counts:
            raise ValueError(f"{{{self.source}}} is no placeholder")
        low, high = counts[self.kind]
        if not low <= len(self.arguments) <= high or "" in self.arguments:
            raise ValueError(f"{{{self.source}}}: wrong number of arguments")
        if self.filter and (self.kind != "cookie" or self.filter not in FILTERS):
            raise ValueError(f"{{{self.source}}}: no filter {self.filter}")
        if self.kind == "fill" or len(self.arguments) == 2:
            length = LENGTH.match(self.arguments[1])
            if not length or not (length.group(1).isdigit() or length.group(1) in LIMITS):
                raise ValueError(f"{{{self.source}}}: {self.arguments[1]} is no length")
        if self.kind == "hex" and not self.arguments[0].isdigit():
            raise ValueError(f"{{{self.source}}}: want a number of digits")
        if self.kind == "nothing" and self.arguments and not re.fullmatch(r"\d+(\.\d+)?", self.arguments[0]):
            raise ValueError(f"{{{self.source}}}: want seconds")


class Template:
    """One line; parts are bytes or placeholders."""

    def __init__(self, source):
        self.source = source
        self.parts = list(parse(source))
        special = [part for part in self.placeholders() if part.kind in WHOLE_LINE]
        if special and len(self.parts) != 1:
            raise ValueError(f"{{{special[0].source}}} must stand alone")
        self.special = special[0] if special else None

    def placeholders(self):
        return [part for part in self.parts if isinstance(part, Placeholder)]

    def cookies(self):
        """The names of the cookies in it."""
        return {part.arguments[0] for part in self.placeholders() if part.kind == "cookie"}

    def uses(self, kind):
        return any(part.kind == kind for part in self.placeholders())

    def start(self):
        """The bytes before the first placeholder."""
        return self.parts[0] if self.parts and isinstance(self.parts[0], bytes) else b""

    def expand(self, values):
        """The bytes to send. KeyError: a cookie in it is not known yet."""
        return b"".join(part if isinstance(part, bytes) else values.of(part) for part in self.parts)

    def match(self, data, values):
        """True if data is what this line expects; binds what it meets for the first time."""
        pattern, names = b"", {}
        for part in self.parts:
            if isinstance(part, bytes):
                pattern += re.escape(part)
            elif part.kind in OPEN:
                pattern += OPEN[part.kind]
            elif part.kind == "hex":
                pattern += b"[0-9a-f]{%d}" % int(part.arguments[0])
            elif part.kind in ("cookie", "number") and not values.bound(part):
                group = f"g{len(names)}"
                names[group] = part
                shape = rb"[^ \r\n\0]{1,255}" if part.kind == "cookie" else rb"(?:0|[1-9][0-9]*)"
                pattern += b"(?P<%s>%s)" % (group.encode(), shape)
            else:
                pattern += re.escape(values.of(part))
        found = re.fullmatch(pattern, data, re.DOTALL)
        if found:
            for group, part in names.items():
                values.bind(part, found.group(group))
        return found is not None

    def literal(self, values):
        """The one reply that it can mean, or None if there are several."""
        if self.special or any(self.uses(kind) for kind in ("any", "short", "hex")):
            return None
        try:
            return self.expand(values)
        except KeyError:
            return None

    def describe(self, values):
        """What it expects, for a person."""
        exact = self.literal(values)
        return visible(exact) if exact is not None else self.source


def parse(source):
    """Yields the parts of a template; ValueError says what is wrong."""
    literal, at = b"", 0
    while at < len(source):
        char = source[at]
        if char == "\\":
            taken, at = take_escape(source, at)
            literal += taken
        elif char == "{":
            close = source.find("}", at)
            if close < 0:
                raise ValueError("a { without its }; a brace itself is \\{")
            if literal:
                yield literal
                literal = b""
            yield Placeholder(source[at + 1:close])
            at = close + 1
        elif char == "}":
            raise ValueError("a } without its {; a brace itself is \\}")
        else:
            literal += char.encode()
            at += 1
    if literal:
        yield literal
