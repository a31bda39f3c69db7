# SPDX-License-Identifier: ISC
"""System calls of the start that fail, one after the other: strace makes them."""
import concurrent.futures
import os
import shutil
import signal
import subprocess
import tempfile
import threading

from harness import PATIENCE, SMSPD, Client, children_of, scenario

# What the start of supervisor, keeper and worker cannot do without; strace counts for each process alone.
CALLS = {"prctl": "EPERM", "socket": "EMFILE", "bind": "EACCES", "listen": "EADDRINUSE", "setsockopt": "EINVAL",
         "socketpair": "EMFILE", "clone": "EAGAIN", "eventfd2": "EMFILE", "pipe2": "EMFILE",
         "close_range": "EINVAL", "dup2": "EBADF", "prlimit64": "EPERM", "rt_sigaction": "EINVAL",
         "rt_sigprocmask": "EINVAL", "signalfd4": "EMFILE", "memfd_create": "EMFILE", "sched_setscheduler": "EPERM",
         "madvise": "ENOMEM", "seccomp": "EPERM", "landlock_create_ruleset": "ENOSYS", "landlock_add_rule": "EINVAL",
         "landlock_restrict_self": "EPERM", "fcntl": "EAGAIN", "getppid": "EPERM", "munmap": "ENOMEM",
         "mkdir": "EACCES", "fsync": "EIO", "fdatasync": "EIO", "pwrite64": "ENOSPC", "ftruncate": "EIO"}
MOST = 12  # calls of one kind in one process


def begin(data, *tracing):
    return subprocess.Popen(["strace", "-f", "-qq", *tracing, SMSPD, "--password-cost", "test", "--data", data,
                             "127.0.0.1", "0"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True)


def visit(port):
    """A worker is begun, if it can be; whether the client is served depends on what fails."""
    try:
        with Client("127.0.0.1", port) as client:
            client.send("REGISTER alice pw", "DUMP")
            client.finish()
    except OSError:
        pass


def play(*tracing):
    """(status, the last line of its log, whether it listened) of a server that is begun, visited and ended."""
    data = tempfile.mkdtemp(prefix="smspd-failing.")
    process = begin(data, *tracing)
    watch = threading.Timer(2 * PATIENCE, os.killpg, (process.pid, signal.SIGKILL))
    watch.start()
    try:
        last, listened = "", False
        for line in process.stderr:
            last = line.strip() or last
            if "listening on " in line and not listened:
                listened = True
                visit(int(line.rsplit(":", 1)[1]))
                for pid in children_of(process.pid):
                    os.kill(pid, signal.SIGTERM)
        return process.wait(PATIENCE), last, listened
    finally:
        watch.cancel()
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.stderr.close()
        process.wait()
        shutil.rmtree(data, ignore_errors=True)


def complaint(call, number):
    """None, or how it did not end as it should: served, or one line and status 1."""
    status, last, listened = play("-o", os.devnull, "-e", f"inject={call}:error={CALLS[call]}:when={number}")
    if last.startswith("smspd: ") and (status == 1 or (listened and status == 0)):
        return None
    return f"{call}, time {number}, fails with {CALLS[call]}: status {status}, last line {last!r}"


def calls_made(call):
    """How often one process makes this call, at most."""
    with tempfile.NamedTemporaryFile("r", prefix="smspd-calls.") as log:
        play("-o", log.name, "-e", f"trace={call}")
        pids = [line.split(" ", 1)[0] for line in log if f" {call}(" in line]
    return min(MOST, max((pids.count(pid) for pid in pids), default=0))


@scenario
def failing_calls():
    """Each call of the start that fails ends smspd with a line and status 1, or is one it can do without."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        counts = dict(zip(CALLS, pool.map(calls_made, CALLS)))
        tried = [(call, number) for call in CALLS for number in range(1, counts[call] + 1)]
        wrong = [line for line in pool.map(lambda one: complaint(*one), tried) if line]
    print(f"# {len(tried)} failing calls of {sum(map(bool, counts.values()))} kinds")
    if wrong or len(tried) < 40:
        raise AssertionError("\n".join(wrong) or f"only {len(tried)} calls were seen")


@scenario
def keeper_killed_at_start():
    """A keeper that is killed before anybody is served, for example for lack of memory, is reported."""
    status, last, listened = play("-o", os.devnull, "-e", "inject=sendto:signal=KILL:when=1")
    if listened or status != 1 or "the keeper was ended by signal 9" not in last:
        raise AssertionError(f"status {status}, last line {last!r}, listened: {listened}")
