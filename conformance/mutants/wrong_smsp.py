# SPDX-License-Identifier: ISC
"""Clients that are wrong in one way each: the real smsp, with what goes in or comes out changed."""
import os
import subprocess
import sys
import tempfile

from base import CHOICE, MUST

try:
    import pexpect
except ImportError:
    pexpect = None

SMSP = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "client", "smsp")


class Client:
    """smsp behind a wrapper; at a prompt its terminal is passed through."""

    is_client = True

    def arguments(self, words):
        return words

    def environment(self):
        return dict(os.environ)

    def given(self, data):
        """What it reads from standard input."""
        return data

    def said(self, lines, words):
        """What it prints, line by line."""
        del words
        return lines

    def status(self, status, lines, words):
        del lines, words
        return status

    def typed(self, data):
        return data

    def shown(self, data):
        return data

    def main(self, words):
        if sys.stdin.isatty():
            return self.at_prompt(words)
        done = self.run(self.arguments(words), self.given(sys.stdin.buffer.read()))
        lines = done.stdout.splitlines(keepends=True)
        sys.stdout.buffer.write(b"".join(self.said(lines, words)))
        return self.status(done.returncode, lines, words)

    def run(self, words, data=b""):
        return subprocess.run([SMSP, *words], input=data, stdout=subprocess.PIPE, env=self.environment(), check=False)

    def at_prompt(self, words):
        child = pexpect.spawn(SMSP, words, env=self.environment(), dimensions=(50, 200))
        child.interact(escape_character=None, input_filter=self.typed, output_filter=self.shown)
        return 0


def replaced(lines, old, new):
    return [new if line == old else line for line in lines]


@MUST
class SmspStatusIsAlwaysZero(Client):
    """The client exits with 0 whatever the reply is."""

    def status(self, status, lines, words):
        return 0


@MUST
class SmspUsageIsStatusOne(Client):
    """The client exits with 1 when it was called wrongly."""

    def status(self, status, lines, words):
        return min(status, 1)


@MUST
class SmspPrintsOkForKo(Client):
    """The client prints OK for KO."""

    def said(self, lines, words):
        return replaced(lines, b"KO\n", b"OK\n")

    def shown(self, data):
        return data.replace(b"KO", b"OK")


@MUST
class SmspReadDeletes(Client):
    """The client's read deletes the message."""

    def status(self, status, lines, words):
        if words[-1:] == ["read"]:
            self.run(words[:-1] + ["delete"])
        return status


@MUST
class SmspSendsOneWord(Client):
    """The client sends the first word of a text."""

    def arguments(self, words):
        at = words.index("send") + 2 if "send" in words else len(words)
        return words[:at] + words[at:at + 1]


@MUST
class SmspForgetsItsSession(Client):
    """The client forgets its cookie when it ends."""

    def environment(self):
        place = tempfile.mkdtemp(dir=os.environ["HOME"])
        return dict(os.environ, HOME=place, XDG_STATE_HOME=place)


@MUST
class SmspIgnoresUser(Client):
    """The client ignores -u, and uses the session of the last login."""

    def arguments(self, words):
        return words[2:] if words[:1] == ["-u"] else words


@MUST
class SmspTakesTextForReply(Client):
    """The client takes a message whose text is KO for a refusal."""

    def status(self, status, lines, words):
        return 1 if lines == [b"KO\n"] else status


@CHOICE
class SmspDropsControls(Client):
    """The client leaves control characters out and sends the rest."""

    def arguments(self, words):
        return ["".join(char for char in word if char >= " ") for word in words]


@MUST
class SmspTakesOneCommand(Client):
    """The client carries out the first command of its standard input only."""

    def given(self, data):
        return data.split(b"\n")[0] + b"\n"


@MUST
class SmspShowsPassword(Client):
    """The client shows the password while it is typed."""

    def typed(self, data):
        os.write(1, data)
        return data


@MUST
class SmspSwallowsReplies(Client):
    """The client shows no COUNTED at its prompt."""

    def shown(self, data):
        return data.replace(b"COUNTED", b"")
