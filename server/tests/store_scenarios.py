# SPDX-License-Identifier: ISC
"""Scenarios on what lasts: restarts, dead keepers, other writers, disks that fail."""
import ctypes
import errno
import mmap
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from contextlib import closing, suppress, contextmanager

from harness import SMSPD, Server, alive, children_of, preloadable, scenario, wait_for, want
from process_scenarios import kill

FAULTS = os.environ.get("SMSPD_FAULTS", "")  # the library that makes a disk fail on command
WRITES, SYNCS = 1, 2                         # as in fault_disk.h
ENOSPC, EIO = 28, 5


@contextmanager
def directory():
    """A new directory, in memory where that can be, gone afterwards."""
    name = tempfile.mkdtemp(prefix="smspd-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    try:
        yield name
    finally:
        shutil.rmtree(name)


class Disk:
    """Controls what fails in a server that was started with disk.environment."""

    def __init__(self, folder):
        self.file = os.path.join(folder, "faults")
        with open(self.file, "wb") as made:
            made.write(bytes(4096))
        with open(self.file, "r+b") as opened:
            self.words = (ctypes.c_uint32 * 7).from_buffer(mmap.mmap(opened.fileno(), 4096))
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"  # we come first, and may
        self.environment = {**os.environ, "LD_PRELOAD": preloadable(FAULTS), "FAULT_DISK": self.file, "ASAN_OPTIONS": sanitizer}

    def fail(self, kinds, error, first=1, every=1, most=0xffffffff):
        self.words[0] = 0
        self.words[1:7] = [first, every, most, error, 0, 0]
        self.words[0] = kinds

    def heal(self):
        self.words[0] = 0


def keeper_of(server):
    """The keeper of the moment: who has the lock of the data directory; 0: none has."""
    for pid in children_of(server.process.pid):
        try:
            if os.readlink(f"/proc/{pid}/fd/0").endswith("/lock"):
                return pid
        except OSError:
            continue
    return 0


def present_keeper(server):
    """keeper_of, which must be there. A pid of 0 would stand for all processes of our group."""
    wait_for(lambda: keeper_of(server) or os.geteuid() != 0, "a keeper")
    keeper = keeper_of(server)
    if not keeper:
        raise PermissionError(errno.EACCES, "not readable by this user", f"/proc/{server.keeper}/fd/0")
    return keeper


def reconnect(server):
    """A client of a server that may be without a keeper for a moment."""
    deadline = time.monotonic() + 10
    while True:
        client = server.client()
        try:
            want(client.ask("COUNT nobody x"), "You should log in first.")
            return client
        except (AssertionError, OSError):
            client.socket.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def fill(client, name, texts):
    cookie = client.register(name)
    for text in texts:
        want(client.ask(f"MESSAGE {text} {cookie}", f"STORE {name} {cookie}"), ["OK", "OK"])
    return cookie


def mail_of(client, name, cookie):
    """All texts of a mailbox; it is empty afterwards."""
    texts = []
    left = int(client.ask(f"COUNT {name} {cookie}").split(" ")[1])
    while left > 0:
        part = min(left, 200)
        replies = client.ask(*[f"GETMSG {name} {cookie}", f"DELMSG {name} {cookie}"] * part)
        want(replies[1::2], ["OK"] * part)
        texts += replies[::2]
        left -= part
    want(client.ask(f"COUNT {name} {cookie}"), "COUNTED 0")
    return texts


# ---- Restarts ----

@scenario
def restarts():
    """Accounts, sessions, mail and IMQ outlive the server, however it ends."""
    texts = ["one", "two words", "x" * 4096, "drei \u00fc"]
    with directory() as data:
        with Server("--data", data) as server, server.client() as client:
            cookie = fill(client, "alice", texts)
            want(client.ask(f"MESSAGE waits {cookie}"), "OK")
            want(server.end(), (0, ""), "status and log")
        want(sorted(os.listdir(data)), ["lock", "mail.db"], "files after a clean end")
        with Server("--data", data) as server, server.client() as client:
            want(client.ask(f"COUNT alice {cookie}"), "COUNTED 4")
            want(client.ask(f"STORE alice {cookie}"), "OK")
            pids = children_of(server.process.pid)
            server.process.kill()
            wait_for(lambda: not any(alive(pid) for pid in pids), "keeper and worker end", 2)
        with Server("--data", data) as server, server.client() as client:
            want(client.ask("LOGIN alice wrong"), "KO")
            want(client.ask("REGISTER alice pw"), "KO")
            want(mail_of(client, "alice", cookie), texts + ["waits"], "mail after two restarts")
            want(client.ask("LOGIN alice pw")[:3], "OK ")
            want(client.ask(f"COUNT alice {cookie}"), "You should log in first.")
        with Server("--data", data) as server, server.client() as client:
            want(client.ask(f"COUNT alice {cookie}"), "You should log in first.", "a cookie that was replaced")


@scenario
def one_server_a_directory():
    with directory() as data, Server("--data", data):
        second = subprocess.run([SMSPD, "--data", data, "127.0.0.1", "0"], capture_output=True, text=True, timeout=10,
                                check=False)
        want((second.returncode, "another smspd uses it" in second.stderr, second.stderr.count("\n")), (1, True, 1),
             second.stderr)


@scenario
def behind_a_link():
    """--data may be a symbolic link to a directory, as that of a systemd service with DynamicUser is."""
    with directory() as around:
        os.mkdir(f"{around}/real", 0o700)
        os.symlink("real", f"{around}/link")
        with Server("--data", f"{around}/link") as server, server.client() as client:
            cookie = fill(client, "alice", ["one"])
        with Server("--data", f"{around}/real") as server, server.client() as client:
            want(mail_of(client, "alice", cookie), ["one"])


@scenario
def check():
    """--check counts what is there, while a server runs or not, and finds damage."""
    def look(data):
        done = subprocess.run([SMSPD, "--check", "--data", data], capture_output=True, text=True, timeout=20,
                              check=False)
        return done.returncode, done.stdout, done.stderr

    with directory() as data:
        want(look(data)[0], 1, "status without a database")
        with Server("--data", data) as server, server.client() as client:
            cookie = fill(client, "alice", ["one", "two"])
            client.ask(f"MESSAGE waits {cookie}")
            counts = "accounts: 1\nsessions: 1\nmessages in IMQ: 1\nmessages in MBX: 2\n"
            want(look(data), (0, f"{data}/mail.db: sound\n{counts}", ""), "beside a server")
        want(look(data), (0, f"{data}/mail.db: sound\n{counts}", ""), "without a server")
        with sqlite3.connect(f"{data}/mail.db") as db:
            db.execute("UPDATE IMQ SET sender = 'nobody'")
        db.close()
        status, out, log = look(data)
        want((status, out, "table IMQ, row 1" in log), (1, "", True), log)
        server = subprocess.run([SMSPD, "--data", data, "127.0.0.1", "0"], capture_output=True, text=True, timeout=20,
                                check=False)
        want((server.returncode, "table IMQ, row 1" in server.stderr), (1, True), server.stderr)


@scenario
def backup_and_restore():
    """A backup that is made while the server runs, restored as smspd(8) says over one that was killed."""
    with directory() as data, directory() as backup:
        with Server("--data", data) as server, server.client() as client:
            cookie = fill(client, "alice", ["one"])
            with closing(sqlite3.connect(f"{data}/mail.db")) as db, closing(sqlite3.connect(f"{backup}/mail.db")) as copy:
                db.backup(copy)
            fill(client, "bob", ["two"])
            checked = subprocess.run([SMSPD, "--check", "--data", backup], capture_output=True, text=True, check=False)
            want((checked.returncode, "accounts: 1\n" in checked.stdout), (0, True), checked.stderr)
            pids = children_of(server.process.pid)
            server.process.kill()
            wait_for(lambda: not any(alive(pid) for pid in pids), "keeper and worker end", 2)
        for name in ("mail.db-wal", "mail.db-shm"):
            with suppress(FileNotFoundError):  # a keeper that saw the end in time has tidied up
                os.unlink(f"{data}/{name}")
        with open(f"{data}/mail.db", "wb") as mail, open(f"{backup}/mail.db", "rb") as copy:
            shutil.copyfileobj(copy, mail)
        with Server("--data", data) as server, server.client() as client:
            want(client.ask("LOGIN bob pw"), "KO")
            want(mail_of(client, "alice", cookie), ["one"])


def sockets_of(pid):
    """How many sockets a process has open."""
    count = 0
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            count += os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:")
        except FileNotFoundError:
            continue  # closed just now
    return count


@scenario
def clean_end():
    """The keeper tidies up at the end, also if it is just about to tell the supervisor something."""
    with directory() as data, Server("--data", data) as server:
        with server.client() as client:
            fill(client, "alice", ["one"])
            os.kill(server.keeper, signal.SIGSTOP)
        wait_for(lambda: not server.workers(), "the worker is reaped, and its slot to be released")
        server.process.terminate()
        wait_for(lambda: sockets_of(server.process.pid) == 1, "the supervisor lets go of the keeper's socket")
        os.kill(server.keeper, signal.SIGCONT)
        want(server.process.wait(10), 0, "status")
        want(sorted(os.listdir(data)), ["lock", "mail.db"], "files after a clean end")


# ---- Keepers ----

@scenario
def keeper_replaced(count=10):
    """kill -9 of the keeper under load: what was answered is there once, and the server goes on."""
    with directory() as data, Server("--data", data) as server:
        with server.client() as client:
            cookie = client.register("alice")
        sent, unknown = [], set()
        for turn in range(count):
            client = reconnect(server)
            keeper = present_keeper(server)
            for number in range(turn * 3 + 1):
                text = f"{turn}-{number}"
                if number == turn * 3:
                    os.kill(keeper, signal.SIGKILL)
                try:
                    want(client.ask(f"MESSAGE {text} {cookie}", f"STORE alice {cookie}"), ["OK", "OK"])
                    sent.append(text)
                except (AssertionError, OSError):
                    unknown.add(text)
                    break
            client.socket.close()
            wait_for(lambda old=keeper: not alive(old), "the old keeper ends")
        with reconnect(server) as client:
            found = mail_of(client, "alice", cookie)
        want([text for text in found if text not in unknown], sent, "answered mail, in order, once")
        want(len(found), len(set(found)), "no mail twice")
        status, log = server.end()
        want((status, log.count("a new one loads the mail")), (0, count), log)


@scenario
def keepers_die_in_a_row():
    """Five keepers that answered nobody end the server."""
    with directory() as data, Server("--data", data) as server:
        deadline = time.monotonic() + 10
        while server.process.poll() is None and time.monotonic() < deadline:
            for keeper in children_of(server.process.pid):
                kill(keeper)
            time.sleep(0.02)
        want(server.process.poll(), 1, "status")
        log = server.process.stderr.read().decode()
        want((log.count("by signal 9: a new one"), log.count("giving up")), (5, 1), log)


# ---- Other programs at the database ----

@scenario
def other_writers():
    """Another writer (sqlite3) is detected; a reader delays nothing."""
    with directory() as data, Server("--data", data) as server, server.client() as client:
        cookie = fill(client, "alice", ["one"])
        db = sqlite3.connect(f"{data}/mail.db", isolation_level=None)
        want(db.execute("SELECT content FROM MBX").fetchall(), [("one",)], "what others read")
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM RA").fetchall()
        want(client.ask(f"MESSAGE two {cookie}", f"STORE alice {cookie}"), ["OK", "OK"], "beside a reader")
        db.execute("COMMIT")
        db.execute("INSERT INTO MBX SELECT 99, username, 'alice', 'from outside' FROM RA")
        time.sleep(0.15)
        want(client.ask(f"COUNT alice {cookie}"), "COUNTED 3", "mail that somebody else put there")
        db.execute("INSERT INTO MBX SELECT 100, username, 'alice', 'again' FROM RA")
        want(client.ask(f"MESSAGE last {cookie}", f"STORE alice {cookie}"), ["OK", "OK"], "at once after a stranger")
        want(mail_of(client, "alice", cookie), ["one", "two", "from outside", "again", "last"])
        db.execute("BEGIN IMMEDIATE")
        want(client.ask(f"MESSAGE no {cookie}", f"COUNT alice {cookie}"), ["KO", "COUNTED 0"], "while a stranger writes")
        db.execute("COMMIT")
        db.close()
        time.sleep(0.25)
        want(client.ask(f"MESSAGE yes {cookie}"), "OK", "when the stranger is done")


# ---- Disks that fail ----

@scenario
def full_disk():
    """A disk that is full: KO and no trace, reads go on, and writing resumes by itself."""
    with directory() as data, directory() as control:
        disk = Disk(control)
        with Server("--data", data, env=disk.environment) as server, server.client() as client:
            cookie = fill(client, "alice", ["one"])
            disk.fail(WRITES, ENOSPC)
            for _ in range(5):
                want(client.ask(f"MESSAGE no {cookie}", f"STORE alice {cookie}", f"GETMSG alice {cookie}", "REGISTER bob pw"),
                     ["KO", "KO", "one", "KO"], "on a full disk")
                time.sleep(0.05)
            want(disk.words[6] > 0, True, "something failed")
            disk.heal()
            time.sleep(0.25)
            want(client.ask(f"MESSAGE two {cookie}", f"STORE alice {cookie}"), ["OK", "OK"], "when there is room again")
            status, log = server.end()
            want((status, log.count("nothing can be kept"), log.count("changes are kept again")), (0, 1, 1), log)
        with Server("--data", data) as server, server.client() as client:
            want(mail_of(client, "alice", cookie), ["one", "two"])


@scenario
def failed_sync():
    """An error from COMMIT itself: nobody is answered, and a new keeper goes on."""
    with directory() as data, directory() as control:
        disk = Disk(control)
        with Server("--data", data, env=disk.environment) as server, server.client() as client:
            cookie = fill(client, "alice", ["one"])
            disk.fail(SYNCS, EIO, most=1)
            client.send(f"MESSAGE perhaps {cookie}")
            want(client.reply(), None, "no reply to what nobody knows")
            disk.heal()
            with reconnect(server) as again:
                want(again.ask(f"COUNT alice {cookie}", f"MESSAGE two {cookie}", f"STORE alice {cookie}"),
                     ["COUNTED 1", "OK", "OK"])
                want(again.ask(f"GETMSG alice {cookie}"), "one")
            status, log = server.end()
            want((status, log.count("it is unknown whether"), log.count("a new one loads")), (0, 1, 1), log)


@contextmanager
def disk_of(size):
    """A directory on a real disk of this size; needs the right to mount one."""
    with directory() as data:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "smspd-test", data], capture_output=True,
                                 check=False)
        if mounted.returncode != 0:
            print("no right to mount: not tried")
            raise SystemExit(77)
        try:
            yield data
        finally:
            subprocess.run(["umount", data], check=True)


@scenario
def small_disk():
    """A real disk of 600 KiB, filled and emptied again."""
    with disk_of("600k") as data:
        fill_and_empty(data)


class Filler(threading.Thread):
    """Takes every byte of a disk, and whatever becomes free, until it is told to stop."""

    def __init__(self, name):
        super().__init__()
        self.name_, self.over, self.full = name, threading.Event(), threading.Event()

    def run(self):
        with open(self.name_, "ab", buffering=0) as file:
            while not self.over.is_set():
                try:
                    file.write(bytes(4096))
                except OSError:
                    self.full.set()
                    time.sleep(0.001)

    def __enter__(self):
        self.start()
        want(self.full.wait(10), True, "the disk is full")
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
        os.unlink(self.name_)


@scenario
def keeper_killed_on_a_full_disk(count=3):
    """Not a byte is free when the keeper is killed: the new one serves reads, and changes when there is room."""
    with disk_of("2m") as data, Server("--data", data) as server:
        with server.client() as client:
            cookie = fill(client, "alice", ["one"])
        with Filler(f"{data}/else"):
            for _ in range(count):
                killed = present_keeper(server)
                os.kill(server.process.pid, signal.SIGSTOP)  # no new keeper yet
                os.kill(killed, signal.SIGKILL)
                wait_for(lambda old=killed: not alive(old), "the keeper ends")
                if os.path.exists(f"{data}/mail.db-shm"):  # what it shared goes, and the filler has its room
                    os.unlink(f"{data}/mail.db-shm")
                time.sleep(0.1)
                os.kill(server.process.pid, signal.SIGCONT)
                wait_for(lambda old=killed: keeper_of(server) not in (0, old), "a new keeper")
                with reconnect(server) as client:
                    want(client.ask(f"COUNT alice {cookie}", f"GETMSG alice {cookie}", f"MESSAGE no {cookie}",
                                    f"DELMSG alice {cookie}"), ["COUNTED 1", "one", "KO", "KO"], "on a full disk")
        with reconnect(server) as client:
            wait_for(lambda: client.ask(f"MESSAGE two {cookie}") == "OK", "writing resumes")
            want(client.ask(f"STORE alice {cookie}"), "OK")
            db = sqlite3.connect(f"{data}/mail.db")
            want(db.execute("SELECT content FROM MBX ORDER BY place").fetchall(), [("one",), ("two",)], "what others read")
            db.close()
            status, log = server.end()
            want((status, log.count("by signal 9: a new one")), (0, count), log)
        with Server("--data", data) as again, again.client() as client:
            want(mail_of(client, "alice", cookie), ["one", "two"], "after a restart")


def fill_and_empty(data):
    with Server("--data", data) as server, server.client() as client:
        cookie, sent = client.register("alice"), 0
        while client.ask(f"MESSAGE {sent} {'x' * 4000} {cookie}") == "OK":
            sent += 1
        want(10 < sent < 200, True, f"{sent} messages until the disk is full")
        want(client.ask("LOGIN alice wrong", "COUNT alice " + cookie), ["KO", "COUNTED 0"], "reads on a full disk")
        subprocess.run(["mount", "-o", "remount,size=8m", data], check=True)
        wait_for(lambda: client.ask(f"MESSAGE {sent} {cookie}") == "OK", "writing resumes")
        for number in range(sent, -1, -1):
            want(client.ask(f"STORE alice {cookie}"), "OK", f"STORE of message {number}")
        found = mail_of(client, "alice", cookie)
        want([int(text.split(" ")[0]) for text in found], list(range(sent, -1, -1)), "every message once")
        want(re.search("kept again", server.end()[1]) is not None, True, "it says that it goes on")


@scenario
def foreign_costs():
    """A cost in the database that nobody here would have chosen is not paid: KO, and the server goes on."""
    with directory() as data:
        with Server("--data", data) as server, server.client() as client:
            client.register("alice")
        for passes, kib in ((0, 8), (11, 8), (1, 7), (1, 65537), (255, 0xffffff)):
            with closing(sqlite3.connect(f"{data}/mail.db")) as db:
                db.execute("UPDATE RA SET cost = ?", (passes << 24 | kib,))
                db.commit()
            with Server("--data", data) as server, server.client() as client:
                want(client.ask("LOGIN alice pw", "DUMP"), ["KO", "OK"], f"{passes} passes, {kib} KiB")


@scenario
def large_check():
    """--check of a database that takes SQLite a while finds all of it."""
    with directory() as data:
        with Server("--data", data) as server, server.client() as client:
            client.register("alice")
        with closing(sqlite3.connect(f"{data}/mail.db")) as db:
            db.executemany("INSERT INTO MBX VALUES (?, 'alice', 'alice', ?)", ((at, f"text {at}") for at in range(1, 20001)))
            db.commit()
        done = subprocess.run([SMSPD, "--check", "--data", data], capture_output=True, text=True, check=False)
        want((done.returncode, "messages in MBX: 20000" in done.stdout), (0, True), f"{done.stdout}{done.stderr}")
