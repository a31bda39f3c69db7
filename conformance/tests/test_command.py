# SPDX-License-Identifier: ISC
"""The command: usage, selection, levels, expected failures, addresses, BATS, export."""
import os
import re
import resource
import subprocess
import threading

from runner import main as command
from runner import report_bats, server
from support import PROFILE, REFERENCE, ROOT, SUITE, Place, awkward, case_text

FAST = (*PROFILE, "--timeout", "0.5")
PLAIN = awkward("plain")
OKS = case_text("a> DUMP\na< OK\n")
FAILS = case_text("a> DUMP\na< KO\n", "two")
CHOICE = case_text("a> DUMP\na< KO\na<| OK\n", "three", "CHOICE", "DMP-3")
SHOULD = case_text("a> DUMP\na< KO\n", "four", "SHOULD", "DMP-5")


class Usage(Place):
    """What is wrong is one line and status 2."""

    def test_usage(self):
        """command: wrong usage is one line and status 2"""
        tried = {
            ("--nonsense",): "unrecognized", ("--timeout", "x"): "--timeout", ("--timeout", "0"): "--timeout",
            ("--address", "nowhere"): "HOST:PORT", ("--delivery", "some"): "want all", ("--level", "may"): "--level",
            ("--server", "x {port}", "--address", "h:1"): "not allowed", ("--merge", "x"): "--html",
            ("--cases", "nonsense-*"): "no case", ("--skip", "nonsense-*"): "no case", ("--jobs", "-1"): "--jobs",
            ("--server", "x"): "needs {port}", ("--server", "x 'y {port}"): "No closing quotation",
            ("--server", ""): "empty", ("--serve", "x"): "did you mean --server?", ("--case", "x"): "did you mean --cases?",
            ("--cases", "count-zeros"): "did you mean count-zero?", ("--json", "/nonexistent/x"): "No such file",
            ("--limits", "/nonexistent", "--server", "x {port}"): "No such file",
            ("--expect-fail", "/nonexistent"): "No such file",
            ("--merge", "/nonexistent", "--html", self.path("x")): "No such file",
        }
        for words, wrong in tried.items():
            with self.subTest(words):
                status, _, err = self.run_command(*words)
                self.assertEqual(status, 2)
                self.assertIn(wrong, err)
                self.assertEqual(err.count("\n"), 1, err)

    def test_make(self):
        """make conformance: a variable that it does not know is told, and nothing is run"""
        for words, wrong in ((["SERVR=x {port}"], "SERVR is no variable of it; known: SERVER ADDRESS"),
                             (["FRAMING=crfl"], "invalid choice: 'crfl'"), (["CASES=nonsense"], "no case"),
                             (["SERVER=/nonexistent/server {host} {port}"], "cannot run /nonexistent/server")):
            done = subprocess.run(["make", "-C", ROOT, "conformance", f"HTML={self.path('x.html')}", *words],
                                  capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                                  env={name: value for name, value in os.environ.items()  # a make above has its own
                                       if name not in ("MAKEFLAGS", "MAKEOVERRIDES", "JOBS")})
            self.assertEqual(done.returncode, 2)
            self.assertIn(wrong, done.stderr)
            self.assertNotIn("ok 1", done.stdout)

    def test_help(self):
        """command: --help names every option, and the program runs by itself"""
        done = subprocess.run([f"{SUITE}/smsp-conformance", "--help"], capture_output=True, text=True, check=True)
        for word in ("--server", "--address", "--framing", "--limits", "--bats", "Exit status"):
            self.assertIn(word, done.stdout)

    def test_list(self):
        """command: --list shows every case, and globs choose by id, group and rule"""
        every = self.run_command("--list")[1].splitlines()
        self.assertGreater(len(every), 150)
        for pattern in ("REG-*", "sto-3", "wire", "dump-f?rm"):
            lines = self.run_command("--list", "--cases", pattern)[1].splitlines()
            self.assertTrue(0 < len(lines) < len(every), pattern)
        both = self.run_command("--list", "--cases", "wire dump")[1].splitlines()
        fewer = self.run_command("--list", "--cases", "wire dump", "--skip", "FRM-7")[1].splitlines()
        self.assertLess(len(fewer), len(both))

    def test_dry_run(self):
        """command: --dry-run says what would not run, and why"""
        status, out, _ = self.run_command("--dry-run", "--address", "127.0.0.1:1", "--framing", "none")
        self.assertEqual(status, 0)
        self.assertRegex(out, r"dump-form .*not run: .*terminal")
        self.assertRegex(out, r"wire-pipelined .*not run: .*terminator")
        self.assertRegex(out, r"register-gives-cookie .*would run")


class Verdicts(Place):
    """What decides the exit status."""

    def play(self, cases, *words):
        return self.run_cases(cases, "--server", PLAIN, *FAST, *words)

    def test_levels(self):
        """command: only the judged levels decide, and CHOICE differs"""
        cases = {"one": OKS, "three": CHOICE, "four": SHOULD}
        for level, status in (("must", 0), ("should", 1), ("choice", 1)):
            got, out, found = self.play(cases, "--level", level)
            self.assertEqual(got, status, level)
            self.assertEqual([found[name]["verdict"] for name in ("one", "three", "four")], ["PASS", "DIFFERS", "FAIL"])
        self.assertEqual(found["three"]["answer"], "OK")
        self.assertIn("the document allows it", found["three"]["message"])

    def test_no_judged_case(self):
        """command: a run in which no case of a judged level ran is status 3"""
        status, out, _ = self.play({"three": CHOICE}, "--level", "should")
        self.assertEqual(status, 3)
        self.assertIn("# SKIP DIFFERS", out)

    def test_failure_is_told(self):
        """command: a failure shows expected, actual, transcript and the command that repeats it"""
        status, out, _ = self.play({"two": FAILS})
        self.assertEqual(status, 1)
        for words in ("not ok 1 - two", "expected: KO", "actual:   OK", "a> DUMP", "a< OK", "again: conformance/",
                      "--cases two", "two.case:9"):
            self.assertIn(words, out)

    def test_failures_at_the_end(self):
        """command: the last lines name the cases that failed, and the report"""
        _, out, _ = self.play({"one": OKS, "two": FAILS}, "--html", self.path("x.html"))
        self.assertRegex(out, r"\n# not passed: two\n# report: \S*x\.html\n# 2 cases, .*: 1 PASS, 1 FAIL\n\Z")

    def test_full_disk(self):
        """command: a report that does not fit on the disk is named, the verdicts are told, the status is 3"""
        for option in ("--json", "--junit", "--html"):
            self.path("cases/group/one.case", OKS)
            status, out, err = self.run_command("--folder", self.path("cases"), "--server", PLAIN, *FAST,
                                                option, "/dev/full")
            self.assertEqual((status, err), (3, "smsp-conformance: /dev/full: No space left on device\n"))
            self.assertIn("1 PASS", out)

    def test_full_terminal(self):
        """command: TAP that does not fit on the disk ends the run with a line and status 3"""
        self.path("cases/group/one.case", OKS)
        run = ["--folder", self.path("cases"), "--server", PLAIN, *FAST]
        for words, unbuffered in ((run, ""), (run, "1"), ([*run, "--bats"], ""), (["--help"], ""), (["--list"], "")):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([f"{SUITE}/smsp-conformance", *words], stdout=full, stderr=subprocess.PIPE, text=True,
                                      env={**os.environ, "PYTHONUNBUFFERED": unbuffered}, check=False)
            self.assertEqual((done.returncode, done.stderr),
                             (3, "smsp-conformance: standard output: No space left on device\n"))

    def start_with(self, prepare, *words, **more):
        """The program's end after `prepare` in its process, with Python's output buffered."""
        self.path("cases/group/one.case", OKS)
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        return subprocess.run([f"{SUITE}/smsp-conformance", "--folder", self.path("cases"), *words], preexec_fn=prepare,
                              stderr=subprocess.PIPE, text=True, check=False, timeout=60, env=kept, **more)

    def test_closed_output(self):
        """command: with standard output closed it says so and ends with status 3, whatever was asked for"""
        for words in (["--server", PLAIN, *FAST], ["--list"], ["--server", PLAIN, *FAST, "--bats"]):
            done = self.start_with(lambda: os.close(1), *words)
            self.assertEqual((done.returncode, done.stderr),
                             (3, "smsp-conformance: standard output is closed: nobody would see the verdicts\n"))

    def test_closed_input(self):
        """command: with standard input and error closed it runs as usual"""
        for closed in ([0], [2], [0, 2]):
            done = self.start_with(lambda closed=closed: [os.close(number) for number in closed], "--server", PLAIN, *FAST,
                                   stdout=subprocess.PIPE)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("MUST 1 of 1, 0 faults", done.stdout)

    def test_small_output(self):
        """command: output that fits into Python's buffer, but not on the disk, is a line and status 3"""
        with open("/dev/full", "wb") as full:
            for words in (["--list"], ["--server", PLAIN, *FAST]):
                done = self.start_with(None, *words, stdout=full)
                self.assertEqual((done.returncode, done.stderr), (3, "smsp-conformance: standard output: No space left on device\n"))

    def test_no_room(self):
        """command: where temporary files cannot be written, nothing is run, and the status is 3"""
        done = self.start_with(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536)), "--server", PLAIN, *FAST,
                               stdout=subprocess.PIPE)
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertRegex(done.stderr, r"\Asmsp-conformance: cannot write temporary files in \S+: File too large; TMPDIR can name "
                                      r"another directory\n\Z")

    def test_again(self):
        """command: the command that repeats a case does repeat it"""
        _, _, found = self.play({"two": FAILS})
        words = found["two"]["again"]
        self.assertIn(PLAIN, words.replace("'", ""))
        done = subprocess.run(f"{words} --folder {self.path('cases')}", shell=True, cwd=os.path.dirname(SUITE),
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("MUST 0 of 1, 1 fault", done.stdout)

    def test_expected_failures(self):
        """command: an expected failure does not fail the run, an unexpected pass does"""
        excuses = self.path("excuses", "# known\ntwo says OK where it should not\n")
        status, out, found = self.play({"one": OKS, "two": FAILS}, "--expect-fail", excuses)
        self.assertEqual((status, found["two"]["verdict"]), (0, "XFAIL"))
        self.assertIn("says OK where it should not", out)
        excuses = self.path("excuses", "one never works\n")
        status, _, found = self.play({"one": OKS}, "--expect-fail", excuses)
        self.assertEqual((status, found["one"]["verdict"]), (1, "XPASS"))

    def test_excuses(self):
        """command: an expected failure needs a case that exists, and a reason"""
        self.path("cases/one.case", OKS)
        for text, wrong in (("five reason\n", "no case"), ("one\n", "lacks the reason")):
            status, _, err = self.run_command("--folder", self.path("cases"), "--expect-fail",
                                              self.path("excuses", text), "--server", PLAIN)
            self.assertEqual(status, 2)
            self.assertIn(wrong, err)

    def test_nothing_ran(self):
        """command: no case run is status 3, not 0"""
        fresh = case_text("a> DUMP\na< OK\n", more="options: mailbox=3")
        status, out, found = self.play({"one": fresh})
        self.assertEqual((status, found["one"]["verdict"]), (3, "NOT RUN"))
        self.assertIn("# SKIP NOT RUN", out)
        status, _, _ = self.run_command("--cases", "wire", "--skip", "wire", "--server", PLAIN)
        self.assertEqual(status, 3)

    def test_no_limit(self):
        """command: a profile that says there is no limit makes the cases at it NOT RUN"""
        profile = self.path("limits", "content = none\n")
        cases = {"one": OKS, "five": case_text("a> {fill:x:content}\na< OK\n", "five")}
        status, _, found = self.play(cases, "--limits", profile)
        self.assertEqual((status, found["five"]["verdict"]), (0, "NOT RUN"))

    def test_runner_fault(self):
        """command: a fault of the runner is an ERROR of the case, not the end of the run"""
        kept = server.trouble
        server.trouble = lambda *_: 1 / 0
        try:
            status, _, found = self.play({"one": OKS})
        finally:
            server.trouble = kept
        self.assertEqual((status, found["one"]["verdict"]), (1, "ERROR"))
        self.assertIn("ZeroDivisionError", found["one"]["message"])


class Elsewhere(Place):
    """Servers that run already, missing tools, other outputs."""

    def test_address(self):
        """command: --address talks to a running server and leaves it running; what needs a start is NOT RUN"""
        running = server.Started(REFERENCE)
        running.start(None)
        self.addCleanup(running.stop)
        cases = {"one": OKS, "two": case_text("a> DUMP\na< OK\nterminal~ x\n", "two")}
        status, out, found = self.run_cases(cases, "--address", "127.0.0.1:%d" % running.address[1])
        self.assertEqual((status, found["one"]["verdict"], found["two"]["verdict"]), (0, "PASS", "NOT RUN"), out)
        self.assertIn("requests end with LF; replies end with LF; one connection carries many requests", out)
        self.assertIsNone(running.death())

    def test_nobody_at_address(self):
        """command: nobody at --address is status 3"""
        status, _, err = self.run_command("--address", "127.0.0.1:%d" % server.free_port())
        self.assertEqual(status, 3)
        self.assertIn("nobody answers", err)

    def test_not_built(self):
        """command: without server/smspd there is a line that says what to do"""
        kept, command.OURS = command.OURS, self.path("nothing")
        try:
            status, _, err = self.run_command()
        finally:
            command.OURS = kept
        self.assertEqual(status, 3)
        self.assertIn("run make", err)

    def test_without_pexpect(self):
        """command: without pexpect the socket cases run, and the status is 3"""
        kept, server.pexpect = server.pexpect, None
        try:
            cases = {"one": OKS, "two": case_text("a> DUMP\na< OK\nterminal~ x\n", "two")}
            status, out, found = self.run_cases(cases, "--server", PLAIN, *FAST)
        finally:
            server.pexpect = kept
        self.assertEqual((status, found["one"]["verdict"], found["two"]["verdict"]), (3, "PASS", "NOT RUN"))
        self.assertIn("incomplete", out)

    def test_bats(self):
        """command: BATS prints one test a case, and its verdicts are ours"""
        cases = {"one": OKS, "two": FAILS, "three": CHOICE}
        for name, text in cases.items():
            self.path(f"cases/{name}.case", text)
        done = subprocess.run([f"{SUITE}/smsp-conformance", "--bats", "--folder", self.path("cases"), "--server", PLAIN,
                               *FAST], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(len(re.findall(r"^(?:not )?ok ", done.stdout, re.MULTILINE)), 3)
        self.assertRegex(done.stdout, r"(?m)^not ok \d two: .*\n(?:#.*\n)*#.*expected: KO")
        self.assertRegex(done.stdout, r"(?m)^ok \d three: .* # skip DIFFERS")

    def test_without_bats(self):
        """command: without BATS the runner reports by itself, and the status is 3"""
        kept, report_bats.available = report_bats.available, lambda: False
        try:
            status, out, _ = self.run_cases({"one": OKS}, "--bats", "--server", PLAIN, *FAST)
        finally:
            report_bats.available = kept
        self.assertEqual(status, 3)
        self.assertIn("ok 1 - one", out)

    def test_export(self):
        """command: --export writes flat cases and says what it leaves out"""
        status, out, _ = self.run_command("--export", self.path("flat"))
        self.assertEqual(status, 0)
        names = os.listdir(self.path("flat"))
        self.assertGreater(len(names), 150)
        self.assertIn("left out", out)
        steps = {"case", "send", "recv", "line", "none", "silence", "end", "option", "dump", "dump-has", "dump-lacks"}
        for name in names:
            with open(os.path.join(self.path("flat"), name), encoding="ascii") as file:
                words = {line.split(" ")[0] for line in file if not name.startswith("LEFT")}
            self.assertLessEqual(words, steps, name)

    def test_pieces(self):
        """delivery: all deliveries reach a server with the same bytes"""
        got, lock = [], threading.Lock()
        listener = server.socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                data = b""
                while chunk := client.recv(4096):
                    data += chunk
                    client.sendall(b"OK\n" * chunk.count(b"\n"))
                with lock:
                    got.append(data)
                client.close()
        threading.Thread(target=serve, daemon=True).start()
        cases = {"one": case_text("a> FIRST\na< OK\na> SECOND\na< OK\na> THIRD\na< OK\n")}
        status, out, found = self.run_cases(cases, "--address", "127.0.0.1:%d" % listener.getsockname()[1],
                                            "--delivery", "all", *FAST)
        self.assertEqual(status, 0, out)
        self.assertEqual([delivery["name"] for delivery in found["one"]["deliveries"]],
                         ["whole", "bytes", "split -1", "split +0", "pipelined", "half-close"])
        played = [data for data in got if data.startswith(b"FIRST")]
        self.assertEqual(played, [b"FIRST\nSECOND\nTHIRD\n"] * 6)
