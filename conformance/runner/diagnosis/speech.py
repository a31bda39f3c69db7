# SPDX-License-Identifier: ISC
"""How a server speaks: found from what it answers to any command, so that no command is needed for it."""
import os
import re

from ..wire import TERMINATORS, Closed, Silence

ORDER = ("lf", "crlf", "nul", "none")
# All well-formed, and none changes anything; the last one does, for servers that know nothing else.
QUIET_ASKING = ("COUNT nobody nothing", "LOGOUT nothing", "GETMSG nobody nothing", "DUMP", "NONSENSE")
BETWEEN = 0.03  # seconds between requests that may get no answer; a pause, so that each read returns one
LOUD_ASKING = ("REGISTER {name} secret", "LOGIN {name} secret")


class Reaction:
    """A way of asking that is answered."""

    def __init__(self, framing, request, heard):
        self.framing, self.request, self.heard = framing, request, heard


def find(patient, framing, connection):
    """Fills requests, replies, greeting, prompt, connection and alive of the profile."""
    profile = patient.profile
    profile.greeting = greeting_of(patient)
    reaction = first_reaction(patient, (framing,) if framing else ORDER)
    if not reaction:
        profile.requests, profile.connection = framing or "lf", connection or "keep"
        profile.alive = ""
        return
    profile.requests = framing or tell_one_read(patient, reaction)
    profile.alive = reaction.request
    replies = answers_to_all(patient)
    if not replies:  # the one that was heard is all that there is
        replies = {reaction.request: reaction.heard}
    find_ends(profile, list(replies.values()))
    profile.connection = connection or style(patient)
    choose_alive(patient, replies)


def greeting_of(patient):
    """What it says to a client that says nothing; asked twice, since a part of it may change. The connection is used."""
    texts = []
    for _ in range(2):
        connection = patient.socket()
        texts.append(patient.collect(connection, wait=max(0.12 * patient.load, patient.quiet())).data)
        part(patient, connection)
        if not texts[-1]:
            return ""
    first, second = (text.decode("utf-8", "surrogateescape") for text in texts)
    if first == second:
        return first
    head = os.path.commonprefix([first, second])
    tail = os.path.commonprefix([first[::-1], second[::-1]])[::-1]
    return head + "{any}" + tail


def part(patient, connection):
    """Leaves a connection as a client does that has said something."""
    if not connection.spoke and not connection.ended:
        try:
            connection.send(b"NONSENSE\n")
            patient.collect(connection, wait=0.05 * patient.load)
        except (Closed, Silence):
            pass
    connection.close()


def ask(patient, framing, pieces, wait=None, pause=None):
    """Heard: the answer to some bytes on a connection of their own, without the greeting."""
    connection = patient.socket()
    mark = patient.mark()
    swallow_greeting(patient, connection)
    early = b""
    try:
        for number, piece in enumerate(pieces):
            if number:
                early += patient.collect(connection, wait=pause).data
            connection.send(piece)
    except (Closed, Silence):
        pass
    heard = patient.collect(connection, wait)
    heard.early = early
    if heard.closed:
        patient.autopsy(heard, mark)
    connection.close()
    return heard


def swallow_greeting(patient, connection):
    if patient.profile.greeting:
        patient.collect(connection, enough=lambda data: len(data) >= len(patient.profile.greeting.encode()))


def first_reaction(patient, framings):
    """The first way of asking to which something comes back, or None. A closed connection without a word will do."""
    closed = None
    for asking in (QUIET_ASKING, LOUD_ASKING):
        for framing in framings:
            requests = [request.format(name=fresh_name()) for request in asking]
            if not volley(patient, framing, requests):
                continue
            for request in requests:
                heard = ask(patient, framing, [request.encode() + TERMINATORS[framing]])
                if heard.data:
                    return Reaction(framing, request, heard)
                closed = closed or (Reaction(framing, request, heard) if heard.closed else None)
    return closed


def volley(patient, framing, requests):
    """True if anything comes back, or the connection ends, when all of these are sent one after the other."""
    connection = patient.socket()
    swallow_greeting(patient, connection)
    try:
        for request in requests:
            connection.send(request.encode() + TERMINATORS[framing])
            if patient.collect(connection, wait=BETWEEN * patient.load).data:
                return True
        heard = patient.collect(connection)
        return bool(heard.data) or heard.closed
    except (Closed, Silence):
        return True
    finally:
        connection.close()


def fresh_name():
    return "probe" + os.urandom(4).hex()


def tell_one_read(patient, reaction):
    """lf, crlf, nul or none: does the terminator end the request, or the read that it came with?"""
    if reaction.framing == "none":
        return "none"
    request = reaction.request.encode()
    end = TERMINATORS[reaction.framing]
    twice = ask(patient, reaction.framing, [(request + end) * 2])
    if len(twice.data) >= 2 * len(reaction.heard.data.strip(b"\r\n\0")) > 0 and not twice.closed:
        return reaction.framing
    half = len(request) // 2
    cut = ask(patient, reaction.framing, [request[:half], request[half:] + end], pause=pause_of(patient))
    if cut.early or (cut.closed and not cut.data):
        return "none"
    return reaction.framing


def pause_of(patient):
    """Long enough for an answer to half a request, and shorter than the silence that is an end for our server."""
    return min(0.1, max(0.04, 10 * patient.slowest))


def answers_to_all(patient):
    """{request: Heard} of the questions that change nothing, each on a connection of its own."""
    end = TERMINATORS[patient.profile.requests]
    found = {}
    for request in QUIET_ASKING:
        heard = ask(patient, patient.profile.requests, [request.encode() + end])
        if heard.data:
            found[request] = heard
    return found


def find_ends(profile, answers):
    """What ends the replies, and what is said after each of them."""
    datas = [heard.data for heard in answers]
    tail = common_tail(datas)
    prompt = re.search(rb"[^\r\n\0]*\Z", tail).group() if re.search(rb"[\r\n\0]", tail) else tail
    prompt = re.sub(rb"\A[\w.]+(?=\W)", b"", prompt)
    ended = all(re.search(rb"[\r\n\0]", data[-1:]) for data in datas)
    if not ended and re.search(rb"[>:$#?%\]] *\Z", prompt):
        profile.prompt = prompt.decode("utf-8", "surrogateescape")
        datas = [data[:-len(prompt)] for data in datas]
    for name, end in (("crlf", b"\r\n"), ("lf", b"\n"), ("nul", b"\0")):
        if all(data.endswith(end) for data in datas):
            profile.replies = name
            return
    profile.replies = "close" if all(heard.closed for heard in answers) else "none"


def common_tail(datas):
    return os.path.commonprefix([data[::-1] for data in datas])[::-1]


def style(patient):
    """keep if a connection carries a second request, else each."""
    profile = patient.profile
    connection = patient.settings_connection()
    try:
        for _ in range(2):
            connection.send(profile.alive.encode() + TERMINATORS[profile.requests])
            if not patient.collect(connection).data:
                return "each"
        return "keep"
    except (Closed, Silence):
        return "each"
    finally:
        connection.close()


def choose_alive(patient, replies):
    """A request that is answered and disturbs least."""
    for request in ("LOGOUT nothing", "COUNT nobody nothing", "GETMSG nobody nothing", "NONSENSE", "DUMP"):
        if request in replies and not replies[request].death:
            patient.profile.alive = request
            return


def find_clients(patient):
    """one if a second client is answered only when the first has left."""
    profile = patient.profile
    request = profile.alive.encode() + TERMINATORS[profile.requests]
    first = patient.settings_connection()
    second = patient.settings_connection()
    try:
        second.send(request)
        if patient.collect(second).data.strip() or second.ended:
            return
        first.send(request)
        answered = patient.collect(first).data
        first.close()
        if answered and patient.collect(second).data:
            profile.clients = "one"
    except (Closed, Silence):
        pass
    finally:
        part(patient, first)
        part(patient, second)


def find_others(patient):
    """Which other ends of a request it takes, for the cases that have one of their own."""
    profile = patient.profile
    request = profile.alive.encode()
    profile.speaks = [profile.requests]
    for framing in ORDER:
        if framing == profile.requests:
            continue
        heard = ask(patient, framing, [request + TERMINATORS[framing]])
        if not heard.data or heard.death:
            continue
        if twice_is_two(patient, framing, request, heard):
            profile.speaks.append(framing)


def twice_is_two(patient, framing, request, heard):
    """True if two requests so ended get two answers: the end was seen, and not only the end of a read."""
    if framing == "none" or patient.profile.connection == "each":
        return True
    twice = ask(patient, framing, [(request + TERMINATORS[framing]) * 2])
    return len(twice.data) >= 2 * len(heard.data.strip(b"\r\n\0"))
