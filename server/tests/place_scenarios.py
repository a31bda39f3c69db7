# SPDX-License-Identifier: ISC
"""Scenarios on odd places: closed descriptors, low limits, names of directories, snapshots, and systems that refuse a call."""
import ctypes
import errno
import os
import resource
import shutil
import signal
import socket
import subprocess

from harness import SMSPD, Server, children_of, preloadable, scenario, wait_for, want
from store_scenarios import directory, fill, mail_of

REFUSALS = os.environ.get("SMSPD_REFUSALS", "")  # the library that refuses a call (refused_calls.c)
PR_CAPBSET_DROP = 24
NOT_TRIED = 77  # the status of what this machine cannot show


def without(call, error):
    """The environment of a server whose system refuses this call."""
    if not os.path.exists(REFUSALS):
        raise SystemExit(f"SMSPD_REFUSALS: {REFUSALS!r}: not there; make check-server builds and names it")
    sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"  # we come first, and may
    return {**os.environ, "LD_PRELOAD": preloadable(REFUSALS), "REFUSED": f"{call} {error}", "ASAN_OPTIONS": sanitizer}


def without_rights():
    """For a child that is root: it has no more rights than others have, to read files or to raise limits."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 and os.geteuid() == 0 and capability == 0:
            raise OSError(ctypes.get_errno(), "cannot give up rights")


def belongs_to(path, uid):
    """Gives a directory and its files to this user, if we are root."""
    for name in (path, *(os.path.join(path, name) for name in os.listdir(path))):
        if os.geteuid() == 0:
            os.chown(name, uid, uid)


def run(*words, **more):
    return subprocess.run([SMSPD, *words], capture_output=True, text=True, timeout=20, check=False, stdin=subprocess.DEVNULL,
                          **more)


def complaint(*words, **more):
    """The one line with which smspd ends with status 1."""
    done = run(*words, **more)
    line = done.stderr.splitlines()[-1] if done.stderr else ""
    want((done.returncode, line[:7]), (1, "smspd: "), f"{words}: status and last line {done.stderr}")
    return line[7:]


def outcome(*words, **more):
    """The last line of a server that ends at its start, or that of one that listens, which is ended."""
    with subprocess.Popen([SMSPD, *words, "127.0.0.1", "0"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, **more) as process:
        last = ""
        for line in process.stderr:
            last = line.strip() or last
            if "listening on" in last:
                process.terminate()
                break
        process.wait(10)
    return last


# ---- Start and end ----

@scenario
def all_closed():
    """Started with no descriptor open at all it serves, and none of its sockets takes their places."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "-", SMSPD, "--password-cost", "test",
                                "127.0.0.1", str(port)])
    try:
        def answer():
            try:
                with socket.create_connection(("127.0.0.1", port), 10) as client:
                    client.sendall(b"REGISTER alice pw\nDUMP\n")
                    client.shutdown(socket.SHUT_WR)
                    return b"".join(iter(lambda: client.recv(100), b""))
            except ConnectionRefusedError:
                return b""
        replies = []
        wait_for(lambda: replies.append(answer()) or replies[-1], "a reply")
        want((replies[-1][:3], replies[-1][-4:]), (b"OK ", b"\nOK\n"))
        want([os.readlink(f"/proc/{process.pid}/fd/{fd}") for fd in range(3)], ["/dev/null"] * 3, "descriptors 0 to 2")
    finally:
        process.terminate()
        want(process.wait(10), 0, "status")
    done = subprocess.run(["/bin/sh", "-c", 'exec "$1" --help >&-', "-", SMSPD], stderr=subprocess.PIPE, text=True, check=False)
    want((done.returncode, done.stderr), (1, "smspd: cannot write the output: Bad file descriptor\n"), "--help that nobody gets")


@scenario
def hangup():
    """SIGHUP, which a terminal that closes sends to all processes, is as SIGTERM; started with nohup it is nothing."""
    for send in (os.kill, os.killpg):
        with Server(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL)) as server, server.client() as client:
            client.register("alice")
            send(server.process.pid, signal.SIGHUP)
            want((server.process.wait(10), server.process.stderr.read()), (0, b""), "status and log")
    with Server(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) as server, server.client() as client:
        os.killpg(server.process.pid, signal.SIGHUP)
        client.register("alice")


@scenario
def all_addresses():
    """"::" is IPv4 and IPv6, "0.0.0.0" is IPv4, and they have one port."""
    with Server(host="::") as server:
        want(list(server.ports), ["0.0.0.0"], "the first line")
        with socket.create_connection(("127.0.0.1", server.port), 10) as client:
            client.sendall(b"DUMP\n")
            want(client.recv(100), b"OK\n")
        if socket.has_ipv6 and os.path.exists("/proc/net/if_inet6"):
            want(server.process.stderr.readline(), f"smspd: listening on [::]:{server.port}\n".encode())
            with socket.create_connection(("::1", server.port), 10) as client:
                client.sendall(b"DUMP\n")
                want(client.recv(100), b"OK\n")


# ---- Systems that refuse a call ----

@scenario
def no_madvise():
    """Where no memory can be given back (gVisor) clients come and go, and the mail stays."""
    with Server(env=without("madvise", errno.EINVAL)) as server:
        with server.client() as client:
            cookie = fill(client, "alice", ["one", "x" * 4096])
        for _ in range(3):
            wait_for(lambda: not server.workers(), "the last worker has ended")
            with server.client() as client:
                want(client.ask(f"COUNT alice {cookie}"), "COUNTED 2")
        want(server.end(), (0, ""), "status and log")


@scenario
def no_close_range():
    """Where close_range is missing, or an older container refuses it, descriptors are closed one by one."""
    for number in (errno.ENOSYS, errno.EPERM):
        for options in ((), ("--no-sandbox",)):
            with open(os.devnull, "rb") as more, \
                    Server(*options, env=without("close_range", number), pass_fds=[more.fileno()]) as server, \
                    server.client() as client:
                client.register("alice")
                if os.geteuid() == 0:  # nobody else may look
                    want(sorted(os.listdir(f"/proc/{server.workers()[0]}/fd")), ["0", "1", "2"], "descriptors of a worker")
                    want(len(os.listdir(f"/proc/{server.keeper}/fd")), 5, "descriptors of the keeper")


@scenario
def no_locks():
    """Where a file system has no locks, that is the reason, and no other smspd."""
    with directory() as data:
        for number in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
            line = complaint("--data", data, "127.0.0.1", "0", env=without("flock", number))
            want(line, f"--data {data}: cannot lock it: {os.strerror(number)}; give a directory on another file system")


@scenario
def no_urandom():
    """A chroot has no /dev/urandom, and needs none."""
    with directory() as data, Server("--data", data, env=without("urandom", errno.ENOENT)) as server, \
            server.client() as client:
        cookie = fill(client, "alice", ["one"])
        want(mail_of(client, "alice", cookie), ["one"])


# ---- Low limits, and files of others ----

@scenario
def few_descriptors():
    """With too few descriptors the reason is that, with what helps, and nothing that does not."""
    wrong, lines = [], set()
    with directory() as data:
        for most in range(4, 16):
            for options in ((), ("--data", data)):
                limits = (most, most)
                line = outcome(*options, preexec_fn=lambda pair=limits: resource.setrlimit(resource.RLIMIT_NOFILE, pair))
                lines.add(line.split(":")[1])
                if "listening on" not in line and "shared libraries" not in line and (
                        "raise the limit (ulimit -n)" not in line or "--no-sandbox" in line or "choose another" in line):
                    wrong.append(f"{most} descriptors, {options}: {line}")
    want(wrong, [])
    want(len(lines) >= 4, True, f"they fail in several ways: {lines}")


@scenario
def little_memory():
    """A limit on memory that only root could raise stays as it is; what does not fit says so."""
    def few():
        without_rights()
        resource.setrlimit(resource.RLIMIT_DATA, (64000 << 10, 64000 << 10))

    line = complaint("127.0.0.1", "0", preexec_fn=few)
    want(line, "not enough memory for this many accounts, messages and text: Cannot allocate memory; lower --max-accounts, "
         "--max-messages or --max-text")
    with Server("--max-clients", "8", "--max-accounts", "100", "--max-messages", "1000", "--max-text", "1000000",
                "--password-cost", "full", preexec_fn=few) as server, server.client() as client:
        client.register("alice")


@scenario
def unreadable():
    """What may not be read is not said to be missing."""
    with directory() as data:
        with Server("--data", data):
            pass
        belongs_to(data, 0)
        os.chmod(f"{data}/mail.db", 0)
        want(complaint("--check", "--data", data, preexec_fn=without_rights),
             f"{data}/mail.db: cannot open it: unable to open database file (Permission denied)")
        os.chmod(data, 0)
        want(complaint("--check", "--data", data, preexec_fn=without_rights), f"{data}/mail.db: Permission denied")
        os.chmod(data, 0o700)
        want(complaint("--check", "--data", f"{data}/none"), f"--data {data}/none: cannot use it: No such file or directory")
        os.unlink(f"{data}/mail.db")
        want(complaint("--check", "--data", data), f"{data}/mail.db: there is no database")


# ---- Names, and snapshots ----

@scenario
def odd_names():
    """A directory is the same by all its names."""
    with directory() as around:
        os.makedirs(f"{around}/d/b")
        belongs_to(f"{around}/d", 12345)
        os.symlink("d/", f"{around}/link")
        names = ["d", "d/", "d//", "d/.", "d/b/..", "./d/b/../", "link", "link/", f"{around}/d/"]
        cookie = None
        for name in names:
            with Server("--data", name, cwd=around) as server, server.client() as client:
                cookie = cookie or fill(client, "alice", ["one"])
                want(client.ask(f"COUNT alice {cookie}"), "COUNTED 1", name)
            done = run("--check", "--data", name, cwd=around)
            want((done.returncode, "MBX: 1\n" in done.stdout, done.stderr), (0, True, ""), f"--check --data {name}")


@scenario
def snapshots():
    """--check reads a database that nobody can write, with what is in its WAL."""
    with directory() as around:
        data, copy = f"{around}/d", f"{around}/a b%41?mode=no#c"
        for wal in (True, False):
            with Server("--data", data) as server, server.client() as client:
                fill(client, "carol" if wal else "dave", ["one"])
                if wal:
                    shutil.copytree(data, copy)
            if not wal:
                shutil.copytree(data, copy)
            if os.path.exists(f"{copy}/mail.db-shm"):
                os.unlink(f"{copy}/mail.db-shm")
            want(sorted(os.listdir(copy)), ["lock", "mail.db", "mail.db-wal"] if wal else ["lock", "mail.db"], "a snapshot")
            os.chmod(copy, 0o500)
            done = run("--check", "--data", copy, preexec_fn=without_rights)
            os.chmod(copy, 0o700)
            want((done.returncode, f"MBX: {1 if wal else 2}\n" in done.stdout, done.stderr), (0, True, ""), f"WAL: {wal}")
            shutil.rmtree(copy)


@scenario
def check_with_large_limits():
    """--check works with the limits with which the server does."""
    with open("/proc/sys/vm/overcommit_memory", encoding="ascii") as how:
        if how.read().strip() == "2":
            print("this system lets nobody reserve more memory than there is")
            raise SystemExit(NOT_TRIED)
    with directory() as data:
        large = ("--data", data, "--max-text", "200000000000")
        with Server(*large) as server:
            want(len(children_of(server.process.pid)), 1, "a keeper")
            done = run("--check", *large)
        want((done.returncode, done.stderr), (0, ""), "beside a server")
