# SPDX-License-Identifier: ISC
"""The limits that a server is tested at: ours, or a profile that its author wrote.

A profile has lines `content = 1000`, `username = none` (there is no limit, so
the cases at it are not run), and `option mailbox = --max-mailbox {n}`, which
tells how to start the server with a small one.
"""
import re

from .text import lines_of

OURS = {"username": 32, "password": 128, "content": 4096, "request": 4137}
OUR_OPTIONS = {
    "mailbox": "--max-mailbox {n}", "messages": "--max-messages {n}", "accounts": "--max-accounts {n}",
    "text": "--max-text {n}", "clients": "--max-clients {n}", "shared-mailboxes": "--shared-mailboxes",
    "framing": "--framing {n}",
}
LINE = re.compile(r"(option )?([a-z-]+) *= *(.+?) *\Z")


class BadProfile(Exception):
    """File, line and what is wrong."""


class Limits:
    """What the wire allows, and which options the server has."""

    def __init__(self, wire=None, options=None):
        self.wire = dict(OURS if wire is None else wire)
        self.options = dict(options or {})

    def get(self, name):
        return self.wire.get(name)

    def command_options(self, wanted):
        """The words that ask for {name: value}; None if the server has no such option."""
        words = []
        for name, value in wanted.items():
            if name not in self.options:
                return None
            words.extend(self.options[name].replace("{n}", value).split())
        return words


def read_limits(path, base):
    """base with a profile's lines over it. BadProfile."""
    limits = Limits(base.wire, base.options)
    for place, line in lines_of(path, BadProfile):
        take_line(limits, place, line)
    return limits


def take_line(limits, place, line):
    shape = LINE.match(line)
    known = OUR_OPTIONS if shape and shape.group(1) else OURS
    if not shape or shape.group(2) not in known:
        raise BadProfile(f"{place}: want `NAME = NUMBER` with one of {', '.join(OURS)}, "
                         f"or `option NAME = WORDS` with one of {', '.join(OUR_OPTIONS)}")
    name, value = shape.group(2), shape.group(3)
    if shape.group(1):
        limits.options[name] = value
    elif value == "none":
        limits.wire[name] = None
    elif value.isdigit() and int(value) > 0:
        limits.wire[name] = int(value)
    else:
        raise BadProfile(f"{place}: {value} is neither a number over 0 nor `none`")
