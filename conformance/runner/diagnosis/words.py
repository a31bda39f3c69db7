# SPDX-License-Identifier: ISC
"""The diagnosis in plain lines."""
from ..dialect import CLOSED, NOTHING
from ..text import shortened, visible

REQUESTS = {"lf": "requests end with LF", "crlf": "requests end with CR LF", "nul": "requests end with NUL",
            "none": "requests have no end: what one read returns is a request"}
REPLIES = {"lf": "replies end with LF", "crlf": "replies end with CR LF", "nul": "replies end with NUL",
           "none": "replies have no end", "close": "replies end when the connection closes"}


def lines(profile, patient=None):
    """One line for each thing that a person should know."""
    if not profile.alive:
        return ["It answers nothing, however it is asked: nine commands, with LF, CR LF, NUL and without an end."] + (
            [finding.title for finding in profile.findings])
    found = []
    if profile.port:
        found.append(f"It listens on port {profile.port}, whatever port it is given; one server runs at a time.")
    connection = "one connection carries many requests" if profile.connection == "keep" else "each request needs a connection of its own"
    found.append(f"Its {REQUESTS[profile.requests]}; {REPLIES[profile.replies]}; {connection}.")
    if profile.greeting:
        found.append(f"It greets each client: {quoted(profile.greeting)}.")
    if profile.prompt:
        found.append(f"It prints a prompt after each reply: {quoted(profile.prompt)}.")
    if profile.clients == "one":
        found.append("It serves one client at a time: a second one waits until the first has left.")
    if profile.closes:
        found.append(f"It closes the connection after {' and '.join(profile.closes)}.")
    found += dialect_lines(profile.dialect)
    found += [f"{finding.title}." for finding in profile.findings]
    if profile.fragile and not any("without a word" in line for line in found):
        found.append("It ends when a client connects and leaves without a word.")
    return found


def dialect_lines(dialect):
    found = []
    for verb, kinds in dialect.forms.items():
        for kind, forms in kinds.items():
            name = "An unknown command" if verb == "*" else verb
            said = " or ".join({NOTHING: "no answer", CLOSED: "a closed connection"}.get(form) or quoted(form) for form in forms)
            found.append(f"{name} gets {said} where the document says {quoted(kind)}.")
    return found


def quoted(text):
    return '"' + shortened(visible(text.encode("utf-8", "surrogateescape")), 120) + '"'
