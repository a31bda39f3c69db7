# SPDX-License-Identifier: ISC
"""Drives our own client: one command at a time, or at its prompt in a terminal."""
import os
import shlex
import shutil
import subprocess
import tempfile

from .environment import check_room
from .player import Incomplete, Mismatch, Player
from .server import Terminal, pexpect
from .text import show, visible

LIMIT = 10  # seconds for a command
COOKIES = 16384  # bytes that a case's cookie files take at most


class ClientPlayer(Player):
    """Plays a case of kind client; its other steps are those of a server case."""

    program = None

    def play(self):
        self.home = tempfile.mkdtemp(prefix="smsp-conformance.")
        self.output, self.status, self.child = [], None, None
        try:
            super().play()
            if self.output:
                self.wrong(self.case.steps[-1], "no more output", self.output[0])
        except Mismatch:
            self.check_home()
            raise
        finally:
            self.end_child()
            shutil.rmtree(self.home, ignore_errors=True)

    def check_home(self):
        """A client that cannot keep its cookie says nothing about the server."""
        try:
            check_room(COOKIES, self.home)
        except OSError as error:
            raise Incomplete(f"cannot write temporary files in {error.filename}: {error.strerror}") from None

    def environment(self):
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "SMSP_TEST_JOB") if name in os.environ}
        return dict(kept, HOME=self.home, XDG_STATE_HOME=self.home, TERM="dumb", LC_ALL="C.UTF-8")

    def wrong(self, step, expected, actual):
        raise Mismatch("reply", step, expected, actual)

    def words(self, step):
        """(NAME=value settings, the client's arguments) of a step's line."""
        words = shlex.split(self.request(step).decode())
        settings = {}
        while words and "=" in words[0] and words[0].split("=")[0].isupper():
            name, _, value = words.pop(0).partition("=")
            settings[name] = value
        return settings, words

    def do_run(self, step):
        """smsp$ [NAME=value...] arguments [<<< input]"""
        settings, words = self.words(step)
        given = b""
        if "<<<" in words:
            at = words.index("<<<")
            given = "\n".join(words[at + 1:] + [""]).encode()
            words = words[:at]
        if self.output:
            self.wrong(step, "no more output", self.output[0])
        self.note(step, visible(step.text.encode()), "$")
        done = subprocess.run([self.program] + words, input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=dict(self.environment(), **settings), timeout=LIMIT, check=False)
        self.output = done.stdout.decode("utf-8", "backslashreplace").splitlines()
        self.status = done.returncode
        for line in self.output:
            self.note(step, line, "<")
        for line in done.stderr.decode("utf-8", "backslashreplace").splitlines():
            self.note(step, line, " 2<")

    def do_out(self, step):
        line = self.output.pop(0) if self.output else None
        expected = step.template.describe(self.values)
        if line is None:
            self.wrong(step, expected, "no more output")
        if not step.template.match(line.encode(), self.values):
            self.wrong(step, expected, show(line.encode()))
        self.checks += 1

    def do_exit(self, step):
        if str(self.status) != step.text:
            self.wrong(step, f"exit status {step.text}", f"exit status {self.status}")
        self.checks += 1

    def do_start(self, step):
        settings, words = self.words(step)
        self.end_child()
        self.note(step, step.text, ":")
        self.child = pexpect.spawn(self.program, words, env=dict(self.environment(), **settings), echo=True,
                                   dimensions=(50, 200))
        self.child.delayafterclose = self.child.ptyproc.delayafterclose = 0
        self.screen = Terminal(self.child.child_fd)
        self.seen = 0

    def do_type(self, step):
        self.note(step, visible(self.request(step)), ">")
        os.write(self.child.child_fd, self.request(step) + b"\n")

    def do_see(self, step):
        """Waits for a text on the terminal, after those that were seen before."""
        wanted = step.template
        text = self.screen.wait(self.seen, lambda text: self.place(wanted, text) is not None, self.settings.timeout)
        place = self.place(wanted, text)
        self.note(step, visible(text.encode()), "<")
        if place is None:
            self.wrong(step, wanted.describe(self.values), show(text.encode()) or "nothing on the terminal")
        self.seen += place
        self.checks += 1

    def place(self, wanted, text):
        """Where the text that a template expects ends in bytes, or None."""
        data, expected = text.encode(), self.request_of(wanted)
        at = data.find(expected)
        return None if at < 0 else at + len(expected)

    def request_of(self, template):
        return template.expand(self.values)

    def do_see_not(self, step):
        text = self.screen.since(0)
        if self.place(step.template, text) is not None:
            self.wrong(step, f"nowhere {step.template.describe(self.values)}", show(text.encode()))
        self.checks += 1

    def end_child(self):
        if self.child is not None:
            self.child.terminate(force=True)
            self.screen.thread.join(1)
            self.child.close(force=True)
        self.child = None
