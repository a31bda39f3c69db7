#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A server with one fault, for the tests of smsp-load: faulty_server.py FAULT

It prints its port on standard output. Faults: none; text (GETMSG gives another
message), ko (KO to STORE), extra (one reply too many), close (the connection ends
in the middle), count (COUNT finds nothing), stall (a pause of 300 ms after the 50th
request), slow (10 ms a request), mute (nothing is answered from the 20th request on), deny
(KO to REGISTER and LOGIN), cookie (it is too long), again (KO to LOGIN from the 20th
request on), pieces (each reply in two), nobody (KO to COUNT), or one of WRONG.
"""
import selectors
import socket
import sys
import time

COOKIE = b"0123456789abcdef0123456789abcdef"
fault = sys.argv[1]
WRONG = {  # texts are cccc-nnnnnnnn-xxx: the client, the number, filling
    "text": lambda text: text[:-1] + b"y",
    "number": lambda text: text[:6] + b"G" + text[7:],
    "sender": lambda text: b"g" + text[1:],
    "stranger": lambda text: b"00ff" + text[4:],
    "dash": lambda text: text[:4] + b"/" + text[5:],
    "second": lambda text: text[:13] + b"/" + text[14:],
    "filling": lambda text: text[:-1] + b"z",
    "short": lambda text: text[:-1],
    "high": lambda text: b"\x7f" + text[1:],
    "low": lambda text: b"/" + text[1:],
}
mailbox = []
queue = []
served = 0


def answer(line):
    """The reply to one request, right but for the fault."""
    verb = line.split(b" ", 1)[0]
    if verb in (b"REGISTER", b"LOGIN"):
        if fault == "deny" or (fault == "again" and served >= 20):
            return b"KO"
        return b"OK " + COOKIE * (20 if fault == "cookie" else 1)
    if verb == b"MESSAGE":
        queue.append(line[8:line.rindex(b" ")])
    elif verb == b"STORE":
        mailbox.append(queue.pop())
        return b"KO" if fault == "ko" else b"OK"
    elif verb == b"COUNT":
        if fault == "nobody":
            return b"KO"
        return b"COUNTED 0" if fault == "count" else b"COUNTED %d" % len(mailbox)
    elif verb == b"GETMSG":
        return WRONG[fault](mailbox[0]) if fault in WRONG else mailbox[0]
    elif verb == b"DELMSG":
        mailbox.pop(0)
    return b"OK"


def reply(client, line):
    global served
    served += 1
    if fault == "stall" and served == 50:
        time.sleep(0.3)
    if fault == "slow" and served > 1:
        time.sleep(0.01)
    if fault == "close" and served == 20:
        client.shutdown(socket.SHUT_RDWR)
        return
    if fault == "mute" and served >= 20:
        return
    said = answer(line) + b"\n"
    client.sendall(said[:-1] if fault == "pieces" else said)
    if fault == "pieces":
        time.sleep(0.002)
        client.sendall(b"\n")
    if fault == "extra" and served == 20:
        client.sendall(b"OK\n")


def read(client, held):
    """Answers the whole lines; gives back what is left, or None at the end."""
    try:
        got = client.recv(65536)
    except ConnectionError:
        got = b""
    if not got:
        return None
    *lines, rest = (held + got).split(b"\n")
    for line in lines:
        reply(client, line)
    return rest


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
selector = selectors.DefaultSelector()
selector.register(listener, selectors.EVENT_READ, None)
ends = time.monotonic() + 20
while time.monotonic() < ends:
    for key, _ in selector.select(1):
        if key.fileobj is listener:
            selector.register(listener.accept()[0], selectors.EVENT_READ, b"")
            continue
        try:
            left = read(key.fileobj, key.data)
        except OSError:
            left = None
        if left is None:
            selector.unregister(key.fileobj)
            key.fileobj.close()
        else:
            selector.modify(key.fileobj, selectors.EVENT_READ, left)
