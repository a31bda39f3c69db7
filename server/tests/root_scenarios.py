# SPDX-License-Identifier: ISC
"""Scenarios on root: who the server becomes, where its root directory is, and whose its files are."""
import errno
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile

from harness import Server, children_of, scenario, wait_for, want
from place_scenarios import complaint, run, without_rights
from store_scenarios import fill, mail_of

NOBODY = pwd.getpwnam("nobody")
OURS = ("lock", "mail.db", "mail.db-wal", "mail.db-shm")


def needs_root():
    if os.geteuid() != 0:
        raise PermissionError(errno.EPERM, "only root can become somebody else", "/proc/")


def identity(pid):
    """User and group IDs, supplementary groups, and capabilities that are left."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        found = dict(re.findall(r"^(\w+):\t?(.*)$", status.read(), re.MULTILINE))
    left = sorted(name for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb") if int(found[name], 16))
    return set(found["Uid"].split()), set(found["Gid"].split()), found["Groups"].split(), left


def everybody(server):
    return (server.process.pid, server.keeper, *server.workers())


def owners(data):
    return {(os.stat(path).st_uid, os.stat(path).st_gid) for path in (data, *(os.path.join(data, name) for name in OURS))}


def closed_directory():
    """A directory that only we can enter, as a home is."""
    return tempfile.mkdtemp(prefix="smspd-root.")


@scenario
def root_given_up():
    """Started by root, every process is nobody's, has no capability, and sees no file but the mail."""
    needs_root()
    nobody = ({str(NOBODY.pw_uid)}, {str(NOBODY.pw_gid)}, [], [])
    around = closed_directory()
    data = f"{around}/d"
    try:
        with Server() as server, server.client() as client:
            client.register("alice")
            want([identity(pid) for pid in everybody(server)], [nobody] * 3, "who they are")
            for pid in everybody(server):
                want(os.listdir(f"/proc/{pid}/root/"), [], "files in the root directory")
            want("smspd: user: nobody, no longer root\n" in server.log, True, server.log)
        with Server("--data", data) as server, server.client() as client:
            cookie = fill(client, "alice", ["one"])
            want([identity(pid) for pid in everybody(server)], [nobody] * 3, "who they are with --data")
            want([os.path.realpath(f"/proc/{pid}/root") for pid in everybody(server)], [data] * 3, "their root directory")
            want(owners(data), {(NOBODY.pw_uid, NOBODY.pw_gid)}, "owners")
            os.kill(server.keeper, signal.SIGKILL)
            wait_for(lambda: len(children_of(server.process.pid)) == 1 and server.keeper not in children_of(server.process.pid),
                     "a new keeper")
            with server.client() as other:
                want(mail_of(other, "alice", cookie), ["one"], "mail after a new keeper")
    finally:
        shutil.rmtree(around)


@scenario
def root_data():
    """A directory that root made is given to the user; whose it is already decides; others' files are left alone."""
    needs_root()
    around = closed_directory()
    data, theirs, mixed = (f"{around}/{name}" for name in ("root's", "theirs", "mixed"))
    try:
        with Server("--user", "root", "--data", data) as server, server.client() as client:
            fill(client, "alice", ["one"])
            want("smspd: user: root (--user root)" in server.log, True, server.log)
            want(identity(server.keeper)[0], {"0"}, "the keeper's user")
        for name in os.listdir(data):
            want(os.stat(f"{data}/{name}").st_uid, 0, name)
        with Server("--data", data) as server, server.client() as client:
            want(client.ask("LOGIN alice pw")[:3], "OK ")
            want(owners(data), {(NOBODY.pw_uid, NOBODY.pw_gid)}, "owners")
        os.mkdir(theirs, 0o700)
        os.chown(theirs, 12345, 12346)
        with Server("--data", theirs) as server:
            want(identity(server.keeper)[:2], ({"12345"}, {"12346"}), "the keeper's user")
            want(owners(theirs), {(12345, 12346)}, "owners")
        want(complaint("--user", "nobody", "--data", theirs, "127.0.0.1", "0"),
             f"--data {theirs}: cannot give it to user nobody: it belongs to somebody else; give another directory, or change its "
             "owner by hand")
        os.mkdir(mixed)
        with open(f"{mixed}/passwd", "w", encoding="utf-8"):
            pass
        want(complaint("--data", mixed, "127.0.0.1", "0"),
             f"--data {mixed}: cannot give it to user nobody: it has other files too; give another directory, or change its owner by hand")
        want(os.stat(mixed).st_uid, 0, "the owner of a directory with others' files")
        os.unlink(f"{mixed}/passwd")
        with open(f"{around}/shadow", "w", encoding="utf-8"):
            pass
        os.link(f"{around}/shadow", f"{mixed}/mail.db-wal")
        want("attempt to write a readonly database" in complaint("--data", mixed, "127.0.0.1", "0"), True, "another's file as WAL")
        want(os.stat(f"{around}/shadow").st_uid, 0, "the owner of a file with another name")
    finally:
        shutil.rmtree(around)


@scenario
def root_user():
    """--user: a name or a number; root only. A root without the right to become somebody says so and serves."""
    done = run("--user", "no-such-user", "127.0.0.1", "0")
    if os.geteuid() != 0:
        want((done.returncode, done.stderr), (1, "smspd: --user no-such-user: only root can become another user; leave it out\n"))
        return
    want((done.returncode, done.stderr), (1, "smspd: --user no-such-user: there is no such user; give a name or a number\n"))
    for name, uid in (("daemon", str(pwd.getpwnam("daemon").pw_uid)), ("54321", "54321")):
        with Server("--user", name) as server, server.client() as client:
            client.register("alice")
            want({frozenset(identity(pid)[0]) for pid in everybody(server)}, {frozenset((uid,))}, name)
    with Server(preexec_fn=without_rights) as server, server.client() as client:
        client.register("alice")
        want("smspd: this is root, and cannot become user nobody: Operation not permitted; it goes on as root\n" in server.log, True,
             server.log)
    line = complaint("--user", "nobody", "127.0.0.1", "0", preexec_fn=without_rights)
    want(line, "--user nobody: cannot become this user: Operation not permitted")


@scenario
def first_process():
    """As process 1 of a container it serves, and ends by SIGTERM."""
    needs_root()
    if subprocess.run(["unshare", "--pid", "--fork", "true"], check=False, capture_output=True).returncode != 0:
        raise PermissionError(errno.EPERM, "no process namespaces here", "/proc/")
    with Server(under=("unshare", "--pid", "--fork", "--kill-child")) as server:
        first = children_of(server.process.pid)[0]
        with server.client() as client:
            client.register("alice")
            want(client.ask("DUMP"), "OK")
            want(identity(first)[0], {str(NOBODY.pw_uid)}, "process 1")
            with open(f"/proc/{first}/status", encoding="utf-8") as status:
                want(re.search(r"^NSpid:.*\s(\d+)$", status.read(), re.MULTILINE).group(1), "1", "its number")
        os.kill(first, signal.SIGTERM)
        want(server.process.wait(10), 0, "status")
