# SPDX-License-Identifier: ISC
"""A tour of awkward servers: each costs a case its verdict, never the run."""
import time

from runner import player, server
from support import PROFILE, Place, awkward, case_text

DUMP = {"one": case_text("a> DUMP\na< OK\n"), "two": case_text("a> DUMP\na< OK\n", "two"),
        "many": case_text("a> DUMP\na< OK\na> DUMP\na< OK\na> DUMP\na< OK\n", "many")}
STYLE = (*PROFILE, "--timeout", "0.4", "--jobs", "1")


class Awkward(Place):
    """All with a short time-out, since most of them make us wait."""

    def tour(self, mode, *words, cases=None):
        began = time.monotonic()
        found = self.run_cases(cases or DUMP, "--server", awkward(mode), *(words or STYLE))
        self.assertLess(time.monotonic() - began, 30)
        return found

    def test_silent(self):
        """awkward: a server that never answers gets ERROR for each case, and the run ends"""
        status, out, cases = self.tour("silent")
        self.assertEqual(status, 1)
        self.assertEqual({case["verdict"] for case in cases.values()}, {"ERROR"})
        self.assertIn("hangs", cases["one"]["message"])
        self.assertIn("not ok 1", out)

    def test_dribble(self):
        """awkward: a server that answers a byte at a time passes"""
        status, _, cases = self.tour("dribble")
        self.assertEqual((status, cases["one"]["verdict"]), (0, "PASS"))

    def test_closing(self):
        """awkward: a server that closes after each request passes with --connection each, and auto finds out"""
        status, _, cases = self.tour("closing")
        self.assertEqual((status, cases["one"]["verdict"], cases["many"]["verdict"]), (1, "PASS", "FAIL"))
        self.assertIn("closed", cases["many"]["message"])
        status, _, cases = self.tour("closing", "--framing", "lf", "--connection", "each", "--timeout", "0.4")
        self.assertEqual((status, cases["many"]["verdict"]), (0, "PASS"))

    def test_third(self):
        """awkward: a server that dies at the third request gets ERROR, which is no refusal, and is started again"""
        cases = {"three": case_text("a> X\na< OK\na> X\na< OK\nb> X\nb< {anything or nothing}\n", "three"),
                 "zfour": case_text("a> X\na< OK\n", "zfour")}
        status, _, found = self.tour("third", cases=cases)
        self.assertEqual((status, found["three"]["verdict"]), (1, "ERROR"))
        self.assertIn("status 7", found["three"]["message"])
        self.assertEqual(found["zfour"]["verdict"], "PASS")

    def test_garbage(self):
        """awkward: a server that answers with garbage fails, and the report stays printable"""
        status, out, cases = self.tour("garbage")
        self.assertEqual((status, cases["one"]["verdict"]), (1, "FAIL"))
        self.assertNotIn("\x1b", out)

    def test_endless(self):
        """awkward: a reply without end is cut off"""
        status, _, cases = self.tour("endless")
        self.assertEqual(status, 1)
        self.assertIn(cases["one"]["verdict"], ("FAIL", "ERROR"))
        self.assertIn("without end", cases["one"]["message"])

    def test_slow_start(self):
        """awkward: a server that needs five seconds to start is waited for"""
        status, _, cases = self.tour("slow")
        self.assertEqual((status, cases["one"]["verdict"]), (0, "PASS"))

    def test_stillborn(self):
        """awkward: a server that does not start is status 3, with its last words"""
        status, _, err = self.run_command("--server", awkward("stillborn"))
        self.assertEqual(status, 3)
        self.assertIn("no configuration found", err)

    def test_deaf(self):
        """awkward: a server that takes no connection is given up after --start-timeout"""
        status, _, err = self.run_command("--server", awkward("deaf"), "--start-timeout", "0.5")
        self.assertEqual(status, 3)
        self.assertIn("takes no connection after 0.5 s", err)

    def test_no_program(self):
        """awkward: a command that does not exist is status 3"""
        for tried in ("/nonexistent/server {host} {port}", "nonexistent-server {port}"):
            status, _, err = self.run_command("--server", tried)
            self.assertEqual(status, 3)
            self.assertIn("cannot run", err)

    def test_once(self):
        """awkward: a server that hangs for a second client is noticed after a case that passed"""
        _, _, cases = self.tour("once", cases={"one": DUMP["one"]})
        self.assertEqual(cases["one"]["verdict"], "ERROR")
        self.assertIn("another client gets no answer", cases["one"]["message"])

    def test_twice(self):
        """awkward: a reply too many is noticed at the end of a case"""
        status, _, cases = self.tour("twice")
        self.assertEqual((status, cases["one"]["verdict"]), (1, "FAIL"))
        self.assertIn("no more replies", cases["one"]["message"])

    def test_noisy(self):
        """awkward: a server that floods its terminal does not stop the run"""
        status, out, _ = self.tour("noisy", cases={"one": case_text("a> DUMP\na< OK\nterminal~ noise\n")})
        self.assertEqual(status, 0, out)

    def test_resets(self):
        """awkward: a reset is a way to close, and fails the case only"""
        status, _, cases = self.tour("resets")
        self.assertEqual(status, 1)
        self.assertIn("closed", cases["one"]["message"])

class Spoilt(Place):
    """A machine that is too busy to keep the times."""

    def test_two_of_three(self):
        """player: a server that is wrong two times out of three fails, also if every play is spoilt"""
        kept, player.LONG_PAUSE = player.LONG_PAUSE, -1.0
        self.addCleanup(setattr, player, "LONG_PAUSE", kept)
        case = {"one": case_text("a>> X\\n\npause 0.01\na< OK\n")}
        status, out, found = self.run_cases(case, "--address", self.served("moody"), *STYLE)
        self.assertEqual((status, found["one"]["verdict"]), (1, "FAIL"), out)

    def test_one_of_five(self):
        """player: a case that fails once while the machine is busy is played again, and passes"""
        kept, player.LONG_PAUSE = player.LONG_PAUSE, -1.0
        self.addCleanup(setattr, player, "LONG_PAUSE", kept)
        case = {"one": case_text("a>> X\\n\npause 0.01\na< OK\n")}
        status, out, found = self.run_cases(case, "--address", self.served("first"), *STYLE)
        self.assertEqual((status, found["one"]["verdict"]), (0, "PASS"), out)

    def served(self, mode):
        """The address of an awkward server that is not started again after a case that failed."""
        running = server.Started(awkward(mode))
        running.start(None)
        self.addCleanup(running.stop)
        return "127.0.0.1:%d" % running.address[1]
