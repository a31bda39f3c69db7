# SPDX-License-Identifier: ISC
"""The reports: JSON by its schema, JUnit, and the page in a real browser."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as tree

from support import PROFILE, SUITE, Place, awkward, case_text

CASES = {"one": case_text("a> DUMP\na< OK\n"), "two": case_text("a> \\e<b>&\na< KO\n", "two"),
         "three": case_text("a> DUMP\na< KO\na<| OK\n", "three", "CHOICE", "DMP-3"),
         "four": case_text("a> DUMP\na< OK\n", "four", more="options: mailbox=2")}
FAST = ("--server", awkward("plain"), *PROFILE, "--timeout", "0.5")
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "null": type(None)}
BROWSER = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync"]
# Put into a copy of the page: writes down what the browser makes of it.
MEASURE = """<script>
addEventListener("load", () => {
    const rows = document.querySelectorAll("tr.case"), link = document.querySelector("a.fail");
    location.hash = link.getAttribute("href");
    const detail = document.getElementById(link.getAttribute("href").slice(1));
    const shown = getComputedStyle(detail).display, others = [...document.querySelectorAll("tr.detail")]
        .filter(row => row !== detail && getComputedStyle(row).display !== "none").length;
    document.getElementById("only").checked = true;
    const left = [...rows].filter(row => getComputedStyle(row).display !== "none").length;
    const style = getComputedStyle(document.body), found = document.body.dataset, root = document.documentElement;
    const wide = root.scrollWidth > root.clientWidth;
    document.querySelector(".matrix").style.height = "5000px";
    scrollTo({top: 2500, behavior: "instant"});
    const header = document.querySelector(".matrix thead th").getBoundingClientRect().top;
    root.style.width = "390px";
    const widest = Math.max(...[...document.querySelectorAll("body *")].map(some => some.getBoundingClientRect().right));
    found.found = JSON.stringify({rows: rows.length, shown, others, left, back: style.backgroundColor,
        ink: style.color, text: detail.querySelector("pre").textContent,
        wide, header, widest,
        columns: document.querySelectorAll(".matrix thead th").length});
});
</script></body>"""

MEASURE_CLASS = """<script>
addEventListener("load", () => {
    const root = document.documentElement, found = document.body.dataset;
    document.getElementById("only").checked = true;
    const left = [...document.querySelectorAll("tr.case")].filter(row => getComputedStyle(row).display !== "none").length;
    document.getElementById("only").checked = false;
    const cells = [...document.querySelectorAll(".many tr.case td")].map(cell => cell.getBoundingClientRect().width);
    const wide = root.scrollWidth > root.clientWidth;
    document.querySelector(".many").style.height = "5000px";
    scrollTo({top: 3000, behavior: "instant"});
    found.found = JSON.stringify({columns: document.querySelectorAll(".many thead th").length, wide, left,
        header: document.querySelector(".many thead th").getBoundingClientRect().top, narrowest: Math.min(...cells),
        best: document.querySelector(".scores tbody a").textContent});
});
</script></body>"""


def mismatches(value, schema, place="report"):
    """Yields where a value is not as the schema says; knows the words that our schema uses."""
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(isinstance(value, TYPES[kind]) for kind in kinds):
        yield f"{place}: {value!r} is no {kinds}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value!r}"
    if isinstance(value, dict):
        yield from (f"{place}: lacks {name}" for name in schema.get("required", []) if name not in value)
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                yield from mismatches(value[name], inner, f"{place}.{name}")
        if schema.get("required"):
            yield from (f"{place}: {name} is not in the schema" for name in value if name not in schema["properties"])
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from mismatches(item, schema.get("items", {}), f"{place}[{number}]")


class Reports(Place):
    """One run, all reports."""

    def setUp(self):
        super().setUp()
        self.status, self.out, self.found = self.run_cases(
            CASES, *FAST, "--junit", self.path("junit.xml"), "--html", self.path("one.html"))
        with open(self.path("report.json"), encoding="utf-8") as file:
            self.report = json.load(file)

    def test_json(self):
        """report: the JSON is as report.schema.json says, and a wrong one is not"""
        with open(os.path.join(SUITE, "report.schema.json"), encoding="utf-8") as file:
            schema = json.load(file)
        self.assertEqual(list(mismatches(self.report, schema)), [])
        self.assertEqual(self.report["summary"]["FAIL"], 1)
        self.assertEqual(self.report["run"]["exit_status"], 1)
        self.report["cases"][0]["verdict"] = "MAYBE"
        del self.report["cases"][1]["again"]
        self.assertEqual(len(list(mismatches(self.report, schema))), 2)

    def test_junit(self):
        """report: the JUnit XML tells failures from what was skipped, and control characters do not break it"""
        suite = tree.parse(self.path("junit.xml")).getroot()
        self.assertEqual([suite.get(name) for name in ("tests", "failures", "errors", "skipped")], ["4", "1", "0", "2"])
        self.assertEqual(len(suite.findall("testcase")), 4)

    def test_escaped(self):
        """report: what a server or a client said cannot become a tag of the page"""
        with open(self.path("one.html"), encoding="utf-8") as file:
            page = file.read()
        self.assertIn("\\e&lt;b&gt;&amp;", page)
        self.assertNotIn("<b>&", page)
        self.assertNotIn("\x1b", page)
        self.assertIn("1 of 2, 1 otherwise</td>", page)  # of the group: one passed, four did not run
        self.assertLess(page.index('id="score"'), page.index('id="faults"'))
        self.assertLess(page.index('id="faults"'), page.index('class="matrix"'))
        self.assertEqual(re.findall(r'(?:src|href)="(?!#)[^"]*"|url\(|@import', page), [])

    def test_merge(self):
        """report: several results become one matrix, and cases that one lacks are told"""
        other = dict(self.report, server=dict(self.report["server"], name="other"), cases=self.report["cases"][:2])
        self.path("other.json", json.dumps(other))
        status, _, _ = self.run_command("--merge", self.path("report.json"), self.path("other.json"), "--html",
                                        self.path("matrix.html"))
        self.assertEqual(status, 0)
        with open(self.path("matrix.html"), encoding="utf-8") as file:
            page = file.read()
        self.assertEqual(page.count('absent"></td>'), 2)
        self.assertEqual(page.count('<tr class="case'), 4)
        self.assertEqual(page.count('<tr class="case passed'), 3)  # DIFFERS and NOT RUN are no failures
        for name in re.findall(r'<th scope="row">\d\. <a href="([^"]*)"', page):
            self.assertTrue(os.path.exists(self.path(name)), name)
        for text, wrong in (("{}", "not a report"), ("{", "no JSON")):
            self.path("wrong.json", text)
            status, _, err = self.run_command("--merge", self.path("wrong.json"), "--html", self.path("x.html"))
            self.assertEqual(status, 2)
            self.assertIn(wrong, err)

    def browse(self, *words, page="one.html", measure=MEASURE):
        """What the browser found on the page."""
        with open(self.path(page), encoding="utf-8") as file:
            self.path("measured.html", file.read().replace("</body>", measure))
        profile = tempfile.mkdtemp(dir=self.folder)
        environment = dict(os.environ, HOME=profile, XDG_CONFIG_HOME=profile, XDG_CACHE_HOME=profile)
        done = subprocess.run(BROWSER + [f"--user-data-dir={profile}", *words, "--dump-dom",
                                         "file://" + self.path("measured.html")],
                              capture_output=True, text=True, timeout=90, env=environment, check=False)
        found = re.search(r'data-found="([^"]*)"', done.stdout)
        self.assertIsNotNone(found, done.stderr[-500:])
        return json.loads(found.group(1).replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">")
                          .replace("&amp;", "&"))

    @unittest.skipUnless(shutil.which("chromium"), "chromium is missing")
    def test_browser(self):
        """report: in Chromium a verdict opens its transcript, the filter works, the header stays, 390 pixels do"""
        found = self.browse("--window-size=1000,800")
        self.assertEqual((found["rows"], found["columns"], found["others"], found["left"]), (4, 2, 0, 1))
        self.assertEqual((found["shown"], found["header"]), ("table-row", 0))
        self.assertIn("a> \\e<b>&", found["text"])
        phone = self.browse("--window-size=500,900")
        self.assertEqual((phone["wide"], phone["shown"]), (False, "block"))
        self.assertLessEqual(phone["widest"], 390)

    @unittest.skipUnless(shutil.which("chromium"), "chromium is missing")
    def test_dark(self):
        """report: in Chromium the page is light on a light desktop and dark on a dark one"""
        light = self.browse()
        dark = self.browse("--force-dark-mode", "--blink-settings=preferredColorScheme=0")
        self.assertGreater(brightness(light["back"]), brightness(light["ink"]) + 300)
        self.assertGreater(brightness(dark["ink"]), brightness(dark["back"]) + 300)


    @unittest.skipUnless(shutil.which("chromium"), "chromium is missing")
    def test_class(self):
        """report: in Chromium a matrix of 30 servers fits 1,400 pixels, its heading stays, and the best come first"""
        for number in range(30):
            other = json.loads(json.dumps(self.report))
            other["server"]["name"] = f"student-{number:02}"
            other["cases"][0]["verdict"] = "PASS" if number == 7 else "FAIL"
            self.path(f"class/{number}.json", json.dumps(other))
        status, _, _ = self.run_command("--merge", *[self.path(f"class/{number}.json") for number in range(30)], "--html",
                                        self.path("class.html"))
        self.assertEqual(status, 0)
        found = self.browse("--window-size=1400,900", page="class.html", measure=MEASURE_CLASS)
        self.assertEqual((found["columns"], found["wide"], found["header"], found["best"]), (31, False, 0, "student-07"))
        self.assertGreater(found["narrowest"], 20)
        self.assertEqual(found["left"], 2)
        self.assertEqual(len(os.listdir(self.path("class-pages"))), 30)


def brightness(colour):
    return sum(map(int, re.findall(r"\d+", colour)[:3]))
