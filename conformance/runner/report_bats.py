# SPDX-License-Identifier: ISC
"""BATS reports the cases: one test a case, each waiting for the verdict that the runner sends it."""
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile

from . import report_tap
from .verdict import PASS

LOWEST = 50  # for the pipe's number: BATS uses the low ones itself
HEAD = """#!/usr/bin/env bats
# Written by smsp-conformance: one test a case. A test waits for its case's verdict, which comes in the
# order of the tests; why a case failed stands in a file.
verdict() {
    local id how
    IFS=' ' read -r -u "$SMSP_VERDICTS" id how || { echo "the runner is gone"; return 1; }
    [ "$id" = "$1" ] || { echo "the runner tells of $id instead"; return 1; }
    case $how in
    pass) return 0 ;;
    skip*) skip "${how#skip }" ;;
    *) cat "$SMSP_DETAILS/$1"; return 1 ;;
    esac
}
"""


def available():
    return shutil.which("bats") is not None


def quoted(text):
    """For BATS's @test line, which the shell reads."""
    return "'" + text.replace("'", "’") + "'"


class BatsReport:
    """Sends verdicts through a pipe to the BATS process, which prints TAP."""

    def __init__(self, cases, level, again):
        self.cases, self.level, self.again = cases, level, again
        self.folder = tempfile.mkdtemp(prefix="smsp-conformance.")
        self.in_order = report_tap.InOrder(cases, self.send)
        self.process = self.pipe = None

    def begin(self, remarks):
        print(*[f"# {remark}" for remark in remarks], sep="\n", flush=True)
        path = os.path.join(self.folder, "conformance.bats")
        with open(path, "w", encoding="utf-8") as file:
            file.write(HEAD)
            for case in self.cases:
                name = f"{case.id}: {case.title} [{case.level} {' '.join(case.rules)}]"
                file.write(f"\n@test {quoted(name)} {{\n    verdict {case.id}\n}}\n")
        low, self.pipe = os.pipe()
        reader = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, LOWEST)
        environment = dict(os.environ, SMSP_VERDICTS=str(reader), SMSP_DETAILS=self.folder, TMPDIR=self.folder)
        self.process = subprocess.Popen(["bats", "--tap", path], env=environment, stdin=subprocess.DEVNULL,
                                        start_new_session=True, pass_fds=[reader])
        os.close(low)
        os.close(reader)

    def take(self, result):
        self.in_order.take(result)

    def send(self, result, _):
        how = self.how(result)
        if how == "fail":
            with open(os.path.join(self.folder, result.case.id), "w", encoding="utf-8") as file:
                file.write("\n".join(report_tap.details(result, self.again(result))) + "\n")
        os.write(self.pipe, f"{result.case.id} {how}\n".encode())

    def how(self, result):
        if result.decides(self.level):
            return "fail"
        if result.verdict == PASS:
            return "pass"
        return "skip " + report_tap.line(result, 0, self.level).partition("# SKIP ")[2]

    def end(self):
        """Waits for BATS; its exit status."""
        self.hang_up()
        return self.process.wait()

    def hang_up(self):
        if self.pipe is not None:
            os.close(self.pipe)
        self.pipe = None

    def close(self):
        self.hang_up()
        if self.process and self.process.poll() is None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)  # it would tidy up in a folder that goes anyway
            except ProcessLookupError:
                pass
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
