# SPDX-License-Identifier: ISC
"""The cases in a flat form that a small program in any language can replay without a socket.

One file a case, ID.flat, one step a line; README.md describes it.
"""
import os

from .limits import Limits
from .values import Values
from .wire import TERMINATORS

HEX = "0123456789ABCDEF"


class NotFlat(Exception):
    """This case needs a clock, a process or a terminal; why."""


def escaped(data):
    """Bytes with everything but plain ASCII as \\xHH; $ marks cookies, so it is escaped too."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F and byte not in b"\\$" else f"\\x{HEX[byte >> 4]}{HEX[byte & 15]}"
                   for byte in data)


class Flattener:
    """Writes one case's steps; cookies become $0, $1, ..."""

    def __init__(self, case, limits):
        self.case = case
        self.values = Values(limits, fixed=True)
        self.cookies, self.clients, self.lines = {}, {}, []

    def flat(self):
        self.refuse()
        for name, value in self.case.options.items():
            self.lines.append(f"option {name} {value}".rstrip())
        for step in self.case.steps:
            getattr(self, "flat_" + step.what.replace("-", "_"))(step)
        return "\n".join([f"case {self.case.id}"] + self.lines) + "\n"

    def refuse(self):
        if self.case.kind == "client":
            raise NotFlat("it is about the client")
        for step in self.case.steps:
            if step.what == "terminal" and step.text != "mark":
                raise NotFlat("it stops a terminal")
            if step.what == "action" and step.text == "reset":
                raise NotFlat("it resets a connection")
        if "clients" in self.case.options or "framing" in self.case.options:
            raise NotFlat("it is about the server's processes")

    def client(self, who):
        return self.clients.setdefault(who, len(self.clients))

    def framing(self, who):
        return self.case.framings.get(who, "lf")

    def bytes_of(self, template):
        """The line's bytes, escaped, with $N for cookies."""
        out = []
        for part in template.parts:
            if isinstance(part, bytes):
                out.append(escaped(part))
            elif part.kind == "cookie":
                out.append(self.cookie(part))
            elif part.kind in ("number", "any", "hex", "short"):
                raise NotFlat("it takes a number or any text out of a reply")
            elif part.kind == "stranger":
                out.append("0123456789abcdef" * 2)
            else:
                out.append(escaped(self.values.of(part)))
        return "".join(out)

    def cookie(self, part):
        if part.filter:
            raise NotFlat("it changes a cookie")
        return f"${self.cookies.setdefault(part.arguments[0], len(self.cookies))}"

    def flat_send(self, step):
        end = TERMINATORS[self.framing(step.who)]
        self.lines.append(f"send {self.client(step.who)} {self.bytes_of(step.template)}{escaped(end)}")
        if not end:
            self.lines.append(f"silence {self.client(step.who)}")

    def flat_raw(self, step):
        self.lines.append(f"send {self.client(step.who)} {self.bytes_of(step.template)}")

    def reply_end(self, who):
        return escaped(TERMINATORS[self.framing(who)][-1:])

    def flat_expect(self, step):
        who = self.client(step.who)
        if not step.template.special:
            self.lines.append(f"recv {who} {self.bytes_of(step.template)}{self.reply_end(step.who)}")
        elif step.template.special.kind in ("anything", "anything or nothing", "anything or closed"):
            self.lines.append(f"line {who}")
        elif step.template.special.kind == "nothing":
            self.lines.append(f"none {who}")

    def flat_expect_raw(self, step):
        self.lines.append(f"recv {self.client(step.who)} {self.bytes_of(step.template)}")

    def flat_refuse(self, step):
        self.lines.append(f"line {self.client(step.who)}")

    def flat_action(self, step):
        if step.text in ("half-close", "close"):
            self.lines.append(f"end {self.client(step.who)}")

    def flat_pause(self, step):
        for who, number in self.clients.items():
            if float(step.text) >= 0.15:
                self.lines.append(f"silence {number}")

    def flat_terminal(self, step):
        """A mark: the last DUMP is all that a flat case looks at."""

    def flat_terminal_line(self, step):
        self.lines.append(f"dump {self.bytes_of(step.template)}")

    def flat_terminal_has(self, step):
        self.lines.append(f"dump-has {self.bytes_of(step.template)}")

    def flat_terminal_lacks(self, step):
        self.lines.append(f"dump-lacks {self.bytes_of(step.template)}")


def write(cases, folder):
    """Writes all that can be flat; returns a sentence on how many."""
    os.makedirs(folder, exist_ok=True)
    written, left_out = 0, []
    for case in cases:
        try:
            text = Flattener(case, Limits()).flat()
        except NotFlat as why:
            left_out.append(f"{case.id}: {why}")
            continue
        with open(os.path.join(folder, case.id + ".flat"), "w", encoding="ascii") as file:
            file.write(text)
        written += 1
    with open(os.path.join(folder, "LEFT-OUT"), "w", encoding="ascii") as file:
        file.write("".join(f"{line}\n" for line in left_out))
    return f"{written} cases written to {folder}, {len(left_out)} left out (see LEFT-OUT there)"
