# SPDX-License-Identifier: ISC
"""Scenarios on the wire: framing, order, pairs, slow clients, addresses, a store that refuses."""
import os
import re
import threading
import time

from harness import Server, scenario, want
from store_scenarios import directory

# ---- Framing and order ----

def play_all_verbs(client):
    cookie = client.register("alice")
    asked = [f"MESSAGE hello, world {cookie}", f"STORE alice {cookie}", f"COUNT alice {cookie}",
             f"GETMSG alice {cookie}", f"DELMSG alice {cookie}", "DUMP", "LOGIN alice wrong", "LOGIN nobody pw",
             "nonsense", "", f"LOGOUT {cookie}", f"COUNT alice {cookie}"]
    want(client.ask(*asked), ["OK", "OK", "COUNTED 1", "hello, world", "OK", "OK", "KO", "KO", "KO", "KO", "OK",
                              "You should log in first."], "replies")
    want(client.ask("LOGIN alice pw")[:3], "OK ", "reply to LOGIN")


@scenario
def endings():
    """LF, CR LF and NUL, each answered alike."""
    for ending in (b"\n", b"\0"):
        with Server() as server, server.client(ending=ending) as client:
            play_all_verbs(client)
    with Server() as server, server.client() as client:
        client.send_bytes(b"REGISTER a b\r\nDUMP\r\n")
        want(re.fullmatch(rb"OK [0-9a-f]{32}\nOK\n", client.finish()) is not None, True, "replies end with LF")


@scenario
def unterminated():
    """Requests without a terminator; what each --framing makes of them."""
    for framing, end in (("auto", b""), ("course", b"\0")):
        with Server("--framing", framing) as server, server.client() as client:
            client.send_bytes(b"REGISTER a b")
            first = client.socket.recv(1024)
            want(first[:3] + first[35:], b"OK " + end, f"first reply with --framing {framing}")
            client.send_bytes(b"MESSAGE hi " + first[3:35])
            want(client.socket.recv(1024), b"OK" + end, "second reply")
            client.send_bytes(b"DUMP\n")
            want(client.socket.recv(1024), b"OK" + end, "reply to a request whose LF is dropped")
            client.send_bytes(b"DU")
            want(client.finish(), b"KO" + end, "what the end of input ends")
    with Server("--framing", "terminated") as server, server.client() as client:
        client.send_bytes(b"REGISTER a b")
        time.sleep(0.3)
        client.send_bytes(b" c\nDUMP")
        want(client.finish(), b"KO\n", "replies with --framing terminated")
        with server.client() as client:
            client.send_bytes(b"DUMP")
            want(client.finish(), b"", "reply to a request that never ends")


@scenario
def one_byte_at_a_time():
    """A connection's first byte alone is no request, and slow bytes of a terminated one do no harm."""
    with Server() as server, server.client() as client:
        client.send_bytes(b"D")
        time.sleep(0.4)
        client.send_bytes(b"UMP\n")
        want(client.reply(), "OK")
        for byte in b"DUMP\nDUMP\n":
            client.send_bytes(bytes([byte]))
            time.sleep(0.005)
        want(client.replies(2), ["OK", "OK"])


@scenario
def pipelines():
    """Thousands of requests at once, some answered by the worker itself, keep their order."""
    with Server() as server, server.client() as client:
        cookie = client.register("alice")
        asked, expected = [], []
        for number in range(3000):
            asked += [f"MESSAGE text {number} {cookie}", f"STORE alice {cookie}", "bogus", f"COUNT alice {cookie}",
                      f"MESSAGE {'x' * 5000} {cookie}", f"GETMSG alice {cookie}", f"DELMSG alice {cookie}", "COUNT a b"]
            expected += ["OK", "OK", "KO", "COUNTED 1", "KO", f"text {number}", "OK", "You should log in first."]
        thread = threading.Thread(target=client.send, args=asked)
        thread.start()
        want(client.replies(len(asked)), expected, "replies")
        thread.join()


@scenario
def pipelined_logins():
    """The reply to a REGISTER comes while those behind it are hashed, not after them all."""
    with Server("--password-cost", "full") as server, server.client() as client:
        server.client().register("warm")
        began = time.monotonic()
        client.send(*[f"REGISTER user{number} pw" for number in range(30)])
        want(client.reply()[:3], "OK ")
        first = time.monotonic() - began
        want({reply[:3] for reply in client.replies(29)}, {"OK "})
        if first > (time.monotonic() - began) / 2:
            raise AssertionError(f"the first reply came after {first:.3f} s, the last {time.monotonic() - began:.3f} s")


@scenario
def long_texts():
    """Texts that overflow a run's requests, and replies that overflow its answers."""
    with Server() as server, server.client() as client:
        cookie = client.register("alice")
        texts = [chr(ord("a") + number % 26) * (4096 - number) for number in range(60)]
        for text in texts:
            want(client.ask(f"MESSAGE {text} {cookie}", f"STORE alice {cookie}"), ["OK", "OK"])
        asked = [verb for _ in texts for verb in (f"GETMSG alice {cookie}", f"DELMSG alice {cookie}")]
        want(client.ask(*asked), [reply for text in texts for reply in (text, "OK")])
        asked = [f"MESSAGE {text} {cookie}" for text in texts] + [f"COUNT alice {cookie}"]
        want(client.ask(*asked), ["OK"] * len(texts) + ["COUNTED 0"])
        cut = f"MESSAGE {'y' * 4096} {cookie}"
        want(client.ask(cut, cut + "z", "x" * 200000, "DUMP"), ["OK", "KO", "KO", "OK"])


@scenario
def half_close():
    """After a half-close every reply still arrives; the tail of a terminated stream never runs."""
    with Server() as server, server.client() as client, server.client() as other:
        cookie = client.register("alice")
        client.send(*[f"COUNT alice {cookie}"] * 2000)
        client.send_bytes(f"MESSAGE never {cookie}".encode())
        want(client.finish(), b"COUNTED 0\n" * 2000, "replies after the half-close")
        want(other.ask(f"STORE alice {cookie}"), "KO", "STORE: the IMQ should be empty")


# ---- Pairs ----

@scenario
def pairs(count=150):
    """8 senders with MESSAGE and STORE in one write: no text ends in a wrong mailbox."""
    failures = []

    def send(server, number):
        try:
            with server.client() as client:
                cookie = client.register(f"user{number}")
                for turn in range(count):
                    depth = 1 + turn % 70
                    pair = [f"MESSAGE {number} {'t' * (turn * 13 % 3000)} {cookie}", f"STORE user{number} {cookie}"]
                    want(client.ask(*pair * depth), ["OK"] * 2 * depth)
                    for _ in range(depth):
                        text, gone = client.ask(f"GETMSG user{number} {cookie}", f"DELMSG user{number} {cookie}")
                        want((text.split(" ")[0], gone), (str(number), "OK"), f"user{number}'s mail")
        except Exception as error:  # a thread's own end would go unseen
            failures.append(f"user{number}: {error}")

    with Server() as server:
        threads = [threading.Thread(target=send, args=(server, number)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    want(failures, [], "failures")


@scenario
def pair_behind_texts(count=400):
    """A pair whose replies find little room behind long texts is not torn either."""
    with Server() as server, server.client() as alice, server.client() as bob:
        one, two = alice.register("alice"), bob.register("bob")
        text = "x" * 4064  # four of them leave room for the MESSAGE's reply, but not for its STORE's
        want(alice.ask(f"MESSAGE {text} {one}", f"STORE alice {one}"), ["OK", "OK"])
        asked = [f"GETMSG alice {one}"] * 4 + [f"MESSAGE hi {one}", f"STORE alice {one}"]
        for number in range(count):
            alice.send(*asked)
            bob.send(*[f"STORE bob {two}"] * 3)
            want((alice.replies(6), bob.replies(3)), ([text] * 4 + ["OK", "OK"], ["KO"] * 3), f"round {number}")


@scenario
def half_behind_long_messages():
    """Half a request behind three long MESSAGEs: each text is the one that was sent."""
    with Server() as server, server.client() as client:
        cookie = client.register("alice")
        texts = [letter * 4096 for letter in "abcdef"]  # the last lands where the third was read
        sent = "".join(f"MESSAGE {text} {cookie}\n" for text in texts).encode()
        for _ in range(20):
            client.send_bytes(sent[:len(sent) * 7 // 12])
            time.sleep(0.003)
            client.send_bytes(sent[len(sent) * 7 // 12:])
            want(client.replies(6), ["OK"] * 6)
            for text in reversed(texts):
                asked = [f"STORE alice {cookie}", f"GETMSG alice {cookie}", f"DELMSG alice {cookie}"]
                want(client.ask(*asked), ["OK", text, "OK"])


@scenario
def room_by_deleting():
    """Text memory that a DELMSG frees serves the MESSAGE behind it in the same write."""
    with Server("--max-text", "4096") as server, server.client() as client:
        cookie = client.register("alice")
        pair = [f"MESSAGE {'x' * 1000} {cookie}", f"STORE alice {cookie}"]
        want(client.ask(*pair * 3), ["OK"] * 6, "three texts of 17 blocks in 64")
        want(client.ask(*pair), ["KO", "KO"], "a fourth")
        for _ in range(20):
            want(client.ask(f"DELMSG alice {cookie}", *pair, f"COUNT alice {cookie}"), ["OK"] * 3 + ["COUNTED 3"])


@scenario
def split_pair():
    """A STORE that is cut in two on its way stays with its MESSAGE."""
    proofs = 0
    with Server() as server, server.client() as alice, server.client() as bob:
        one, two = alice.register("alice"), bob.register("bob")
        for number in range(3000):
            began = time.monotonic()
            alice.send_bytes(f"MESSAGE {number} {one}\nSTORE al".encode())
            bob.send(f"STORE bob {two}")
            time.sleep(0.002)
            alice.send_bytes(f"ice {one}\n".encode())
            in_time = time.monotonic() - began < 0.01  # otherwise this machine was too busy to tell
            found = alice.replies(2), bob.reply()
            if in_time:
                want(found, (["OK", "OK"], "KO"), f"pair {number}")
                proofs += 1
            if proofs == 30:
                break
        want(proofs, 30, "pairs that were sent in time")
        alice.send_bytes(f"MESSAGE late {one}\nSTO".encode())
        want(alice.reply(), "OK", "reply although the rest does not come")


@scenario
def drip_behind_message():
    """Half a request that never ends delays the MESSAGE before it by 20 ms, not for ever."""
    with Server() as server, server.client() as client:
        cookie = client.register("alice")
        client.socket.settimeout(0.001)
        client.send_bytes(f"MESSAGE hello {cookie}\nSTO".encode())
        began, reply = time.monotonic(), b""
        while not reply and time.monotonic() - began < 1:
            client.send_bytes(b"x")
            try:
                reply = client.socket.recv(100)
            except TimeoutError:
                pass
        want(reply, b"OK\n", "reply to the MESSAGE while bytes drip in behind it")


def last_of_unterminated(clients, cookie):
    """Of each connection: a MESSAGE, and a DUMP and the end just when its 20 ms are over."""
    for client in clients:
        client.send_bytes(b"DUMP x")
    for client in clients:
        want(client.socket.recv(10), b"OK", "reply to the first request")
    replies = []
    for number, client in enumerate(clients):
        client.send_bytes(f"MESSAGE x {cookie}".encode())
        moment = time.perf_counter() + 0.0198 + number % 30 * 0.00004
        while time.perf_counter() < moment:
            pass
        client.send_bytes(b"DUMP")
        replies.append(client.finish())
    return replies


@scenario
def unterminated_last(rounds=5):
    """The last request of an unterminated client is answered, although its end comes at once."""
    with Server() as server, server.client() as alice:
        cookie = alice.register("alice")
        for _ in range(rounds):
            clients = [server.client() for _ in range(40)]
            try:
                # MESSAGE and DUMP in one piece are one request: its cookie is unknown then.
                got = set(last_of_unterminated(clients, cookie))
            finally:
                for client in clients:
                    client.socket.close()
            want(got - {b"OKOK", b"You should log in first."}, set(), "replies to MESSAGE and DUMP")


# ---- Addresses, slow clients, and a store that refuses ----

def bytes_under_way(client):
    """What the kernel holds between the server and a client that does not read."""
    mine, theirs = client.socket.getsockname()[1], client.socket.getpeername()[1]
    held = 0
    with open("/proc/net/tcp", encoding="ascii") as table:
        for row in list(table)[1:]:
            columns = row.split()
            ports = tuple(int(columns[place].split(":")[1], 16) for place in (1, 2))
            sent, received = (int(queue, 16) for queue in columns[4].split(":"))
            held += sent if ports == (theirs, mine) else received if ports == (mine, theirs) else 0
    return held


@scenario
def deaf_clients_and_logins():
    """Clients that do not read their replies keep no one from logging in."""
    text = "x" * 4096
    with Server() as server, server.client() as alice:
        cookie = alice.register("alice")
        want(alice.ask(f"MESSAGE {text} {cookie}", f"STORE alice {cookie}"), ["OK", "OK"])

        def deaf_client(texts, *behind):
            client = server.client(receive_buffer=1024)
            client.send(*[f"GETMSG alice {cookie}"] * texts, *behind)
            return client

        deaf = [deaf_client(700)]
        try:
            time.sleep(0.7)
            fit = bytes_under_way(deaf[0]) // (15 * (len(text) + 1)) + 1  # 15 texts are written at once
            for more in (-1, 0, 1, 0, -1, 1, 0, 0):
                deaf.append(deaf_client(15 * (fit + more) + 1, "LOGIN alice wrong"))
            time.sleep(0.7)
            began = time.monotonic()
            alice.register("bob")
            want(time.monotonic() - began < 3, True, "a prompt REGISTER")
        finally:
            for client in deaf:
                client.socket.close()


@scenario
def ipv6():
    with Server(host="::1") as server, server.client() as client:
        want("listening on [::1]:" in server.log, True, server.log)
        client.register("alice")


@scenario
def idle_client():
    """A client that is idle, or reads nothing, does not delay another."""
    with Server() as server, server.client() as idle, server.client(receive_buffer=4096) as deaf, \
            server.client() as other:
        idle.send_bytes(b"DUM")
        cookie = other.register("alice")
        deaf.socket.setblocking(False)
        try:
            while True:
                deaf.socket.send(b"bogus\n" * 1000)
        except BlockingIOError:
            pass
        began = time.monotonic()
        for _ in range(200):
            want(other.ask(f"COUNT alice {cookie}"), "COUNTED 0")
        want(time.monotonic() - began < 5, True, "200 prompt replies")


@scenario
def store_refuses():
    """A batch that cannot be kept is rolled back: KO, no trace, and reads go on."""
    with directory() as data, Server("--data", data, program=os.environ["SMSPD_REFUSING"]) as server, \
            server.client() as client:
        cookie = client.register("alice")
        asked = [f"MESSAGE good {cookie}", f"STORE alice {cookie}", f"MESSAGE refuse {cookie}", f"STORE alice {cookie}",
                 f"COUNT alice {cookie}", "LOGIN alice wrong"]
        want(client.ask(*asked), ["KO"] * 4 + ["COUNTED 0", "KO"], "replies in a refused batch")
        want(client.ask(f"MESSAGE good {cookie}", f"STORE alice {cookie}"), ["OK", "OK"], "the next batch")
        want(client.ask(f"MESSAGE refuse {cookie}", f"GETMSG alice {cookie}", f"DELMSG alice {cookie}"),
             ["KO", "good", "KO"], "reads in a refused batch")
        want(client.ask(f"DELMSG alice {cookie}", f"STORE alice {cookie}"), ["OK", "KO"], "nothing of it is left")
