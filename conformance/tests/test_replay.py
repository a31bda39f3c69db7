# SPDX-License-Identifier: ISC
"""The program that replays exported transcripts against the engine in one process."""
import glob
import os
import shutil
import subprocess

from support import ROOT, Place

GOOD = r"""case good
option mailbox 2
send 0 REGISTER alice secret\x0A
recv 0 OK $0\x0A
none 0
send 1 NONSENSE\x0A
line 1
send 0 MESSAGE caf\xC3\xA9 $0\x0ADUMP
recv 0 OK\x0A
none 0
send 0 \x0A
recv 0 OK\x0A
dump-has IMQ: 1
dump-lacks bob
dump IMQ: 1
dump   1: caf\xC3\xA9
dump MBX: 1
dump   alice: 0
send 2 COUNT alice $0
silence 2
recv 2 COUNTED 0
end 2
send 2 DUMP\x00
recv 2 OK\x00
"""
# One line of GOOD, what stands there instead, and what is said of it.
WRONG = [
    (r"recv 0 OK $0\x0A", r"recv 0 OK $0\x00", "another reply"),
    (r"recv 0 OK $0\x0A", r"recv 0 KO $0\x0A", "another reply"),
    (r"recv 0 OK $0\x0A", r"recv 0 $0\x0A", "$0 is no cookie yet"),
    ("none 0", r"recv 0 OK\x0A", "another reply"),
    ("line 1", "none 1", "a reply that is not owed"),
    ("line 1", "", "a reply that is not owed"),
    ("line 1", "line 1\nline 1", "no reply has come"),
    (r"send 0 \x0A", r"send 0 X\x0A", "another reply"),
    ("dump-has IMQ: 1", "dump-has IMQ: 2", "DUMP did not print this"),
    ("dump-lacks bob", "dump-lacks ice: 0", "DUMP printed this"),
    ("dump IMQ: 1", "dump IMQ: 2", "another line from DUMP"),
    ("dump   alice: 0", "", "more after this line"),
    ("dump   alice: 0", "dump   alice: 0\ndump   bob: 0", "another line from DUMP"),
    ("option mailbox 2", "option mailbox 0", "the engine: "),
    ("option mailbox 2", "option mailbox", "option 'mailbox' is not known here"),
    ("option mailbox 2", "option colour 2", "option 'colour 2' is not known here"),
    ("silence 2", "option mailbox 3", "an option comes before the first step"),
    ("silence 2", "quiet 2", "'quiet' is no step"),
    ("silence 2", "silence 32", "'silence' wants a connection's number under 32"),
    ("silence 2", "silence", "'silence' wants a connection's number under 32"),
    ("send 2 COUNT alice $0", "send 2 COUNT alice $7", "$7 is no cookie yet"),
    ("send 2 COUNT alice $0", "send 2 COUNT alice $", "after $ comes a cookie's number"),
    ("send 2 COUNT alice $0", r"send 2 COUNT alice\x0", r"after \ come x and two digits"),
    ("case good", "good", "the first line is to be 'case ID'"),
]
# Wrong engines: file, what stands there, what instead, the case and the words that tell.
ENGINES = [
    ("execute.c", "result->count = state->accounts[user].count;", "result->count = state->accounts[user].count + 1;",
     "store-emptied-imq", ["each send in one piece: another reply", r"expected COUNTED 1\x0A", r"actual   COUNTED 2\x0A"]),
    ("change.c", "unappend_mail(state, account, undo->before);", "(void)unappend_mail;",
     "store-emptied-imq", ["done, taken back and done again"]),
    ("frame.c", "*room = frame->size - held;", "*room = 0;", "dump-ok", ["a frame leaves no room"]),
]


def play(program, *files):
    done = subprocess.run([program, *files], capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


class Replay(Place):
    """conformance/replay"""

    @classmethod
    def setUpClass(cls):
        done = subprocess.run(["make", "-s", "--no-print-directory", "VARIANT=release", "replay"], cwd=ROOT, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=120,
                              env={**os.environ, "MAKEFLAGS": "", "MAKELEVEL": ""})
        assert done.returncode == 0, done.stdout
        cls.program = os.path.join(ROOT, "build", "release", "conformance", "replay")
        cls.flat = os.path.join(ROOT, "build", "flat")

    def test_good(self):
        """replay: a case with every kind of step passes"""
        status, out, _ = play(self.program, self.path("good.flat", GOOD))
        self.assertEqual((status, out), (0, "1..1\nok 1 - good\n# 1 cases replayed in 3 ways, 0 failed\n"))

    def test_full_disk(self):
        """replay: output that cannot be written is reported, status 2"""
        with open("/dev/full", "wb") as full:
            done = subprocess.run([self.program, self.path("good.flat", GOOD)], stdout=full, stderr=subprocess.PIPE, text=True,
                                  check=False, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (2, "replay: cannot write the output\n"))

    def test_wrong(self):
        """replay: each wrong step is told with its file and line, and status 1"""
        for line, instead, words in WRONG:
            with self.subTest(instead):
                self.assertIn(line + "\n", GOOD)
                path = self.path("wrong.flat", GOOD.replace(line + "\n", instead + "\n", 1))
                status, out, _ = play(self.program, path, self.path("good.flat", GOOD))
                self.assertEqual(status, 1, out)
                self.assertIn("not ok 1 - ", out)
                self.assertIn(f"# {path}:", out)
                self.assertIn(words, out)
                self.assertIn("\nok 2 - good\n", out)

    def test_line_number(self):
        """replay: the line that is told is the one that is wrong"""
        path = self.path("wrong.flat", GOOD.replace("alice: 0", "alice: 7"))
        self.assertIn(f"{path}:{GOOD.splitlines().index('dump   alice: 0') + 1}: ", play(self.program, path)[1])

    def test_usage(self):
        """replay: without files, or without one that is named, it ends with status 2"""
        status, out, err = play(self.program)
        self.assertEqual((status, out), (2, ""))
        self.assertIn("usage", err)
        status, _, err = play(self.program, self.path("none.flat"))
        self.assertEqual(status, 2)
        self.assertIn("none.flat", err)

    def test_empty(self):
        """replay: a case without a step has failed"""
        status, out, _ = play(self.program, self.path("empty.flat", "case empty\n"))
        self.assertEqual(status, 1)
        self.assertIn("the case has no step", out)

    def test_wrong_engines(self):
        """replay: engines that are wrong in one line are noticed"""
        engine = self.path("engine")
        shutil.copytree(os.path.join(ROOT, "engine"), engine)
        sources = glob.glob(engine + "/*.c")
        for file, line, instead, case, words in ENGINES:
            with self.subTest(file):
                with open(os.path.join(engine, file), encoding="utf-8") as source:
                    text = source.read()
                self.assertEqual(text.count(line), 1)
                self.path("engine/" + file, text.replace(line, instead))
                program = self.path("replay")
                subprocess.run(["cc", "-std=c11", "-I" + engine, "-o", program, ROOT + "/conformance/replay.c",
                                ROOT + "/conformance/replay_server.c", *sources], check=True)
                self.path("engine/" + file, text)
                status, out, _ = play(program, os.path.join(self.flat, case + ".flat"))
                self.assertEqual(status, 1)
                for word in words:
                    self.assertIn(word, out)
