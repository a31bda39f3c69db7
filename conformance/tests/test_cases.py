# SPDX-License-Identifier: ISC
"""The cases themselves: rules, sentences, versions, coverage of PROTOCOL.md."""
import contextlib
import io
import os
import re
import unittest

import versions
from runner.transcript import read_cases
from support import ROOT, SUITE, Place, case_text

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

    def test_attacks(self):
        """cases: README.md names a case, or a reason, for each of thirty attacks, and all that it names are there"""
        with open(os.path.join(SUITE, "README.md"), encoding="utf-8") as file:
            section = file.read().partition("## The attacks")[2].partition("\n## ")[0]
        rows = re.findall(r"^\| (\d+) \| .* \| (.*) \|$", section, re.MULTILINE)
        self.assertEqual([int(number) for number, _ in rows], list(range(1, 31)))
        faults = re.findall(r"^\| [^\d|-][^|]*\| (.*) \|$", section.partition("beanstalkd")[2], re.MULTILINE)[1:]
        self.assertEqual(len(faults), 4)
        named = re.findall(r"\b[a-z]+(?:-[a-z0-9]+)+\b", " ".join([cases for _, cases in rows] + faults))
        groups = {case.group for case in self.cases} | {"cookie"}
        named = {name for name in named if name.split("-")[0] in groups}
        self.assertGreater(len(named), 80)
        self.assertEqual(named - {case.id for case in self.cases}, set())

    def test_file_names(self):
        """cases: a file is named after its case"""
        for case in self.cases:
            self.assertEqual(os.path.basename(case.path), case.id + ".case")

    def test_reasons(self):
        """cases: each <! step has a comment above it that says why this reply is not wanted"""
        for case in self.cases:
            self.assertEqual([step.line for step in case.steps if step.what == "refuse" and not step.why], [], case.path)

    def test_fresh_names(self):
        """cases: MUST and SHOULD cases use no name that an earlier run may have registered"""
        named = re.compile(r"(REGISTER|LOGIN|STORE|COUNT|GETMSG|DELMSG) [a-zA-Z0-9]+( |\Z)")
        for case in self.cases:
            if case.level != "CHOICE" and case.kind == "server":
                self.assertEqual([step.line for step in case.steps if step.what in ("send", "raw")
                                  and named.match(step.text)], [], case.path)

    def test_needs(self):
        """cases: a case that uses several connections at the same time says so in its header"""
        for case in self.cases:
            if "many" in case.needs:
                self.assertIn("many", case.fields.get("needs", "").split(), case.path)

    def test_framing(self):
        """cases: a case that writes terminators of its own says in its header which framing it needs"""
        for case in self.cases:
            for step in case.steps:
                if case.level != "CHOICE" and step.what == "raw" and re.search(r"\\[rn0]", step.text):
                    self.assertTrue(case.framings, f"{case.path}:{step.line}")

    def test_forms(self):
        """cases: cases/form has one case for each command and kind of reply"""
        forms = {case.id for case in self.cases if case.group == "form"}
        kinds = {"register": ["ok"], "login": ["ok"], "logout": ["ok", "ko"], "message": ["ok", "log-in"],
                 "store": ["ok", "ko"], "count": ["counted", "ko"], "delmsg": ["ok", "ko"], "getmsg": ["text", "ko"],
                 "dump": ["ok"]}
        self.assertEqual(forms, {f"form-{verb}-{kind}" for verb, some in kinds.items() for kind in some})

    def test_audit(self):
        """cases: AUDIT.md has a row for each MUST and SHOULD case of a server, with its level and first rule"""
        with open(os.path.join(SUITE, "AUDIT.md"), encoding="utf-8") as file:
            rows = set(re.findall(r"^\| ([a-z0-9-]+) \| (MUST|SHOULD) \| ([A-Z]{3}-\d+) \|", file.read(), re.MULTILINE))
        self.assertEqual(rows, {(case.id, case.level, case.rules[0]) for case in self.cases
                                if case.level != "CHOICE" and case.kind == "server"})

    def test_must_wants_one_word(self):
        """cases: a MUST case that foreign servers are judged by sends no content with spaces"""
        for case in self.cases:
            for step in case.steps:
                if case.level == "MUST" and case.kind == "server" and step.text.startswith("MESSAGE "):
                    self.assertLessEqual(step.text.count(" "), 2, f"{case.path}:{step.line}")


class Versions(Place):
    """What can change a verdict changes a version."""

    def check(self, *words):
        """(exit status, what it said) of versions.py on this test's cases."""
        err = io.StringIO()
        with contextlib.redirect_stderr(err):
            status = versions.main([*words, self.path("cases")])
        return status, err.getvalue()

    def setUp(self):
        super().setUp()
        self.old = case_text("a> DUMP\na< OK\n")
        self.path("cases/VERSION", "4\n")
        self.path("cases/group/one.case", self.old)
        self.assertEqual(self.check()[0], 1)
        self.assertEqual(self.check("--write"), (0, ""))

    def test_recorded(self):
        """versions: cases/DIGESTS tells of the present cases, and every change of them has its version"""
        self.assertEqual(versions.faults(versions.CASES), [])
        self.assertFalse(versions.out_of_date(versions.CASES), "run conformance/tests/versions.py --write")

    def test_changed(self):
        """versions: a case with other steps needs a new version, and so does the suite; then it can be recorded"""
        self.path("cases/group/one.case", self.old.replace("OK", "KO"))
        for words in ((), ("--write",)):
            status, said = self.check(*words)
            self.assertEqual(status, 1)
            self.assertRegex(said, r"group/one\.case: .* write `version: 2`\n.*cases/VERSION: .* write 5\n")
        self.path("cases/group/one.case", self.old.replace("OK", "KO").replace("version: 1", "version: 2"))
        self.path("cases/VERSION", "5\n")
        self.assertRegex(self.check()[1], "versions.py --write")
        self.assertEqual(self.check("--write"), (0, ""))
        self.assertEqual(self.check(), (0, ""))
        self.path("cases/group/one.case", self.old.replace("OK", "KO"))
        self.assertRegex(self.check()[1], "version 1 is older than 2")

    def test_header(self):
        """versions: what the header asks for counts, its words for people do not"""
        self.path("cases/group/one.case", self.old.replace("a title", "another").replace("A sentence", "Words"))
        self.assertEqual(self.check(), (0, ""))
        for new in (self.old.replace("MUST", "SHOULD"), case_text("a> DUMP\na< OK\n", more="server: fresh"),
                    case_text("a> DUMP\na< OK\n", more="framing: a=nul"),
                    case_text("a> DUMP\na< OK\n", more="deliveries: whole")):
            self.path("cases/group/one.case", new)
            self.assertIn("write `version: 2`", self.check()[1])

    def test_new(self):
        """versions: a case that comes or goes needs a new version of the suite only"""
        self.path("cases/group/two.case", case_text("a> DUMP\na< OK\n", "two"))
        status, said = self.check()
        self.assertEqual((status, said.count("\n")), (1, 1))
        self.assertIn("write 5", said)
        os.remove(self.path("cases/group/two.case"))
        self.assertEqual(self.check(), (0, ""))
