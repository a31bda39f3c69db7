"""What the fuzzing scripts share: building a program, running libFuzzer on it, reading what it says."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGETS = ["parser", "frame", "session", "ops", "reply", "effect", "slot", "limits", "memory"]
if not os.environ.get("NONE") and subprocess.run(["pkg-config", "--exists", "sqlite3"], check=False).returncode == 0:
    TARGETS.append("store")  # the server's loader, which SQLite is for
# The longest inputs: beyond them a run gets slower and finds nothing more. A
# transcript's repeats make long lines of short inputs.
LONGEST = {"parser": 4200, "frame": 512, "session": 1024, "ops": 402, "reply": 600, "effect": 1500, "slot": 4400, "limits": 400,
           "memory": 100, "store": 300, "rig": 64}
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "abort_on_error=0:malloc_context_size=2:symbolize=1:detect_leaks=1:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:symbolize=1",
}


class Failure(Exception):
    """Something that the user can do something about; one line."""


def say(text):
    print(text, flush=True)




def variant(build, tiny):
    return f"fuzz-{build}{'-tiny' if tiny else ''}"


def program(target, build, tiny, root=ROOT):
    return os.path.join(root, "build", variant(build, tiny), "fuzz", target)


def make(build, tiny, targets, root=ROOT):
    """Builds the targets' programs; Failure with the compiler's last lines otherwise."""
    name = variant(build, tiny)
    goals = [f"build/{name}/fuzz/{target}" for target in targets]
    done = subprocess.run(["make", "-s", "--no-print-directory", f"VARIANT={name}", *goals], cwd=root,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          env={**os.environ, "MAKEFLAGS": "", "MAKELEVEL": ""})
    if done.returncode != 0:
        raise Failure(f"{name} does not build: " + " / ".join(done.stdout.strip().splitlines()[-5:]))


def corpora(target, root=ROOT):
    """The folders with inputs for a target that are in the repository."""
    folders = [os.path.join(root, "fuzz", "corpus", target), os.path.join(root, "fuzz", "regressions", target)]
    return [folder for folder in folders if os.path.isdir(folder) and os.listdir(folder)]


class Finding:
    """What ended a fuzzer: the oracle's or sanitizer's name, its words, the input."""

    def __init__(self, output, artifact):
        self.artifact = artifact
        self.oracle, self.words = oracle_of(output)


def oracle_of(output):
    """(which check, what it said) from a program's output."""
    patterns = [(r"ORACLE (\S+): (.*)", None), (r"ERROR: AddressSanitizer: (\S+)(.*)", "ASan"),
                (r"WARNING: MemorySanitizer: (\S+)(.*)", "MSan"), (r"runtime error: (.*)()", "UBSan"),
                (r"ERROR: LeakSanitizer: (.*)()", "LSan"), (r"ERROR: libFuzzer: (timeout|out-of-memory|deadly signal)(.*)", "libFuzzer")]
    for pattern, tool in patterns:
        found = re.search(pattern, output)
        if found and tool:
            return re.sub(r" (to )?0x[0-9a-f]+", "", f"{tool} {found.group(1)}")[:60], found.group(0)
        if found:
            return found.group(1), found.group(2)
    return "exit", output.strip().splitlines()[-1] if output.strip() else "no output"


class LibFuzzer:
    """One run of a libFuzzer program, bounded in time."""

    STATUS = re.compile(r"#(\d+)\s+\w+\s+cov: (\d+) ft: (\d+) corp: (\d+)")

    def __init__(self, path, target, seconds, work, inputs, artifacts, seed=0, extra=()):
        self.seconds, self.work, self.inputs, self.artifacts = seconds, work, inputs, artifacts
        self.runs = self.cov = self.features = self.corpus = 0
        self.cpu = self.elapsed = 0.0
        self.finding = None
        self.command = [path, f"-max_total_time={seconds}", f"-max_len={LONGEST[target]}", "-len_control=100",
                        f"-artifact_prefix={artifacts}/{target}-", "-print_final_stats=1", "-timeout=20",
                        "-rss_limit_mb=2048", "-report_slow_units=60", *extra, work, *inputs]
        if seed:
            self.command.insert(1, f"-seed={seed}")
        if target in ("parser", "frame", "session", "reply"):
            self.command.insert(1, f"-dict={os.path.join(ROOT, 'fuzz', 'dict', 'smsp.dict')}")

    def read(self, line):
        found = self.STATUS.search(line)
        if found:
            self.runs, self.cov, self.features, self.corpus = (int(group) for group in found.groups())
        found = re.search(r"stat::number_of_executed_units:\s*(\d+)", line)
        if found:
            self.runs = int(found.group(1))

    def begin(self):
        """libFuzzer must have an input that reaches something: of nothing, zeros."""
        if not self.inputs and not os.listdir(self.work):
            with open(os.path.join(self.work, "zeros"), "wb") as file:
                file.write(bytes(32))

    def run(self, progress=None, oracles=None):
        """Runs it to its end; progress(self) is called now and then."""
        os.makedirs(self.work, exist_ok=True)
        os.makedirs(self.artifacts, exist_ok=True)
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
        after = os.times()
        self.elapsed = time.monotonic() - began
        self.cpu = after.children_user + after.children_system - before.children_user - before.children_system
        if status != 0:
            output = "".join(said)
            artifact = re.findall(r"Test unit written to (\S+)", output)
            self.finding = Finding(output, artifact[-1] if artifact else None)
            if self.finding.oracle == "exit":
                raise Failure(f"{os.path.basename(self.command[0])} could not be fuzzed: {self.finding.words}")
        return self.finding

    def speed(self):
        return self.runs / max(self.elapsed, 0.01)

    def speed_of_a_core(self):
        """Runs in a second of processor time: what a core of one's own would do."""
        return self.runs / max(self.cpu, 0.01)


class Scratch:
    """A folder of our own for a while."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="smsp-fuzz-")

    def __enter__(self):
        return self.path

    def __exit__(self, *ignored):
        shutil.rmtree(self.path, ignore_errors=True)


def seeds(folder):
    """Makes seeds of the conformance transcripts below folder; where they are."""
    flat = os.path.join(folder, "flat")
    out = os.path.join(folder, "seeds")
    for command in ([os.path.join(ROOT, "conformance", "smsp-conformance"), "--export", flat],
                    [os.path.join(ROOT, "fuzz", "make-seeds"), flat, out]):
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"{os.path.basename(command[0])}: {done.stderr.strip()}")
    return out


def main_of(function):
    """Runs a script's main: Failure is one line and status 1, Ctrl-C is 130."""
    def ended(number, _):
        sys.exit(128 + number)  # what runs below us is ended by those who began it

    signal.signal(signal.SIGTERM, ended)
    try:
        sys.exit(function())
    except Failure as failure:
        print(f"{os.path.basename(sys.argv[0])}: {failure}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
