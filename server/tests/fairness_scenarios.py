# SPDX-License-Identifier: ISC
"""Clients that want more than their share, and the innocent client beside them."""
import contextlib
import time

from harness import Server, scenario, want
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
