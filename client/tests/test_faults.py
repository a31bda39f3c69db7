#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Makes each library call of smsp and smsp-load fail once. They must print an error and end with status 2, or go on;
they must not hang or leave an incomplete file. TAP out.

SMSP, SMSP_LOAD, SMSPD and FAULT_CALLS_SO name the programs.
"""
import itertools
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

import pexpect

from test_terminal import ROOT, process, server

sys.path.insert(0, os.path.join(ROOT, "server", "tests"))
import fault_calls  # noqa: E402  (server/tests/ is no package)

SMSP = os.path.abspath(os.environ.get("SMSP", os.path.join(ROOT, "client/smsp")))
LOAD = os.path.abspath(os.environ.get("SMSP_LOAD", os.path.join(ROOT, "client/smsp-load")))
PATIENCE = 10
LIFETIME = 500
# nl_langinfo always has a name. Without a terminal's word that it is one, and without a prompt, a person would still
# know what to do, but the test would not.
LEFT_OUT = ("nl_langinfo", "main.c isatty", "password.c write")
numbers = itertools.count(1)


def environment(faults, state):
    kept = {name: value for name, value in faults.environment().items() if not name.startswith("SMSP_")}
    return {**kept, "XDG_STATE_HOME": state, "TERM": "xterm", "LC_ALL": "C.UTF-8"}


def run(command, said=b"", **more):
    """Its end; None: there was none."""
    try:
        return subprocess.run(command, input=said, capture_output=True, timeout=PATIENCE, check=False, **more)
    except subprocess.TimeoutExpired:
        return None


def judge(done, name, statuses=(0, 1, 2)):
    """None, or what is wrong with an end: 2 needs a reason, and nothing else but 0 and 1 is there."""
    if done is None:
        return "it does not end"
    said = done.stderr.decode(errors="replace")
    if done.returncode not in statuses:
        return f"status {done.returncode}: {said!r}"
    if done.returncode == 2 and not re.search(rf"^{name}: .* ", said, re.MULTILINE):
        return f"status 2 without a word: {said!r}"
    return None


def half_files(state):
    """What a cookie that could not be kept has left behind."""
    return [name for _, _, names in os.walk(state) for name in names if re.search(r"\.[A-Za-z0-9]{6}$", name)]


# ---- smsp ----

def batch(faults, port):
    """Many commands on standard input."""
    user = f"batch{next(numbers)}"
    lines = [f"register {user} pw", f"send {user} hello", "count", "read", "delete", "read", "nonsense", "dump", "logout",
             f"login {user} pw", f"COUNT {user} $cookie", "REGISTER x", "quit"]
    with tempfile.TemporaryDirectory() as state:
        done = run([SMSP, "--trace", "--timeout", "2", "localhost", port], "\n".join(lines).encode() + b"\n",
                   env=environment(faults, state))
        left = half_files(state)
    if done and done.returncode == 0:
        return "status 0, though a line was no command"
    return judge(done, "smsp") or (f"left {left}" if left else None)


def once(faults, port):
    """One command at a time, with the cookie in its file."""
    user = f"once{next(numbers)}"
    with tempfile.TemporaryDirectory() as state:
        env = {**environment(faults, state), "SMSP_PASSWORD": "pw"}
        for words in (["register", user], ["send", user, "text"], ["read"], ["logout"]):
            done = run([SMSP, "--timeout", "2", "127.0.0.1", port, *words], env=env)
            trouble = judge(done, "smsp")
            if trouble or half_files(state):
                return f"{words}: {trouble or half_files(state)}"
            if words == ["read"] and done.returncode == 0 and done.stdout not in (b"text\n", b"KO\n"):
                return f"read printed {done.stdout!r}"
    return None


def peer(*connections):
    return process("client/tests/scripted_server.py", os.devnull, *connections)


def idle(faults):
    """A connection that the server has closed meanwhile, and replies that come late, twice, or in pieces."""
    with tempfile.TemporaryDirectory() as state, \
            peer("read 1; say OK one\\n", "read 1; say COUN; wait 0.05; say TED 3\\n; eof") as started:
        port = started.stdout.readline().strip()
        client = subprocess.Popen([SMSP, "--timeout", "1", "127.0.0.1", port], stdin=subprocess.PIPE, bufsize=0,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(faults, state))
        try:
            client.stdin.write(b"REGISTER alice pw\n")
            select.select([client.stdout, client.stderr], [], [], 2)
            time.sleep(0.05)  # the server closes
            client.stdin.write(b"count\n")
            out, err = client.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            return "it does not end"
        except BrokenPipeError:
            out, err = client.communicate(timeout=PATIENCE)
        finally:
            client.kill()
            client.wait()
    return judge(subprocess.CompletedProcess([], client.returncode, out, err), "smsp")


def terminal(faults, port):
    """A person, with line input and a password."""
    with tempfile.TemporaryDirectory() as state:
        child = pexpect.spawn(SMSP, ["--timeout", "2", "127.0.0.1", port], env=environment(faults, state),
                              timeout=PATIENCE, encoding="utf-8", codec_errors="replace", dimensions=(40, 200))
        child.delaybeforesend = None
        said = ""
        try:
            for line in (f"register user{next(numbers)}", "pw", "du\t", "count", "quit"):
                ended = child.expect(["> ", "Password: ", pexpect.EOF]) == 2
                said += child.before
                if ended:
                    break
                child.send(line + "\r")
            child.expect(pexpect.EOF)
            said += child.before
            child.wait()
        except (pexpect.TIMEOUT, OSError) as error:
            return f"it does not end: {type(error).__name__}, {child.before!r}"
        finally:
            child.close(force=True)
        left = half_files(state)
    if child.exitstatus not in (0, 2) or (child.exitstatus == 2 and "smsp: " not in said):
        return f"status {child.exitstatus}, signal {child.signalstatus}: {said!r}"
    return f"left {left}" if left else None


# ---- smsp-load ----

def load(faults, port, *options):
    """Every reply is right, or what is in the way is said."""
    with tempfile.TemporaryDirectory() as folder:
        done = run([LOAD, "-q", "-j", "-c", "2", "-n", "40", "--seed", str(next(numbers)), "--cookies",
                    os.path.join(folder, "cookies"), *options, "localhost", port], env=faults.environment())
    trouble = judge(done, "smsp-load", (0, 2))
    if not trouble and done.returncode == 0 and (json.loads(done.stdout)["wrong"] or json.loads(done.stdout)["requests"] < 40):
        return f"status 0, {done.stdout!r}"
    return trouble


def other_load(faults, protocol):
    """The same with another protocol."""
    with process("client/tests/other_servers.py") as started:
        return load(faults, started.stdout.readline().strip(), "-p", protocol, "-d", "2")


def cases(port):
    """(title, program, what plays it)"""
    yield "many commands", SMSP, lambda faults: batch(faults, port)
    yield "one command at a time", SMSP, lambda faults: once(faults, port)
    yield "an idle connection", SMSP, idle
    yield "at a terminal", SMSP, lambda faults: terminal(faults, port)
    for mix in ("cycle", "fetch", "connect"):
        yield f"smsp-load, {mix}", LOAD, lambda faults, mix=mix: load(faults, port, "-m", mix, "-d", "2")
    for protocol in ("redis", "beanstalkd", "echo"):
        yield f"smsp-load, {protocol}", LOAD, lambda faults, protocol=protocol: other_load(faults, protocol)


def main():
    os.chdir(ROOT)
    signal.alarm(LIFETIME)
    failed, number, tried = False, 0, {}
    with server("--password-cost", "test") as port:
        for number, (title, program, play) in enumerate(cases(port), 1):
            count, wrong = fault_calls.try_all(program, play, LEFT_OUT)
            tried[program] = tried.get(program, 0) + count
            print(f"{'not ok' if wrong else 'ok'} {number} - faults: {title}: {count} calls fail", flush=True)
            for line in wrong:
                print("# " + line.replace("\n", "\n# "), flush=True)
            failed = failed or bool(wrong)
    enough = all(count > 60 for count in tried.values())
    print(f"{'ok' if enough else 'not ok'} {number + 1} - faults: enough calls failed: {list(tried.values())}\n1..{number + 1}")
    return 0 if enough and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
