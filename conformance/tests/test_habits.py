# SPDX-License-Identifier: ISC
"""Habits of real servers that were judged wrongly once: each is right, or has one fault that is named once."""
import json
import unittest

from support import HERE, PYTHON, Place

VARIANT = f"{PYTHON} {HERE}/servers/variant.py {{host}} {{port}}"
STARTS_EVERY_OTHER_TIME = """import os, sys
at = os.path.join(os.path.dirname(__file__), "starts")
count = os.path.getsize(at) if os.path.exists(at) else 0
with open(at, "a") as file:
    file.write("x")
if count & 1:
    sys.exit("json.decoder.JSONDecodeError: Expecting value")
os.execv("/usr/bin/python3", ["python3", "%s/servers/variant.py"] + sys.argv[1:])
""" % HERE


class Verdicts(Place):
    """Runs of a few cases."""

    def run_suite(self, command, cases):
        """({case id: verdict}, the rules of the MUST faults)"""
        path = self.path("report.json")
        _, _, err = self.run_command("--server", command, "--json", path, "--cases", cases)
        self.assertEqual(err, "")
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        return ({case["id"]: case["verdict"] for case in report["cases"]},
                [fault["rule"] for fault in report["faults"] if fault["level"] == "MUST"])

    def test_replies_without_end(self):
        """habits: replies without an end are not asked for several at a time"""
        verdicts, _ = self.run_suite(VARIANT + " replynone", "wire-pipelined wire-half-close-runs-all wire-many-pipelined count-some")
        self.assertEqual(verdicts.pop("count-some"), "PASS")
        self.assertEqual(set(verdicts.values()), {"NOT RUN"})

    def test_replies_end_alike(self):
        """habits: replies that end with NUL do so after CR LF as well"""
        verdicts, _ = self.run_suite(VARIANT + " replynul", "wire-cut-between-cr-and-lf wire-crlf-at-buffer-sizes")
        self.assertEqual(set(verdicts.values()), {"PASS"})

    def test_one_fault(self):
        """habits: one fault is named once, by its own rule"""
        for switch, cases, rule in (("stays", "logout", "LGO-1"), ("delnewest", "delmsg getmsg", "DEL-1"),
                                    ("dumpko", "dump form-dump-ok wire-ends-at-buffer-sizes", "DMP-2")):
            with self.subTest(switch):
                verdicts, rules = self.run_suite(f"{VARIANT} {switch}", cases)
                self.assertEqual(rules, [rule])
                self.assertNotIn(verdicts.get("wire-ends-at-buffer-sizes"), ("FAIL", "ERROR"))

    def test_starts_again(self):
        """habits: a server that fails to start now and then, since two share its file, is started again"""
        command = f"{PYTHON} {self.path('every_other.py', STARTS_EVERY_OTHER_TIME)} {{host}} {{port}}"
        verdicts, _ = self.run_suite(command, "count-some message-goes-to-the-imq logout-keeps-imq store-takes-it-off")
        self.assertEqual(set(verdicts.values()), {"PASS"})


if __name__ == "__main__":
    unittest.main()
