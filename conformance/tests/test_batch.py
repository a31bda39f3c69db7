# SPDX-License-Identifier: ISC
"""A class of submissions, and the set-ups of Gradescope and GitHub, run as their services run them."""
import csv
import json
import os
import re
import shutil
import subprocess
import zipfile
from unittest import mock

from support import HERE, PYTHON, SUITE, Place
from test_interrupt import marked

VARIANT = os.path.join(HERE, "servers", "variant.py")
CASES = ("--cases", "form")
DIES = "import os, sys, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(600)\nsys.exit('it is broken')\n"


class Class(Place):
    """--batch."""

    def submit(self, name, switches, command=True):
        place = self.path(f"class/{name}/server.py", "")
        shutil.copy(VARIANT, place)
        if command:
            self.path(f"class/{name}/smsp-command", f"{PYTHON} server.py {{host}} {{port}} {switches}\n")

    def batch(self, *words):
        return self.run_command("--batch", self.path("class"), *CASES, *words)

    def test_class(self):
        """batch: each submission gets a page and a grade, one that cannot start is named, and nothing stays behind"""
        self.submit("good", "")
        self.submit("wrong", "regbug")
        self.submit("common", "", command=False)
        self.path("class/dead/server.py", DIES)
        mark = f"smsp-mark-batch-{os.getpid()}"
        with mock.patch.dict(os.environ, SMSP_MARK=mark):
            status, out, err = self.batch("--server", f"{PYTHON} server.py {{host}} {{port}}")
        self.assertEqual((status, err), (3, ""))
        with open(self.path("class-results/grades.csv"), encoding="utf-8") as file:
            table = {line["server"]: line for line in csv.DictReader(file)}
        self.assertEqual([table[name]["faults"] for name in ("common", "good", "wrong")], ["0", "0", "1"])
        self.assertEqual(float(table["good"]["score"]), 100)
        self.assertEqual(float(table["dead"]["score"]), 0)
        self.assertLess(float(table["wrong"]["score"]), 100)
        self.assertIn("it is broken", out)
        for name in table:
            self.assertTrue(os.path.exists(self.path(f"class-results/{name}.html")), name)
        self.assertEqual(marked(mark), [])
        self.assertEqual(sorted(os.listdir(self.path("class/good"))), ["server.py", "smsp-command"])

    def test_resume(self):
        """batch: what was tested is not tested again, unless it changed"""
        self.submit("one", "")
        self.submit("two", "")
        self.assertNotIn("tested before", self.batch()[1])
        self.submit("two", "regbug")
        _, out, _ = self.batch()
        self.assertEqual(re.findall(r"(\w+): .*tested before", out), ["one"])
        self.assertIn("two: 8", out)

    def test_wrong_folder(self):
        """batch: a folder that is missing or empty is one line, status 2"""
        for name in ("nowhere", "empty"):
            if name == "empty":
                os.mkdir(self.path(name))
            status, _, err = self.run_command("--batch", self.path(name))
            self.assertEqual((status, err.count("\n")), (2, 1))
            self.assertIn(self.path(name), err)


class Services(Place):
    """Gradescope and GitHub."""

    def grade(self, setup):
        """What run_autograder writes, in a folder as Gradescope has it."""
        base = self.path("autograder")
        shutil.rmtree(base, True)
        subprocess.run([os.path.join(SUITE, "gradescope", "pack"), self.path("a.zip")], check=True)
        os.makedirs(os.path.join(base, "submission"))
        subprocess.run([PYTHON, "-c", "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])",
                        self.path("a.zip"), os.path.join(base, "source")], check=True)
        with zipfile.ZipFile(self.path("a.zip")) as archive:
            for info in archive.infolist():  # as unzip does
                os.chmod(os.path.join(base, "source", info.filename), info.external_attr >> 16 & 0o777)
        shutil.copy(os.path.join(base, "source", "run_autograder"), base)
        setup(base)
        subprocess.run([os.path.join(base, "run_autograder")], check=True, env=dict(os.environ, AUTOGRADER=base), cwd="/",
                       stdout=subprocess.DEVNULL, timeout=100)
        with open(os.path.join(base, "results", "results.json"), encoding="utf-8") as file:
            return json.load(file)

    def test_gradescope(self):
        """gradescope: the packed autograder writes a result that Gradescope takes"""
        def good(base):
            shutil.copy(VARIANT, os.path.join(base, "submission", "server.py"))
            with open(os.path.join(base, "submission", "smsp-command"), "w", encoding="utf-8") as file:
                file.write(f"{PYTHON} server.py {{host}} {{port}} countbug\n")
        record = self.grade(good)
        scores = {test["name"]: (test["score"], test["max_score"]) for test in record["tests"]}
        self.assertEqual(scores["DUMP"], (2.5, 2.5))
        self.assertLess(*scores["COUNT"])
        self.assertTrue(80 < record["score"] < 100, record["score"])

    def test_gradescope_broken(self):
        """gradescope: a submission without a server has no points and says why"""
        record = self.grade(lambda base: None)
        self.assertEqual(record["score"], 0)
        self.assertIn("could not be tested", record["output"])

    def test_action(self):
        """action: its step writes the reports and the summary, and ends with the run's status"""
        with open(os.path.join(SUITE, "action.yml"), encoding="utf-8") as file:
            text = file.read()
        script = re.sub(r"(?m)^ {8}", "", text.rpartition("run: |\n")[2])
        for switch, status in (("", 0), ("regbug", 1)):
            folder = self.path(f"work{switch}")
            os.mkdir(folder)
            done = subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script], cwd=folder, check=False,
                                  capture_output=True, text=True, timeout=100, env=dict(
                                      os.environ, GITHUB_ACTION_PATH=SUITE, GITHUB_STEP_SUMMARY=os.path.join(folder, "summary"),
                                      SERVER=f"{PYTHON} {VARIANT} {{host}} {{port}} {switch}", LEVEL="must", OPTIONS="--cases form", REPORT="report"))
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertEqual(sorted(os.listdir(os.path.join(folder, "report"))),
                             ["grade.csv", "junit.xml", "report.html", "report.json", "report.txt"])
            with open(os.path.join(folder, "summary"), encoding="utf-8") as file:
                self.assertIn("MUST ", file.read())
