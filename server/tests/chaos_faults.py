# SPDX-License-Identifier: ISC
"""The faults of chaos: each is a function of the run, and happens at a random moment."""
import os
import signal
import socket
import struct
import time

from harness import children_of
from store_scenarios import EIO, ENOSPC, SYNCS, WRITES, keeper_of

OPENS, TRUNCATES = 4, 8  # as in fault_disk.h
FAULTS = {}              # by name


def fault(function):
    FAULTS[function.__name__] = function
    return function


def send_signal(pid, sig):
    """False: there is no such process any more."""
    try:
        os.kill(pid, sig)
        return True
    except ProcessLookupError:
        return False


def workers_of(run):
    keeper = keeper_of(run.server)
    return [pid for pid in children_of(run.server.process.pid) if pid != keeper]


def hold(run, pid):
    """Stops a process for a moment."""
    if pid and send_signal(pid, signal.SIGSTOP):
        time.sleep(run.random.uniform(0.01, 0.2))
        send_signal(pid, signal.SIGCONT)
        return True
    return False


# ---- Processes ----

@fault
def worker_killed(run):
    workers = workers_of(run)
    return bool(workers) and send_signal(run.random.choice(workers), signal.SIGKILL)


@fault
def keeper_killed(run):
    keeper = keeper_of(run.server)
    return bool(keeper) and send_signal(keeper, signal.SIGKILL)


@fault
def all_killed(run):
    run.restart(kill=True)
    return True


@fault
def server_ended(run):
    run.restart(kill=False)
    return True


@fault
def worker_stopped(run):
    workers = workers_of(run)
    return bool(workers) and hold(run, run.random.choice(workers))


@fault
def keeper_stopped(run):
    return hold(run, keeper_of(run.server))


@fault
def supervisor_stopped(run):
    return hold(run, run.server.process.pid)


# ---- The disk ----

def disk_fails(run, kinds, error, **how):
    with run.trouble():
        run.disk.fail(kinds, error, **how)
        time.sleep(run.random.uniform(0.05, 0.3))
        failed = run.disk.words[6]
        run.disk.heal()
    return failed > 0


@fault
def disk_full(run):
    return disk_fails(run, WRITES | TRUNCATES, ENOSPC)


@fault
def nth_write_fails(run):
    every = run.random.randrange(1, 12)
    return disk_fails(run, WRITES, run.random.choice([ENOSPC, EIO]), first=every, every=every)


@fault
def nth_sync_fails(run):
    every = run.random.randrange(1, 12)
    return disk_fails(run, SYNCS, EIO, first=every, every=every)


@fault
def one_sync_fails(run):
    return disk_fails(run, SYNCS, EIO, most=1)


@fault
def open_fails_for_a_new_keeper(run):
    keeper = keeper_of(run.server)
    if not keeper:
        return False
    with run.trouble():
        run.disk.fail(OPENS, EIO, most=2)
        send_signal(keeper, signal.SIGKILL)
        time.sleep(0.2)
        failed = run.disk.words[6]
        run.disk.heal()
    return failed > 0


# ---- Hostile workers ----

def worker_behind(run, client):
    """The worker of this very connection, by the number of its socket."""
    port = client.socket.getsockname()[1]
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table]
    inodes = {row[9] for row in rows[1:] if row[2].endswith(f":{port:04X}")}
    for pid in workers_of(run):
        try:
            if os.readlink(f"/proc/{pid}/fd/0")[8:-1] in inodes:
                return pid
        except OSError:
            continue
    return 0


@fault
def hostile_slot(run):
    """Random or crafted bytes in the slot of a worker that serves nobody else."""
    with run.server.client() as client:
        client.ask("bogus")
        pid = worker_behind(run, client)
        if not pid:
            return False
        try:
            with open(f"/proc/{pid}/maps", encoding="ascii") as maps:
                start = next(int(line.split("-")[0], 16) for line in maps if " rw-s " in line)
            bytes_in = run.random.randbytes(run.random.choice([60, 600, 16000]))
            if run.random.random() < 0.5:  # counts that pass, then nonsense
                bytes_in = struct.pack("=II", run.random.randrange(1, 257), len(bytes_in)) + bytes(52) + bytes_in
            with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
                memory.seek(start + 4)
                memory.write(bytes_in[:32000])
                memory.seek(start)
                memory.write(struct.pack("=I", run.random.choice([1, 2, 77])))
        except (OSError, StopIteration):
            return False
        client.send("bogus")
        time.sleep(0.05)
    return True


# ---- Clients that behave badly ----

def open_many(run, count, data=b""):
    opened = []
    for _ in range(count):
        try:
            client = socket.create_connection(("127.0.0.1", run.server.port), 1)
            opened.append(client)
            client.setblocking(False)
            client.send(data)
        except OSError:
            continue
    return opened


def close_all(opened):
    for client in opened:
        client.close()
    return bool(opened)


@fault
def flood(run):
    return close_all(open_many(run, 150))


@fault
def half_open(run):
    opened = open_many(run, run.max_clients, b"MESSAGE half")
    time.sleep(0.2)
    return close_all(opened)


@fault
def slow_sender(run):
    opened = open_many(run, 5)
    for byte in b"COUNT":
        for client in opened:
            try:
                client.send(bytes([byte]))
            except OSError:
                continue
        time.sleep(0.03)
    return close_all(opened)


@fault
def never_reads(run):
    opened = open_many(run, 3, b"bogus\n" * 10000)
    time.sleep(0.1)
    return close_all(opened)


@fault
def garbage(run):
    opened = open_many(run, 5, run.random.randbytes(5000))
    time.sleep(0.02)
    return close_all(opened)


@fault
def http(run):
    opened = open_many(run, 3, b"GET / HTTP/1.1\r\nHost: mail\r\n\r\n")
    time.sleep(0.02)
    return close_all(opened)


@fault
def tls(run):
    hello = bytes.fromhex("16030100c8010000c40303") + run.random.randbytes(32) + bytes(150)
    opened = open_many(run, 3, hello)
    time.sleep(0.02)
    return close_all(opened)
