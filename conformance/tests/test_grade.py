# SPDX-License-Identifier: ISC
"""The report for people, and points for each command."""
import csv
import io
import json
import unittest

from runner import grade, report_text
from support import PROFILE, Place, awkward, case_text

PLAIN = ("--server", awkward("plain"), *PROFILE, "--timeout", "0.5")


def case(name, rule, verdict, level="MUST"):
    return {"id": name, "rules": [rule], "verdict": verdict, "level": level, "group": "store", "title": name}


def fault(rule, shows, same=(), blocks=()):
    return {"level": "MUST", "rule": rule, "title": f"the fault {rule}", "sentence": "It should.", "sent": ["A", "B", "C", "D"],
            "came": "KO", "expected": "OK", "again": "again", "case": shows, "same": list(same), "blocks": list(blocks)}


def document(cases, faults=()):
    return {"cases": cases, "faults": list(faults), "server": {"name": "=x", "command": "c"}, "run": {"seconds": 2.4},
            "diagnosis": {"lines": ["It speaks."]}}


BROKEN = document([case("m", "MSG-1", "FAIL"), case("r", "REG-1", "PASS"), case("s1", "STO-1", "BLOCKED"),
                   case("s2", "STO-2", "BLOCKED"), case("g1", "GET-1", "BLOCKED"), case("g2", "GET-2", "PASS"),
                   case("d", "DMP-1", "DIFFERS", "CHOICE")], [fault("MSG-1", "m", blocks=["s1", "s2", "g1"])])


class Grades(unittest.TestCase):
    """One fault costs the points of one command."""

    def test_blocked(self):
        """grade: cases that wait for a fault count in its command, and a command that none could judge takes no points"""
        graded = grade.grade(BROKEN, {"REGISTER": 10, "MESSAGE": 10, "STORE": 20, "GETMSG": 10})
        points = {part["name"]: (part["score"], part["passed"], part["judged"]) for part in graded["parts"]}
        self.assertEqual(points, {"REGISTER": (10, 1, 1), "MESSAGE": (0, 0, 4), "STORE": (0, 0, 0), "GETMSG": (10, 1, 1)})
        self.assertEqual((graded["score"], graded["max_score"]), (33.33, 50))

    def test_nothing(self):
        """grade: a server of which nothing could be judged has no points"""
        self.assertEqual(grade.grade(document([case("a", "REG-1", "NOT RUN")]))["score"], 0)

    def test_gradescope(self):
        """grade: Gradescope's record has the fields that it reads, and each command's faults"""
        record = grade.gradescope(BROKEN)
        for test in record["tests"]:
            self.assertEqual(sorted(test), ["max_score", "name", "output", "score", "visibility"])
            self.assertLessEqual(test["score"], test["max_score"])
        message = next(test for test in record["tests"] if test["name"] == "MESSAGE")
        self.assertIn("the fault MSG-1", message["output"])
        self.assertEqual(next(test for test in record["tests"] if test["name"] == "STORE")["max_score"], 0)
        self.assertEqual(sum(grade.WEIGHTS.values()), 100)

    def test_csv(self):
        """grade: the CSV has a line for each server, and a name is no formula"""
        table = list(csv.reader(grade.csv_text(grade.rows([BROKEN, BROKEN])).splitlines()))
        self.assertEqual([line[0] for line in table], ["server", "'=x", "'=x"])
        self.assertEqual({len(line) for line in table}, {len(table[0])})


class Weights(Place):
    """The small file."""

    def test_weights(self):
        """grade: weights are read, and what is wrong in them is named with its line"""
        self.assertEqual(grade.read_weights(self.path("good", "# points\nSTORE 2.5\n"))["STORE"], 2.5)
        for text, wrong in (("STORE\n", ":1: want COMMAND POINTS"), ("\nMAIL 3\n", ":2: want COMMAND"), ("STORE x\n", "x: want a number"),
                            ("STORE -1\n", "0 to 10000"), ("STORE nan\n", "0 to 10000"), ("STORE 0\n", "no points")):
            with self.subTest(text), self.assertRaisesRegex(grade.BadWeights, wrong):
                grade.read_weights(self.path("bad", text))

    def test_files(self):
        """command: --grade writes what Gradescope reads, or CSV, with the weights that are asked for"""
        cases = {"one": case_text("a> DUMP\na< OK\n"), "two": case_text("a> DUMP\na< KO\n", "two")}
        weights = self.path("weights", "DUMP 8\n")
        for name in ("results.json", "grades.csv"):
            self.run_cases(cases, *PLAIN, "--grade", self.path(name), "--weights", weights)
        with open(self.path("results.json"), encoding="utf-8") as file:
            record = json.load(file)
        self.assertEqual((record["score"], len(record["tests"])), (4, 1))
        with open(self.path("grades.csv"), encoding="utf-8") as file:
            self.assertEqual(next(csv.DictReader(file))["score"], "4.0")


class Text(Place):
    """What people read first."""

    def test_fault(self):
        """text: a fault is a paragraph with its rule, its sentence, what was sent, what came and the command"""
        lines = report_text.report(BROKEN)
        self.assertEqual(lines[1], "MUST 2 of 6, 1 fault (3 blocked)")
        paragraph = "\n".join(lines)
        for words in ("Start here:", "1. the fault MSG-1 [MSG-1] (3 cases wait for it)", '"It should."', "... B   C   D",
                      "came:      KO", "expected:  OK", "repeat:    again"):
            self.assertIn(words, paragraph)
        self.assertIn("CHOICE 0 as PROTOCOL.md chose, 1 otherwise (allowed)", lines)

    def test_default(self):
        """text: by default a person reads the score and the faults, not each case"""
        cases = {"one": case_text("a> DUMP\na< OK\n"), "two": case_text("a> DUMP\na< KO\n", "two"),
                 "three": case_text("a> DUMP\na< KO\n", "three", "CHOICE", "DMP-3")}
        status, out, _ = self.run_cases(cases, *PLAIN, "--text")
        self.assertEqual(status, 1)
        self.assertIn("MUST 1 of 2, 1 fault\n", out)
        self.assertNotIn("ok 1", out)
        self.assertLess(len(out.splitlines()), 26)
        _, more, _ = self.run_cases(cases, *PLAIN, "--verbose")
        self.assertIn("transcript:", more)

    def test_differs(self):
        """text: an answer of its own is no case that did not pass"""
        cases = {"three": case_text("a> DUMP\na< KO\n", "three", "CHOICE", "DMP-3")}
        _, out, _ = self.run_cases(cases, *PLAIN, "--level", "choice")
        self.assertNotIn("not passed", out)
        self.assertIn("# differs, at level choice: three", out)

    def test_progress(self):
        """text: who watches sees how far the run is"""
        watched = io.StringIO()
        report = report_text.TextReport([1, 2], io.StringIO(), watched)
        report.take(None)
        report.take(None)
        self.assertIn("1 of 2 cases", watched.getvalue())
