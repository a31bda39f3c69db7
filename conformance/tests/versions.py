#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Sees to it that what can change a verdict changes a version: versions.py [--write] [CASES].

cases/DIGESTS holds the suite's version, and of each case its version and a digest of all that
a verdict rests on: its level, what it needs, and its steps. Titles, sentences and comments are
left out. --write records the present state, if the versions are as they must be.
"""
import hashlib
import json
import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(HERE))
from runner.transcript import read_cases  # noqa: E402  (the path comes first)

CASES = os.path.join(os.path.dirname(HERE), "cases")
HEAD = "# The suite's version, then each case's with a digest. Written by tests/versions.py --write.\n"


def digest(case):
    """Of all that a verdict rests on."""
    steps = [[step.who, step.what, step.text, [other.source for other in step.others]] for step in case.steps]
    rests_on = [case.level, case.kind, case.fresh, case.options, case.framings, sorted(case.deliveries),
                sorted(case.needs), steps]
    return hashlib.sha256(json.dumps(rests_on, sort_keys=True).encode()).hexdigest()[:16]


def present(folder):
    """(version of the suite, {id: (version, digest)}, {id: path})"""
    with open(os.path.join(folder, "VERSION"), encoding="utf-8") as file:
        version = int(file.read())
    cases = read_cases(folder)
    return (version, {case.id: (case.version, digest(case)) for case in cases}, {case.id: case.path for case in cases})


def recorded(folder):
    """(version of the suite, {id: (version, digest)})"""
    with open(os.path.join(folder, "DIGESTS"), encoding="ascii") as file:
        lines = [line.split() for line in file if not line.startswith("#")]
    return int(lines[0][1]), {name: (int(version), mark) for name, version, mark in lines[1:]}


def faults(folder):
    """What is wrong with the versions, a line each that says what to do."""
    suite, cases, paths = present(folder)
    suite_then, cases_then = recorded(folder)
    wrong = []
    for name in sorted(set(cases) & set(cases_then)):
        (version, mark), (version_then, mark_then) = cases[name], cases_then[name]
        if mark != mark_then and version <= version_then:
            wrong.append(f"{paths[name]}: it can come to another verdict than version {version_then} did; "
                         f"write `version: {version_then + 1}`")
        elif version < version_then:
            wrong.append(f"{paths[name]}: version {version} is older than {version_then}, which was recorded")
    if cases != cases_then and suite <= suite_then:
        wrong.append(f"{os.path.join(folder, 'VERSION')}: cases came, went or changed since version {suite_then}; "
                     f"write {suite_then + 1}")
    return wrong


def out_of_date(folder):
    """True if DIGESTS does not tell of the present cases."""
    return present(folder)[:2] != recorded(folder)


def write(folder):
    suite, cases, _ = present(folder)
    with open(os.path.join(folder, "DIGESTS"), "w", encoding="ascii") as file:
        file.write(f"{HEAD}suite {suite}\n")
        file.writelines(f"{name} {version} {mark}\n" for name, (version, mark) in sorted(cases.items()))


def main(words):
    folder = next((word for word in words if word != "--write"), CASES)
    if os.path.exists(os.path.join(folder, "DIGESTS")):
        wrong = faults(folder)
    else:
        wrong = [] if "--write" in words else [f"{folder}/DIGESTS is missing"]
    if "--write" in words and not wrong:
        write(folder)
    elif not wrong and out_of_date(folder):
        wrong = [f"{folder}/DIGESTS: not of these cases; run conformance/tests/versions.py --write"]
    print(*wrong, sep="\n", end="\n" if wrong else "", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
