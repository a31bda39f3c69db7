#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Servers that no suite should stumble over: awkward.py MODE HOST PORT."""
import os
import socket
import sys
import threading
import time

TOTAL = [0]


def silent(client):
    while client.recv(4096):
        pass


def dribble(client):
    """Answers OK to each line, a byte at a time."""
    for _ in client.makefile("rb"):
        for byte in b"OK\n":
            time.sleep(0.02)
            client.sendall(bytes([byte]))


def closing(client):
    """One request a connection."""
    client.makefile("rb").readline()
    client.sendall(b"OK\n")


def third(client):
    """Dies at the third request that it gets in all."""
    for _ in client.makefile("rb"):
        TOTAL[0] += 1
        if TOTAL[0] >= 3:
            os._exit(7)
        client.sendall(b"OK\n")


def garbage(client):
    client.recv(4096)
    client.sendall(os.urandom(300).replace(b"\n", b"?") + b"\n\xff\x00\x1b[2J\n")
    silent(client)


def endless(client):
    client.recv(4096)
    while True:
        client.sendall(b"x" * 65536)


def once(client):
    """Serves one client for good and hangs for all others."""
    TOTAL[0] += 1
    if TOTAL[0] > 1:
        time.sleep(60)
    plain(client)


def twice(client):
    for _ in client.makefile("rb"):
        client.sendall(b"OK\nOK\n")


def plain(client):
    for _ in client.makefile("rb"):
        client.sendall(b"OK\n")


def moody(client):
    """Right once in three times."""
    for line in client.makefile("rb"):
        TOTAL[0] += line.startswith(b"X")
        client.sendall(b"KO\n" if TOTAL[0] % 3 and line.startswith(b"X") else b"OK\n")


def first(client):
    """Wrong the first time only."""
    for line in client.makefile("rb"):
        TOTAL[0] += line.startswith(b"X")
        client.sendall(b"KO\n" if TOTAL[0] == 1 and line.startswith(b"X") else b"OK\n")


def noisy(client):
    """Prints without end on its terminal."""
    for _ in client.makefile("rb"):
        print("\x1b[31m" + "noise" * 20000, flush=True)
        client.sendall(b"OK\n")


def resets(client):
    client.recv(1)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def serve(mode, client):
    try:
        mode(client)
    except OSError:
        pass
    finally:
        client.close()


def main(mode, host, port):
    if mode == "slow":
        time.sleep(5)
    if mode == "stillborn":
        sys.exit("no configuration found")
    if mode == "deaf":
        time.sleep(60)
    listener = socket.create_server((host, int(port)), backlog=64)
    kind = {"slow": plain}.get(mode) or globals()[mode]
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(kind, client), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
