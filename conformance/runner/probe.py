# SPDX-License-Identifier: ISC
"""Finds out how a server wants its requests: which terminator, and how many a connection."""
from .template import Template
from .values import Values
from .wire import TERMINATORS, Closed, Connection, Endless, Silence

ORDER = ("lf", "crlf", "nul", "none")


def probe(server, timeout, limits, framing="auto", connection="auto"):
    """(framing, connection, a sentence for the user)."""
    asked = ORDER if framing == "auto" else (framing,)
    for candidate in asked:
        style = answers(server, candidate, min(timeout, 1.0), limits)
        if style:
            found = connection if connection != "auto" else style
            return candidate, found, f"framing {candidate}, connection {found} (found by asking)"
    fallback = (asked[0], "keep" if connection == "auto" else connection)
    return fallback + (f"framing {fallback[0]}, connection {fallback[1]} (assumed: the server answered to no way of asking)",)


def answers(server, framing, timeout, limits):
    """keep or each if REGISTER and then COUNT are answered as they should be, else None."""
    values = Values(limits)
    first = Template("REGISTER {user:probe} probe").expand(values)
    try:
        connection = Connection(server.address, framing, timeout)
        try:
            reply = ask(connection, first)
            if not reply.startswith(b"OK "):
                return None
            second = Template("COUNT {user:probe} ").expand(values) + reply[3:]
            return style_of(server, connection, second, framing, timeout)
        finally:
            connection.close()
    except (OSError, Closed, Silence, Endless):
        return None


def style_of(server, connection, request, framing, timeout):
    try:
        return "keep" if ask(connection, request).startswith(b"COUNTED") else None
    except (OSError, Closed):
        again = Connection(server.address, framing, timeout)
        try:
            return "each" if ask(again, request).startswith(b"COUNTED") else None
        finally:
            again.close()


def ask(connection, request):
    """The reply; of a terminated framing it must end as the framing says."""
    connection.send(request + TERMINATORS[connection.framing])
    reply = connection.reply()
    if connection.framing == "lf" and reply.endswith(b"\r"):
        raise Silence(reply)  # it speaks CR LF
    return reply
