# SPDX-License-Identifier: ISC
"""The small changes that ci/mutation makes to a C source: operators, constants, conditions,
statements, arguments. Comments, annotations and preprocessor lines stay as they are."""
import re

TOKEN = re.compile(r"""
    (?P<skip> /\*.*?\*/ | //[^\n]* | ^[ \t]*\#(?:\\\n|[^\n])* | \s+ | "(?:\\.|[^"\\])*" )
  | (?P<char> '(?:\\.|[^'\\])+' )
  | (?P<number> 0[xX][0-9a-fA-F]+[uUlL]* | [0-9]+[uUlL]* )
  | (?P<word> [A-Za-z_]\w* )
  | (?P<op> <<= | >>= | \.\.\. | -> | \+\+ | -- | << | >> | <= | >= | == | != | && | \|\| | [-+*/%&|^]= | . )
""", re.VERBOSE | re.DOTALL | re.MULTILINE)

RELATIONS = {"<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "==": ("!=",), "!=": ("==",)}
OPERATORS = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "<<": ">>", ">>": "<<", "&": "|", "|": "&", "^": "&",
             "&&": "||", "||": "&&", "+=": "-=", "-=": "+=", "*=": "/=", "|=": "&=", "&=": "|=", "^=": "|=",
             "++": "--", "--": "++"}
KEYWORDS = {"if", "for", "while", "do", "switch", "case", "default", "return", "else", "typedef", "struct", "union",
            "enum", "static", "const", "extern", "goto", "sizeof", "_Static_assert"}
LEFT_ALONE = {"NULL", "UINT32_C", "UINT64_C"}


class Mutant:
    """text[start:end] of the file becomes instead."""

    def __init__(self, name, text, start, end, instead):
        self.name, self.start, self.end, self.instead = name, start, end, instead
        self.line = text.count("\n", 0, start) + 1
        first = text.rfind("\n", 0, start) + 1
        last = text.find("\n", end)
        self.before = " ".join(text[first:last].split())
        self.after = " ".join((text[first:start] + instead + text[end:last]).split())

    def applied(self, text):
        return text[:self.start] + self.instead + text[self.end:]

    def key(self):
        return self.name, self.before, self.after


class Source:
    """The tokens of a file that count, and how deep in braces and parentheses each is."""

    def __init__(self, text):
        self.text, self.tokens = text, []
        depth = 0
        for match in TOKEN.finditer(text):
            if match.lastgroup == "skip":
                continue
            word = match.group(0)
            depth -= word == "}"
            self.tokens.append((match.lastgroup, word, match.start(), match.end(), depth))
            depth += word == "{"
        self.partner = self.pairs()

    def pairs(self):
        """For each opening parenthesis or bracket the place of its closing one."""
        found, opened = {}, []
        for i, (_, word, _, _, _) in enumerate(self.tokens):
            if word in "([" and len(word) == 1:
                opened.append(i)
            elif word in ")]" and len(word) == 1 and opened:
                found[opened.pop()] = i
        return found

    def word(self, i):
        return self.tokens[i][1] if 0 <= i < len(self.tokens) else ""

    def is_operand_end(self, i):
        return i >= 0 and (self.tokens[i][0] != "op" or self.word(i) in (")", "]")) and self.word(i) not in KEYWORDS


def operators(source, i):
    """One operator for another; a negation or complement left out."""
    kind, word, start, end, _ = source.tokens[i]
    if kind != "op":
        return
    if word in ("!", "~"):
        yield start, end, ""
    elif word in RELATIONS:
        for other in RELATIONS[word]:
            yield start, end, other
    elif word in OPERATORS and (word not in "+-*&" or source.is_operand_end(i - 1)):
        yield start, end, OPERATORS[word]


def constants(source, i):
    """A constant one more and one less; true for false."""
    kind, word, start, end, _ = source.tokens[i]
    if word in ("true", "false"):
        yield start, end, "false" if word == "true" else "true"
    elif kind in ("number", "char") or (re.fullmatch(r"[A-Z][A-Z0-9_]+", word) and source.word(i + 1) != "("
                                        and word not in LEFT_ALONE):
        yield start, end, f"({word} + 1)"
        yield start, end, f"({word} - 1)"


def conditions(source, i):
    """if (!(condition)), while (!(condition))."""
    if source.word(i) in ("if", "while") and i + 1 in source.partner:
        start, end = source.tokens[i + 1][3], source.tokens[source.partner[i + 1]][2]
        yield start, end, "!(" + source.text[start:end] + ")"


def statements(source, i):
    """An expression statement, a break or a continue left out."""
    before = source.word(i - 1)
    if before not in (";", "{", "}", ")", "else", ":") or source.tokens[i][0] == "number":
        return
    if source.word(i) in KEYWORDS or source.word(i) in ("{", "}", ";", ")") or source.word(i - 1) == "?":
        return
    end = i
    while end < len(source.tokens) and source.word(end) not in (";", "{", "}"):
        end = source.partner.get(end, end) + 1
    if source.word(end) == ";" and source.tokens[end][4] == source.tokens[i][4]:
        yield source.tokens[i][2], source.tokens[end][2], ""


def arguments(source, i):
    """Two neighbours among the arguments of a call, swapped."""
    if source.word(i) != "(" or source.tokens[i - 1][0] != "word" or source.word(i - 1) in KEYWORDS:
        return
    last = source.partner.get(i)
    if last is None:
        return
    places, at = [i], i + 1
    while at < last:
        if source.word(at) == ",":
            places.append(at)
        at = source.partner.get(at, at) + 1
    places.append(last)
    spans = [(source.tokens[a + 1][2], source.tokens[b - 1][3]) for a, b in zip(places, places[1:]) if b > a + 1]
    for (a, b), (c, d) in zip(spans, spans[1:]):
        if source.text[a:b] != source.text[c:d]:
            yield a, d, source.text[c:d] + source.text[b:c] + source.text[a:b]


def mutants_of(name, text):
    """Every change that can be made inside the braces of a file."""
    source = Source(text)
    for i, token in enumerate(source.tokens):
        if token[4] == 0:
            continue
        for kind in (operators, constants, conditions, statements, arguments):
            for start, end, instead in kind(source, i):
                yield Mutant(name, text, start, end, instead)
