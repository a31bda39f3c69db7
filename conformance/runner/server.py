# SPDX-License-Identifier: ISC
"""Starts and stops the server under test, holds its terminal, and sees whether it lives."""
import os
import re
import shlex
import signal
import socket
import subprocess
import tempfile
import threading
import time

from . import listening
from .wire import TERMINATORS, Closed, Endless, Silence

try:
    import pexpect
except ImportError:
    pexpect = None

ANNOUNCED = re.compile(rb"listening on \S*:(\d+)\s")
KEPT = 1 << 22  # bytes of a terminal's text that are kept
LAST_WORDS = 300
GREETING_TAKES = 0.15  # seconds in which a server that was just started may say so on its terminal
FLOW_TAKES = 0.2  # seconds until a terminal has stopped: the kernel does it in its own time


ELSEWHERE = 0.3  # seconds between two looks for a port that it was not given
DYING = 0.1  # seconds in which a server that closes its sockets ends, if that is why
PATIENCE = 5  # tries to be served after a case
CLOSES = "it closes on every client"


class CannotStart(Exception):
    """The server under test did not come up; why."""


class Terminal:
    """What a program prints, from a file descriptor that a thread empties."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.text = bytearray()
        self.dropped = 0
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self.drain, daemon=True)
        self.thread.start()

    def drain(self):
        while True:
            try:
                data = os.read(self.descriptor, 65536)
            except OSError:
                return
            if not data:
                return
            with self.changed:
                self.text += data.replace(b"\r\n", b"\n")
                if len(self.text) > KEPT:
                    self.dropped += len(self.text) - KEPT
                    del self.text[:-KEPT]
                self.changed.notify_all()

    def mark(self):
        """A place in the text, for since()."""
        with self.changed:
            return self.dropped + len(self.text)

    def since(self, mark):
        with self.changed:
            return bytes(self.text[max(0, mark - self.dropped):]).decode("utf-8", "replace")

    def wait(self, mark, wanted, seconds):
        """The text since a mark, as soon as wanted(text) or when the time is over."""
        deadline = time.monotonic() + seconds
        while True:
            text = self.since(mark)
            left = deadline - time.monotonic()
            if wanted(text) or left <= 0:
                return text
            with self.changed:
                self.changed.wait(min(left, 0.05))

    def flow(self, going):
        """Stop and go on, as with the keys that a person has for it."""
        os.write(self.descriptor, b"\x11" if going else b"\x13")
        time.sleep(FLOW_TAKES)


class NoTerminal:
    """Of a server that somebody else started."""

    def mark(self):
        return 0


class Attached:
    """A server that runs already."""

    started_here = False
    terminal = NoTerminal()
    port = None  # of its own: --address names it already

    def __init__(self, host, port):
        self.address = (host, port)

    def start(self, settings):
        try:
            socket.create_connection(self.address, timeout=settings.timeout).close()
        except OSError as error:
            raise CannotStart(f"nobody answers at {self.address[0]}:{self.address[1]}: {error.strerror or error}") from None

    def stop(self):
        pass

    def death(self):
        return None

    def take_spare(self):
        return None

    def said(self, mark):
        del mark
        return ""


class Started:
    """A server that is started from a command line with {host}, {port} and {options} in it.

    {announced} in place of {port} asks for port 0; the server then says on
    standard error `listening on HOST:PORT`.
    """

    started_here = True

    def __init__(self, command, options=(), with_terminal=True, patience=15.0, port=None):
        """port: where it is known to listen, whatever the command says."""
        self.command, self.options, self.patience = command, list(options), patience
        self.port, self.spare = port, None
        self.announces = "{announced}" in command
        self.with_terminal = with_terminal and pexpect is not None
        self.process = self.log = self.terminal = None
        self.address = ("127.0.0.1", 0)

    def arguments(self):
        words = []
        for word in shlex.split(self.command):
            if word == "{options}":
                words.extend(self.options)
            else:
                words.append(word.replace("{host}", self.address[0]).replace("{port}", str(self.address[1]))
                             .replace("{announced}", "0"))
        return words

    def start(self, settings):
        """Returns when it takes connections. CannotStart."""
        del settings
        for attempt in range(3):
            if not self.announces:
                self.address = (self.address[0], free_port())
            self.launch()
            try:
                self.wait_until_ready()
                return
            except CannotStart:
                words = self.last_words()
                self.stop()
                if attempt == 2 or "in use" not in words:
                    raise
            except BaseException:  # Ctrl-C
                self.stop()
                raise

    def launch(self):
        words = self.arguments()
        self.log = tempfile.NamedTemporaryFile(prefix="smsp-conformance.")
        try:
            if self.with_terminal:
                self.launch_in_terminal(words)
            else:
                self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                                stderr=self.log, start_new_session=True)
                self.terminal = Terminal(self.process.stdout.fileno())
        except (OSError, ValueError) as error:
            self.stop()
            raise CannotStart(f"cannot run {words[0] if words else 'nothing'}: {error}") from None
        except (pexpect.ExceptionPexpect if pexpect else ()) as error:
            self.stop()
            raise CannotStart(f"cannot run {words[0]}: {str(error).splitlines()[0]}") from None

    def launch_in_terminal(self, words):
        """Standard output is the terminal; standard error too, unless the server announces itself there."""
        log = self.log.name
        prepare = (lambda: os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND), 2)) if self.announces else None
        self.process = pexpect.spawn(words[0], words[1:], echo=False, preexec_fn=prepare, dimensions=(50, 200))
        self.process.delayafterclose = self.process.ptyproc.delayafterclose = 0
        self.terminal = Terminal(self.process.child_fd)

    def listens(self):
        """True if it takes connections; its address is then known."""
        if not listening.available():
            self.spare = connected_or_none((self.address[0], self.port or self.address[1]))
            return self.spare is not None
        host = listening.host_of_port(self.port or self.address[1])
        if host:
            self.address = (host, self.port or self.address[1])
            return True
        return self.listens_elsewhere()

    def listens_elsewhere(self):
        """True if it has listened on some other port for a while."""
        if time.monotonic() < self.look_elsewhere:
            return False
        found = listening.of_session(self.process.pid)
        if found and found == self.elsewhere:
            self.address, self.port = found[0], found[0][1]
            return True
        self.elsewhere, self.look_elsewhere = found, time.monotonic() + ELSEWHERE
        return False

    def take_spare(self):
        """The connection by which it was found to be ready: some servers end when one is closed unused."""
        spare, self.spare = self.spare, None
        return spare

    def settle(self):
        """Waits until what it prints at its start is on the terminal."""
        self.terminal.wait(0, lambda text: time.monotonic() > self.launched + GREETING_TAKES, GREETING_TAKES)

    def said(self, mark):
        """What it printed since a mark of its terminal, and on standard error."""
        return self.terminal.since(mark) + (self.log_text().decode("utf-8", "replace") if self.log else "")

    def wait_until_ready(self):
        deadline = time.monotonic() + self.patience
        self.launched, self.elsewhere, self.look_elsewhere = time.monotonic(), None, time.monotonic() + ELSEWHERE
        while time.monotonic() < deadline:
            if self.announces:
                found = ANNOUNCED.search(self.log_text())
                if found:
                    self.address = (self.address[0], int(found.group(1)))
                    return
            elif self.listens():
                return
            if self.death():
                raise CannotStart(f"{self.death()}: {self.last_words()}")
            time.sleep(0.005)
        raise CannotStart(f"takes no connection after {self.patience:g} s: {self.last_words()}")

    def log_text(self):
        self.log.flush()
        return os.pread(self.log.fileno(), 1 << 16, 0)

    def last_words(self):
        """What it printed last, for a message."""
        said = self.log_text().decode("utf-8", "replace") if self.log else ""
        if not said.strip() and self.terminal:
            said = self.terminal.wait(0, lambda text: text.strip(), 0.1)
        return " / ".join(said.split("\n")).strip(" /")[-LAST_WORDS:] or "it printed nothing"

    def death(self):
        """How it ended, or None while it lives."""
        if self.process is None:
            return "it is not running"
        if isinstance(self.process, subprocess.Popen):
            status = self.process.poll()
            return None if status is None else ending(status)
        if self.process.isalive():
            return None
        if self.process.signalstatus:
            return ending(-self.process.signalstatus)
        return ending(self.process.exitstatus)

    def stop(self):
        """Ends it and all that it started."""
        if self.process is not None:
            self.signal(signal.SIGTERM)
            deadline = time.monotonic() + 2
            while not self.death() and time.monotonic() < deadline:
                time.sleep(0.003)
            self.signal(signal.SIGKILL)
            while not self.death():
                time.sleep(0.003)
            self.close_terminal()
        self.process = None
        if self.log:
            self.log.close()
        self.log = None
        if self.spare:
            self.spare.close()

    def signal(self, number):
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):
            pass

    def close_terminal(self):
        if isinstance(self.process, subprocess.Popen):
            self.terminal.thread.join(1)
            self.process.stdout.close()
        else:
            self.terminal.thread.join(1)
            self.process.close(force=True)


def ending(status):
    if status is not None and status < 0:
        return f"it died of {signal.Signals(-status).name}"
    return f"it ended with status {status}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connected_or_none(address):
    try:
        return socket.create_connection(address, timeout=1)
    except OSError:
        return None


def trouble(server, settings):
    """Why a second client is not served now, or None. The server may need a moment to see that others have gone."""
    for _ in range(PATIENCE):
        why = trouble_now(server, settings)
        if why != CLOSES or server.death():
            break
        time.sleep(0.1)
    return why


def dying(server):
    """How it ended, if it does so within a moment: its sockets close before the process is gone."""
    deadline = time.monotonic() + DYING
    while not server.death() and server.started_here and time.monotonic() < deadline:
        time.sleep(0.005)
    return server.death()


def trouble_now(server, settings):
    """Any answer at all will do."""
    death = server.death()
    if death:
        return death
    if not settings.profile.alive:
        return None
    try:
        connection = settings.connect(server)
    except OSError as error:
        return dying(server) or f"it takes no connection any more: {error.strerror or error}"
    try:
        connection.send(settings.profile.alive.encode() + TERMINATORS[settings.framing])
        connection.reply(b"KO")
    except (Silence, Endless):
        settings.pace.hung()
        return server.death() or "it hangs: another client gets no answer"
    except Closed:
        return dying(server) or CLOSES
    finally:
        connection.close()
    return None
