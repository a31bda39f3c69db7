# SPDX-License-Identifier: ISC
"""Library calls that fail one at a time, each place in a program that makes one by itself (fault_calls.c)."""
import concurrent.futures
import errno
import mmap
import os
import re
import struct
import subprocess
import tempfile

from harness import preloadable

HERE = os.path.dirname(os.path.abspath(__file__))
STAND_INS = os.environ.get("FAULT_CALLS_SO", os.path.join(HERE, "..", "..", "build", "release", "fault_calls.so"))
HEAD, SEEN = struct.Struct("=QQQqQQ"), struct.Struct("=QQ")  # as in fault_calls.c
PLACES = 2048
AT_ONCE = 4

SQLITE_BUSY, SQLITE_READONLY, SQLITE_IOERR, SQLITE_NOTFOUND, SQLITE_FULL = 5, 8, 10, 12, 13
SQLITE_NULL, SHM_OPEN, SHM_MAP = 5, 10 | 18 << 8, 10 | 21 << 8
HALF = (0, 0)  # the call is made, with half of its length
NOTHING = (0, errno.ENOMEM)  # a pointer to nothing


def errors(*names):
    return [(-1, getattr(errno, name)) for name in names]


def codes(*numbers):
    return [(number, errno.EIO) for number in numbers]


# What a call gives back when it fails; of those that are not here -1 and EIO.
RESULTS = {
    **dict.fromkeys(("malloc", "calloc", "realpath", "el_init", "history_init", "seccomp_init", "getpwuid", "setlocale",
                     "sqlite3_column_text"), [NOTHING]),
    **dict.fromkeys(("read", "recv"), [*errors("EINTR", "EAGAIN", "EIO"), (0, errno.EIO), HALF]),
    **dict.fromkeys(("write", "send"), [*errors("EINTR", "EAGAIN", "EPIPE"), HALF]),
    "poll": errors("EINTR", "ENOMEM"),
    "waitpid": errors("EINTR", "ECHILD"),
    "getrandom": errors("EINTR", "ENOSYS"),
    "accept4": errors("EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "ECONNABORTED"),
    "bind": errors("EADDRINUSE", "EADDRNOTAVAIL", "EAFNOSUPPORT"),
    "connect": errors("ECONNREFUSED", "EINPROGRESS"),
    "socket": errors("EMFILE", "EAFNOSUPPORT"),
    **dict.fromkeys(("fork", "_Fork"), errors("EAGAIN")),
    **dict.fromkeys(("mmap", "munmap", "mprotect", "madvise"), errors("ENOMEM")),
    "prctl": errors("EPERM"),
    # For Landlock, whose version is among what comes back: it is older, or not there.
    "syscall": [*errors("EPERM"), *((version, errno.EPERM) for version in (1, 3, 5))],
    "getaddrinfo": [(-11, errno.ENOMEM), (-3, errno.EAGAIN)],
    "getnameinfo": [(-4, errno.EIO)],
    "getppid": [(1, errno.EPERM)],
    "getsockopt": errors("ENOTSOCK"),
    "isatty": [(0, errno.ENOTTY)],
    "ferror": [(1, errno.EIO)],
    "fflush": errors("ENOSPC"),
    **{name: codes(SQLITE_IOERR) for name in
       ("sqlite3_bind_blob", "sqlite3_db_config", "sqlite3_exec", "sqlite3_finalize", "sqlite3_open", "sqlite3_open_v2",
        "sqlite3_prepare_v2", "sqlite3_prepare_v3")},
    "sqlite3_step": codes(SQLITE_IOERR, SQLITE_FULL),
    "sqlite3_errcode": codes(SQLITE_BUSY, SQLITE_READONLY, SQLITE_FULL),
    "sqlite3_extended_errcode": codes(SHM_OPEN, SHM_MAP),
    "sqlite3_file_control": codes(SQLITE_NOTFOUND, 0),
    "sqlite3_column_type": codes(SQLITE_NULL),
    "sqlite3_column_bytes": codes(0),
    "sqlite3_changes": codes(0),
    "sqlite3_get_autocommit": codes(0, 1),
    "sqlite3_db_readonly": codes(1),
}
# In one place called for several ends: the second and later calls fail too.
LATER = {"sqlite3_step": 12, "sqlite3_exec": 6, "sqlite3_prepare_v2": 6, "sqlite3_prepare_v3": 3, "setrlimit": 6, "getrlimit": 6, "mmap": 6,
         "malloc": 8, "fork": 2, "socketpair": 2, "getrandom": 3, "madvise": 3, "write": 2, "read": 2, "recv": 2, "send": 2}


def functions():
    with open(os.path.join(HERE, "fault_calls.c"), encoding="utf-8") as source:
        return re.findall(r"F\((\w+)\)", source.read().split("#define FUNCTIONS(F)")[1].split("#define")[0])


class Faults:
    """The control file of one process and its children."""

    def __init__(self):
        if not os.path.exists(STAND_INS):
            raise SystemExit(f"{STAND_INS}: not there; make check-server-faults builds it")
        self.file = tempfile.NamedTemporaryFile(prefix="fault-calls.")
        os.chmod(self.file.name, 0o666)
        self.file.truncate(HEAD.size + PLACES * SEEN.size)
        self.memory = mmap.mmap(self.file.fileno(), 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.memory.close()
        self.file.close()

    def environment(self):
        return {**os.environ, "LD_PRELOAD": preloadable(STAND_INS), "FAULT_CALLS": self.file.name}

    def arm(self, fault):
        self.memory[:HEAD.size] = HEAD.pack(fault.place, fault.skip, 1, *fault.result, 0)

    def calls(self):
        """How often the place that fails was come to."""
        return HEAD.unpack_from(self.memory)[5]

    def seen(self):
        """{place: function} of all calls until now."""
        known = functions()
        found = (SEEN.unpack_from(self.memory, HEAD.size + number * SEEN.size) for number in range(PLACES))
        return {place: known[number - 1] for place, number in found if number}


def where(program, places):
    """{place: "file.c:line"} for those in our sources."""
    wanted = list(places)
    said = subprocess.run(["addr2line", "-e", program, *(hex(place - 1) for place in wanted)], capture_output=True,
                          text=True, check=True).stdout.splitlines()
    lines = (re.fullmatch(r"(?:.*/)?((?:server|client)/(?:[a-z_]+/)*[a-z_]+\.c:\d+)(?: .*)?", line) for line in said)
    return {place: line[1] for place, line in zip(wanted, lines) if line}


class Fault:
    """One call that fails once."""

    def __init__(self, place, line, function, result, skip):
        self.place, self.line, self.function, self.result, self.skip = place, line, function, result, skip

    def __str__(self):
        value, number = self.result
        how = "is cut short" if self.result == HALF else f"gives {value} and {errno.errorcode[number]}"
        return f"{self.line}: {self.function} {how}" + (f", time {self.skip + 1}" if self.skip else "")


def faults_of(program, seen, left_out=()):
    """One Fault for each way in which a call that was seen can fail; left_out are functions, "file.c function", or "file.c function EPIPE"."""
    found = []
    for place, line in sorted(where(program, seen).items(), key=lambda item: item[1]):
        function = seen[place]
        file = os.path.basename(line.split(":")[0])
        if function in left_out or f"{file} {function}" in left_out:
            continue
        for result in RESULTS.get(function, errors("EIO")):
            if f"{file} {function} {'half' if result == HALF else errno.errorcode[result[1]]}" in left_out:
                continue
            found += [Fault(place, line, function, result, skip) for skip in range(LATER.get(function, 1))]
    return found


def try_all(program, live, left_out=()):
    """Plays live(faults) once for each way in which a call of it can fail, and for what only then is called.

    live gives back None, or what was wrong. Gives back (how many faults there were, what was wrong)."""
    def one(fault):
        with Faults() as faults:
            faults.arm(fault)
            trouble = live(faults)
            return faults.calls() > fault.skip, trouble, faults.seen()

    with Faults() as faults:
        trouble = live(faults)
        if trouble:
            raise AssertionError(f"no call has failed, and yet: {trouble}")
        seen = faults.seen()
    tried, happened, wrong = set(), 0, []
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        while True:
            wanted = [fault for fault in faults_of(program, seen, left_out) if fault.place not in tried]
            if not wanted:
                return happened, wrong
            tried |= {fault.place for fault in wanted}
            for fault, (failed, trouble, more) in zip(wanted, pool.map(one, wanted)):
                happened += failed
                seen.update(more)
                if trouble:
                    wrong.append(f"{fault}: {trouble}")
