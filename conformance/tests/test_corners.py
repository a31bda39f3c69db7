# SPDX-License-Identifier: ISC
"""What seldom happens: connections that fail, plays that cannot be, ends that come early."""
import os
import select
import socket
import threading
import time

from runner import main as command
from runner import report_bats, server
from runner.delivery import Delivery, bytewise, impossible
from runner.limits import Limits
from runner.player import Settings
from runner.suite import style_refusal
from runner.template import Template
from runner.transcript import Reader
from runner.values import Values
from runner.verdict import FAIL, PASS, Result
from runner.wire import Closed, Connection, Silence
from support import PROFILE, Place, awkward, case_text

STYLE = (*PROFILE, "--timeout", "0.4", "--jobs", "1")


class Wire(Place):
    """One connection, against a peer that this test plays itself."""

    def pair(self, framing="lf", timeout=0.3):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.addCleanup(listener.close)
        connection = Connection(listener.getsockname(), framing, timeout)
        self.addCleanup(connection.close)
        peer, _ = listener.accept()
        self.addCleanup(peer.close)
        return connection, peer

    def test_refused(self):
        """wire: where nobody listens there is no connection, and no descriptor is lost"""
        before = len(os.listdir("/proc/self/fd"))
        self.assertRaises(OSError, Connection, ("127.0.0.1", server.free_port()), "lf", 0.3)
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    def test_peer_that_takes_nothing(self):
        """wire: a peer that reads nothing is given up after the time-out"""
        connection, _ = self.pair()
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        began = time.monotonic()
        self.assertRaises(Silence, connection.send, b"x" * 500_000)
        self.assertLess(time.monotonic() - began, 20)

    def test_peer_that_has_gone(self):
        """wire: after the peer's end there is no reply, and sending says so"""
        connection, peer = self.pair()
        peer.close()
        self.assertRaises(Closed, connection.reply)
        self.assertRaises(Closed, connection.reply)
        connection.half_close()
        self.assertRaises(Closed, lambda: [connection.send(b"x" * 100_000) for _ in range(100)])

    def test_unterminated(self):
        """wire: a reply without end is over after a silence; one of several ends is dropped"""
        connection, peer = self.pair("none")
        self.assertRaises(Silence, connection.reply)
        for sent, reply in ((b"OK", b"OK"), (b"OK\r\n", b"OK"), (b"OK\n", b"OK"), (b"OK\0", b"OK"), (b"OK\n\n", b"OK\n")):
            peer.sendall(sent)
            self.assertEqual(connection.reply(), reply)
        peer.sendall(b"BYE")
        peer.close()
        self.assertEqual(connection.reply(), b"BYE")
        self.assertRaises(Closed, connection.reply)

    def test_exactly(self):
        """wire: bytes that do not come in time are silence, and those that came are told"""
        connection, peer = self.pair()
        peer.sendall(b"abc")
        self.assertEqual(connection.exactly(2), b"ab")
        with self.assertRaises(Silence) as caught:
            connection.exactly(2)
        self.assertEqual(caught.exception.data, b"c")
        self.assertTrue(select.select([connection.socket], [], [], 0)[0] == [])


class Deliveries(Place):
    """What cannot be, and how bytes are cut."""

    def test_impossible(self):
        """delivery: what a style or a case makes impossible has its reason"""
        steps = "a> X\na< OK\n"
        plain = Reader("x", case_text(steps)).read()
        tried = ((plain, "bytes", "none", "keep", "one piece"), (plain, "pipelined", "lf", "each", "one request"),
                 (Reader("x", case_text(steps, more="deliveries: whole")).read(), "bytes", "lf", "keep", "its own delivery"),
                 (Reader("x", case_text(steps, more="framing: a=none")).read(), "split", "lf", "keep", "without terminators"),
                 (Reader("x", case_text("smsp$ x\nexit< 0\n", more="kind: client")).read(), "bytes", "lf", "keep", "likes"))
        for case, name, framing, connection, why in tried:
            self.assertIn(why, impossible(name, framing, connection, case))
        self.assertIsNone(impossible("bytes", "lf", "keep", plain))
        keeps = Reader("x", case_text("a: connect\na< {nothing}\n")).read()
        self.assertIn("several requests", style_refusal(keeps, Settings("lf", "each")))
        self.assertIn("terminator", style_refusal(Reader("x", case_text("a>\na< KO\n")).read(), Settings("none", "keep")))

    def test_bytewise(self):
        """delivery: the middle of a long request goes in pieces of 61, its ends byte by byte, and nothing is lost"""
        data = bytes(number % 251 for number in range(5000))
        pieces = bytewise(data)
        self.assertEqual(b"".join(pieces), data)
        self.assertEqual({len(piece) for piece in pieces[:150] + pieces[-150:]}, {1})
        self.assertEqual(max(map(len, pieces)), 61)
        self.assertEqual(Delivery("split", 5).pieces(b"ab\n", 1), [b"ab\n"])

    def test_hex(self):
        """template: {hex:N} is so many digits"""
        values = Values(Limits())
        for reply, good in ((b"OK 0aF", False), (b"OK 0af", True), (b"OK 0afe", False)):
            self.assertEqual(Template("OK {hex:3}").match(reply, values), good)

    def test_pipelined(self):
        """delivery: a pipelined piece ends before a request that needs a cookie which is not there yet, or a check"""
        got, done = [], threading.Event()
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve():
            while not done.is_set():
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                while data := client.recv(4096):
                    got.append(data)
                    client.sendall(b"".join(b"OK c\n" if line.startswith(b"R") else b"OK\n" for line in data.splitlines()))
                client.close()
        threading.Thread(target=serve, daemon=True).start()
        steps = "a> R\na< OK {cookie:a}\na> X {cookie:a}\na< OK\na> Y\na< {anything}\na> Z\na< OK\na< {nothing:0.05}\na> W\na< OK\n"
        _, out, found = self.run_cases({"one": case_text(steps)}, "--address", "127.0.0.1:%d" % listener.getsockname()[1],
                                       "--delivery", "pipelined", *STYLE)
        done.set()
        self.assertEqual(found["one"]["verdict"], "PASS", out)
        self.assertEqual(got[:3], [b"R\n", b"X c\nY\nZ\n", b"W\n"])


class Servers(Place):
    """Servers that go while they are looked at."""

    def test_terminal_keeps_the_end(self):
        """terminal: of endless output the end is kept, and places in it stay right"""
        reader, writer = os.pipe()
        terminal = server.Terminal(reader)
        self.addCleanup(os.close, reader)
        os.write(writer, b"early\n")
        terminal.wait(0, lambda text: "early" in text, 5)
        for _ in range(5 * server.KEPT // 65536):
            os.write(writer, b"x" * 65536)
        mark = 6 + 5 * server.KEPT // 65536 * 65536
        os.write(writer, b"late\n")
        os.close(writer)
        terminal.thread.join(30)
        self.assertEqual(terminal.mark(), mark + 5)
        self.assertEqual(terminal.since(mark), "late\n")
        self.assertNotIn("early", terminal.since(0))
        self.assertEqual(server.NoTerminal().mark(), 0)

    def test_gone(self):
        """server: one that is dead, or was never started, is told from one that refuses"""
        running = server.Started(awkward("plain"))
        self.assertEqual(running.death(), "it is not running")
        running.start(None)
        address = running.address
        self.assertIsNone(server.trouble(running, Settings(timeout=0.5)))
        running.stop()
        self.assertIn("not running", server.trouble(running, Settings(timeout=0.5)))
        gone = server.Attached(*address)
        self.assertIn("takes no connection any more", server.trouble(gone, Settings(timeout=0.5)))

    def test_start_again_fails(self):
        """suite: a server that dies and does not start again is an ERROR of each further case, not the end"""
        once = self.path("once", "")
        os.remove(once)
        starts = f"/bin/sh -c '[ ! -e {once} ] || exit 9; : >{once}; exec {awkward('third')}'"
        cases = {name: case_text("a> X\na< OK\na> X\na< OK\na> X\na< OK\n", name) for name in ("one", "two")}
        status, out, found = self.run_cases(cases, "--server", starts, *STYLE)
        self.assertEqual((status, [found[name]["verdict"] for name in cases]), (1, ["ERROR", "ERROR"]), out)
        self.assertRegex(found["two"]["message"], "could not start: it ended with status 9")

    def test_command_that_is_nothing(self):
        """server: without a terminal too, a command that cannot be run is told"""
        kept, server.pexpect = server.pexpect, None
        try:
            status, _, err = self.run_command("--server", "/nonexistent/server {host} {port}")
        finally:
            server.pexpect = kept
        self.assertEqual(status, 3)
        self.assertIn("cannot run /nonexistent/server", err)


class Bats(Place):
    """BATS and the runner."""

    def test_disagree(self):
        """bats: if it ends otherwise than the verdicts say, the run is incomplete"""
        for status, bats_status, wanted in ((0, 0, 0), (1, 1, 1), (0, 1, 3), (1, 0, 1)):
            run = {"exit_status": status}
            with open(os.devnull, "w", encoding="utf-8") as quiet:
                kept, command.sys.stdout = command.sys.stdout, quiet
                try:
                    command.agree(run, True, bats_status)
                finally:
                    command.sys.stdout = kept
            self.assertEqual(run["exit_status"], wanted)

    def test_closed_early(self):
        """bats: it is ended with its folder when the run stops, and a verdict's words reach it in order"""
        cases = [Reader("x", case_text("a> X\na< OK\n", name)).read() for name in ("one", "two", "three")]
        kept = os.dup(1)
        reader, writer = os.pipe()
        os.dup2(writer, 1)
        try:
            report = report_bats.BatsReport(cases, "must", lambda result: "again")
            report.begin([])
            for number, verdict in ((1, FAIL), (0, PASS)):
                result = Result(cases[number])
                result.add("whole", verdict, "expected OK, got KO")
                report.take(result)
            out = b""
            while b"not ok 2" not in out:
                out += os.read(reader, 65536)
            report.close()
        finally:
            os.dup2(kept, 1)
            for descriptor in (kept, reader, writer):
                os.close(descriptor)
        self.assertRegex(out.decode(), r"(?s)ok 1 one.*not ok 2 two")
        self.assertIsNotNone(report.process.poll())
        self.assertFalse(os.path.exists(report.folder))


class Clients(Place):
    """What a wrong client is told."""

    def test_no_room(self):
        """smsp: where its cookies cannot be kept, its cases are not run, and the status is 3"""
        self.path("smsp", '#!/bin/sh\nrm -rf "$HOME"\nexit 2\n')
        os.chmod(self.path("smsp"), 0o755)
        kept, command.CLIENT = command.CLIENT, self.path("smsp")
        try:
            status, out, found = self.run_cases({"one": case_text("smsp$ x\nexit< 0\n", more="kind: client"), "two": case_text(
                "a> DUMP\na< OK\n", "two")}, "--delivery", "whole", "--timeout", "0.5")
        finally:
            command.CLIENT = kept
        self.assertEqual((status, found["one"]["verdict"], found["two"]["verdict"]), (3, "NOT RUN", "PASS"), out)
        self.assertRegex(out, r"# incomplete: 1 cases could not run: cannot write temporary files in \S+: No such file")

    def test_findings(self):
        """smsp: output too much or too little, and a text that must not be seen, fail the case"""
        self.path("smsp", "#!/bin/sh\n[ -t 0 ] && { echo secret; sleep 1; exit; }\necho one\necho two\n")
        os.chmod(self.path("smsp"), 0o755)
        cases = {"more": ("smsp$ x\nout< one\n", "no more output"), "less": ("smsp$ x\nout< one\nout< two\nout< three\n", "no more"),
                 "seen": ("smsp: x\nsee< secret\nsee! secret\n", "nowhere secret"), "good": ("smsp$ x\nout< one\nout< two\n", "^$")}
        kept, command.CLIENT = command.CLIENT, self.path("smsp")
        try:
            _, out, found = self.run_cases({name: case_text(steps, name, more="kind: client")
                                            for name, (steps, _) in cases.items()}, "--delivery", "whole", "--timeout", "0.5")
        finally:
            command.CLIENT = kept
        for name, (_, words) in cases.items():
            self.assertEqual(found[name]["verdict"], "PASS" if name == "good" else "FAIL", out)
            self.assertRegex(found[name]["message"], words)
