# SPDX-License-Identifier: ISC
"""--explore: right servers show no difference; of wrong ones a short case is found that replays."""
import os
import sys
import unittest
from unittest import mock

from runner import explore
from runner.explore.story import DOUBTS, Habits, Story
from runner.limits import Limits
from runner.player import Settings
from runner.profile import Finding, Profile
from runner.suite import Target
from runner.transcript import read_cases
from support import LONG, HERE, PROFILE, PYTHON, REFERENCE, SUITE, Place

MUTANT = f"{PYTHON} {SUITE}/mutants/serve %s {{options}} {{host}} {{announced}}"
RIGHT = ("right-keeps-messages", "right-logout-closes", "right-shared-mailboxes", "right-content-is-one-word",
         "right-ascii-only", "right-cookie-of-three-digits", "right-ko-for-strangers", "right-counts-only-own-mailbox")
WRONG = ("getmsg-removes", "delmsg-newest", "store-takes-oldest", "store-at-the-front", "login-leaves-old-cookie",
         "logout-empties-imq", "logout-ends-all", "store-drops-for-nobody", "count-with-imq", "store-puts-back-in-front",
         "login-empties-mailbox")
LONGEST = 14  # requests of a case that was found
FEW = (5, 50)  # plays for shortening
SESSIONS, ENOUGH = 100, 400  # of a right server, and until a fault is found


class Explore(Place):
    """The random search."""

    def explore(self, command, examples, number=5):
        target = Target(Limits(), command=command, name=command)
        settings = Settings(timeout=5.0, limits=target.limits, profile=Profile())
        return explore.explore(target, settings, None, 0, number, examples)

    def replay(self, command):
        status, out, err = self.run_command("--server", command, *PROFILE, "--folder", self.path("found"))
        self.assertEqual(err, "", out)
        return status

    def test_reference(self):
        """explore: the reference server shows no difference, and all that the document leaves open is tried"""
        judge, found = self.explore(REFERENCE, SESSIONS)
        self.assertIsNone(found)
        self.assertGreaterEqual(judge.stories, SESSIONS)
        self.assertLessEqual(set(DOUBTS), judge.habits.settled)

    def test_right(self):
        """explore: servers that obey the document in another way show no difference"""
        for name in RIGHT if LONG else RIGHT[:2]:
            with self.subTest(name):
                _, found = self.explore(MUTANT % name, SESSIONS)
                self.assertIsNone(found, found and found[0].text({}))

    def test_habits(self):
        """explore: a server with habits is read through its dialect, and shows no difference"""
        for switches in ("nul each", "bare replycrlf ko", "greet prompt", "iterative unknownerr cookie3")[:None if LONG else 1]:
            with self.subTest(switches):
                command = f"{PYTHON} {HERE}/servers/variant.py {{host}} {{port}} {switches}"
                status, out, err = self.run_command("--server", command, "--explore", 2)
                self.assertEqual((status, err), (0, ""), out)

    def test_wrong(self):
        """explore: wrong servers are found; the case is short, fails on them and passes on the reference server"""
        cases = read_cases(os.path.join(SUITE, "cases"))
        explore.load_search()
        shorter = mock.patch("runner.explore.search.SHRINKS", FEW)
        shorter.start()
        self.addCleanup(shorter.stop)
        for name in WRONG if LONG else WRONG[:2]:
            with self.subTest(name):
                _, found = self.explore(MUTANT % name, ENOUGH)
                self.assertIsNotNone(found)
                self.assertLessEqual(len(found[0].exchanges), LONGEST, found[0].text({}))
                path, text = explore.write(*found, cases, self.path("found"))
                self.assertIn("# ", text)
                self.assertNotIn("sentence: -", text)
                self.assertEqual((self.replay(MUTANT % name), self.replay(REFERENCE)), (1, 0), text)
                os.remove(path)

    def test_command(self):
        """explore: the command prints the case, how to replay it, and ends with status 1; without a difference with 0"""
        place = os.getcwd()
        os.chdir(self.folder)
        self.addCleanup(os.chdir, place)
        status, out, err = self.run_command("--server", MUTANT % "delmsg-newest", *PROFILE, "--explore", 60, "--seed", 3)
        self.assertEqual((status, err), (1, ""), out)
        for words in ("A difference, in ", "a> DELMSG", "--folder explored", "exploring with seed 3", "1 difference"):
            self.assertIn(words, out)
        self.assertEqual([case.level for case in read_cases(self.path("explored"))], ["MUST"])
        status, out, err = self.run_command("--server", REFERENCE, *PROFILE, "--explore", 1)
        self.assertEqual((status, err), (0, ""), out)
        self.assertIn("no difference", out)

    def test_missing(self):
        """explore: without Hypothesis one line says what to install, status 3"""
        with mock.patch.dict(sys.modules, {"hypothesis": None}):
            sys.modules.pop("runner.explore.search", None)
            status, out, err = self.run_command("--server", REFERENCE, *PROFILE, "--explore", 1)
        self.assertEqual((status, out, err.count("\n")), (3, "", 1))
        self.assertIn("install python3-hypothesis", err)

    def test_no_cookie(self):
        """explore: a server without cookies is not explored, status 3"""
        profile = Profile()
        profile.findings.append(Finding("REGISTER OK {cookie}", "MUST", "REG-1", "no cookie"))
        profile.write(self.path("no.profile"))
        status, _, err = self.run_command("--server", REFERENCE, "--profile", self.path("no.profile"), "--explore", 1)
        self.assertEqual((status, err.count("\n")), (3, 1))
        self.assertIn("REGISTER gives no cookie", err)

    def test_broken(self):
        """explore: what is known not to work is not asked"""
        profile = Profile()
        profile.findings.append(Finding("COUNT COUNTED {n}", "MUST", "CNT-1", "no count"))
        story = Story(Habits(profile)).tell([("count", 0, 0, 0, ""), ("getmsg", 0, 0, 0, "")])
        self.assertEqual([exchange.request.split(" ")[0] for exchange in story.exchanges], ["REGISTER", "GETMSG"])


if __name__ == "__main__":
    unittest.main()
