# SPDX-License-Identifier: ISC
"""What a case does, in a form that two cases can be compared by."""
from .dialect import COUNTED, KO, LOG_IN, OK, OK_COOKIE, TEXT, verb_of
from .transcript import overlaps


def kind_of_template(template):
    """Which of the document's replies a line expects."""
    if template.special:
        return template.source
    if template.source in (OK, KO, LOG_IN):
        return template.source
    if template.source.startswith("OK {cookie:"):
        return OK_COOKIE
    return COUNTED if template.source.startswith("COUNTED ") else TEXT


def exchanges(case):
    """(send step, expect step or None) of each request, in the order of the requests."""
    owed, found = {}, []
    for step in case.steps:
        if step.what == "send":
            found.append([step, None])
            owed.setdefault(step.who, []).append(found[-1])
        elif step.what in ("expect", "refuse") and owed.get(step.who):
            owed[step.who].pop(0)[1] = step
    return found


def verb_of_step(step):
    return verb_of(step.template.start() + b" ")


def key_of(send, expect):
    """The command and the reply that it should have, for example `MESSAGE OK`."""
    return f"{verb_of_step(send)} {kind_of_template(expect.template)}"


def keys_of(case):
    """What must work for the case: (key, is it what the case itself is about) of each exchange."""
    pairs = [(send, expect) for send, expect in exchanges(case) if expect is not None]
    about = pairs[-1] if case.group == "form" and pairs else None
    return [(key_of(send, expect), (send, expect) == about) for send, expect in pairs if expect.what == "expect"]


def several_at_once(case):
    """True if a client sends further requests before it has the reply to its last one."""
    return any(step.what == "raw" for step in case.steps) or overlaps(case.steps)


def leaves_messages(case):
    """True if messages may be left on the IMQ, which all clients share."""
    keys = [key_of(send, expect) for send, expect in exchanges(case) if expect is not None]
    raw = any(step.what == "raw" and "MESSAGE" in step.text for step in case.steps)
    return raw or keys.count("MESSAGE OK") != keys.count("STORE OK")


def marks_of(case, until=None):
    """What it does up to a line: each exchange, and each two in a row."""
    did, marks = [], set()
    for step in case.steps:
        if until is not None and step.line > until:
            break
        if step.what == "send":
            words = step.text.split(" ")
            did.append(" ".join(words[:2]) if words[0] in ("STORE", "COUNT", "GETMSG", "DELMSG") else words[0])
        elif step.what in ("expect", "refuse"):
            did.append(f"{step.what} {kind_of_template(step.template)}")
        elif step.what == "raw":
            did.append("raw " + step.text)
        else:
            did.append(step.what)
    for first, second in zip(did, did[1:]):
        marks.add(f"{first} / {second}")
    marks.update(did)
    for first, _, second in zip(did, did[1:], did[2:]):
        marks.add(f"{first} // {second}")
    return frozenset(marks)
