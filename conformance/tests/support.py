# SPDX-License-Identifier: ISC
"""What the tests share: the command in this process, small cases, the awkward server."""
import contextlib
import io
import json
import os
import shutil
import signal
import tempfile
import unittest

from runner import main as command

HERE = os.path.dirname(os.path.realpath(__file__))
SUITE = os.path.dirname(HERE)
ROOT = os.path.dirname(SUITE)
PYTHON = "/usr/bin/python3"
REFERENCE = f"{PYTHON} {SUITE}/reference/smsp_reference.py {{options}} {{host}} {{announced}}"
PROFILE = ("--profile", os.path.join(HERE, "plain.profile"))  # of a server that speaks as ours: nothing is asked
LONG = bool(os.environ.get("SMSP_LONG"))  # make check-conformance-long: everything, some minutes
HEADER = """id: {id}
version: 1
title: a title
level: {level}
rules: {rules}
sentence: A sentence.
"""


def case_text(steps, name="one", level="MUST", rules="DMP-2", more=""):
    return HEADER.format(id=name, level=level, rules=rules) + (more + "\n" if more else "") + "\n" + steps


def awkward(mode):
    return f"{PYTHON} {HERE}/awkward.py {mode} {{host}} {{port}}"


class Place(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="smsp-conformance-test.")
        self.addCleanup(shutil.rmtree, self.folder, True)
        kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
        self.addCleanup(lambda: [signal.signal(number, handler) for number, handler in kept.items()])

    def path(self, name, text=None):
        path = os.path.join(self.folder, name)
        if text is not None:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return path

    def run_command(self, *words):
        """(exit status, standard output, standard error)"""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = command.main([str(word) for word in words])
            except SystemExit as end:
                status = end.code
        return status, out.getvalue(), err.getvalue()

    def run_cases(self, cases, *words):
        """Plays cases, {file name: text}, in a folder of their own; (status, output, {id: record})."""
        for name, text in cases.items():
            self.path(f"cases/group/{name}.case", text)
        report = self.path("report.json")
        form = [] if {"--bats", "--verbose", "--text"} & set(words) else ["--tap"]
        words = [word for word in words if word != "--text"]  # the report for people
        status, out, err = self.run_command("--folder", self.path("cases"), "--json", report, *form, *words)
        self.assertEqual(err, "")
        with open(report, encoding="utf-8") as file:
            return status, out, {case["id"]: case for case in json.load(file)["cases"]}
