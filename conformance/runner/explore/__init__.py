# SPDX-License-Identifier: ISC
"""Finds what no case asks for: random requests of several clients, judged by the model, at MUST only. The parts:

story    actions become a case: what is sent, and what the document says the replies are
judge    plays it against the server, and learns what the server does where the document is silent
search   Hypothesis makes up actions, and shrinks those that differ
"""
import os

from ..server import CannotStart
from .judge import Judge
from .story import FREE, PLAIN

FOLDER = "explored"
MISSING = "--explore needs Hypothesis: install python3-hypothesis (apt), or hypothesis (pip)"


class CannotExplore(Exception):
    """Why."""


def load_search():
    try:
        from .search import Search  # only --explore needs Hypothesis
    except ImportError:
        raise CannotExplore(MISSING) from None
    return Search


def explore(target, settings, server, seconds, number, examples=None):
    """(the Judge, (story, result) of the shortest difference or None)."""
    if settings.profile.broken("REGISTER OK {cookie}"):
        raise CannotExplore("REGISTER gives no cookie, and nothing works without one: correct that first")
    judge = Judge(target, settings, server)
    try:
        judge.learn()
        return judge, load_search()(judge, seconds, examples).run(number)
    except CannotStart as error:
        raise CannotExplore(f"{target.name}: {error}") from None
    finally:
        judge.close()


def header(story, result, cases):
    """The header of the case, with the document's sentence."""
    exchange = story.exchange_at(result.line)
    if not exchange.rule:  # a reply that the document leaves open: the server died of the request
        exchange = next((one for one in reversed(story.exchanges) if one.rule), exchange)
    sentence = next((case.sentence for case in cases if case.rules[0] == exchange.rule and case.level == "MUST"), "-")
    verb = exchange.request.split(" ")[0]
    told = {"id": f"explored-{verb.lower()}", "title": f"{verb} is answered {exchange.reply} (found by --explore)",
            "rules": exchange.rule or "SES-1", "sentence": sentence}
    fields = dict(PLAIN, **told)
    return dict(fields, server="fresh") if any(one.key == f"STORE {FREE}" for one in story.exchanges) else fields


def write(story, result, cases, folder=FOLDER):
    """(path, text) of the case file that shows the difference."""
    came = f"came: {result.actual}" if result.actual else result.message
    fields = header(story, result, cases)
    text = story.text(fields, story.exchange_at(result.line), " / ".join(came.splitlines()))
    path = os.path.join(folder, "found", fields["id"] + ".case")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path, text
