"""BATS reports the cases: one test a case, each waiting for the verdict that the runner writes down."""
import os
import shutil
import signal
import subprocess
import tempfile

from . import report_tap
from .verdict import PASS

HEAD = """#!/usr/bin/env bats
# Written by smsp-conformance: one test a case. A test waits for its case's verdict.
verdict() {
    local file=$SMSP_VERDICTS/$1 first
    until [ -e "$file" ]; do
        kill -0 "$SMSP_RUNNER" 2>/dev/null || { echo "the runner is gone"; return 1; }
        sleep 0.02
    done
    IFS= read -r first <"$file"
    case $first in
    pass) return 0 ;;
    skip*) skip "${first#skip }" ;;
    *) tail -n +2 "$file"; return 1 ;;
    esac
}
"""


def available():
    return shutil.which("bats") is not None


def quoted(text):
    """For BATS's @test line, which the shell reads."""
    return "'" + text.replace("'", "’") + "'"


class BatsReport:
    """Writes verdicts for the BATS process, which prints TAP."""

    def __init__(self, cases, level, again):
        self.cases, self.level, self.again = cases, level, again
        self.folder = tempfile.mkdtemp(prefix="smsp-conformance.")
        self.verdicts = os.path.join(self.folder, "verdicts")
        os.mkdir(self.verdicts)
        self.process = None

    def begin(self, remarks):
        print(*[f"# {remark}" for remark in remarks], sep="\n", flush=True)
        path = os.path.join(self.folder, "conformance.bats")
        with open(path, "w", encoding="utf-8") as file:
            file.write(HEAD)
            for case in self.cases:
                name = f"{case.id}: {case.title} [{case.level} {' '.join(case.rules)}]"
                file.write(f"\n@test {quoted(name)} {{\n    verdict {case.id}\n}}\n")
        environment = dict(os.environ, SMSP_VERDICTS=self.verdicts, SMSP_RUNNER=str(os.getpid()), TMPDIR=self.folder)
        self.process = subprocess.Popen(["bats", "--tap", path], env=environment, stdin=subprocess.DEVNULL,
                                        start_new_session=True)

    def take(self, result):
        """Writes a verdict, whole or not at all."""
        path = os.path.join(self.verdicts, result.case.id)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write("\n".join(self.lines(result)) + "\n")
        os.rename(path + ".new", path)

    def lines(self, result):
        if result.decides(self.level):
            return ["fail"] + report_tap.details(result, self.again(result))
        if result.verdict == PASS:
            return ["pass"]
        return ["skip " + report_tap.line(result, 0, self.level).partition("# SKIP ")[2]]

    def end(self):
        """Waits for BATS; its exit status."""
        return self.process.wait()

    def close(self):
        if self.process and self.process.poll() is None:
            try:
                os.killpg(self.process.pid, signal.SIGTERM)
                self.process.wait(5)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass
        shutil.rmtree(self.folder, ignore_errors=True)
