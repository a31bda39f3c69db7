# SPDX-License-Identifier: ISC
"""What placeholders stand for while one transcript is played once."""
import itertools
import os

from .template import FILTERS, LENGTH, NoSuchLimit, stranger

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
RUN = int.from_bytes(os.urandom(4), "big")
COUNTER = itertools.count()


def in_letters(number):
    out = ""
    while number:
        number, digit = divmod(number, 36)
        out = ALPHABET[digit] + out
    return out or "0"


class Values:
    """User names and texts that nobody else has, and the cookies met so far."""

    def __init__(self, limits, end=b"\n", fixed=False, address=("", 0)):
        self.limits = limits
        self.end = end
        self.address = address
        self.tag = "" if fixed else in_letters(RUN) + "x" + in_letters(next(COUNTER))
        self.kept = {}
        self.last_cookie = b"0123456789abcdef0123456789abcdef"

    def bound(self, part):
        return (part.kind, part.arguments[0]) in self.kept

    def bind(self, part, data):
        self.kept[part.kind, part.arguments[0]] = data
        if part.kind == "cookie":
            self.last_cookie = data

    def knows_cookie(self, name):
        return ("cookie", name) in self.kept

    def length(self, expression):
        """A number, or a limit of the server, plus or minus some."""
        base, sign, number = LENGTH.match(expression).groups()
        length = int(base) if base.isdigit() else self.limits.get(base)
        if length is None:
            raise NoSuchLimit(base)
        return length + int(f"{sign}{number}") if sign else length

    def of(self, part):
        """The bytes that a placeholder stands for."""
        if part.kind in ("cookie", "number"):
            data = self.kept[part.kind, part.arguments[0]]
            return FILTERS[part.filter](data) if part.filter else data
        if part.kind in ("user", "text"):
            return self.unique(*part.arguments)
        if part.kind == "fill":
            return filled(part.arguments[0].encode(), self.length(part.arguments[1]))
        if part.kind == "stranger":
            return stranger(self.last_cookie)
        if part.kind in ("host", "port"):
            return str(self.address[part.kind == "port"]).encode()
        return self.end

    def unique(self, name, length=None):
        word = name + self.tag
        if length is None:
            return word.encode()
        return (word + "x" * self.length(length))[:max(self.length(length), 0)].encode()


def filled(pattern, length):
    """length bytes of the pattern again and again, x where it does not fit in whole."""
    return pattern * (length // len(pattern)) + b"x" * (length % len(pattern))
