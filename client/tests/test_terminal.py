#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Tests of smsp in a pseudo-terminal: test_terminal.py [SMSP...]

Each argument is a client to test; the first is client/smsp. TAP out.
"""
import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time

import pexpect

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIFETIME = 120  # seconds for all of it
PATIENCE = 10  # for anything that is expected


class Failure(Exception):
    pass


def check(truth, words):
    if not truth:
        raise Failure(words)


@contextlib.contextmanager
def process(*command):
    """A process that is gone afterwards; what it prints is read line by line."""
    started = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace")
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()
        started.stdout.close()


@contextlib.contextmanager
def server(*options):
    """smspd on a free port."""
    with process(os.environ.get("SMSPD", "server/smspd"), *options, "127.0.0.1", "0") as started:
        for line in started.stdout:
            found = re.search(r"listening on .*:(\d+)$", line)
            if found:
                yield found.group(1)
                return
        raise Failure("smspd did not start")


@contextlib.contextmanager
def peer(*connections):
    """scripted_server.py with these connections."""
    with process("client/tests/scripted_server.py", os.devnull, *connections) as started:
        yield started.stdout.readline().strip()


class Terminal:
    """A client, or another program, in a terminal of its own."""

    def __init__(self, command, arguments, **environment):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SMSP_")}
        kept.update(TERM="xterm", LC_ALL="C.UTF-8", **environment)
        self.child = pexpect.spawn(command, arguments, cwd=ROOT, env=kept, timeout=PATIENCE, encoding="utf-8",
                                   codec_errors="replace", dimensions=(40, 200))
        self.child.delaybeforesend = None

    def expect(self, pattern):
        """What came before the pattern."""
        try:
            self.child.expect(pattern)
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            raise Failure(f"no {pattern!r} in {self.child.before!r}") from error
        return self.child.before

    def type(self, text):
        self.child.send(text)

    def ask(self, line, pattern, prompt):
        """Type a line and want the pattern, then the prompt."""
        self.type(line + "\r")
        self.expect(pattern)
        self.expect(prompt)

    def echoes(self):
        return bool(termios.tcgetattr(self.child.child_fd)[3] & termios.ECHO)

    def wait_for_echo(self, wanted):
        deadline = time.monotonic() + PATIENCE
        while self.echoes() != wanted:
            check(time.monotonic() < deadline, f"echo is {self.echoes()}")
            time.sleep(0.01)

    def ends(self, status=None, number=None):
        """The program ends with this status, or by this signal."""
        try:
            self.child.expect(pexpect.EOF)
        except pexpect.TIMEOUT as error:
            raise Failure(f"does not end: {self.child.before!r}") from error
        self.child.wait()
        got = (self.child.exitstatus, self.child.signalstatus)
        check(got == (status, number), f"ended with (status, signal) {got}, not {(status, number)}")
        return self.child.before

    def close(self):
        self.child.close(force=True)


class Case:
    """What each test is given."""

    def __init__(self, smsp, state):
        self.smsp, self.state = smsp, state
        self.terminals = []

    def start(self, command, *arguments):
        terminal = Terminal(command, list(arguments), XDG_STATE_HOME=self.state, TMPDIR=self.state)
        self.terminals.append(terminal)
        return terminal

    def client(self, port, *options):
        terminal = self.start(self.smsp, *options, "127.0.0.1", port)
        terminal.expect("'help' lists the commands")
        return terminal

    def register(self, port, user):
        terminal = self.client(port)
        terminal.expect("smsp> ")
        terminal.type(f"register {user}\r")
        terminal.expect("Password: ")
        terminal.type("pw\r")
        terminal.expect(r"OK [0-9a-f]{32}\r\n")
        terminal.expect(f"{user}> ")
        return terminal


def test_session(case):
    """register, send, count, read, delete, logout and login again"""
    with server() as port:
        alice = case.register(port, "alice")
        bob = case.register(port, "bob")
        alice.ask("send bob hello, böb", r"OK\r\n", "alice> ")
        bob.ask("count", r"COUNTED 1\r\n", "bob> ")
        bob.ask("read", r"\r\nhello, böb\r\n", "bob> ")
        bob.ask("delete", r"OK\r\n", "bob> ")
        bob.ask("read", r"KO\r\nsmsp: no message, no such user, or not your mailbox\r\n", "bob> ")
        bob.ask("COUNT alice $cookie", r"COUNTED 0\r\n", "bob> ")
        bob.ask("dump", r"OK\r\n", "bob> ")
        bob.ask("cuont", "unknown command 'cuont'", "bob> ")
        bob.ask("logout", r"OK\r\n", "smsp> ")
        bob.type("login bob\r")
        bob.expect("Password: ")
        bob.type("wrong\r")
        bob.expect(r"KO\r\nsmsp: unknown user or wrong password\r\n")
        bob.expect("smsp> ")
        bob.ask("LOGIN bob pw", r"OK [0-9a-f]{32}\r\n", "bob> ")
        bob.type("quit\r")
        bob.ends(status=0)


def test_password_unseen(case):
    """a password is not echoed, and the terminal has its old settings"""
    with server() as port:
        alice = case.client(port)
        alice.expect("smsp> ")
        alice.type("register alice\r")
        alice.expect("Password: ")
        alice.wait_for_echo(False)
        alice.type("a secret?\r")
        check("secret" not in alice.expect("REGISTER was not sent: a part of it is empty or contains a space"), "echoed")
        alice.type("register alice pw\r")
        alice.expect("do not write the password in the command")
        alice.expect("smsp> ")
        alice.type("\x04")
        alice.ends(status=0)


def test_password_too_long(case):
    """a password of more than 1,024 bytes is rejected, not truncated"""
    with server() as port:
        alice = case.client(port)
        alice.expect("smsp> ")
        alice.type("register alice\r")
        alice.expect("Password: ")
        alice.type("p" * 1100 + "\r")
        alice.expect("smsp: the password has more than 1024 bytes")
        alice.expect("smsp> ")


def test_session_ended(case):
    """a session that another login has ended, and an empty mailbox, are explained"""
    with server() as port:
        alice = case.register(port, "alice")
        alice.ask("delete", r"KO\r\nsmsp: no message", "alice> ")
        elsewhere = case.client(port)
        elsewhere.ask("LOGIN alice pw", r"OK [0-9a-f]{32}\r\n", "alice> ")
        alice.ask("count", r"You should log in first.\r\nsmsp: the session has ended: log in again", "alice> ")


def test_user_option(case):
    """-u continues an earlier session"""
    with server() as port:
        case.register(port, "alice").type("\x04")
        again = case.client(port, "-u", "alice")
        again.expect("alice> ")
        again.ask("count", r"COUNTED 0\r\n", "alice> ")
        nobody = case.client(port)
        nobody.expect("smsp> ")
        nobody.ask("count", "not logged in", "smsp> ")


def test_trace(case):
    """--trace shows both directions"""
    with server() as port:
        client = case.client(port, "--trace")
        client.ask("DUMP", r"> DUMP\r\n< OK\r\nOK\r\n", "smsp> ")


def test_long_text(case):
    """a text of 4,096 bytes is sent, or rejected if the terminal would truncate it"""
    text = "x" * 4095 + "y"
    with server() as port:
        alice = case.register(port, "alice")
        alice.type(f"send alice {text}\r")
        if case.plain:
            alice.expect("the line was not sent: the terminal may have cut it")
        else:
            alice.expect(r"\r\nOK\r\n")
        alice.expect("alice> ")
        alice.ask("count", "COUNTED 0" if case.plain else "COUNTED 1", "alice> ")


def test_harmless(case):
    """no escape sequence of a server or a message reaches the terminal"""
    hostile = r"\x1b]0\x3btitle\x07\xc2\x9b31m\xff\r"
    with peer(rf"read 1; say {hostile}\n; eof") as port:
        client = case.client(port, "--trace")
        client.type("GETMSG a b\r")
        shown = client.expect(r"\r\n< .*\r\n\\x1b\]0;title\\x07\\xc2\\x9b31m\\xff\r\n")
        check("\x1b]" not in shown + client.child.after and "\x07" not in client.child.after, "an escape got through")


def test_reconnect(case):
    """after the server has closed an idle connection it reconnects silently"""
    with peer("read 1; say OK one\\n", "read 1; say COUNTED 3\\n; eof") as port:
        client = case.client(port)
        client.ask("REGISTER alice pw", r"OK one\r\n", "alice> ")
        time.sleep(0.3)
        client.type("count\r")
        said = client.expect(r"COUNTED 3\r\n")
        check("smsp:" not in said, said)


def test_unreachable(case):
    """without a server it prints one line and ends with status 2"""
    with peer("wait 0") as port:
        case.client(port).type("\x04")
    client = case.start(case.smsp, "127.0.0.1", port)
    check(client.ends(status=2).count("\n") == 1, client.child.before)


def in_shell(case, port, command, prompt, before=""):
    """A shell in which the client shows its prompt. dash, as opposed to bash, leaves the
    terminal as its commands left it."""
    shell = case.start("/bin/dash", "-i")
    shell.type("PS1='>''> '\r")
    shell.expect(">> ")
    shell.type(f"{before}{shlex.quote(case.smsp)} -u alice 127.0.0.1 {port} {command}\r")
    shell.expect(prompt)
    return shell


def at_password_prompt(case, port, command):
    """The same at the prompt for a password, where nothing echoes."""
    shell = in_shell(case, port, command, "Password: ")
    shell.wait_for_echo(False)
    return shell


def ended_by(case, number, send):
    """A signal at the password prompt ends the client, and the terminal echoes again."""
    with server() as port:
        shell = at_password_prompt(case, port, "login")
        send(shell)
        shell.expect(">> ")
        shell.wait_for_echo(True)
        shell.type("echo status=$?\r")
        shell.expect(f"status={128 + number}\r\n")


def client_of(shell):
    """The process id of the shell's child."""
    path = f"/proc/{shell.child.pid}/task/{shell.child.pid}/children"
    with open(path, encoding="ascii") as children:
        return int(children.read().split()[0])


def test_interrupt(case):
    """Ctrl-C at the password prompt ends it, and the terminal echoes again"""
    ended_by(case, signal.SIGINT, lambda shell: shell.type("\x03"))


def test_interrupt_line(case):
    """and at the prompt for a command, and the terminal has its old settings"""
    with server() as port:
        shell = in_shell(case, port, "", "smsp> ")
        shell.type("half a line\x03")
        shell.expect(">> ")
        shell.wait_for_echo(True)
        check(termios.tcgetattr(shell.child.child_fd)[3] & termios.ICANON, "the terminal reads byte by byte")
        shell.type("echo status=$?\r")
        shell.expect(f"status={128 + signal.SIGINT}\r\n")


def test_terminate(case):
    """so do SIGTERM and SIGHUP"""
    for number in (signal.SIGTERM, signal.SIGHUP):
        ended_by(case, number, lambda shell, number=number: os.kill(client_of(shell), number))


def test_stop(case):
    """Ctrl-Z at the password prompt: the terminal echoes; after fg it asks again"""
    with server() as port:
        shell = at_password_prompt(case, port, "register")
        shell.type("\x1a")
        shell.expect("Stopped")
        shell.wait_for_echo(True)
        shell.type("fg\r")
        shell.expect("Password: ")
        shell.wait_for_echo(False)
        shell.type("pw\r")
        shell.expect(r"OK [0-9a-f]{32}\r\n")


def test_raw(case):
    """Enter and Ctrl-C work in a terminal that another program has left in raw mode"""
    with server() as port:
        shell = in_shell(case, port, "", "smsp> ", "stty raw -echo; ")
        shell.ask("REGISTER alice pw", r"OK [0-9a-f]{32}\r\n", "alice> ")
        shell.type("login alice\r")
        shell.expect("Password: ")
        shell.type("pw\r")
        shell.expect(r"OK [0-9a-f]{32}\r\n")
        shell.expect("alice> ")
        shell.type("\x03")
        shell.expect(">> ")


def test_raw_password(case):
    """and at the password prompt of a single command"""
    with server() as port:
        shell = in_shell(case, port, "register", "Password: ", "stty raw -echo; ")
        shell.type("\x03")
        shell.expect(">> ")
        shell.type(f"{shlex.quote(case.smsp)} -u alice 127.0.0.1 {port} register\n")  # the terminal is raw again
        shell.expect("Password: ")
        shell.type("pw\r")
        shell.expect(r"OK [0-9a-f]{32}")
        early = case.start("/bin/sh", "-c", f"stty raw -echo; echo ready; sleep 0.5; exec {shlex.quote(case.smsp)} 127.0.0.1 {port} login alice")
        early.expect("ready")
        early.type("pw\r")  # comes as CR, not as LF
        early.expect(r"OK [0-9a-f]{32}")


def test_paste(case):
    """if commands and passwords are pasted together, all of them are read"""
    with server() as port:
        alice = case.client(port)
        alice.expect("smsp> ")
        alice.type("register alice\rpw\rcount\rlogin\rwrong\rlogin\rpw\rdump\r")
        alice.expect(r"OK [0-9a-f]{32}\r\n")
        alice.expect(r"COUNTED 0\r\n")
        alice.expect(r"KO\r\n")
        alice.expect(r"OK [0-9a-f]{32}\r\n")
        alice.expect(r"OK\r\n")
        shell = case.start("/bin/dash", "-i")
        shell.type(f"{shlex.quote(case.smsp)} 127.0.0.1 {port} login alice\rpw\r")
        shell.expect(r"OK [0-9a-f]{32}")


def test_demo(case):
    """Ctrl-C ends the demo, which leaves nothing behind"""
    demo = case.start("client/demo")
    port = re.search(r"runs on port (\d+)", demo.expect("After")).group(1)
    demo.expect("# Alice sends Bob")
    demo.type("\x03")
    demo.ends(status=130)
    check(os.listdir(case.state) == [], "files are left")
    with socket.socket() as probe:
        check(probe.connect_ex(("127.0.0.1", int(port))) != 0, "the server still runs")


def test_demo_anywhere(case):
    """Ctrl-C ends the demo with status 130 wherever it comes"""
    for step in range(12):
        demo = case.start("/usr/bin/env", "PAUSE=0", "client/demo")
        demo.expect("After")
        time.sleep(step * 0.01)
        demo.type("\x03")
        demo.ends(status=130)


def test_completion(case):
    """Tab completes commands"""
    with server() as port:
        client = case.client(port)
        client.expect("smsp> ")
        client.type("du\t\r")
        client.expect(r"OK\r\n")
        client.type("lo\t\r")  # login and logout: as far as they agree
        client.expect("unknown command 'log'")
        client.type("x\t\r")  # no command, and then only the first word counts
        client.expect("unknown command 'x'")
        client.type("x du\t\r")
        client.expect("unknown command 'x'")
        client.type("hel\t\r")
        client.expect("COUNT alice .cookie")


def test_history(case):
    """the arrows bring lines back"""
    with server() as port:
        client = case.client(port)
        client.ask("DUMP", r"\r\nOK\r\n", "smsp> ")
        client.type("\x1b[A\r")
        client.expect(r"\r\nOK\r\n")


def test_editing(case):
    """text that is not ASCII can be edited"""
    with server() as port:
        alice = case.register(port, "alice")
        alice.type("send alice ää€\x7fx\r")
        alice.expect(r"\r\nOK\r\n")
        alice.ask("read", r"\r\nääx\r\n", "alice> ")


COMMON = [test_session, test_password_unseen, test_password_too_long, test_session_ended, test_user_option,
          test_trace, test_long_text, test_harmless, test_reconnect, test_unreachable, test_interrupt,
          test_interrupt_line, test_terminate, test_stop, test_raw, test_raw_password, test_paste]
EDITED = [test_demo, test_demo_anywhere, test_completion, test_history, test_editing]


def run(case, test):
    """None, or why the test has failed."""
    try:
        test(case)
    except Failure as failure:
        return str(failure)
    except Exception as error:  # whatever goes wrong, it is this case that has failed
        return repr(error)
    finally:
        for terminal in case.terminals:
            terminal.close()
    return None


def main():
    os.chdir(ROOT)
    signal.alarm(LIFETIME)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started us may ignore it
    planned = []
    for smsp in sys.argv[1:] or ["client/smsp"]:
        kind = subprocess.run([smsp, "--version"], capture_output=True, text=True, check=True).stdout
        plain = "line input: plain" in kind
        planned += [(os.path.abspath(smsp), plain, test) for test in COMMON + ([] if plain else EDITED)]
    print(f"1..{len(planned)}", flush=True)
    failed = False
    for number, (smsp, plain, test) in enumerate(planned, 1):
        with tempfile.TemporaryDirectory(prefix="smsp-terminal.") as state:
            case = Case(smsp, state)
            case.plain = plain
            trouble = run(case, test)
        failed = failed or trouble is not None
        print(f"{'ok' if trouble is None else 'not ok'} {number} - terminal, {'plain' if plain else 'libedit'}: "
              f"{test.__doc__}", flush=True)
        if trouble is not None:
            print("# " + trouble.replace("\n", "\n# "), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
