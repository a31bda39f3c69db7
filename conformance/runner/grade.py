# SPDX-License-Identifier: ISC
"""Points for each command from the MUST cases, as Gradescope's results.json or as CSV.

A case that failed or waits counts against the command of its fault, not against its own: a MESSAGE that does not work
costs the points of MESSAGE, not also those of STORE and GETMSG. A command of which no case could be judged gives no
points and takes none: the score is the share of the other commands, scaled to the whole.
"""
import csv
import io
import json

from .faults import COMMANDS
from .report_text import choice_line, fault_paragraph, faults_of, score, should_line
from .text import lines_of
from .verdict import DIFFERS, NOT_RUN, PASS, XFAIL

OTHER = "SESSION"  # cases about no single command
WEIGHTS = {"REGISTER": 15, "LOGIN": 10, "LOGOUT": 10, "MESSAGE": 15, "STORE": 15, "COUNT": 10, "GETMSG": 10, "DELMSG": 10,
           "DUMP": 2.5, OTHER: 2.5}


class BadWeights(Exception):
    """File, line and what is wrong."""


def read_weights(path):
    """{command: points} from lines `COMMAND POINTS`; a command that is not named has no points."""
    weights = dict.fromkeys(WEIGHTS, 0.0)
    for place, line in lines_of(path, BadWeights):
        words = line.split("#")[0].split()
        if len(words) != 2 or words[0] not in WEIGHTS:
            raise BadWeights(f"{place}: want COMMAND POINTS; commands: {', '.join(WEIGHTS)}")
        try:
            weights[words[0]] = float(words[1])
        except ValueError:
            raise BadWeights(f"{place}: {words[1]}: want a number of points") from None
        if not 0 <= weights[words[0]] <= 10000:
            raise BadWeights(f"{place}: {words[1]}: want points from 0 to 10000")
    if not any(weights.values()):
        raise BadWeights(f"{path}: gives no points for anything")
    return weights


def command_of(rule):
    return COMMANDS.get(rule[:3], OTHER)


def charged(document):
    """{case id: the command of the fault that it shows or waits for}."""
    causes = {}
    for fault in document["faults"]:
        for case in [fault["case"], *fault["same"], *fault["blocks"]]:
            causes.setdefault(case, command_of(fault["rule"]))
    return causes


def counts(document):
    """{command: [cases that passed, cases that count]} at level MUST."""
    found = {command: [0, 0] for command in WEIGHTS}
    causes = charged(document)
    for case in document["cases"]:
        if case["level"] != "MUST" or case["verdict"] in (NOT_RUN, DIFFERS):
            continue
        own = command_of(case["rules"][0])
        passed = case["verdict"] in (PASS, XFAIL)
        count = found[own if passed else causes.get(case["id"], own)]
        count[0] += passed
        count[1] += 1
    return found


def grade(document, weights=None):
    """{"score", "max_score", "parts": [{"name", "score", "max_score", "passed", "judged"}]}"""
    weights = weights or WEIGHTS
    parts = []
    for command, (passed, judged) in counts(document).items():
        most = weights.get(command, 0)
        if most:
            parts.append({"name": command, "passed": passed, "judged": judged, "max_score": most,
                          "score": round(most * passed / judged, 2) if judged else 0.0})
    whole = sum(part["max_score"] for part in parts)
    tried = sum(part["max_score"] for part in parts if part["judged"])
    reached = sum(part["score"] for part in parts)
    return {"score": round(whole * reached / tried, 2) if tried else 0.0, "max_score": whole, "parts": parts}


def explanation(document, command):
    """The faults of a command, for its test's output."""
    mine = [fault for fault in faults_of(document, "MUST") if command_of(fault["rule"]) == command]
    return "\n\n".join("\n".join(fault_paragraph(fault, number)) for number, fault in enumerate(mine, 1))


def gradescope(document, weights=None):
    """The record that Gradescope reads."""
    graded = grade(document, weights)
    tests = []
    for part in graded["parts"]:
        judged = f"{part['passed']} of {part['judged']} cases" if part["judged"] else "not judged: its cases wait for another fault"
        why = explanation(document, part["name"])
        tests.append({"name": part["name"], "score": part["score"], "max_score": part["max_score"] if part["judged"] else 0,
                      "output": judged + ("\n\n" + why if why else ""), "visibility": "visible"})
    told = [*document["diagnosis"]["lines"], "", score(document, "MUST"), should_line(document), choice_line(document)]
    return {"score": graded["score"], "output": "\n".join(told), "visibility": "visible",
            "execution_time": round(document["run"]["seconds"]), "tests": tests}


def rows(documents, weights=None):
    """The lines of a CSV file: a server each."""
    weights = weights or WEIGHTS
    names = [name for name in WEIGHTS if weights.get(name, 0)]
    table = [["server", "score", "max_score", *names, "must_passed", "must_judged", "faults", "first_fault"]]
    for document in documents:
        graded = grade(document, weights)
        points = {part["name"]: part["score"] if part["judged"] else "" for part in graded["parts"]}
        faults = faults_of(document, "MUST")
        numbers = counts(document).values()
        table.append([document["server"]["name"], graded["score"], graded["max_score"], *(points[name] for name in names),
                      sum(passed for passed, _ in numbers), sum(judged for _, judged in numbers), len(faults),
                      faults[0]["title"] if faults else ""])
    return table


def harmless(value):
    """A cell that no spreadsheet takes for a formula."""
    return "'" + value if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t") else value


def csv_text(table):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[harmless(cell) for cell in row] for row in table])
    return text.getvalue()


def write(path, document, weights=None):
    """CSV if the file's name ends in .csv, Gradescope's JSON otherwise."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        if path.endswith(".csv"):
            file.write(csv_text(rows([document], weights)))
        else:
            json.dump(gradescope(document, weights), file, ensure_ascii=False, indent=1)
            file.write("\n")
