# SPDX-License-Identifier: ISC
"""Reads a case file: a header of `key: value` lines, an empty line, then steps. FORMAT.md describes the format."""
import os
import re

from .template import Template

LEVELS = ("MUST", "SHOULD", "CHOICE")
FRAMINGS = ("lf", "crlf", "nul", "none")
REQUIRED = ("id", "version", "title", "level", "rules", "sentence")
OPTIONAL = ("server", "options", "framing", "deliveries", "needs", "kind")
NEEDS = ("keep", "terminated", "many")
OPTION_NAMES = ("mailbox", "messages", "accounts", "text", "clients", "shared-mailboxes", "framing")
ACTIONS = ("connect", "close", "half-close", "reset")
TERMINAL_ACTIONS = ("stop", "go", "mark")
CHECKS = ("expect", "expect-raw", "refuse", "terminal-line", "terminal-has", "terminal-lacks", "out", "exit", "see",
          "see-not")
STEP = re.compile(r"([a-z][a-z0-9]*)(>>|>|<\||<!|<<|<|:|~|!|\$)(?: (.*))?\Z")


class BadCase(Exception):
    """A case file that cannot be read: file, line and what is wrong."""

    def __init__(self, path, line, wrong):
        super().__init__(f"{path}:{line}: {wrong}")


class Step:
    """One line. what: send, raw, expect, expect-raw, refuse, action, pause, and those of terminal and client."""

    def __init__(self, line, what, who, text, template=None):
        self.line, self.what, self.who, self.text, self.template = line, what, who, text, template
        self.others = []  # of an expect: the other answers that the document allows
        self.why = ""     # of a refuse: the comment above it, which says why this reply is not wanted


class Case:
    """One transcript with its header."""

    def __init__(self, path):
        self.path = path
        self.group = os.path.basename(os.path.dirname(path))
        self.fields = {}
        self.steps = []
        self.source = ""

    def finish(self):
        """The header's values in the form that the runner uses."""
        get = self.fields.get
        self.id, self.title, self.level, self.sentence = (get(key) for key in ("id", "title", "level", "sentence"))
        self.version = int(get("version"))
        self.rules = get("rules").split()
        self.kind = get("kind", "server")
        self.needs = set(get("needs", "").split())
        self.deliveries = get("deliveries", "").split()
        self.options = dict(word.partition("=")[::2] for word in get("options", "").split())
        self.framings = dict(word.partition("=")[::2] for word in get("framing", "").split())
        self.fresh = get("server") == "fresh" or bool(self.options)
        self.wants_terminal = any(step.what.startswith("terminal") for step in self.steps)
        if any(step.what in ("raw", "expect-raw", "action") for step in self.steps) or overlaps(self.steps):
            self.needs.add("keep")
        if overlaps(self.steps) or any(needs_end(step) for step in self.steps):
            self.needs.add("terminated")
        if at_once(self.steps):
            self.needs.add("many")

    def names(self):
        """What a pattern may select it by."""
        return [self.id, self.group] + self.rules


def needs_end(step):
    """True if the step makes no sense where requests have no terminator."""
    return step.template is not None and (step.template.uses("end") or (step.what == "send" and not step.template.parts))


def overlaps(steps):
    """True if a client sends a request before it has the reply to its last one."""
    owed = {}
    for step in steps:
        if step.what == "send":
            if owed.get(step.who):
                return True
            owed[step.who] = 1
        elif step.what in ("expect", "refuse"):
            owed[step.who] = 0
    return False


def at_once(steps):
    """True if a client acts while another is owed a reply, or does something to its connection beside others."""
    speakers = {step.who for step in steps if step.what in ("send", "raw", "action")}
    if len(speakers) > 1 and any(step.what == "action" for step in steps):
        return True
    owed = set()
    for step in steps:
        if step.what in ("send", "raw", "action") and owed - {step.who}:
            return True
        if step.what in ("send", "raw") or (step.what == "action" and step.text == "connect"):
            owed.add(step.who)
        elif step.what in ("expect", "refuse", "expect-raw") or step.what == "action":
            owed.discard(step.who)
    return False


class Reader:
    """Turns the lines of a file into a Case."""

    def __init__(self, path, text):
        self.case = Case(path)
        self.case.source = text
        self.lines = text.split("\n")
        self.number = 0

    def bad(self, wrong, line=None):
        return BadCase(self.case.path, line or self.number, wrong)

    def read(self):
        body = self.read_header()
        self.check_header()
        self.case.steps = list(self.steps(self.expanded(body)))
        if not any(step.what in CHECKS and step.text != "{anything or nothing}" for step in self.case.steps):
            raise self.bad("the case expects nothing, so it cannot fail")
        self.case.finish()
        return self.case

    def read_header(self):
        """Fills the fields; returns the number of the line after the header."""
        for self.number, line in enumerate(self.lines, 1):
            if not line.strip():
                return self.number
            if line.startswith("#"):
                continue
            key, colon, value = line.partition(": ")
            if not colon or not value.strip():
                raise self.bad(f"want `key: value` or the empty line that ends the header, got: {line}")
            if key not in REQUIRED + OPTIONAL:
                raise self.bad(f"{key} is no key of the header; known: {', '.join(REQUIRED + OPTIONAL)}")
            if key in self.case.fields:
                raise self.bad(f"{key} stands here a second time")
            self.case.fields[key] = value.strip()
        raise self.bad("the file ends in its header: an empty line and the steps are missing")

    def check_header(self):
        fields = self.case.fields
        for key in REQUIRED:
            if key not in fields:
                raise self.bad(f"the header lacks `{key}:`")
        self.check_words("level", LEVELS, [fields["level"]])
        self.check_words("server", ("fresh",), fields.get("server", "").split())
        self.check_words("kind", ("server", "client"), fields.get("kind", "").split())
        self.check_words("needs", NEEDS, fields.get("needs", "").split())
        self.check_words("options", OPTION_NAMES, [word.partition("=")[0] for word in fields.get("options", "").split()])
        self.check_words("framing", FRAMINGS, [word.partition("=")[2] for word in fields.get("framing", "").split()])
        if not fields["version"].isdigit():
            raise self.bad(f"version: {fields['version']} is no number")
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", fields["id"]):
            raise self.bad(f"id: {fields['id']}: want small letters, digits and single hyphens")
        for rule in fields["rules"].split():
            if not re.fullmatch(r"[A-Z]{3}-\d+", rule):
                raise self.bad(f"rules: {rule} does not look like a rule's id, REG-1 for example")

    def check_words(self, key, allowed, words):
        for word in words:
            if word not in allowed:
                raise self.bad(f"{key}: {word} is none of: {', '.join(allowed)}")

    def expanded(self, first):
        """(line number, text) of each step, with `repeat N` blocks written out."""
        lines = [(number, line) for number, line in enumerate(self.lines[first:], first + 1)
                 if line.strip() and not line.startswith("#")]
        self.reasons = {number + 1: line[1:].strip() for number, line in enumerate(self.lines, 1) if line.startswith("#")}
        at = 0
        while at < len(lines):
            number, line = lines[at]
            self.number = number
            at += 1
            if not line.startswith("repeat "):
                yield number, line
                continue
            count = line[7:].strip()
            ends = [place for place in range(at, len(lines)) if lines[place][1] == "end"]
            if not count.isdigit() or not 1 <= int(count) <= 10000:
                raise self.bad(f"repeat {count}: want a number from 1 to 10000")
            if not ends:
                raise self.bad("this repeat has no `end`")
            for turn in range(1, int(count) + 1):
                for place in range(at, ends[0]):
                    yield lines[place][0], lines[place][1].replace("{i}", str(turn))
            at = ends[0] + 1

    def steps(self, lines):
        last = None
        for self.number, line in lines:
            if line.startswith("pause "):
                if not re.fullmatch(r"\d+(\.\d+)?", line[6:]):
                    raise self.bad(f"pause {line[6:]}: want seconds")
                yield Step(self.number, "pause", "", line[6:])
                continue
            shape = STEP.match(line)
            if not shape:
                raise self.bad(f"no step: {line}; want for example `alice> DUMP` or `alice< OK`")
            who, mark, text = shape.group(1), shape.group(2), shape.group(3) or ""
            if mark == "<|":
                if not last or last.what != "expect" or last.who != who:
                    raise self.bad(f"{who}<| must follow a `{who}<` line")
                last.others.append(self.template(text))
                continue
            last = self.step(who, mark, text)
            last.why = self.reasons.get(self.number, "") if last.what == "refuse" else ""
            yield last

    def step(self, who, mark, text):
        if who == "terminal":
            return self.terminal_step(mark, text)
        if who in ("smsp", "type", "see", "out", "exit"):
            return self.client_step(who, mark, text)
        if mark == ":":
            if text not in ACTIONS:
                raise self.bad(f"{who}: {text} is none of: {', '.join(ACTIONS)}")
            return Step(self.number, "action", who, text)
        kinds = {">": "send", ">>": "raw", "<": "expect", "<<": "expect-raw", "<!": "refuse"}
        if mark not in kinds:
            raise self.bad(f"{who}{mark} is no step; want > >> < <| <! << or :")
        return Step(self.number, kinds[mark], who, text, self.template(text))

    def terminal_step(self, mark, text):
        if mark == ":":
            if text not in TERMINAL_ACTIONS:
                raise self.bad(f"terminal: {text} is none of: {', '.join(TERMINAL_ACTIONS)}")
            return Step(self.number, "terminal", "terminal", text)
        kinds = {"<": "terminal-line", "~": "terminal-has", "!": "terminal-lacks"}
        if mark not in kinds:
            raise self.bad(f"terminal{mark} is no step; want terminal< terminal~ terminal! or terminal:")
        return Step(self.number, kinds[mark], "terminal", text, self.template(text))

    def client_step(self, who, mark, text):
        kinds = {("smsp", "$"): "run", ("smsp", ":"): "start", ("type", ">"): "type", ("see", "<"): "see",
                 ("see", "!"): "see-not", ("out", "<"): "out", ("exit", "<"): "exit"}
        if (who, mark) not in kinds:
            raise self.bad(f"{who}{mark} is no step; want smsp$ smsp: type> see< see! out< or exit<")
        return Step(self.number, kinds[who, mark], who, text, self.template(text))

    def template(self, text):
        try:
            return Template(text)
        except ValueError as error:
            raise self.bad(str(error)) from None


def read_case(path):
    """The Case in a file. BadCase: it cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except UnicodeDecodeError:
        raise BadCase(path, 1, "not UTF-8; write other bytes as \\xHH") from None
    except OSError as error:
        raise BadCase(path, 0, error.strerror) from None
    return Reader(path, text).read()


def read_cases(folder):
    """All cases below a folder, by group and name. BadCase also if two have the same id."""
    cases, seen = [], {}
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if not name.endswith(".case"):
                continue
            case = read_case(os.path.join(place, name))
            if case.id in seen:
                raise BadCase(case.path, 1, f"the id {case.id} belongs to {seen[case.id]} already")
            seen[case.id] = case.path
            cases.append(case)
    return cases
