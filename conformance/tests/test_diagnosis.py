# SPDX-License-Identifier: ISC
"""The diagnosis: habits of real servers are found, saved, and never counted twice; broken servers get their faults."""
import json
import os
import shutil
import subprocess
import time
import unittest

from runner.diagnosis.traceback import last_error
from support import HERE, LONG, PYTHON, Place

SERVERS = os.path.join(HERE, "servers")
VARIANT = f"{PYTHON} {SERVERS}/variant.py {{host}} {{port}}"
FEW = "form count-some message-ok getmsg-first store-takes* logout-kills* register-gives*"
HABITS = {  # switches: what the diagnosis says
    "": ["requests end with LF; replies end with LF; one connection carries many requests"],
    "nul": ["requests end with NUL; replies end with LF"],
    "recv": ["requests have no end", "replies end with LF"],
    "replynul": ["requests end with LF; replies end with NUL"],
    "replycrlf": ["replies end with CR LF"],
    "replynone": ["replies have no end"],
    "greet": ['greets each client: "Welcome to the mail server\\n"'],
    "prompt": ['prints a prompt after each reply: "> "'],
    "each": ["each request needs a connection of its own"],
    "iterative": ["serves one client at a time"],
    "fragile": ["ends when a client connects and leaves without a word"],
    "fixedport": ["listens on port 5555"],
    "regbug": ['REGISTER gets "OK. {cookie}" where the document says "OK {cookie}"'],
    "bare": ['REGISTER gets "{cookie}"', 'LOGIN gets "{cookie}"'],
    "loginword": ['LOGIN gets "LOGIN SUCCESS {cookie}"'],
    "countbug": ['COUNT gets "Count: {n}" where the document says "COUNTED {n}"'],
    "unknownerr": ['An unknown command gets "ERROR unknown command"'],
    "ko": ['MESSAGE gets "KO" where the document says "You should log in first."'],
    "nologout": ["LOGOUT gets no answer"],
    "emptystore": ["STORE on an empty queue ends the server: IndexError: pop from empty list"],
    "recv replynone": ["requests have no end", "replies have no end"],
    "nul each": ["requests end with NUL", "each request needs a connection of its own"],
    "each replynone": ["replies end when the connection closes"],
    "greet prompt": ["greets each client", "prints a prompt"],
    "bare recv": ['REGISTER gets "{cookie}"', "requests have no end"],
}
SOME_HABITS = ("nul each", "bare recv", "greet prompt")
SOME_BROKEN = ("nologout countall",)
MAIL_C, MAIL_PL = "{mail} {host} {port}", f"perl {SERVERS}/mail.pl {{host}} {{port}}"
BROKEN = (  # command, a line of the diagnosis, the rules of the two faults
    (VARIANT + " bare nul getpops delnewest", "requests end with NUL", ("GET-2", "DEL-1")),
    (VARIANT + " recv replynone fifo stays", "requests have no end", ("STO-1", "LGO-1")),
    (VARIANT + " greet prompt countzero oldcookie", "prints a prompt", ("CNT-2", "LGI-3")),
    (VARIANT + " crash emptystore dumpko", "STORE on an empty queue ends the server", ("STO-4", "DMP-2")),
    (MAIL_C + " each drops getnewest", "replies end when the connection closes", ("STO-3", "GET-1")),
    (MAIL_C + " okempty anyone", "serves one client at a time", ("DEL-2", "MSG-2")),
    (MAIL_C + " fixed delall logoutok", "listens on port 5557", ("DEL-1", "LGO-3")),
    (MAIL_C + " fragile nologincookie getnewest", "leaves without a word", ("LGI-1", "GET-1")),
    (MAIL_PL + " nologout countall", "Success, your cookie is {cookie}", ("LGO-3", "CNT-1")),
    (MAIL_PL + " storeall loginempties", "You have {n} messages", ("STO-1", "LGI-1")),
)


class Habits(Place):
    """variant.py is right but for its habits."""

    def run_suite(self, command, *words):
        """(seconds, the report) of a run."""
        report = self.path("report.json")
        began = time.monotonic()
        status, _, err = self.run_command("--server", command, "--json", report, *words)
        self.assertEqual(err, "")
        self.assertIn(status, (0, 1, 3))
        with open(report, encoding="utf-8") as file:
            return time.monotonic() - began, json.load(file)

    def test_habits(self):
        """diagnosis: each habit of real servers is found"""
        for switches, told in HABITS.items():
            if not LONG and switches not in SOME_HABITS:
                continue
            with self.subTest(switches):
                _, report = self.run_suite(f"{VARIANT} {switches}", "--cases", FEW)
                lines = "\n".join(report["diagnosis"]["lines"])
                for words in told:
                    self.assertIn(words, lines)

    def test_behaviour_is_judged(self):
        """diagnosis: a server with habits, and nothing else, fails no case but those of form"""
        for switches in ("regbug", "nul each", "prompt", "recv replynone", "iterative") if LONG else ("regbug", "iterative"):
            with self.subTest(switches):
                _, report = self.run_suite(f"{VARIANT} {switches}", "--cases", FEW)
                bad = [case["id"] for case in report["cases"] if case["level"] == "MUST" and case["group"] != "form"
                       and case["verdict"] != "PASS"]
                self.assertEqual(bad, [])

    def test_blocked(self):
        """diagnosis: what cannot be tried is BLOCKED, names the fault, and is neither passed nor failed"""
        _, report = self.run_suite(f"{VARIANT} nologout", "--cases", "logout-kills* count-some")
        verdicts = {case["id"]: case for case in report["cases"]}
        self.assertEqual(verdicts["count-some"]["verdict"], "PASS")
        self.assertEqual(verdicts["logout-kills-cookie"]["verdict"], "BLOCKED")
        fault = report["faults"][verdicts["logout-kills-cookie"]["blocked_by"] - 1]
        self.assertIn("LOGOUT gets no answer", fault["title"])
        self.assertEqual(report["run"]["exit_status"], 1)

    def test_profile(self):
        """profile: it is saved, edited, given back, and takes the place of the diagnosis and of --limits"""
        saved = self.path("saved.profile")
        self.run_suite(f"{VARIANT} regbug", "--cases", "count-some", "--save-profile", saved)
        with open(saved, encoding="utf-8") as file:
            profile = json.load(file)
        self.assertEqual(profile["dialect"]["REGISTER"], {"OK {cookie}": ["OK. {cookie}"]})
        profile["limits"] = {"content": None}
        with open(saved, "w", encoding="utf-8") as file:
            json.dump(profile, file)
        _, report = self.run_suite(f"{VARIANT} regbug", "--cases", "count-some message-longest", "--profile", saved)
        self.assertEqual({case["id"]: case["verdict"] for case in report["cases"]},
                         {"count-some": "PASS", "message-longest": "NOT RUN"})
        with open(saved, "w", encoding="utf-8") as file:
            json.dump(dict(profile, dialect={}), file)
        _, report = self.run_suite(f"{VARIANT} regbug", "--cases", "count-some count-another-users", "--profile", saved)
        self.assertEqual({case["id"]: case["verdict"] for case in report["cases"]},  # set-up never makes a choice differ
                         {"count-some": "FAIL", "count-another-users": "BLOCKED"})
        self.assertEqual(report["faults"][0]["blocks"], ["count-another-users"])

    def test_bad_profile(self):
        """profile: what is wrong with one is one line and status 2"""
        for text, wrong in (("x", "no JSON"), ("{}", "want \"format\""),
                            ('{"format": "smsp-profile", "version": 1, "x": 1}', "x is no field"),
                            ('{"format": "smsp-profile", "version": 1, "requests": "dot"}', "requests: 'dot'"),
                            ('{"format": "smsp-profile", "version": 1, "dialect": {"X": {"OK": ["a"]}}}', "dialect: X")):
            with self.subTest(text):
                status, _, err = self.run_command("--server", VARIANT, "--profile", self.path("bad.profile", text))
                self.assertEqual((status, err.count("\n")), (2, 1))
                self.assertIn(wrong, err)

    def test_time(self):
        """diagnosis: --time ends a run; what was not reached is NOT RUN, and the status is not 0"""
        seconds, report = self.run_suite(VARIANT, "--time", "4")
        self.assertGreater(report["summary"]["NOT RUN"], 20)
        self.assertEqual(report["run"]["exit_status"], 3)
        self.assertLess(seconds, 30)

    def test_tracebacks(self):
        """traceback: the error of a program in Python, Java or Perl is found in what it printed"""
        python = 'Traceback (most recent call last):\n  File "/x/server.py", line 88, in f\n    x\nIndexError: pop from empty list\n'
        self.assertEqual(last_error(python), "IndexError: pop from empty list, server.py line 88")
        java = 'Exception in thread "main" java.lang.NullPointerException: x\n\tat Server.run(Server.java:12)\n'
        self.assertEqual(last_error(java), "java.lang.NullPointerException: x, Server.java:12")
        self.assertEqual(last_error("Use of x at mail.pl line 3.\n"), "Use of x at mail.pl line 3.")
        self.assertIsNone(last_error("all is well\nOK\n"))


@unittest.skipUnless(shutil.which("gcc") or shutil.which("cc"), "no C compiler")
class Broken(Habits):
    """Ten small servers, each with a habit and two true faults."""

    test_habits = test_behaviour_is_judged = test_blocked = test_profile = test_bad_profile = test_time = None
    test_tracebacks = None

    def test_broken(self):
        """faults: ten broken servers in three languages; the two faults of each are found, and hardly any other"""
        mail = self.path("mail")
        subprocess.run(["cc", "-std=gnu11", "-O1", "-o", mail, os.path.join(SERVERS, "mail.c")], check=True)
        for command, line, rules in BROKEN:
            if not LONG and not command.endswith(SOME_BROKEN):
                continue
            with self.subTest(command):
                seconds, report = self.run_suite(command.replace("{mail}", mail))
                self.assertIn(line, "\n".join(report["diagnosis"]["lines"]))
                found = [(fault["level"], fault["rule"]) for fault in report["faults"] if fault["level"] != "CHOICE"]
                self.assertLessEqual(set(rules), {rule for _, rule in found})
                behaviour = [fault for fault in report["faults"] if fault["level"] == "MUST" and fault["case"]
                             and not fault["case"].startswith("form-")]
                self.assertLessEqual(len(behaviour), 3)  # at most one more: a consequence that was not seen as one
                self.assertLess(seconds, 75)  # a minute, and what a busy machine adds
