# SPDX-License-Identifier: ISC
"""Scenarios on secrets and limits: what can be found, who may do what, and for how long."""
import os
import re
import resource
import select
import signal
import socket
import statistics
import struct
import tempfile
import threading
import time

from harness import Client, Server, age, scenario, wait_for, want
from store_scenarios import directory

FULL = ("--password-cost", "full")
LARGE = 10 << 20  # bytes of memory that only a worker with a password in hand has


# ---- Secrets ----

def memory_of(pid):
    """All that can be read of a process's memory."""
    found = []
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            area, rights = line.split(" ")[:2]
            if rights[0] != "r" or line.rstrip().endswith("[vvar]"):
                continue
            start, end = (int(part, 16) for part in area.split("-"))
            try:
                memory.seek(start)
                found.append(memory.read(end - start))
            except (OSError, ValueError, OverflowError):
                continue  # [vsyscall], or gone meanwhile
    return b"".join(found)


@scenario
def secrets_nowhere():
    """Password and cookie are in no process, file or log; a text in the keeper and the database only."""
    password, text = "xq7secretPASSWORDzz9", "xq7 the text of a message zz9"
    with directory() as data, tempfile.TemporaryFile() as out:
        with Server("--data", data, *FULL, stdout=out) as server, server.client() as one, server.client() as two:
            cookie = one.register("alice", password)
            want(one.ask(f"MESSAGE {text} {cookie}", f"STORE alice {cookie}", f"GETMSG alice {cookie}"),
                 ["OK", "OK", text])
            want(two.ask(f"LOGIN alice wrong{password}", f"GETMSG alice {cookie}"), ["KO", text])
            cookie = two.ask(f"LOGIN alice {password}")[3:]
            want(two.ask(f"MESSAGE {text} {cookie}", f"GETMSG alice {cookie}")[1], text)
            # A worker in the middle of a request has forgotten those before it.
            one.send_bytes(f"LOGIN alice wrong{password}\nCOUNT alice {cookie}\nhalf".encode())
            want(one.replies(2), ["KO", "COUNTED 1"])
            two.send_bytes(b"half")
            time.sleep(0.2)
            places = {"supervisor": memory_of(server.process.pid), "keeper": memory_of(server.keeper)}
            for number, pid in enumerate(server.workers()):
                places[f"worker {number}"] = memory_of(pid)
            for name in os.listdir(data):
                with open(os.path.join(data, name), "rb") as file:
                    places[name] = file.read()
            out.seek(0)
            places["standard output"] = out.read()
            places["log"] = server.end()[1].encode() + server.log.encode()
        want(len(places), 10, f"places looked at: {sorted(places)}")
        for what in (password, cookie):
            want([name for name, found in places.items() if what.encode() in found], [], f"places of {what}")
        having = {name for name, found in places.items() if text.encode() in found}
        want(having - {"keeper", "mail.db", "mail.db-wal"}, set(), "places of the text")
        want({"keeper", "mail.db-wal"} <= having, True, f"it is found where it should be: {having}")


@scenario
def strangers_nowhere(clients=20):
    """A worker has neither addresses nor process IDs of the clients before it and beside it."""
    with Server() as server:
        others = [f"127.211.{173 - n}.97" for n in range(clients)]
        stay = []
        for n, address in enumerate(others):
            client = from_address(address, server)
            want(client.ask("DUMP"), "OK")
            if n % 2:
                stay.append(client)
            else:
                client.socket.close()
        wait_for(lambda: len(server.workers()) == len(stay), "those who left are gone")
        pids = server.workers()
        with server.client() as last:
            want(last.ask("DUMP"), "OK")
            memory = memory_of(max(server.workers(), key=age))
    want([address for address in others if socket.inet_aton(address) in memory], [], "addresses found in the last worker")
    want([pid for pid in pids if struct.pack("=II", 1, pid) in memory], [], "workers found in the last one")


def processor_times(pid):
    """Seconds that the process has run, and that it has waited for a processor (proc(5), schedstat)."""
    with open(f"/proc/{pid}/schedstat", encoding="utf-8") as file:
        return [int(word) / 1e9 for word in file.read().split()[:2]]


def log_in(client, pid, name):
    """A wrong login: the processor time of the worker, and what is left of the time until the reply if the worker's
    waiting for a processor does not count; in milliseconds."""
    (ran, waited), began = processor_times(pid), time.perf_counter()
    want(client.ask(f"LOGIN {name} wrong"), "KO")
    until = time.perf_counter() - began
    ran_then, waited_then = processor_times(pid)
    return 1000 * (ran_then - ran), 1000 * (until - (ran_then - ran) - (waited_then - waited))


ALIKE = 3  # milliseconds, a fifth of what a password costs


def least_idle(logins):
    return min(idle for _, idle in logins)


@scenario
def login_times(count=24):
    """An unknown name and a wrong password take the same time.

    Each is the first of its connection as often as the second. The processor's time is compared, to which other
    load adds little, and the least of what is left of the time until the reply: a delay of the server's own. As
    long as that differs there are more logins: a delay of the server's own would be in all of them."""
    names, found = ["alice", "nobody"], {"alice": [], "nobody": []}
    with Server(*FULL) as server:
        with server.client() as client:
            client.register("alice", "right")
        for number in range(6 * count):
            if number >= count and abs(least_idle(found["alice"]) - least_idle(found["nobody"])) < ALIKE:
                break
            wait_for(lambda: not server.workers(), "the end of the worker before")
            with server.client() as client:
                wait_for(server.workers, "a worker")
                (pid,) = server.workers()
                for name in names[::-1] if number % 2 else names:
                    found[name].append(log_in(client, pid, name))
    known, unknown = (statistics.median(ran for ran, _ in found[name]) for name in names)
    idle, idle_unknown = (least_idle(found[name]) for name in names)
    print(f"LOGIN, of {len(found['alice'])}: wrong password {known:.2f} ms of a processor and at least {idle:.2f} ms idle, "
          f"unknown name {unknown:.2f} and {idle_unknown:.2f} ms")
    want(0.8 < known / unknown < 1.25, True, f"alike: {known:.2f} ms and {unknown:.2f} ms of a processor")
    want(abs(idle - idle_unknown) < ALIKE, True, f"alike: {idle:.2f} ms and {idle_unknown:.2f} ms idle")
    want(known > 3, True, f"a password costs something: {known:.2f} ms")


@scenario
def costs_alike(count=6):
    """When --password-cost changes: accounts of either cost and an unknown name take the same work."""
    names = ("cheap", "dear", "nobody")
    with directory() as data:
        for name, cost in (("cheap", "test"), ("dear", "full")):
            with Server("--data", data, "--password-cost", cost) as server, server.client() as client:
                client.register(name, "right")
        for cost in ("test", "full"):
            found = {name: [] for name in names}
            with Server("--data", data, "--password-cost", cost) as server:
                for number in range(3 * count):
                    wait_for(lambda: not server.workers(), "the end of the worker before")
                    with server.client() as client:
                        wait_for(server.workers, "a worker")
                        name = names[number % 3]
                        found[name].append(log_in(client, server.workers()[0], name)[0])
                with server.client() as client:
                    want([client.ask(f"LOGIN {name} right")[:3] for name in names], ["OK ", "OK ", "KO"], "right passwords")
            took = {name: statistics.median(times) for name, times in found.items()}
            print(f"--password-cost {cost}: " + ", ".join(f"{name} {time:.2f} ms" for name, time in took.items()))
            want(max(took.values()) / min(took.values()) < 1.4, True, f"alike with --password-cost {cost}: {took}")
            want(min(took.values()) > 3, True, f"a password costs something: {took}")


@scenario
def failed_logins():
    """From the fourth failed login of a connection on, KO comes a second later; others wait for nobody."""
    with Server() as server, server.client() as client, server.client() as other:
        cookie = other.register("alice")
        for name in ("alice", "nobody"):
            with server.client() as guesser:
                began = time.monotonic()
                want(guesser.ask(*[f"LOGIN {name} guess{number}" for number in range(3)]), ["KO"] * 3)
                want(time.monotonic() - began < 0.9, True, "three failures at once")
                began = time.monotonic()
                guesser.send(f"COUNT alice {cookie}", f"LOGIN {name} guess", "LOGIN alice pw")
                want(guesser.reply(), "COUNTED 0")
                want(other.ask(f"COUNT alice {cookie}"), "COUNTED 0")
                want(time.monotonic() - began < 0.9, True, "what stands before it, and others, wait for nothing")
                want(guesser.reply(), "KO")
                want(time.monotonic() - began > 0.9, True, "a second for the fourth")
                cookie = guesser.reply()[3:]
                want(len(cookie), 32, "the right password after it")
        want(client.ask(f"LOGOUT {cookie}"), "OK")


# ---- Hashing ----

def resident(pid):
    try:
        with open(f"/proc/{pid}/statm", encoding="utf-8") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


@scenario
def hashing_bounded(clients=40):
    """Many clients that log in at once: two passwords in work at any time, and all are answered."""
    with Server(*FULL, "--max-hashing", "2") as server:
        with server.client() as client:
            client.register("alice", "right")
        several = [server.client() for _ in range(clients)]
        wait_for(lambda: len(server.workers()) == clients + 1 or len(server.workers()) == clients, "every worker")
        for client in several:
            client.send("LOGIN alice wrong")
        most, over = [0], threading.Event()

        def watch(pids):
            while not over.is_set():
                # Each hashes once. Those that were large before all were looked at, and are large still, were so together.
                large = [pid for pid in pids if resident(pid) > LARGE]
                most[0] = max(most[0], sum(resident(pid) > LARGE for pid in large))

        watcher = threading.Thread(target=watch, args=(server.workers(),))
        watcher.start()
        replies = [client.reply() for client in several]
        over.set()
        watcher.join()
        for client in several:
            client.socket.close()
        want(replies, ["KO"] * clients)
        want(1 <= most[0] <= 2, True, f"workers with a password in work at a time: {most[0]}")


@scenario
def permit_of_the_dead():
    """A worker that dies with its permit gives it back; one that is stopped loses it after a while."""
    with Server(*FULL, "--max-hashing", "1") as server, server.client() as client:
        client.register("alice", "right")
        for sig, patience in ((signal.SIGKILL, 4), (signal.SIGSTOP, 30)):
            before = set(server.workers())
            with server.client() as holder:
                holder.ask("bogus")
                pid = (set(server.workers()) - before).pop()
                holder.send("LOGIN alice right")
                wait_for(lambda held=pid: resident(held) > LARGE, "it hashes")
                os.kill(pid, sig)
                began = time.monotonic()
                want(client.ask("LOGIN alice right")[:3], "OK ")
                want(time.monotonic() - began < patience, True, "the permit is free again")
                if sig == signal.SIGSTOP:
                    want(time.monotonic() - began > 0.15, True, "it was not free before")
                    os.kill(pid, signal.SIGCONT)
                    want(holder.reply()[:3], "OK ", "late, but answered")


# ---- Time ----

def ends_after(client, least, most, what):
    """The stream ends in time; gives back what came before."""
    began = time.monotonic()
    data = b""
    while True:
        more = client.socket.recv(65536)
        if not more:
            break
        data += more
    took = time.monotonic() - began
    want(least <= took <= most, True, f"{what}: ends after {took:.2f} s")
    return data


@scenario
def too_slow():
    """Half a request, a byte now and then, an idle client, a reader that does not read: each has its time."""
    with Server("--request-timeout", "1", "--idle-timeout", "2", "--framing", "terminated") as server:
        with server.client() as client:
            client.send_bytes(b"DUMP\nCOUNT ali")
            want(ends_after(client, 0.8, 1.9, "half a request"), b"OK\n")
        with server.client() as client:
            client.socket.settimeout(0.2)
            began, ended = time.monotonic(), False
            for byte in b"MESSAGE " + b"x" * 50:
                try:
                    client.send_bytes(bytes([byte]))
                    ended = client.socket.recv(10) == b""
                except TimeoutError:
                    continue
                except OSError:
                    ended = True
                if ended:
                    break
            want((ended, time.monotonic() - began < 3), (True, True), "a byte now and then: ends")
        with server.client() as client:
            want(ends_after(client, 1.8, 3.5, "an idle client"), b"")
        with server.client() as client:
            for _ in range(6):
                time.sleep(0.5)
                want(client.ask("DUMP"), "OK", "a client that is slow, but not idle")
        with server.client(receive_buffer=4096) as deaf:
            deaf.socket.setblocking(False)
            while select.select([], [deaf.socket], [], 0.3)[1]:
                deaf.socket.send(b"bogus\n" * 1000)
            wait_for(lambda: not server.workers(), "a reader that does not read is left", 4)
        server.quiet()


# ---- Addresses, DUMP, the sandbox ----

def from_address(address, server):
    """A client with an address of its own."""
    client = Client.__new__(Client)
    client.socket = socket.create_connection(("127.0.0.1", server.port), 10, (address, 0))
    client.ending, client.rest = b"\n", b""
    return client


@scenario
def clients_per_address():
    with Server("--max-clients-per-address", "2") as server:
        with from_address("127.0.0.1", server) as one, from_address("127.0.0.1", server) as two:
            want((one.ask("DUMP"), two.ask("DUMP")), ("OK", "OK"))
            with from_address("127.0.0.1", server) as three, from_address("127.0.0.2", server) as other:
                want((three.reply(), three.reply()), ("KO", None), "the third of an address")
                want(other.ask("DUMP"), "OK", "the first of another")
        server.quiet()
        with from_address("127.0.0.1", server) as client:
            want(client.ask("DUMP"), "OK", "when they have left")


@scenario
def no_dump():
    """--no-dump: OK, and nothing but counts is printed."""
    ours, theirs = os.pipe()
    with Server("--no-dump", stdout=theirs) as server, server.client() as client:
        os.close(theirs)
        cookie = client.register("alice")
        want(client.ask(f"MESSAGE secret {cookie}", f"STORE alice {cookie}", f"MESSAGE too {cookie}", "DUMP"), ["OK"] * 4)
        want(os.read(ours, 65536), b"IMQ: 1\nMBX: 1\n", "printed")
    os.close(ours)


@scenario
def no_core_files():
    """Whatever ends a keeper or a worker, with a sandbox or without: nothing of its memory gets into a file."""
    with open("/proc/sys/kernel/core_pattern", encoding="utf-8") as pattern:
        if pattern.read()[0] in "|/":
            print("core files go elsewhere on this machine: not tried")
            raise SystemExit(77)

    def allow_cores():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    for options in ((), ("--no-sandbox",)):
        with directory() as folder, Server(*options, cwd=folder, preexec_fn=allow_cores) as server:
            with server.client() as client:
                client.register("alice")
                for pid in (*server.workers(), server.keeper):
                    os.kill(pid, signal.SIGSEGV)
                want(server.process.wait(10), 1, "status without a keeper")
            want(os.listdir(folder), [], f"files made with {options}")


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return tuple(re.findall(r"^(?:NoNewPrivs|Seccomp):\t(\d)", status.read(), re.MULTILINE))


@scenario
def confined():
    """Workers and keeper are in the sandbox; with --no-sandbox they are not, and the log says so."""
    new_user = "1" if os.geteuid() == 0 else "0"  # who gives up root gains no privileges in any case
    for options, wanted, said in (((), ("1", "2"), "sandbox: no_new_privs"),
                                  (("--no-sandbox",), (new_user, "0"), "sandbox: none (--no-sandbox)")):
        with Server(*options) as server, server.client() as client:
            client.register("alice")
            want([status_of(pid) for pid in (server.keeper, *server.workers())], [wanted] * 2)
            want(said in server.log, True, server.log)


@scenario
def waiting_for_a_permit():
    """Clients that end while they wait for a permit are forgotten, wherever in the queue; the others get theirs."""
    with Server(*FULL, "--max-hashing", "1") as server, server.client() as client:
        client.register("alice", "right")
        workers, several = [], []
        for _ in range(5):
            before = set(server.workers())
            several.append(server.client())
            want(several[-1].ask("bogus"), "KO")
            workers += set(server.workers()) - before
        several[0].send("LOGIN alice right")
        wait_for(lambda: resident(workers[0]) > LARGE, "it hashes")
        os.kill(workers[0], signal.SIGSTOP)
        for waiting in several[1:]:
            waiting.send("LOGIN alice right")
            time.sleep(0.05)
        for pid in (workers[2], workers[3], workers[0]):
            os.kill(pid, signal.SIGKILL)
        want([waiting.reply()[:3] for waiting in (several[1], several[4])], ["OK "] * 2)
        want([waiting.reply() for waiting in (several[0], several[2], several[3])], [None] * 3, "replies of those that ended")
        for waiting in several:
            waiting.socket.close()
