# SPDX-License-Identifier: ISC
"""TAP on the terminal, in the order of the cases, as they come in."""
import sys

from .text import shortened
from .verdict import BLOCKED, DIFFERS, ERROR, FAIL, NOT_RUN, PASS, XFAIL, XPASS


def title(result):
    case = result.case
    return f"{case.id}: {case.title} [{case.level} {' '.join(case.rules)}]".replace("#", "\\#")


def line(result, number, level):
    """The case's own line. Only a case that passed is `ok` without more."""
    good = f"ok {number} - {title(result)}"
    if result.decides(level):
        return f"not {good}"
    if result.verdict == PASS:
        return good
    if result.verdict in (FAIL, ERROR):
        return f"{good} # SKIP {result.verdict}, not judged at level {level}: {shortened(result.message, 160)}"
    reason = result.excuse if result.verdict == XFAIL else result.message
    return f"{good} # SKIP {result.verdict}: {shortened(reason, 200)}"


def details(result, again):
    """What a person needs to see why: expected and actual, the transcript so far, how to repeat it."""
    case = result.case
    place = f"{case.path}:{result.line}" if result.line else case.path
    delivery = f" (delivery {result.failed_delivery})" if result.failed_delivery else ""
    lines = [f"{result.verdict}: {place}: {result.message}{delivery}"]
    if result.expected is not None:
        lines += [f"  expected: {result.expected}", f"  actual:   {result.actual}"]
    lines += [f"  {case.level} {' '.join(case.rules)}: {case.sentence}", "  transcript:"]
    lines += [f"    {shortened(text)}" for _, _, text in result.transcript]
    lines.append(f"  again: {again}")
    return lines


def worth_telling(result, level):
    return result.decides(level) or result.verdict in (FAIL, ERROR, DIFFERS, XPASS)


class InOrder:
    """Hands results on in the order of their cases: each when those before it are there."""

    def __init__(self, cases, hand_on):
        self.cases, self.hand_on = cases, hand_on
        self.waiting, self.count = {}, 0

    def take(self, result):
        self.waiting[result.case.id] = result
        while self.count < len(self.cases) and self.cases[self.count].id in self.waiting:
            self.count += 1
            self.hand_on(self.waiting.pop(self.cases[self.count - 1].id), self.count)


class TapReport:
    """Prints each case when those before it are printed."""

    def __init__(self, cases, level, again, out=None):
        self.cases, self.level, self.again = cases, level, again
        self.out = out or sys.stdout
        self.in_order = InOrder(cases, self.print)

    def begin(self, remarks):
        print("TAP version 13", *[f"# {remark}" for remark in remarks], f"1..{len(self.cases)}", sep="\n",
              file=self.out, flush=True)

    def take(self, result):
        self.in_order.take(result)

    def print(self, result, number):
        print(line(result, number, self.level), file=self.out)
        if worth_telling(result, self.level) and result.verdict != NOT_RUN:
            for text in details(result, self.again(result)):
                print(f"# {text}", file=self.out)
        self.out.flush()


def summary(results, level, seconds):
    """One line with the number of each verdict."""
    counts = {}
    for result in results:
        counts[result.verdict] = counts.get(result.verdict, 0) + 1
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in (PASS, FAIL, ERROR, DIFFERS, XFAIL, XPASS, BLOCKED, NOT_RUN)
                     if verdict in counts)
    plays = sum(len([1 for _, verdict, _ in result.deliveries if verdict not in (NOT_RUN, BLOCKED)]) for result in results)
    return f"{len(results)} cases, {plays} deliveries in {seconds:.1f} s, judged at level {level}: {told or 'none'}"
