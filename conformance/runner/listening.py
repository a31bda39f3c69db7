# SPDX-License-Identifier: ISC
"""Where a program listens, read from /proc on Linux: nobody has to connect to see that it is ready."""
import os
import re
import socket

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
LISTEN = "0A"


def available():
    return os.path.exists(TABLES[0])


def listeners():
    """{inode: (host to connect to, port)} of every listening TCP socket of this machine."""
    found = {}
    for table in TABLES:
        try:
            with open(table, encoding="ascii") as file:
                lines = file.read().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            words = line.split()
            if words[3] == LISTEN:
                host, _, port = words[1].partition(":")
                found[words[9]] = (reachable(host), int(port, 16))
    return found


def reachable(digits):
    """An address to connect to, from the kernel's digits of the address that a socket is bound to."""
    groups = [bytes.fromhex(digits[at:at + 8])[::-1] for at in range(0, len(digits), 8)]
    raw = b"".join(groups)
    if not any(raw):
        return "127.0.0.1"
    if len(raw) == 16 and raw.startswith(bytes(10) + b"\xff\xff"):
        raw = raw[12:]
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)


def host_of_port(port):
    """Where to connect to if anybody listens on this port, or None."""
    return next((host for host, at in listeners().values() if at == port), None)


def of_session(session):
    """[(host, port)] on which the processes of a session listen: the program and all that it started."""
    known, found = listeners(), []
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as file:
                if int(file.read().rpartition(")")[2].split()[3]) != session:
                    continue
            links = [os.readlink(f"/proc/{process}/fd/{number}") for number in os.listdir(f"/proc/{process}/fd")]
        except OSError:
            continue
        inodes = [match.group(1) for match in map(re.compile(r"socket:\[(\d+)\]").match, links) if match]
        found += [known[inode] for inode in inodes if inode in known]
    return sorted(set(found))
