"""The cases themselves: rules, sentences, versions, coverage of PROTOCOL.md."""
import os
import re
import unittest

from runner.transcript import read_cases
from support import ROOT, SUITE

with open(os.path.join(ROOT, "engine", "PROTOCOL.md"), encoding="utf-8") as file:
    PROTOCOL = file.read()
RULES = dict(re.findall(r"^\| ([A-Z]{3}-\d+) \| (MUST|SHOULD|CHOICE) \|", PROTOCOL, re.MULTILINE))
STRICT = ("CHOICE", "SHOULD", "MUST")


class Cases(unittest.TestCase):
    """All that can be said of them without a server."""

    @classmethod
    def setUpClass(cls):
        cls.cases = read_cases(os.path.join(SUITE, "cases"))

    def test_number(self):
        """cases: there are more than 150"""
        self.assertGreater(len(self.cases), 150)

    def test_rules_exist(self):
        """cases: every rule that a case names stands in PROTOCOL.md"""
        self.assertGreater(len(RULES), 50)
        for case in self.cases:
            self.assertEqual([rule for rule in case.rules if rule not in RULES], [], case.path)

    def test_rules_covered(self):
        """cases: every rule of PROTOCOL.md has a case"""
        covered = {rule for case in self.cases for rule in case.rules}
        self.assertEqual(set(RULES) - covered, set())

    def test_sentences(self):
        """cases: every sentence stands in PROTOCOL.md, word for word"""
        for case in self.cases:
            self.assertIn(case.sentence, PROTOCOL, case.path)

    def test_levels(self):
        """cases: no case is stricter than its first rule"""
        for case in self.cases:
            self.assertLessEqual(STRICT.index(case.level), STRICT.index(RULES[case.rules[0]]), case.path)

    def test_file_names(self):
        """cases: a file is named after its case"""
        for case in self.cases:
            self.assertEqual(os.path.basename(case.path), case.id + ".case")

    def test_alternatives(self):
        """cases: other answers that the document allows are listed for CHOICE only"""
        for case in self.cases:
            if case.level != "CHOICE":
                self.assertEqual([step.line for step in case.steps if step.others], [], case.path)

    def test_must_wants_one_word(self):
        """cases: a MUST or SHOULD case that foreign servers are judged by sends no content with spaces"""
        for case in self.cases:
            for step in case.steps:
                if case.level == "MUST" and case.kind == "server" and step.text.startswith("MESSAGE "):
                    self.assertLessEqual(step.text.count(" "), 2, f"{case.path}:{step.line}")
