# SPDX-License-Identifier: ISC
"""Real servers: the reference under every style, our own client, and what a play can find."""
import os
import unittest

from runner import main as command
from support import PROFILE, REFERENCE, SUITE, Place, awkward, case_text

SOME = "store-takes* logout-kills* message-utf8 session-two*"
REFERENCE_WORDS = ("--server", REFERENCE, "--limits", f"{SUITE}/reference/limits", "--level", "choice")
FINDINGS = {  # steps, mode of the awkward server: (verdict, words of the message)
    "a> X\na< {closed}\n": ("plain", "FAIL", "extra|the connection to close"),
    "a: connect\na< {closed}\n": ("silent", "ERROR", "stays open"),
    "a> X\na< {nothing}\n": ("plain", "FAIL", "nothing yet"),
    "a> X\na< OK\na< {nothing:0.1}\na> X\na< OK\n": ("closing", "FAIL", "closed"),
    "a>> X\\n\na<< KO\\n\n": ("plain", "FAIL", "expected KO.*got OK"),
    "a>> X\\n\na<< OK\\nOK\\n\n": ("plain", "FAIL", "expected OK"),
    "a> X\na<! OK\n": ("plain", "FAIL", "any answer but OK"),
    "a> X\na< {anything}\na> {cookie:b}\na< OK\n": ("plain", "FAIL", "b never got one"),
    "a> X\na< OK\nterminal! noise\n": ("noisy", "FAIL", "to lack noise"),
    "a> X\na< OK\nterminal~ quiet\n": ("noisy", "FAIL", "to show quiet"),
    "a> X\na< OK\nterminal< quiet\n": ("plain", "FAIL", "nothing on it"),
    "a> X\na< OK\na: close\na: connect\na: reset\nb: half-close\nb< {closed}\n": ("plain", "PASS", "^$"),
    "a> X\na< {anything or nothing}\nb> Y\nb< {anything}\n": ("plain", "PASS", "^$"),
    "a> X\na< OK\na< {nothing:0.05}\npause 0.01\na> Y\na< OK\n": ("plain", "PASS", "^$"),
}


class Reference(Place):
    """The reference server passes."""

    def play(self, *words):
        return self.run_command(*REFERENCE_WORDS, *words)

    def test_all(self):
        """reference: it passes every case, the choices too"""
        status, out, _ = self.play("--framing", "lf", "--connection", "keep")
        self.assertEqual(status, 0, [line for line in out.splitlines() if line.startswith("not ok")])
        self.assertNotIn(" DIFFERS", out.splitlines()[-1])

    def test_styles(self):
        """reference: it passes under every framing and connection style, and in every delivery"""
        for framing in ("lf", "crlf", "nul", "none"):
            for connection in ("keep", "each"):
                with self.subTest(framing=framing, connection=connection):
                    status, out, _ = self.play("--cases", SOME, "--framing", framing, "--connection", connection,
                                               "--delivery", "whole,split,half-close")
                    self.assertEqual(status, 0, out[-2000:])

    def test_with_bats(self):
        """reference: BATS prints its verdicts"""
        kept, quiet = os.dup(1), os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)  # BATS prints there by itself
        try:
            status, out, _ = self.play("--cases", "store-takes*", "--bats")
        finally:
            os.dup2(kept, 1)
            os.close(kept)
            os.close(quiet)
        self.assertEqual(status, 0, out)


class Findings(Place):
    """Each kind of step notices what it is for."""

    def test_findings(self):
        """player: each kind of step passes and fails as it should"""
        for number, (steps, (mode, verdict, words)) in enumerate(FINDINGS.items()):
            with self.subTest(steps):
                self.folder = os.path.join(self.folder, str(number))
                _, out, found = self.run_cases({"one": case_text(steps)}, "--server", awkward(mode), *PROFILE,
                                               "--timeout", "0.5")
                self.assertEqual(found["one"]["verdict"], verdict, out)
                self.assertRegex(found["one"]["message"], words)


@unittest.skipUnless(os.access(command.OURS, os.X_OK) and os.access(command.CLIENT, os.X_OK), "smspd is not built")
class Ours(Place):
    """Our own server and client."""

    def test_styles(self):
        """smspd: it answers alike under every framing and connection style, with its default options"""
        for framing in ("lf", "crlf", "nul", "none"):
            for connection in ("keep", "each"):
                with self.subTest(framing=framing, connection=connection):
                    status, out, _ = self.run_command("--cases", SOME, "--framing", framing, "--connection", connection,
                                                      "--delivery", "whole", "--level", "choice", "--timeout", "5")
                    self.assertEqual(status, 0, out[-2000:])

    def test_client(self):
        """smsp: the client's cases pass, and a broken client fails them"""
        status, out, _ = self.run_command("--cases", "client", "--level", "choice")
        self.assertEqual(status, 0, out)
        kept = command.CLIENT
        command.CLIENT = self.path("smsp", "#!/bin/sh\necho OK nonsense; echo KO; exit 1\n")
        os.chmod(command.CLIENT, 0o755)
        try:
            status, out, _ = self.run_command("--cases", "client", "--level", "choice", "--timeout", "0.5")
        finally:
            command.CLIENT = kept
        self.assertEqual(status, 1)
        self.assertNotRegex(out, r"(?m)^ok")
