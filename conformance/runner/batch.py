# SPDX-License-Identifier: ISC
"""A class: one submission in each sub-folder, one run of this program for each, then a matrix and a table.

Each run has a process group, a temporary folder and resource limits of its own. A submission that was tested and has not
changed since is not tested again, so an interrupted batch goes on where it stopped.
"""
import contextlib
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time

from . import grade, report_html, report_json, report_text
from .verdict import ALL

COMMAND_FILE = "smsp-command"  # in a submission: the line that starts it
GRACE = 30  # seconds that a run gets after its time, to end by itself
LIMITS = ((resource.RLIMIT_CPU, 600), (resource.RLIMIT_FSIZE, 256 << 20), (resource.RLIMIT_DATA, 4 << 30),
          (resource.RLIMIT_NOFILE, 1024), (resource.RLIMIT_CORE, 0))
PASSED_ON = ("cases", "skip", "level", "timeout", "start_timeout", "framing", "connection", "weights", "jobs")
MARK = "SMSP_BATCH_RUN"


class BadBatch(Exception):
    """The folder and what is wrong."""


def submissions(folder):
    """The names of the sub-folders. BadBatch."""
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith("."))
    except OSError as error:
        raise BadBatch(f"{folder}: {error.strerror}") from None
    if not names:
        raise BadBatch(f"{folder}: no sub-folder; each submission needs one")
    return names


def command_for(folder, common):
    """The submission's own command, or the one for all, or None."""
    with contextlib.suppress(OSError):
        with open(os.path.join(folder, COMMAND_FILE), encoding="utf-8", errors="replace") as file:
            own = file.readline().strip()
        if own:
            return own
    return common


def state_of(folder, words):
    """A digest of the submission and of how it is tested."""
    digest = hashlib.sha256(json.dumps(words).encode())
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(files):
            with contextlib.suppress(OSError), open(os.path.join(place, name), "rb") as file:
                digest.update(f"\0{os.path.relpath(file.name, folder)}\0".encode("utf-8", "surrogateescape"))
                for part in iter(lambda file=file: file.read(1 << 20), b""):
                    digest.update(part)
    return digest.hexdigest()


def limit():
    """In the child: what a submission may use."""
    for number, most in LIMITS:
        with contextlib.suppress(OSError, ValueError):
            hard = resource.getrlimit(number)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(number, (most, most))


def kill_marked(mark):
    """Ends what a submission left behind in other process groups (Linux)."""
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        with contextlib.suppress(OSError):
            if name.isdigit() and int(name) != os.getpid():
                with open(f"/proc/{name}/environ", "rb") as file:
                    mine = f"{MARK}={mark}".encode() in file.read().split(b"\0")
                if mine:
                    os.kill(int(name), signal.SIGKILL)


def supervise(words, folder, seconds):
    """Runs one submission's test in a copy; (exit status or None if it was too slow, its last line of standard error)."""
    place = tempfile.mkdtemp(prefix="smsp-batch.")
    mark = os.path.basename(place)
    try:
        copy = shutil.copytree(folder, os.path.join(place, "submission"), symlinks=True)
        with open(os.path.join(place, "err"), "w+b") as err:
            child = subprocess.Popen(words, cwd=copy, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err,
                                     start_new_session=True, preexec_fn=limit,
                                     env=dict(os.environ, TMPDIR=place, **{MARK: mark}))
            try:
                status = child.wait(seconds + GRACE)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                end(child, mark)
            err.seek(0)
            lines = err.read().decode("utf-8", "replace").strip().splitlines()
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return status, lines[-1] if lines else ""


def end(child, mark):
    """The run, first politely, and all that it started."""
    if child.poll() is None:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(5)
    with contextlib.suppress(OSError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    kill_marked(mark)


def untested(name, command, why):
    """The document of a server that could not be tested."""
    return {"format": report_json.FORMAT, "format_version": report_json.FORMAT_VERSION,
            "suite": {"version": "", "cases": 0},
            "server": {"name": name, "command": command, "framing": "", "connection": "keep", "limits": {}},
            "run": {"started": report_json.now(), "seconds": 0.0, "level": "must", "deliveries": [], "exit_status": 3},
            "diagnosis": {"lines": [f"Not tested: {why}"], "profile": {}, "seconds": 0.0}, "faults": [],
            "summary": dict.fromkeys(ALL, 0), "cases": []}


class Batch:
    """One class."""

    def __init__(self, folder, out, options, program):
        self.folder, self.out, self.options, self.program = os.path.abspath(folder), os.path.abspath(out), options, program
        self.seconds = options.time or 60.0

    def path(self, name, end):
        return os.path.join(self.out, f"{name}.{end}")

    def words(self, name, command):
        words = [self.program, f"--server={command}", f"--name={name}", f"--time={self.seconds:g}"]
        for option in PASSED_ON:
            value = getattr(self.options, option)
            if value:
                value = os.path.abspath(value) if option == "weights" else value
                words.append(f"--{option.replace('_', '-')}={value}")
        return words

    def test(self, name):
        """(the document of one submission, True if it was tested before)."""
        folder = os.path.join(self.folder, name)
        command = command_for(folder, self.options.server)
        if not command:
            return untested(name, None, f"no command: write it into {name}/{COMMAND_FILE}, or use --server"), False
        words = self.words(name, command)
        state = state_of(folder, words)
        with contextlib.suppress(OSError, report_json.BadReport):
            with open(self.path(name, "state"), encoding="utf-8") as file:
                if file.read() == state:
                    return report_json.read(self.path(name, "json")), True
        document = self.run(name, command, words, folder)
        report_json.write(self.path(name, "json"), document)
        with open(self.path(name, "state"), "w", encoding="utf-8") as file:
            file.write(state)
        return document, False

    def run(self, name, command, words, folder):
        part = self.path(name, "part")
        with contextlib.suppress(FileNotFoundError):
            os.remove(part)
        status, said = supervise([*words, "--json", part], folder, self.seconds)
        try:
            return report_json.read(part)
        except report_json.BadReport:
            why = f"no result after {self.seconds + GRACE:.0f} s" if status is None else said or f"exit status {status}"
            return untested(name, command, why)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.remove(part)

    def whole(self):
        """All submissions, then what is about the class."""
        os.makedirs(self.out, exist_ok=True)
        names, documents = submissions(self.folder), []
        for number, name in enumerate(names, 1):
            began = time.monotonic()
            document, known = self.test(name)
            documents.append(document)
            grade.write(self.path(name, "results.json"), document, self.options.points)
            graded = grade.grade(document, self.options.points)
            first = next((fault["title"] for fault in report_text.faults_of(document, "MUST")), "")
            said = report_text.score(document, "MUST") if document["cases"] else document["diagnosis"]["lines"][0]
            print(f"{number} of {len(names)} {name}: {graded['score']:g} points, {said}" + (f": {first}" if first else "") +
                  (" (tested before)" if known else f" ({time.monotonic() - began:.0f} s)"), flush=True)
        with open(os.path.join(self.out, "grades.csv"), "w", encoding="utf-8", newline="") as file:
            file.write(grade.csv_text(grade.rows(documents, self.options.points)))
        report_html.write(os.path.join(self.out, "index.html"), documents, self.out)
        print(f"# {self.out}/index.html, {self.out}/grades.csv")
        return 3 if any(not document["cases"] for document in documents) else 0
