# SPDX-License-Identifier: ISC
"""Clients that want more than their share, and the innocent client beside them."""
import contextlib
import socket
import subprocess
import time

from harness import Server, age, scenario, want
from process_scenarios import shared_memory

REQUEST = f"COUNT nobody {'0' * 32}"  # of the shape that the keeper answers


def processor_ns(pid):
    """Nanoseconds that a process has run."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as schedstat:
        return int(schedstat.read().split()[0])


def keeper_cost(server, clients, rounds=60):
    """The keeper's processor time for one request, while these clients send one at a time."""
    before = processor_ns(server.keeper)
    for _ in range(rounds):
        for client in clients:
            client.send(REQUEST)
        for client in clients:
            client.reply()
    return (processor_ns(server.keeper) - before) / (rounds * len(clients))


def cost_ratio(server, clients, other, other_clients):
    """The least cost of a request of each, in turn: whatever else the machine does only adds to it."""
    pairs = [(keeper_cost(server, clients), keeper_cost(other, other_clients)) for _ in range(12)]
    return min(cost for cost, _ in pairs) / min(cost for _, cost in pairs)


@contextlib.contextmanager
def connected(server, count):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in range(count)]
        for client in clients:
            client.ask(REQUEST)
        yield clients


@scenario
def cost_follows_the_work(idle=700):
    """Clients that are idle or gone add little to the cost of a request; measured in turn, in one run."""
    with Server("--max-clients", "1000") as few, Server("--max-clients", "1000") as many, \
            connected(few, 8) as few_clients, connected(many, 8) as many_clients:
        with connected(many, idle):
            beside_idle = cost_ratio(many, many_clients, few, few_clients)
        while len(many.workers()) > 8:
            time.sleep(0.05)
        after_burst = cost_ratio(many, many_clients, few, few_clients)
    print(f"# keeper's time a request beside {idle} idle clients: {beside_idle:.2f} times, after they left: {after_burst:.2f}")
    want(beside_idle < 8, True, f"{beside_idle:.2f} times the cost, under 8")
    want(after_burst < 8, True, f"{after_burst:.2f} times the cost, under 8")


@scenario
def hints_cleared():
    """A worker that clears the hints of all others, without end, delays them by a bounded time."""
    with Server() as server, server.client() as evil, server.client() as innocent:
        evil.ask(REQUEST)
        worker = server.workers()[0]
        innocent.ask(REQUEST)
        place = shared_memory(worker)["hints"]
        with open(f"/proc/{worker}/mem", "r+b", buffering=0) as memory:
            for _ in range(20):
                innocent.send(REQUEST)
                for _ in range(50):
                    memory.seek(place)
                    memory.write(bytes(64))
                want(innocent.reply(), "You should log in first.")


@scenario
def message_and_getmsg_behind_long_texts(rounds=60):
    """FRM-11: no request of another client comes between a MESSAGE and the GETMSG behind it, though the replies before
    them leave too little room for the text. bob takes each message from the IMQ and then deletes one of alice's: a
    GETMSG that finds more deleted than bob had deleted when he took her message was executed after him."""
    with Server("--shared-mailboxes") as server, server.client() as alice, server.client() as bob, \
            server.client() as carol:
        cookie, other, third = alice.register("alice"), bob.register("bob"), carol.register("carol")
        carol.ask(f"MESSAGE {'x' * 4096} {third}", f"STORE carol {third}")
        for _ in range(rounds):
            for number in range(30):
                alice.ask(f"MESSAGE {number:04096} {cookie}", f"STORE alice {cookie}")
            alice.send(*[f"GETMSG carol {cookie}"] * 15, f"MESSAGE y {cookie}", f"GETMSG alice {cookie}")
            for _ in range(20):
                bob.send(f"STORE bob {other}", f"DELMSG alice {other}")
            found = int(alice.replies(17)[16])
            taken = bob.replies(40)[::2]
            deleted = taken.index("OK") if "OK" in taken else len(taken)
            want(found <= deleted, True, f"{found} deleted before the GETMSG, {deleted} when bob took the message")
            alice.send(f"STORE bob {cookie}", *[f"DELMSG alice {cookie}"] * 30, f"DELMSG bob {cookie}")
            alice.replies(32)


# ---- Floods beside an innocent client ----

FULL = ("--password-cost", "full")


@contextlib.contextmanager
def flood(server, count, text, address="127.0.0.1"):
    """So many connections that send the text again and again, in a process of their own."""
    program = f"""
import select, socket
clients = []
for _ in range({count}):
    client = socket.create_connection(("127.0.0.1", {server.port}), source_address=({address!r}, 0))
    client.setblocking(False)
    clients.append(client)
poll = select.epoll()
for client in clients:
    poll.register(client, select.EPOLLIN | select.EPOLLOUT)
by_number = {{client.fileno(): client for client in clients}}
print("ready", flush=True)
while True:
    for number, events in poll.poll():
        try:
            if events & select.EPOLLOUT:
                by_number[number].send({text!r})
            if events & select.EPOLLIN and not by_number[number].recv(65536):
                poll.unregister(number)
        except BlockingIOError:
            pass
        except OSError:
            poll.unregister(number)
"""
    process = subprocess.Popen(["/usr/bin/python3", "-c", program], stdout=subprocess.PIPE)
    try:
        want(process.stdout.readline(), b"ready\n")
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def login_ratio(server, clients, text, address="127.0.0.1"):
    """How much longer an innocent LOGIN takes beside a flood than alone."""
    with server.client() as client:
        client.ask("REGISTER taken secret")
        alone = seconds_of_logins(server)
        with flood(server, clients, text, address):
            time.sleep(1)
            beside = seconds_of_logins(server)
    print(f"# LOGIN alone {alone:.3f} s, beside {clients} connections that flood: {beside:.3f} s")
    return beside / alone


def seconds_of_logins(server, count=5):
    """The median of so many LOGINs, each on a new connection."""
    times = []
    for _ in range(count):
        with server.client() as client:
            began = time.monotonic()
            want(client.ask("LOGIN taken secret")[:3], "OK ")
            times.append(time.monotonic() - began)
    return sorted(times)[count // 2]


@scenario
def register_flood(clients=100):
    """Connections that pipeline REGISTER of a taken name do not keep others from logging in."""
    with Server("--max-clients", "1000", *FULL) as server:
        ratio = login_ratio(server, clients, b"REGISTER taken x\n" * 20)
        want(ratio < 40, True, f"{ratio:.1f} times as long, under 40 times")


@scenario
def login_flood(clients=100):
    """Connections that pipeline a wrong LOGIN do not keep others from logging in, from any address."""
    with Server("--max-clients", "1000", *FULL) as server:
        ratio = login_ratio(server, clients, b"LOGIN taken wrong\n" * 20, "127.0.0.2")
        want(ratio < 40, True, f"{ratio:.1f} times as long, under 40 times")


# ---- Workers that are taken over ----

def entry(verb, name, password=b"", cookie=b""):
    """A request as it is in a slot: slot_entry.c."""
    return bytes([verb, len(name), 0, 0]) + cookie + password + name


def hand_over(worker, entries):
    """Writes these entries into a worker's slot and hands it over, as that worker could."""
    slot = shared_memory(worker)
    with open(f"/proc/{worker}/mem", "r+b", buffering=0) as memory:
        memory.seek(slot["slot"] + SLOT_HEAD)
        memory.write(b"".join(entries))
        memory.seek(slot["slot"] + 4)
        memory.write(len(entries).to_bytes(4, "little") + sum(map(len, entries)).to_bytes(4, "little"))
        memory.seek(slot["slot"])
        memory.write((1).to_bytes(4, "little"))
        memory.seek(slot["hints"])
        memory.write(b"\xff" * 8)


SLOT_HEAD = 64  # slot.h
VERBS = {"REGISTER": 0, "LOGIN": 1, "SALT_NEW": 9, "SALT": 10}  # smsp.h


@scenario
def no_login_without_a_permit():
    """A worker that is taken over and sends LOGIN or REGISTER with tokens of its choice is ended; no account appears."""
    token = bytes(32)
    attacks = ([entry(VERBS["LOGIN"], b"alice", token, token)], [entry(VERBS["REGISTER"], b"mallory", token, token)],
               [entry(VERBS["REGISTER"], b"a%d" % n, token, token) for n in range(200)])
    with Server() as server, server.client() as innocent:
        cookie = innocent.register("alice")
        for attack in attacks:
            with server.client() as evil:
                evil.ask(REQUEST)
                worker = max(server.workers(), key=age)
                hand_over(worker, attack)
                want(evil.reply(), None, "a worker that breaks the rules is ended")
            want(innocent.ask(f"COUNT mallory {cookie}", f"COUNT a1 {cookie}", f"COUNT alice {cookie}"),
                 ["KO", "KO", "COUNTED 0"])


@scenario
def places_for_other_addresses():
    """One address that takes every place it can get leaves some for others."""
    with Server("--max-clients", "16") as server, contextlib.ExitStack() as stack:
        def connect(address):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 20, (address, 0)))
            client.sendall(b"COUNT\n")
            return client.recv(100)

        replies = [connect("127.0.0.2") for _ in range(20)]
        want(replies.count(b"KO\n"), 20, "replies")  # to COUNT without words, and to clients over the limit
        want(len(server.workers()), 14, "places that one address gets of 16")
        connect("127.0.0.3")
        connect("127.0.0.4")
        want(len(server.workers()), 16, "workers with two clients of other addresses")
