# SPDX-License-Identifier: ISC
"""Stopping a run in the middle: nothing that it started may stay, and the terminal is as before."""
import os
import signal
import termios
import time
import unittest

from runner import server
from support import SUITE, Place, awkward, case_text

CASES = {"one": case_text("a> DUMP\na< OK\n"), "slow": case_text("a> DUMP\na< OK\nrepeat 600\npause 0.1\nend\n", "slow")}


def marked(mark):
    """The processes in whose environment a mark stands."""
    found = []
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                if mark.encode() in file.read():
                    found.append(int(name))
        except (OSError, ValueError):
            pass
    return found


@unittest.skipIf(server.pexpect is None, "python3-pexpect is missing")
class Interrupt(Place):
    """By Ctrl-C in a terminal, and by signals."""

    def start(self, words, mark):
        for name, text in CASES.items():
            self.path(f"cases/group/{name}.case", text)
        words = ["--folder", self.path("cases"), "--server", awkward("plain"), "--framing", "lf", "--connection", "keep",
                 "--timeout", "1", *words]
        child = server.pexpect.spawn(f"{SUITE}/smsp-conformance", words, timeout=30, encoding="utf-8",
                                     env=dict(os.environ, TMPDIR=self.folder, SMSP_MARK=mark))
        self.addCleanup(child.close, True)
        return child

    def test_interrupt(self):
        """interrupt: Ctrl-C or a signal ends a run, with BATS too; no process and no file stays, the terminal is sane"""
        for number, (words, stop, status) in enumerate((
                ([], "\x03", 130), (["--tap"], "\x03", 130), (["--bats"], "\x03", 130), (["--bats", "--jobs", "2"], signal.SIGTERM, 143))):
            with self.subTest(words=words, stop=stop):
                mark = f"smsp-mark-{os.getpid()}-{number}"
                child = self.start(words, mark)
                child.expect("[^o]1 of 2 cases" if not words else "ok 1 ")
                sane = termios.tcgetattr(child.child_fd)
                began = time.monotonic()
                child.send(stop) if isinstance(stop, str) else child.kill(stop)
                child.expect(server.pexpect.EOF)
                child.wait()
                self.assertLess(time.monotonic() - began, 10)
                self.assertEqual(child.exitstatus, status)
                self.assertEqual(termios.tcgetattr(child.child_fd), sane)
                self.assertEqual(marked(mark), [])
                self.assertEqual(os.listdir(self.folder), ["cases"])

    def test_while_starting(self):
        """interrupt: Ctrl-C while the server starts ends the server too"""
        mark = f"smsp-mark-{os.getpid()}-start"
        child = server.pexpect.spawn(f"{SUITE}/smsp-conformance", ["--server", awkward("deaf")], timeout=30,
                                     encoding="utf-8", env=dict(os.environ, SMSP_MARK=mark))
        self.addCleanup(child.close, True)
        deadline = time.monotonic() + 20
        while len(marked(mark)) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        child.send("\x03")
        child.expect("stopped before the end")
        child.expect(server.pexpect.EOF)
        child.wait()
        self.assertEqual((child.exitstatus, marked(mark)), (130, []))
