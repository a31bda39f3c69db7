# SPDX-License-Identifier: ISC
"""Shared by the fuzzing scripts: builds programs, runs libFuzzer and AFL++, and reads their output."""
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.append(os.path.join(ROOT, "ci"))
from ending import end  # noqa: E402  (the path comes first)

TARGETS = ["parser", "frame", "session", "ops", "reply", "effect", "slot", "limits", "memory"]
if not os.environ.get("NONE") and subprocess.run(["pkg-config", "--exists", "sqlite3"], check=False).returncode == 0:
    TARGETS.append("store")  # needs SQLite
# The maximum length of inputs. Longer ones are slower and find nothing more: a
# transcript's repeats and cookies make long lines from short inputs.
LONGEST = {"parser": 4200, "frame": 512, "session": 320, "ops": 302, "reply": 600, "effect": 1500, "slot": 4400, "limits": 400,
           "memory": 100, "store": 300, "selftest": 64}
# The targets that use the dictionary fuzz/dict.
WORDY = ["parser", "frame", "session", "reply"]
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "abort_on_error=0:malloc_context_size=2:symbolize=1:detect_leaks=1:allocator_may_return_null=1:"
                    "quarantine_size_mb=1:thread_local_quarantine_size_kb=16",  # every run copies and frees its input
    "UBSAN_OPTIONS": "print_stacktrace=1:symbolize=1",
}


class Failure(Exception):
    """An error for the user, in one line."""


def say(text):
    print(text, flush=True)


def variant(build, tiny):
    return f"fuzz-{build}{'-tiny' if tiny else ''}"


def program(target, build, tiny, root=ROOT):
    return os.path.join(root, "build", variant(build, tiny), "fuzz", target)


def make(build, tiny, targets, root=ROOT):
    """Builds the targets' programs and unpacks their corpora; Failure with the compiler's last lines otherwise. In a
    copy with what was built here, only what differs."""
    name = variant(build, tiny)
    goals = [f"build/{name}/fuzz/{target}" for target in targets]
    if root == ROOT:
        goals += [f"build/corpus/{target}.ok" for target in targets if target in TARGETS]
    done = subprocess.run(["make", "-s", "--no-print-directory", f"VARIANT={name}", *goals], cwd=root,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          env={**os.environ, "MAKEFLAGS": "", "MAKELEVEL": ""})
    if done.returncode != 0:
        raise Failure(f"{name} did not build: " + " / ".join(done.stdout.strip().splitlines()[-5:]))


def inputs_of(target):
    """The folders with the inputs of the repository for a target; make() has unpacked its corpus."""
    folders = [os.path.join(ROOT, "build", "corpus", target), os.path.join(ROOT, "fuzz", "regressions", target)]
    return [folder for folder in folders if os.path.isdir(folder) and os.listdir(folder)]


class Finding:
    """Why a fuzzer ended: the oracle or sanitizer, its message, and the input."""

    def __init__(self, output, artifact):
        self.artifact = artifact
        self.oracle, self.words = oracle_of(output)


def oracle_of(output):
    """(oracle or sanitizer, message) from a program's output."""
    patterns = [(r"ORACLE (\S+): (.*)", None), (r"ERROR: AddressSanitizer: (\S+)(.*)", "ASan"),
                (r"WARNING: MemorySanitizer: (\S+)(.*)", "MSan"), (r"runtime error: (.*)()", "UBSan"),
                (r"ERROR: LeakSanitizer: (.*)()", "LSan"), (r"ERROR: libFuzzer: (timeout|out-of-memory|deadly signal)(.*)", "libFuzzer")]
    matches = [(found.start(), tool, found) for pattern, tool in patterns if (found := re.search(pattern, output))]
    if matches:
        # The first report counts: printing a sanitizer's stack may trip the oracle that forbids allocations.
        _, tool, found = min(matches, key=lambda match: match[0])
        if tool:
            return re.sub(r" (to )?0x[0-9a-f]+", "", f"{tool} {found.group(1)}")[:60], found.group(0)
        return found.group(1), found.group(2)
    return "exit", output.strip().splitlines()[-1] if output.strip() else "no output"


def seconds_since(before):
    """The CPU seconds of children that ended since before, a result of os.times()."""
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


class Progress:
    """Prints a line of progress every few seconds; on a terminal it is overwritten in place."""

    EVERY = 5

    def __init__(self, label, words):
        self.label, self.words, self.next = label, words, 0.0
        self.tty = sys.stdout.isatty()

    def __call__(self, run):
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + (1 if self.tty else self.EVERY)
        line = f"{self.label:14} {run.elapsed:5.0f} s  {self.words()}"
        print(f"\r{line}" if self.tty else line, end="" if self.tty else "\n", flush=True)

    def end(self):
        if self.tty:
            print("\r" + " " * 78 + "\r", end="", flush=True)


class LibFuzzer:
    """One run of a libFuzzer program, bounded in time. Without a work folder it keeps no inputs."""

    STATUS = re.compile(r"#(\d+)\s+\w+\s+cov: (\d+) ft: (\d+) corp: (\d+)")

    def __init__(self, path, target, seconds, work, inputs, artifacts, seed=0):
        self.seconds, self.work, self.inputs, self.artifacts = seconds, work, inputs, artifacts
        self.runs = self.cov = self.features = self.corpus = 0
        self.cpu = self.elapsed = 0.0
        self.finding = None
        self.command = [path, f"-max_total_time={seconds}", f"-max_len={LONGEST[target]}", "-len_control=100",
                        f"-artifact_prefix={artifacts}/{target}-", "-print_final_stats=1", "-timeout=20",
                        "-rss_limit_mb=2048", "-report_slow_units=60", "-print_funcs=0"]
        self.command += [work, *inputs] if work else [f"-seed_inputs=@{artifacts}/inputs"]
        if seed:
            self.command.insert(1, f"-seed={seed}")
        if target in WORDY:
            self.command.insert(1, f"-dict={os.path.join(ROOT, 'fuzz', 'dict', 'smsp.dict')}")

    def read(self, line):
        found = self.STATUS.search(line)
        if found:
            self.runs, self.cov, self.features, self.corpus = (int(group) for group in found.groups())
        found = re.search(r"stat::number_of_executed_units:\s*(\d+)", line)
        if found:
            self.runs = int(found.group(1))

    def begin(self):
        """libFuzzer needs an input to start from: if there is none, one of zeros."""
        os.makedirs(self.artifacts, exist_ok=True)
        if not self.work:
            with open(os.path.join(self.artifacts, "inputs"), "w", encoding="utf-8") as file:
                file.write(",".join(os.path.join(folder, name) for folder in self.inputs for name in os.listdir(folder)))
            return
        os.makedirs(self.work, exist_ok=True)
        if not self.inputs and not os.listdir(self.work):
            path = os.path.join(self.work, "zeros")
            try:
                with open(path, "wb") as file:
                    file.write(bytes(32))
            except OSError as error:
                raise Failure(f"{path}: {error.strerror}") from error

    def run(self, progress=None, oracles=None):
        """Runs it to its end, and calls progress(self) for each line of output."""
        self.begin()
        environment = {**os.environ, **SANITIZER_OPTIONS}
        if oracles:
            environment["FUZZ_ORACLES"] = oracles
        began, before, said = time.monotonic(), os.times(), []
        process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                   errors="replace", env=environment, start_new_session=True)
        try:
            for line in process.stderr:
                self.read(line)
                said = (said + [line])[-300:]
                self.elapsed = time.monotonic() - began
                if progress:
                    progress(self)
            status = process.wait(timeout=self.seconds + 120)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            self.elapsed = time.monotonic() - began
            self.cpu = seconds_since(before)
        if status != 0:
            output = "".join(said)
            artifact = re.findall(r"Test unit written to (\S+)", output)
            self.finding = Finding(output, artifact[-1] if artifact else None)
            if self.finding.oracle == "exit":
                raise Failure(f"{os.path.basename(self.command[0])} ended with status {status}: {self.finding.words}")
        return self.finding

    def speed(self):
        return self.runs / max(self.elapsed, 0.01)

    def speed_of_a_core(self):
        """Runs per CPU second, which hardly depends on the load of the machine."""
        return self.runs / max(self.cpu, 0.01)


def adopt_orphans():
    """Become the parent of orphaned descendants, to count their CPU time and to end them."""
    subreaper = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
    ctypes.CDLL(None).prctl(subreaper, 1, 0, 0, 0)


def await_orphans():
    """Waits until all children have ended. afl-fuzz may leave a program stopped between two runs, which
    does not react to SIGTERM: after a second it is killed."""
    patience = time.monotonic() + 1
    try:
        while True:
            if os.waitpid(-1, os.WNOHANG)[0] != 0:
                continue
            if time.monotonic() > patience:
                with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as children:
                    for child in children.read().split():
                        os.kill(int(child), signal.SIGKILL)
            time.sleep(0.02)
    except ChildProcessError:
        return


class AflFuzz:
    """One run of afl-fuzz as a secondary instance (-S), bounded in time."""

    MUTATORS = {"session": "session", "frame": "session", "ops": "ops"}
    ENVIRONMENT = {
        "AFL_NO_UI": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_NO_AFFINITY": "1", "AFL_FAST_CAL": "1",
        "AFL_CMPLOG_ONLY_NEW": "1", "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1", "AFL_BENCH_UNTIL_CRASH": "1",
    }
    STATUS = re.compile(r"\((\d+) total, (\d+) crashes saved")

    def __init__(self, target, build, tiny, seconds, out, name="one", root=ROOT):
        self.target, self.build, self.tiny, self.seconds, self.root = target, build, tiny, seconds, root
        self.out, self.name, self.instance = out, name, os.path.join(out, name)
        self.corpus = self.crashes = 0
        self.cpu = self.elapsed = 0.0
        self.stats = {}

    def mutator(self):
        if self.target not in self.MUTATORS:
            return {}
        path = f"build/{variant('afl', self.tiny)}/fuzz/mutator-{self.MUTATORS[self.target]}.so"
        done = subprocess.run(["make", "-s", f"VARIANT={variant('afl', self.tiny)}", path], cwd=self.root, check=False,
                              env={**os.environ, "MAKEFLAGS": "", "MAKELEVEL": ""})
        if done.returncode != 0:
            raise Failure(f"{path} did not build")
        return {"AFL_CUSTOM_MUTATOR_LIBRARY": os.path.join(self.root, path)}

    def gather(self, folder):
        """Copies all inputs of the repository to one folder for afl-fuzz."""
        count = 0
        for source in inputs_of(self.target):
            for name in os.listdir(source):
                if os.path.getsize(os.path.join(source, name)) > 0:
                    shutil.copy(os.path.join(source, name), os.path.join(folder, f"{count:05}"))
                    count += 1
        if count == 0:
            with open(os.path.join(folder, "one"), "wb") as file:
                file.write(b"\0\0REGISTER a p\n")

    def command(self, inputs):
        command = ["afl-fuzz", "-S", self.name, "-i", "-" if os.path.isdir(self.instance) else inputs, "-o", self.out,
                   "-V", str(self.seconds), "-G", str(LONGEST[self.target]), "-t", "2000", "-m", "none",
                   "-c", program(self.target, "afl-cmplog", self.tiny, self.root)]
        if self.target in WORDY:
            command += ["-x", os.path.join(ROOT, "fuzz", "dict", "smsp.dict")]
        return [*command, "--", program(self.target, self.build, self.tiny, self.root)]

    def run(self, progress=None, oracles="all"):
        """Runs it to its end, and calls progress(self) for each line of output."""
        os.makedirs(self.out, exist_ok=True)
        adopt_orphans()
        environment = {**os.environ, **self.ENVIRONMENT, **self.mutator(), "FUZZ_ORACLES": oracles}
        began, before, said = time.monotonic(), os.times(), []
        with Scratch() as inputs:
            self.gather(inputs)
            process = subprocess.Popen(self.command(inputs), env=environment, text=True, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, errors="replace", start_new_session=True)
            try:
                for line in process.stdout:
                    self.read(line)
                    said = (said + [line])[-6:]
                    self.elapsed = time.monotonic() - began
                    if progress:
                        progress(self)
                process.wait()
            finally:
                if process.poll() is None:
                    self.end(process)
                await_orphans()
                self.cpu = seconds_since(before)
                self.elapsed = time.monotonic() - began
                self.stats = self.statistics()
        if not self.stats:
            raise Failure("afl-fuzz did not start: " + " / ".join("".join(said).strip().splitlines()[-6:]))

    def end(self, process):
        """Interrupts afl-fuzz as Ctrl-C does, so that it still writes its statistics."""
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def read(self, line):
        found = self.STATUS.search(line)
        if found:
            self.corpus, self.crashes = (int(group) for group in found.groups())

    def statistics(self):
        path = os.path.join(self.instance, "fuzzer_stats")
        if not os.path.exists(path):
            return {}
        with open(path, encoding="utf-8") as file:
            return dict((part.strip() for part in line.split(":", 1)) for line in file if ":" in line)

    def findings(self):
        """The inputs that ended the program or took too long."""
        return [os.path.join(folder, name) for folder in (os.path.join(self.instance, "crashes"),
                                                          os.path.join(self.instance, "hangs"))
                if os.path.isdir(folder) for name in sorted(os.listdir(folder)) if name.startswith("id:")]

    def speed_of_a_core(self):
        return int(self.stats["execs_done"]) / max(self.cpu, 0.01)


class Scratch:
    """A temporary folder."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="smsp-fuzz-")

    def __enter__(self):
        return self.path

    def __exit__(self, *ignored):
        shutil.rmtree(self.path, ignore_errors=True)


def seeds(folder):
    """Makes seeds from the conformance transcripts below folder; returns their folder."""
    flat = os.path.join(folder, "flat")
    out = os.path.join(folder, "seeds")
    for command in ([os.path.join(ROOT, "conformance", "smsp-conformance"), "--export", flat],
                    [os.path.join(ROOT, "fuzz", "make-seeds"), flat, out]):
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"{os.path.basename(command[0])}: {done.stderr.strip()}")
    return out


def main_of(function):
    """Runs a script's main. Failure and errors of files are printed in one line with status 1; Ctrl-C gives 130."""
    def ended(number, _):
        sys.exit(128 + number)  # "finally" blocks end the fuzzers

    def guarded():
        try:
            return function()
        except Failure as failure:
            return f"{os.path.basename(sys.argv[0])}: {failure}"
        except OSError as error:
            if error.filename is None:
                raise
            return f"{os.path.basename(sys.argv[0])}: {error.filename}: {error.strerror}"
        except KeyboardInterrupt:
            return 130

    signal.signal(signal.SIGTERM, ended)
    end(guarded)
