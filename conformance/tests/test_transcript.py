# SPDX-License-Identifier: ISC
"""The transcript format: what is read, and what is refused with file and line."""
import unittest

from runner.limits import BadProfile, Limits, read_limits
from runner.template import NoSuchLimit, Template, stranger
from runner.text import show, visible
from runner.transcript import BadCase, Reader, read_case
from runner.values import Values
from support import Place, case_text

BROKEN = {
    "a line of the header without a colon": ("id one\n", 1, "key: value"),
    "an unknown key": ("id: one\ncolour: red\n", 2, "no key"),
    "a key twice": ("id: one\nid: two\n", 2, "second time"),
    "a file that ends in its header": ("id: one", 1, "ends in its header"),
    "a key that is missing": ("id: one\n\na> X\na< OK\n", 2, "lacks `version:`"),
    "a wrong level": (case_text("a> X\na< OK\n", level="MAY"), 7, "MAY is none of"),
    "a wrong rule": (case_text("a> X\na< OK\n", rules="REG1"), 7, "REG1 does not look like"),
    "a wrong id": (case_text("a> X\na< OK\n", name="One"), 7, "id: One"),
    "a wrong option": (case_text("a> X\na< OK\n", more="options: colour=red"), 8, "colour is none of"),
    "a wrong framing": (case_text("a> X\na< OK\n", more="framing: a=cr"), 8, "cr is none of"),
    "no step": (case_text("alice says hello\n"), 8, "no step"),
    "a case that expects nothing": (case_text("a> X\n"), None, "expects nothing"),
    "a case that any answer passes": (case_text("a> X\na< {anything or nothing}\n"), None, "expects nothing"),
    "an unknown placeholder": (case_text("a> {nick:a}\na< OK\n"), 8, "no placeholder"),
    "a wrong argument": (case_text("a> {fill:x:long}\na< OK\n"), 8, "no length"),
    "too few arguments": (case_text("a> {user}\na< OK\n"), 8, "number of arguments"),
    "an unknown filter": (case_text("a> {cookie:a|rot}\na< OK\n"), 8, "no filter rot"),
    "an open brace": (case_text("a> {user\na< OK\n"), 8, "without its }"),
    "a closing brace": (case_text("a> user}\na< OK\n"), 8, "without its {"),
    "an unknown escape": (case_text("a> \\q\na< OK\n"), 8, "no escape"),
    "a half escape": (case_text("a> \\x4\na< OK\n"), 8, "two hexadecimal digits"),
    "a backslash at the end": (case_text("a> x\\\na< OK\n"), 8, "backslash at the end"),
    "a word beside {closed}": (case_text("a> X\na< OK {closed}\n"), 9, "stand alone"),
    "seconds that are none": (case_text("a> X\na< {nothing:soon}\n"), 9, "want seconds"),
    "digits that are none": (case_text("a> X\na< {hex:many}\n"), 9, "number of digits"),
    "an alternative to nothing": (case_text("a> X\na<| OK\n"), 9, "must follow"),
    "an unknown action": (case_text("a: dance\na< OK\n"), 8, "dance is none of"),
    "an unknown terminal action": (case_text("terminal: dance\na< OK\n"), 8, "dance is none of"),
    "a mark that a client does not have": (case_text("a~ X\na< OK\n"), 8, "is no step"),
    "a mark that the terminal does not have": (case_text("terminal> X\na< OK\n"), 8, "is no step"),
    "a mark that smsp does not have": (case_text("smsp> X\na< OK\n"), 8, "is no step"),
    "a pause that is none": (case_text("pause long\na< OK\n"), 8, "want seconds"),
    "a repeat without its end": (case_text("repeat 2\na> X\na< OK\n"), 8, "no `end`"),
    "a repeat without a number": (case_text("repeat often\na> X\nend\na< OK\n"), 8, "from 1 to 10000"),
    "a version that is none": (case_text("a> X\na< OK\n").replace("version: 1", "version: one"), 7, "no number"),
}


class Broken(Place):
    """Each broken file is one clear line."""

    def test_broken(self):
        """transcript: a broken file is refused with file, line and what is wrong"""
        for what, (text, line, wrong) in BROKEN.items():
            with self.subTest(what):
                path = self.path("cases/broken.case", text)
                with self.assertRaises(BadCase) as caught:
                    read_case(path)
                self.assertIn(wrong, str(caught.exception))
                self.assertIn(f"{path}:{line if line else ''}", str(caught.exception))
                self.assertNotIn("\n", str(caught.exception))

    def test_not_utf8(self):
        """transcript: a file that is not UTF-8, or not there, is refused"""
        path = self.path("cases/x.case", "")
        with open(path, "wb") as file:
            file.write(b"id: \xff\n")
        self.assertRaisesRegex(BadCase, "not UTF-8", read_case, path)
        self.assertRaisesRegex(BadCase, "No such file", read_case, path + "x")

    def test_command(self):
        """transcript: the command ends with status 2 and the line"""
        self.path("cases/x.case", case_text("alice says hello\n"))
        status, _, err = self.run_command("--folder", self.path("cases"), "--list")
        self.assertEqual(status, 2)
        self.assertRegex(err, r"^smsp-conformance: .*x\.case:8: no step: alice says hello; .*\n$")

    def test_same_id(self):
        """transcript: two cases with one id are refused"""
        for name in ("x", "y"):
            self.path(f"cases/{name}.case", case_text("a> X\na< OK\n"))
        status, _, err = self.run_command("--folder", self.path("cases"), "--list")
        self.assertEqual(status, 2)
        self.assertIn("belongs to", err)

    def test_profile(self):
        """profile: a wrong line is refused with file and line; a right one counts"""
        path = self.path("limits", "# mine\ncontent = 100\nusername = none\noption mailbox = --cap {n} --x\n")
        limits = read_limits(path, Limits())
        self.assertEqual((limits.get("content"), limits.get("username"), limits.get("password")), (100, None, 128))
        self.assertEqual(limits.command_options({"mailbox": "3"}), ["--cap", "3", "--x"])
        self.assertIsNone(limits.command_options({"accounts": "3"}))
        for text in ("content: 5", "content = -1", "colour = 3", "option colour = 3"):
            self.path("limits", text + "\n")
            self.assertRaisesRegex(BadProfile, "limits:1: ", read_limits, path, Limits())
        self.assertRaisesRegex(BadProfile, "No such file", read_limits, path + "x", Limits())


class Templates(unittest.TestCase):
    """Placeholders and escapes."""

    def setUp(self):
        self.values = Values(Limits())

    def test_escapes(self):
        """template: each escape is its bytes, and visible() shows them so again"""
        text = "\\n\\r\\t\\0\\e\\\\\\xFFé"
        data = Template(text).expand(self.values)
        self.assertEqual(data, b"\n\r\t\0\x1b\\\xff\xc3\xa9")
        self.assertEqual(visible(data), text)
        self.assertEqual(Template("\\{\\}\\s").expand(self.values), b"{} ")
        self.assertEqual(visible("\x9b\u2028".encode()), "\\xC2\\x9B\\xE2\\x80\\xA8")
        self.assertLess(len(show(b"x" * 10000)), 500)

    def test_binding(self):
        """template: a cookie is bound where it is met first, and compared later"""
        self.assertTrue(Template("OK {cookie:a}").match(b"OK abc+/=", self.values))
        self.assertTrue(Template("OK {cookie:a}").match(b"OK abc+/=", self.values))
        self.assertFalse(Template("OK {cookie:a}").match(b"OK other", self.values))
        self.assertFalse(Template("OK {cookie:b}").match(b"OK two words", self.values))
        self.assertFalse(Template("OK {cookie:b}").match(b"OK ", self.values))
        self.assertEqual(Template("{cookie:a|upper} {cookie:a|cut}").expand(self.values), b"ABC+/= " + stranger(b"abc+/="))
        self.assertRaises(KeyError, Template("{cookie:c}").expand, self.values)
        self.assertTrue(Template("COUNTED {number:n}").match(b"COUNTED 10", self.values))
        self.assertFalse(Template("COUNTED {number:m}").match(b"COUNTED 01", self.values))

    def test_whole_line(self):
        """template: a literal matches the whole reply, not its beginning"""
        for data, good in ((b"OK", True), (b"OK ", False), (b"OK\n", False), (b"KO", False), (b"", False)):
            self.assertEqual(Template("OK").match(data, self.values), good)

    def test_fill(self):
        """template: a fill has exactly its length, of whole patterns"""
        for expression, length in (("content", 4096), ("content+1", 4097), ("request-5", 4132), ("7", 7)):
            self.assertEqual(len(Template(f"{{fill:é:{expression}}}").expand(self.values)), length)
        self.values.limits.wire["content"] = None
        self.assertRaises(NoSuchLimit, Template("{fill:x:content}").expand, self.values)

    def test_unique(self):
        """template: names are unique to a play, letters and digits, and as long as asked"""
        other = Values(Limits())
        name = Template("{user:alice}").expand(self.values)
        self.assertNotEqual(name, Template("{user:alice}").expand(other))
        self.assertEqual(name, Template("{user:alice}").expand(self.values))
        self.assertTrue(name.isalnum() and len(name) <= 32)
        self.assertEqual(len(Template("{user:alice:username}").expand(self.values)), 32)

    def test_stranger(self):
        """template: a stranger's cookie looks like the last one met, and is another"""
        Template("OK {cookie:a}").match(b"OK 09afAZ+/", self.values)
        self.assertEqual(Template("{stranger}").expand(self.values), b"10baBA+/" * 3)

    def test_repeat(self):
        """transcript: repeat writes its lines out with their number"""
        case = Reader("x", case_text("repeat 3\na> {i}\na< OK\nend\n")).read()
        self.assertEqual([step.text for step in case.steps], ["1", "OK", "2", "OK", "3", "OK"])

    def test_needs(self):
        """transcript: what a case needs of framing and connection is seen from its steps"""
        needs = {"a> X\na< OK\n": set(), "a> X\na> Y\na< OK\na< OK\n": {"keep", "terminated"},
                 "a>\na< KO\n": {"terminated"}, "a>> X{end}\na< OK\n": {"keep", "terminated"},
                 "a: connect\na< {nothing}\n": {"keep"}}
        for steps, wanted in needs.items():
            self.assertEqual(Reader("x", case_text(steps)).read().needs, wanted, steps)
