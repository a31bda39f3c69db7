# SPDX-License-Identifier: ISC
"""Scenarios on processes: signals, deaths, limits, hostile workers."""
import fcntl
import os
import resource
import shutil
import signal
import struct
import tempfile
import threading
import time

from harness import SMSPD, Server, alive, children_of, scenario, wait_for, want


def kill(pid):
    """kill -9 of a worker, which may have ended just now."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


# ---- Processes ----

@scenario
def signals():
    """SIGTERM and SIGINT: status 0, no child left, and the port can be taken again at once."""
    port = 0
    for sig in (signal.SIGTERM, signal.SIGINT):
        with Server(port=port) as server, server.client() as client:
            port = server.port
            client.register("alice")
            pids = children_of(server.process.pid)
            want(len(pids), 2, "children: keeper and worker")
            want(server.end(sig), (0, ""), "status and log")
            wait_for(lambda left=pids: not any(alive(pid) for pid in left), "no child is left", 1)
    with Server() as server, server.client() as client:
        client.register("alice")
        os.killpg(server.process.pid, signal.SIGINT)  # as a terminal does for Ctrl-C
        want((server.process.wait(5), server.process.stderr.read()), (0, b""), "status and log after a Ctrl-C")


@scenario
def keeper_killed():
    """Without its keeper a server in memory ends: a clear line, status 1, nothing left."""
    with Server() as server, server.client() as client:
        client.register("alice")
        os.kill(server.keeper, signal.SIGKILL)
        want(server.process.wait(5), 1, "status")
        log = server.process.stderr.read().decode()
        want("keeper" in log and "lost" in log and log.count("\n") == 1, True, f"one line on the keeper: {log}")
        want(client.reply(), None)


@scenario
def supervisor_killed():
    """Nothing outlives the supervisor."""
    with Server() as server, server.client() as client:
        client.register("alice")
        pids = children_of(server.process.pid)
        server.process.kill()
        wait_for(lambda: not any(alive(pid) for pid in pids), "keeper and worker end", 2)


@scenario
def kill_workers(count=40):
    """kill -9 of random workers under load: every other client's replies are right."""
    failures = []
    over = threading.Event()

    def load(server, number):
        try:
            with server.client() as client:
                cookie = client.register(f"user{number}")
                while not over.is_set():
                    asked = [f"MESSAGE for {number} {cookie}", f"STORE user{number} {cookie}",
                             f"COUNT user{number} {cookie}", f"GETMSG user{number} {cookie}",
                             f"DELMSG user{number} {cookie}"]
                    want(client.ask(*asked), ["OK", "OK", "COUNTED 1", f"for {number}", "OK"])
        except Exception as error:
            failures.append(f"user{number}: {error}")

    with Server() as server:
        threads = [threading.Thread(target=load, args=(server, number)) for number in range(6)]
        for thread in threads:
            thread.start()
        wait_for(lambda: len(server.workers()) == 6 or failures, "every client has its worker")
        spared = set(server.workers())
        for turn in range(count):
            with server.client() as victim:
                cookie = victim.register(f"victim{turn}")
                victim.send(*[f"COUNT victim{turn} {cookie}"] * (turn % 3 * 400))
                for pid in set(server.workers()) - spared:
                    kill(pid)
        time.sleep(0.2)
        over.set()
        for thread in threads:
            thread.join()
        want(failures, [], "failures")
        server.quiet()
        status, log = server.end()
        want((status, log), (0, "smspd: a worker was ended by signal 9\n" * count), "status and log")


@scenario
def connections(count=1000):
    """Connections in a row leave descriptors and processes as they were."""
    with Server() as server:
        with server.client() as client:
            client.register("alice")
        server.quiet()
        time.sleep(0.1)
        pids = [server.process.pid, server.keeper]

        def open_files():
            return [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids]

        before = open_files()
        for number in range(count):
            with server.client() as client:
                if number % 2:
                    want(client.ask("LOGIN alice pw")[:3], "OK ")
        server.quiet()
        want(open_files(), before, "open descriptors of supervisor and keeper")
        want(children_of(server.process.pid), [server.keeper], "children")


@scenario
def slot_reuse():
    """A slot that another client had shows the next one nothing of it."""
    with Server("--max-clients", "1") as server:
        with server.client() as client:
            cookie = client.register("alice")
        for number in range(200):
            wait_for(lambda: not server.workers(), "the last worker has ended")
            with server.client() as client:
                asked = ["bogus"] * (number % 3) + [f"MESSAGE {number} {cookie}", f"STORE alice {cookie}"]
                asked += [f"GETMSG alice {cookie}", f"DELMSG alice {cookie}"]
                want(client.ask(*asked), ["KO"] * (number % 3) + ["OK", "OK", str(number), "OK"])
                if number % 2:
                    client.send(*[f"COUNT alice {cookie}"] * 500)  # leaves without reading them


def reset(client):
    """Does nobody take what the client sends?"""
    try:
        for _ in range(10):
            client.send_bytes(b"x")
            time.sleep(0.02)
    except OSError:
        return True
    return False


@scenario
def over_the_limit():
    """Clients over the limit get KO and an end; nothing waits for those that stay."""
    with Server("--max-clients", "2") as server:
        with server.client() as one, server.client() as two:
            cookie = one.register("alice")
            two.register("bob")
            lingering = [server.client() for _ in range(40)]
            for client in lingering:
                want((client.reply(), client.reply()), ("KO", None), "refused client")
            began = time.monotonic()
            want(one.ask(f"COUNT alice {cookie}"), "COUNTED 0")
            want(time.monotonic() - began < 0.9, True, "a prompt reply beside clients that linger")
            for client in lingering[:-1]:
                client.socket.close()
            time.sleep(1.2)
            want(reset(lingering[-1]), True, "a refused client that does not leave is left after a second")
            lingering[-1].socket.close()
        server.quiet()
        with server.client() as client:
            want(client.ask("LOGIN alice pw")[:3], "OK ", "reply to the next client")


@scenario
def all_come_again():
    """Clients within the limit are not refused because the slots of others are not quiet yet."""
    with Server("--max-clients", "100") as server:
        keeper = server.keeper
        old = [server.client() for _ in range(88)]  # the last eighth is for other addresses
        for client in old:
            want(client.ask("bogus"), "KO")
        os.kill(keeper, signal.SIGSTOP)
        for client in old:
            client.socket.close()
        server.quiet()
        new = [server.client() for _ in range(88)]
        wait_for(lambda: len(server.workers()) == 76, "the spare slots are taken")
        before = ticks(server.process.pid)
        time.sleep(0.5)
        want(ticks(server.process.pid) - before <= 5, True, "it waits without spinning")
        os.kill(keeper, signal.SIGCONT)
        for client in new:
            want(client.ask("DUMP"), "OK", "reply to a client within the limit")
            client.socket.close()


def ticks(pid):
    """The processor time of a process, in hundredths of a second."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        return sum(map(int, stat.read().rsplit(")", 1)[1].split()[11:13]))


@scenario
def no_descriptor_left():
    """accept fails: the server neither ends nor spins, and goes on when it can."""
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    stays = ("--user", "root") if os.getuid() == 0 else ()  # prlimit is for processes of the same user
    with Server(*stays, preexec_fn=few) as server:
        pid = server.process.pid
        used = len(os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used, 64))
        with server.client() as client:
            began = ticks(pid)
            client.send("DUMP")
            time.sleep(1)
            spent = ticks(pid) - began
            want(spent <= 10, True, f"at most 10 of 100 clock ticks, got {spent}")
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (64, 64))
            want(client.reply(), "OK")
        status, log = server.end()
        want(status, 0, "status")
        want(3 <= log.count("cannot accept: Too many open files") <= 15, True, f"log: {log}")


@scenario
def no_process_left():
    """fork fails: that client gets KO, and the server goes on when it can. Needs root, for a user of its own."""
    def three_processes():
        resource.setrlimit(resource.RLIMIT_NPROC, (3, 3))  # supervisor, keeper, one worker
        os.setgid(65534)
        os.setuid(100000 + os.getpid() % 50000)

    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        with Server(program=shutil.copy(SMSPD, folder), preexec_fn=three_processes) as server:
            with server.client() as one:
                cookie = one.register("alice")
                with server.client() as two:
                    want((two.reply(), two.reply()), ("KO", None), "client for whom there is no process")
                want(one.ask(f"COUNT alice {cookie}"), "COUNTED 0")
            server.quiet()
            with server.client() as three:
                want(three.ask(f"COUNT alice {cookie}"), "COUNTED 0")
            status, log = server.end()
            want((status, log.count("\n"), log.count("cannot fork")), (0, 1, 1), log)


@scenario
def stopped_log():
    """A standard error that nobody reads stops nothing."""
    with Server() as server:
        fcntl.fcntl(server.process.stderr, fcntl.F_SETPIPE_SZ, 4096)
        for number in range(150):
            with server.client() as victim:
                victim.register(f"victim{number}")
                for pid in server.workers():
                    kill(pid)
                want(victim.reply(), None)
        with server.client() as client:
            client.register("alice")


# ---- A hostile worker ----

SLOT_AREA = 65536  # slot.h

PAGE = os.sysconf("SC_PAGESIZE")


def shared_memory(pid):
    """Where a worker's slot and the table of hints are mapped: its only shared and writable memory, but for what
    a build that counts has."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        found = [line.split(" ")[0] for line in maps if " rw-s " in line and not line.endswith(".profraw\n")]
    spans = [tuple(int(part, 16) for part in span.split("-")) for span in found]
    by_size = sorted((end - start, start) for start, end in spans)
    want([size for size, _ in by_size], [PAGE, 2 * SLOT_AREA], "sizes of the shared writable mappings of a worker")
    return {"hints": by_size[0][1], "slot": by_size[1][1]}


def slot_address(pid):
    return shared_memory(pid)["slot"]


@scenario
def hostile_slots():
    """What breaks the rules of a slot costs its worker, and nobody else anything."""
    owner_keeper = 1
    token = b"t" * 32
    cases = {
        "no request": struct.pack("=III", owner_keeper, 0, 0),
        "too many requests": struct.pack("=III", owner_keeper, 257, 257 * 4),
        "longer than the area": struct.pack("=III", owner_keeper, 1, SLOT_AREA),
        "an unknown verb": struct.pack("=III", owner_keeper, 1, 4) + b"\0" * 52 + b"\x0a\0\0\0",
        "a cut entry": struct.pack("=III", owner_keeper, 1, 20) + b"\0" * 52 + b"\x02\0\0\0" + token,
        "a control character": struct.pack("=III", owner_keeper, 1, 37) + b"\0" * 52 + b"\3\0\1\0" + token + b"\x1b",
        "a name with a space": struct.pack("=III", owner_keeper, 1, 39) + b"\0" * 52 + b"\5\3\0\0" + token + b"a b",
        "bytes left over": struct.pack("=III", owner_keeper, 1, 9) + b"\0" * 52 + b"\x08\0\0\0DUMP!",
        "an owner that is none": struct.pack("=III", 77, 0, 0),
    }
    with Server() as server, server.client() as good:
        cookie = good.register("alice")
        spared = set(server.workers())
        for title, content in cases.items():
            wait_for(lambda: set(server.workers()) == spared, "the last hostile worker is reaped")
            with server.client() as bad:
                bad.ask("bogus")
                pid = (set(server.workers()) - spared).pop()
                with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
                    memory.seek(slot_address(pid) + 4)
                    memory.write(content[4:])
                    memory.seek(slot_address(pid))
                    memory.write(content[:4])
                want(good.ask(f"COUNT alice {cookie}"), "COUNTED 0")
                want(bad.reply(), None, f"{title}: the client's connection")
            want(good.ask(f"COUNT alice {cookie}"), "COUNTED 0")
        status, log = server.end()
        want((status, log.count("broke the rules"), log.count("signal 9")), (0, len(cases), len(cases)), log)


@scenario
def closed_at_start():
    """Started without standard input and output it works, and a client's socket takes the place of neither."""
    def close():
        os.close(0)
        os.close(1)

    with Server(preexec_fn=close) as server, server.client() as client:
        client.register("alice")
        want(client.ask("DUMP"), "OK")
        for pid in (server.process.pid, server.keeper):
            want(os.readlink(f"/proc/{pid}/fd/1"), "/dev/null", "standard output")


@scenario
def one_slot_each():
    """A worker has its own slot, its client, the eventfd and standard error, and nothing else."""
    with Server() as server, server.client() as client, server.client() as other:
        client.register("alice")
        other.register("bob")
        for pid in server.workers():
            slot_address(pid)
            want(sorted(os.listdir(f"/proc/{pid}/fd")), ["0", "1", "2"], "descriptors of a worker")
            want(os.readlink(f"/proc/{pid}/fd/1"), "anon_inode:[eventfd]")
        want(len(os.listdir(f"/proc/{server.keeper}/fd")), 5, "descriptors of the keeper")


@scenario
def children_ignored_at_start():
    """Started by a parent that ignores SIGCHLD, it still reaps its workers and frees their slots."""
    with Server("--max-clients", "2", preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)) as server:
        for _ in range(20):
            with server.client() as client:
                want(client.ask("DUMP"), "OK")
            server.quiet()


@scenario
def stuck_keeper():
    """A keeper that does not end by itself is ended after five seconds, and the server with it."""
    with Server() as server, server.client() as client:
        client.register("alice")
        os.kill(server.keeper, signal.SIGSTOP)
        began = time.monotonic()
        want(server.end(), (0, ""), "status and log")
        want(4 < time.monotonic() - began < 30, True, "seconds until it has ended")
        want(alive(server.keeper), False, "the keeper lives")
