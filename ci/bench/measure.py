# SPDX-License-Identifier: ISC
"""What is measured. Everything comes as plain dictionaries and lists, for report.py."""
import json
import os
import re
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

import servers as peers

STEPS_OF_ROUND = {"job": 4, "echo": 1, "connect": 1, "count": 1}  # our own protocol; others need 3


def load(server, clients, depth, size, seconds, mix=None, warmup=0.1):
    """One run of smsp-load; its counters are checked before they are believed."""
    mix = mix or server.mix
    command = ["client/smsp-load", "-q", "-j", "-p", server.protocol, "-m", mix, "-c", str(clients), "-d", str(depth),
               "-s", str(size), "-t", str(seconds), "-w", str(warmup), "127.0.0.1", str(server.port)]
    if server.protocol == "smsp":
        command += ["--cookies", os.path.join(server.directory, "cookies")]
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode != 0:
        raise peers.BenchError(f"{server.name}, {mix}, {clients} × {depth}, {size} bytes: smsp-load ended with "
                               f"{ran.returncode}: {ran.stderr.strip()}")
    found = json.loads(ran.stdout)
    check_counters(server, found)
    return found


def check_counters(server, found):
    """Requests, rounds and time must fit each other: a request is counted when its reply comes
    after the warm-up, so a round may have begun before it, and no more than that."""
    steps = STEPS_OF_ROUND[found["mix"]] if server.protocol in ("smsp", "echo") else 3
    slack = found["clients"] * max(found["depth"], 1) * steps
    off = abs(found["requests"] - steps * found["rounds"])
    if found["wrong"] or not found["requests"] or off > slack:
        raise peers.BenchError(f"{server.name}: counters do not add up: {found['requests']} requests, "
                               f"{found['rounds']} rounds of {steps}, {found['wrong']} wrong")


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def median(values):
    return statistics.median(values)


def grid(running, cells, rounds, seconds):
    """Every server at every cell, interleaved: {(server, cell): [result of each round]}."""
    results = {}
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}: {len(cells)} loads on {len(running)} servers, "
            f"load average {os.getloadavg()[0]:.1f}")
        for cell in cells:
            for server in running:
                clients, depth, _ = cell
                if (server.protocol != "echo" or depth == 1) and clients * depth <= server.most:
                    results.setdefault((server.name, cell), []).append(load(server, *cell, seconds))
    return results


def forks_a_second(echo_program, seconds):
    return float(subprocess.run([echo_program, "--fork", str(seconds)], capture_output=True, text=True,
                                check=True).stdout)


def connections(smspd, echo, echo_program, rounds, seconds):
    """Connections a second, each with one request; and what bare fork and exit does."""
    found = {"smspd --memory": [], "echo": [], "fork and exit": []}
    for _ in range(rounds):
        found["smspd --memory"].append(load(smspd, 8, 1, 64, seconds, mix="connect")["requests_per_second"])
        found["echo"].append(load(echo, 8, 1, 64, seconds, mix="connect")["requests_per_second"])
        found["fork and exit"].append(forks_a_second(echo_program, seconds))
    return found


def growth(smspd, clients, rounds, seconds):
    """Throughput one request at a time, and the keeper's share of a processor, by clients."""
    keeper = peers.children(smspd.process.pid)[0]  # the first process that smspd starts
    found = {}
    load(smspd, max(clients), 1, 64, 0.05)  # registers all accounts before anything is timed
    for _ in range(rounds):
        for count in clients:
            used = peers.processor_seconds(keeper)
            ran = load(smspd, count, 1, 64, seconds, warmup=0)
            share = (peers.processor_seconds(keeper) - used) / ran["seconds"]
            found.setdefault(count, []).append((ran["requests_per_second"], share, ran["latency_us"]["p99"]))
    return {count: [median(column) for column in zip(*rows)] for count, rows in found.items()}


def idle_client(smspd, count):
    """Bytes (PSS) of a worker whose client has asked once and is idle, with so many of them."""
    before = set(peers.children(smspd.process.pid))
    clients = []
    try:
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", smspd.port))
            clients.append(client)
            client.sendall(b"COUNT nobody 0\n")
            client.recv(100)
        workers = [pid for pid in peers.children(smspd.process.pid) if pid not in before]
        if len(workers) != count:
            raise peers.BenchError(f"{count} clients and {len(workers)} workers")
        return sum(peers.pss(pid) for pid in workers) / count
    finally:
        for client in clients:
            client.close()


def start_up(make_server, rounds):
    """Milliseconds from exec to the line that says where it listens."""
    times = []
    for _ in range(rounds):
        with peers.Servers(os.path.join("build", "bench")) as running:
            began = time.monotonic()
            running.start(make_server())
            times.append((time.monotonic() - began) * 1000)
    return times


def fuzzing_speed(targets, seconds):
    """Runs a second of some fuzz targets, built with the sanitizers; nothing without clang."""
    if not shutil.which("clang"):
        return {}
    ran = subprocess.run(["fuzz/campaign", "--limits", "usual", "--time", str(seconds), *targets], capture_output=True, text=True)
    found = fuzzing_rows(ran.stdout, targets)
    if ran.returncode != 0 or len(found) != len(targets):
        raise peers.BenchError(f"fuzz/campaign ended with {ran.returncode}: {(ran.stdout + ran.stderr).strip()[-300:]}")
    return found


def fuzzing_rows(text, targets):
    """The table that fuzz/campaign ends with."""
    rows = [re.search(rf"^{target} +\d+ +\d+ +(\d+) +(\d+) .*-$", text, re.MULTILINE) for target in targets]
    return {target: {"runs_a_second": int(row.group(1)), "of_a_core": int(row.group(2))}
            for target, row in zip(targets, rows) if row}


def stripped_sizes():
    sizes = {}
    with tempfile.TemporaryDirectory() as below:
        for program in ("server/smspd", "client/smsp", "client/smsp-load"):
            copy = shutil.copy(program, below)
            subprocess.run(["strip", copy], check=True)
            sizes[program] = os.path.getsize(copy)
    return sizes


def engine_times(program, rounds, short):
    """The micro-benchmarks: {case: {"ns": [a round's ns an operation], ...}}."""
    cases = {}
    for _ in range(rounds):
        ran = subprocess.run([program] + (["--short"] if short else []), capture_output=True, text=True)
        if ran.returncode != 0:
            raise peers.BenchError(f"{program}: {ran.stderr.strip()}")
        for line in ran.stdout.splitlines():
            found = json.loads(line)
            case = cases.setdefault(found["case"], dict(found, ns=[]))
            if "bytes_each" not in found:
                case["ns"].append(found["ns"] / found["operations"])
    return cases


def engine_instructions(program, short):
    """Instructions an operation, by callgrind: {case: instructions}; they repeat to the digit."""
    with tempfile.TemporaryDirectory() as below:
        out = os.path.join(below, "out")
        ran = subprocess.run(["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}",
                              program] + (["--short"] if short else []), capture_output=True, text=True)
        if ran.returncode != 0:
            raise peers.BenchError(f"valgrind: {ran.stderr.strip().splitlines()[-1]}")
        operations = {found["case"]: found.get("operations") for found in map(json.loads, ran.stdout.splitlines())}
        counts = {}
        for name in os.listdir(below):
            with open(os.path.join(below, name), encoding="utf-8", errors="replace") as file:
                text = file.read()
            case = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.MULTILINE)
            total = re.search(r"^totals: (\d+)", text, re.MULTILINE)
            if case and total and operations.get(case.group(1)):
                counts[case.group(1)] = int(total.group(1)) / operations[case.group(1)]
        return counts


def versions():
    """What ran, in words."""
    def first(command, pattern):
        said = subprocess.run(command, capture_output=True, text=True)
        match = re.search(pattern, said.stdout + said.stderr)
        return match.group(1) if match else "?"
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        processor = re.search(r"model name\s*: (.*)", file.read())
    return {
        "processor": processor.group(1) if processor else "?",
        "cores": len(os.sched_getaffinity(0)),
        "kernel": os.uname().release,
        "compiler": first(["cc", "--version"], r"(.*)"),
        "smspd": first(["server/smspd", "--version"], r"smspd (\S+)"),
        "parts": first(["server/smspd", "--version"], r"(?s)\n(.*\S)").replace("\n", "; "),
        "redis": first(["redis-server", "--version"], r"v=(\S+)"),
        "beanstalkd": first(["beanstalkd", "-v"], r"beanstalkd (\S+)"),
        "re2c": first(["re2c", "--version"], r"re2c (\S+)"),
    }


# ---- A large state, made through the store ----

NAMES = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "


def fill_store(path, count):
    """As many accounts with a session and a message each, as another server would have left them."""
    db = sqlite3.connect(path)
    with db:
        db.execute("DROP INDEX MBX_of_user")
        for what in ("INSERT INTO RA (username, verifier, salt, cost) SELECT printf('user%07d', i), randomblob(32), "
                     "randomblob(16), 1 FROM n",
                     "INSERT INTO ID SELECT printf('user%07d', i), randomblob(32) FROM n",
                     "INSERT INTO MBX SELECT i, printf('user%07d', i), 'user0000001', "
                     "printf('%064d', i) FROM n"):
            into, select = what.split("SELECT", 1)
            db.execute(NAMES.format(count=count) + into + "SELECT" + select)
        db.execute("CREATE INDEX MBX_of_user ON MBX (username, place)")
    db.close()


def filled_server(running, count):
    """smspd --data with a state of that size; gives back it and the seconds that loading took."""
    server = peers.smspd_durable(f"state of {count}", ["--max-accounts", "1100000", "--max-messages", "1100000"])
    running.start(server)
    server.stop()
    fill_store(os.path.join(server.directory, "data", "mail.db"), count)
    began = time.monotonic()
    server.start_again()
    running.running[server.name] = server
    return server, time.monotonic() - began


def large_state(small, large, rounds, seconds):
    """The same loads on a small and on a large state: {load: [(small, large) of each round]}."""
    with peers.Servers(os.path.join("build", "bench")) as running:
        pair = [filled_server(running, count) for count in (small, large)]
        found = {"sizes": [small, large], "loading": [seconds_taken for _, seconds_taken in pair],
                 "memory": [peers.pss(peers.children(server.process.pid)[0]) for server, _ in pair], "loads": {}}
        for mix, clients, depth in (("count", 1, 1), ("count", 64, 1), ("job", 64, 1), ("count", 16, 64)):
            for server, _ in pair:
                load(server, clients, depth, 64, 0.05, mix)  # the accounts
            rows = [[load(server, clients, depth, 64, seconds, mix)["requests_per_second"] for server, _ in pair]
                    for _ in range(rounds)]
            found["loads"][f"{mix}, {clients} × {depth}"] = rows
    return found
