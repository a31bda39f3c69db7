# SPDX-License-Identifier: ISC
"""The report for people on the terminal: diagnosis, score, each fault once. It reads the JSON document."""
import sys

from .text import shortened
from .verdict import BLOCKED, DIFFERS, ERROR, FAIL, NOT_RUN, PASS, XFAIL, XPASS

WIDTH = 160  # of a line that a server or a client said
BAD = (FAIL, ERROR, XPASS)


def count_of(number, what):
    return f"{number} {what}{'' if number == 1 else 's'}"


def tally(cases, level=None):
    """How many cases of a level passed, were judged, wait, differ or did not run. DIFFERS is not judged: no fault."""
    mine = [case["verdict"] for case in cases if level in (None, case["level"])]
    number = {verdict: mine.count(verdict) for verdict in (PASS, DIFFERS, BLOCKED, NOT_RUN, XFAIL)}
    return {"passed": number[PASS], "judged": len(mine) - number[NOT_RUN] - number[DIFFERS], "differs": number[DIFFERS],
            "blocked": number[BLOCKED], "not_run": number[NOT_RUN], "excused": number[XFAIL], "cases": len(mine)}


def faults_of(document, level):
    return [fault for fault in document.get("faults", []) if fault["level"] == level]


def remarks(counts):
    told = [f"{counts[key]} {word}" for key, word in
            (("blocked", "blocked"), ("excused", "expected to fail"), ("not_run", "not run")) if counts[key]]
    return f" ({', '.join(told)})" if told else ""


def score(document, level):
    """`MUST 61 of 88, 4 faults`"""
    counts = tally(document["cases"], level)
    faults = count_of(len(faults_of(document, level)), "fault") if counts["judged"] else "nothing judged"
    return f"{level} {counts['passed']} of {counts['judged']}, {faults}{remarks(counts)}"


def should_line(document):
    titles = [f"{fault['title']} ({fault['rule']})" for fault in faults_of(document, "SHOULD")]
    return score(document, "SHOULD") + (": " + "; ".join(titles) if titles else "")


def choice_line(document):
    """One line: the document leaves these open, so an answer of its own is no fault."""
    counts = tally(document["cases"], "CHOICE")
    line = f"CHOICE {counts['passed']} as PROTOCOL.md chose, {counts['differs']} otherwise (allowed)"
    bad = counts["judged"] - counts["passed"] - counts["blocked"] - counts["excused"]
    return line + (f", {bad} failed" if bad else "") + remarks(counts)


def consequences(fault):
    """How much else the fault explains."""
    told = []
    if fault["blocks"]:
        told.append(f"{count_of(len(fault['blocks']), 'case')} {'waits' if len(fault['blocks']) == 1 else 'wait'} for it")
    if fault["same"]:
        told.append(f"{count_of(len(fault['same']), 'more case')} {'fails' if len(fault['same']) == 1 else 'fail'} with it")
    return "; ".join(told)


def fault_paragraph(fault, number):
    """The lines of one fault."""
    more = consequences(fault)
    lines = [f"{number}. {fault['title']} [{fault['rule']}]" + (f" ({more})" if more else "")]
    pairs = [("document", f'"{fault["sentence"]}"' if fault["sentence"] else "")]
    sent = fault["sent"][-3:]
    if sent:
        pairs.append(("sent", ("... " if len(fault["sent"]) > 3 else "") + "   ".join(sent)))
    pairs += [("came", str(fault["came"])), ("expected", fault["expected"]), ("repeat", fault["again"])]
    return lines + [f"   {name + ':':10} {text if name == 'repeat' else shortened(text, WIDTH)}"
                    for name, text in pairs if text]


def hints(document):
    """What helps to go on."""
    wrong = {fault["level"] for fault in document["faults"]} - {"CHOICE"}
    lines = []
    if wrong:
        lines.append("--verbose shows each case that failed, --html FILE writes a page.")
    if wrong and document["server"]["name"] != "smspd":
        lines.append("If the diagnosis is wrong: --save-profile FILE, edit the file, --profile FILE.")
    return lines


def report(document):
    """All lines after the diagnosis."""
    lines = ["", score(document, "MUST")]
    for number, fault in enumerate(faults_of(document, "MUST"), 1):
        lines += ["", *(["Start here:"] if number == 1 else []), *fault_paragraph(fault, number)]
    lines += ["", should_line(document), choice_line(document)]
    hint = hints(document)
    return lines + ([""] + hint if hint else [])


class TextReport:
    """Prints the diagnosis at once, then how far the run is if somebody watches, then the report."""

    def __init__(self, cases, out=None, watched=None):
        self.total, self.done = len(cases), 0
        self.out, self.watched = out or sys.stdout, watched
        if watched is None:
            self.watched = sys.stderr if sys.stderr.isatty() and self.out.isatty() else None

    def begin(self, remarks_of_run):
        print("\n".join(remarks_of_run), file=self.out, flush=True)

    def take(self, _):
        self.done += 1
        if self.watched:
            print(f"\r{self.done} of {self.total} cases", end="" if self.done < self.total else "\r\033[K",
                  file=self.watched, flush=True)

