# SPDX-License-Identifier: ISC
"""What the answers of an interview mean: the server's words for the document's replies, and what does not work."""
import os
import re

from ..dialect import CLOSED, COUNTED, KO, LOG_IN, NOTHING, OK, OK_COOKIE, REFUSALS, TEXT, VERBS, kind_of
from ..profile import Finding
from ..template import turned

CONTROL = "utf-8", "surrogateescape"


def kind_or_text(reply):
    return (kind_of(reply) if reply is not None else None) or TEXT


def text_of(answer):
    return answer.reply.decode(*CONTROL)


# ---- cookies

def cookies(interview, verb, answers):
    """The cookies that these answers gave, or None. What differs between them is the cookie."""
    replies = [text_of(answer) for answer in answers if answer.reply]
    if len(replies) < len(answers):
        return None
    if all(kind_of(answer.reply) == OK_COOKIE for answer in answers):
        return [reply[3:] for reply in replies]
    replies = [hide(reply, answer.words, ("user",)) for reply, answer in zip(replies, answers)]
    for head, tail in cuts(replies):
        found = [reply[len(head):len(reply) - len(tail)] for reply in replies]
        if is_cookies(found) and (works(interview, found[0]) or (head, tail) == cuts(replies)[-1]):
            form = head + "{cookie}" + tail
            if form != OK_COOKIE:
                interview.profile.dialect.learn(verb, OK_COOKIE, form)
            return found
    return None


def cuts(replies):
    """Where the cookie may begin and end: first as narrow as its neighbours allow, then as wide as its word."""
    head = os.path.commonprefix(replies)
    tail = os.path.commonprefix([reply[len(head):][::-1] for reply in replies])[::-1]
    narrow = (re.sub(r"[A-Za-z0-9]+\Z", "", head), re.sub(r"\A[A-Za-z0-9]+", "", tail))
    wide = (re.sub(r"\S+\Z", "", head), re.sub(r"\A\S+", "", tail))
    return [narrow, wide] if narrow != wide else [wide]


def is_cookies(found):
    return all(re.fullmatch(r"\S{1,255}", word) for word in found) and len(set(found)) == len(found)


def works(interview, cookie):
    """True if the server treats it otherwise than a cookie that nobody has."""
    stranger = bytes(turned(byte) for byte in cookie.encode(*CONTROL)).decode(*CONTROL)
    for request in ("COUNT nobody {}", "GETMSG nobody {}", "MESSAGE hello {}"):
        interview.soiled = interview.soiled or request.startswith("MESSAGE")
        known, unknown = (interview.say(request.format(word)) for word in (cookie, stranger))
        if known.reply is not None and known.reply != unknown.reply:
            return True
    return False


# ---- forms

def hide(text, words, names=("user", "cookie")):
    """A reply with what was in its request replaced by {any}."""
    for name in names:
        if words.get(name):
            text = text.replace(words[name], "{any}")
    return text


def form_of(situation):
    """The server's words for a situation, from all its answers; None if they have nothing in common."""
    texts = []
    for answer in situation.answers:
        text = text_of(answer)
        if situation.kind == TEXT:
            text = text.replace(answer.words["text"], TEXT)
        texts.append(hide(text, answer.words))
    if situation.kind == COUNTED:
        return number_form(situation, texts)
    if situation.kind == TEXT:
        return texts[0] if len(set(texts)) == 1 and TEXT in texts[0] else None
    if len(set(texts)) == 1:
        return texts[0]
    head = os.path.commonprefix(texts)
    tail = os.path.commonprefix([text[len(head):][::-1] for text in texts])[::-1]
    return head + "{any}" + tail if head.strip() or tail.strip() else None


def number_form(situation, texts):
    """Count: {n}, if a number is where it should be in every answer."""
    last = texts[-1]
    for place in re.finditer(r"[0-9]+", last):
        head, tail = last[:place.start()], last[place.end():]
        if all(text == f"{head}{answer.words['n']}{tail}" for text, answer in zip(texts, situation.answers)):
            return head + "{n}" + tail
    numbers = re.findall(r"[0-9]+", last)
    return re.sub(r"[0-9]+", "{n}", last) if len(numbers) == 1 else None


# ---- conclusions

def conclude(interview):
    """Learns the dialect and notes what does not work."""
    profile = interview.profile
    missing = [verb for verb in VERBS if is_missing(interview, verb)]
    for verb in missing:
        profile.findings.append(finding_of_missing(interview, verb))
    situations = [one for one in interview.situations if one.answers and one.verb not in missing]
    for situation in sorted(situations, key=lambda one: one.kind in REFUSALS):
        if situation.kind in REFUSALS:
            conclude_refusal(interview, situation)
        elif situation.kind == OK_COOKIE:
            conclude_cookie(interview, situation)
        else:
            conclude_success(interview, situation)
    note_short(interview)


def is_missing(interview, verb):
    """True if every answer is that to an unknown word, or none comes at all. A plain KO says too little."""
    answers = [answer for one in interview.situations if one.verb == verb for answer in one.answers]
    if not answers or any(answer.death for answer in answers):
        return False
    strange = interview.of("*", "").answers
    if all(answer.how != "reply" for answer in answers):
        return True
    like = {answer.reply for answer in strange} - {b"KO", b"OK", None}
    return bool(like) and all(answer.reply in like for answer in answers)


def add(interview, key, situation, what, answer, level=None):
    name = f"{situation.verb} {situation.about}".strip()
    interview.profile.findings.append(Finding(
        key, level or situation.level, situation.rule, f"{name} {what}", [answer.request], answer.shown(),
        situation.kind))


def finding_of_missing(interview, verb):
    situation = next(one for one in interview.situations if one.verb == verb and one.answers and one.level == "MUST")
    answer = situation.answers[0]
    what = {"silence": "gets no answer", "closed": "gets no answer: the connection closes",
            "reply": f"is no command of the server: {answer.shown()}"}[answer.how]
    return Finding(f"{verb} *", "MUST", situation.rule, f"{verb} {what}", [answer.request], answer.shown(), situation.kind)


def ended(interview, situation, key):
    """Notes an end of the process; True if there was one."""
    answer = next((answer for answer in situation.answers if answer.death), None)
    if not answer:
        return False
    why = answer.error or answer.death
    level = "MUST" if situation.level == "MUST" else "SHOULD"
    add(interview, key, situation, f"ends the server: {why}", answer, level)
    interview.profile.findings[-1].dies = situation.verb
    return True


def conclude_cookie(interview, situation):
    key = f"{situation.verb} {OK_COOKIE}"
    if ended(interview, situation, key):
        return
    answer = situation.answers[0]
    if answer.how != "reply":
        add(interview, key, situation, "gets no answer" + cause(answer), answer)
    elif not interview.profile.dialect.of(situation.verb, OK_COOKIE) and kind_of(answer.reply) != OK_COOKIE:
        add(interview, key, situation, f"gives no cookie: {answer.shown()}", answer)


def cause(answer):
    """How a missing reply is missing."""
    closed = ", and the connection closes" if answer.how == "closed" else ""
    return closed + (f": {answer.error}" if answer.error else "")


def conclude_success(interview, situation):
    """A request that the document allows: is it understood, and what is said?"""
    key = f"{situation.verb} {situation.kind}"
    if ended(interview, situation, key):
        return
    answer, replies = situation.answers[0], {one.reply for one in situation.answers}
    without = [one for one in situation.answers if one.how != "reply"]
    if without and situation.level == "CHOICE":
        interview.profile.dialect.learn(situation.verb, situation.kind,
                                        NOTHING if without[0].how == "silence" else CLOSED)
    elif without:
        add(interview, key, situation, "gets no answer" + cause(without[0]), without[0])
    elif situation.kind == TEXT and all(one.reply == one.words["text"].encode() for one in situation.answers):
        return
    elif situation.kind != TEXT and all(kind_of(reply) == situation.kind for reply in replies):
        return
    elif replies <= {b"KO", LOG_IN.encode()} | refusals_of(interview, situation.verb) - {b"OK"}:
        if situation.level == "MUST" and depends_on_nothing_broken(interview, situation):
            add(interview, key, situation, f"is refused: {answer.shown()}", answer)
    elif all(kind_of(reply) is None for reply in replies):
        form = form_of(situation)
        if form:
            interview.profile.dialect.learn(situation.verb, situation.kind, form)


def depends_on_nothing_broken(interview, situation):
    """A STORE without a MESSAGE before it is refused rightly."""
    before = {"STORE": ("MESSAGE",), "GETMSG": ("MESSAGE", "STORE"), "DELMSG": ("MESSAGE", "STORE")}
    return not any(interview.profile.broken(f"{verb} OK") for verb in before.get(situation.verb, ()))


def refusals_of(interview, verb):
    """What the server says to an unknown cookie or word."""
    answers = [answer for one in interview.situations for answer in one.answers
               if (one.verb == verb and one.about == "with an unknown cookie") or one.verb == "*"]
    return {answer.reply for answer in answers if answer.reply is not None}


def conclude_refusal(interview, situation):
    if ended(interview, situation, None):
        return
    dialect, verb, kind = interview.profile.dialect, situation.verb, situation.kind
    hows = {answer.how for answer in situation.answers}
    if hows == {"silence"}:
        dialect.learn(verb, kind, NOTHING)
    elif "closed" in hows:
        dialect.learn(verb, kind, CLOSED)
    elif hows == {"reply"}:
        kinds = {kind_of(answer.reply) for answer in situation.answers}
        if kinds <= set(REFUSALS):
            for other in kinds - {kind}:
                dialect.learn(verb, kind, other)
        elif kinds == {None}:
            learn_refusal(interview, situation)


def learn_refusal(interview, situation):
    form = form_of(situation)
    successes = [answer.reply for one in interview.situations if one.verb == situation.verb and one.kind not in REFUSALS
                 for answer in one.answers]
    if form is not None and not any(answer.reply in successes for answer in situation.answers):
        interview.profile.dialect.learn(situation.verb, situation.kind, form)


def note_short(interview):
    """Commands without their words that end the process, or the connection with an error."""
    for verb, answer in interview.short.items():
        if answer.death:
            interview.profile.findings.append(Finding(
                None, "SHOULD", "REQ-4", f"{verb} without further words ends the server: {answer.error or answer.death}",
                [answer.request], answer.shown(), KO))
            interview.profile.findings[-1].dies = verb


__all__ = ["OK", "conclude", "cookies", "kind_or_text"]
