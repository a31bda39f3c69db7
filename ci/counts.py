# SPDX-License-Identifier: ISC
"""What tests reach, as clang's counters tell it: for ci/coverage and ci/coverage_programs."""
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def run(*command, **more):
    """Its standard output; if it fails, the end of what it said, and that is all."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                          cwd=ROOT, check=False, **more)
    if done.returncode != 0:
        print((done.stdout + done.stderr)[-3000:], file=sys.stderr)
        sys.exit(f"ci/{os.path.basename(sys.argv[0])}: '{os.path.basename(command[0])}' ended with status "
                 f"{done.returncode}, see above")
    return done.stdout


class Found:
    """What is reached of one file: {place: reached} for each kind.

    A function of a header is in several programs and objects: what one of
    its copies reaches is reached."""

    def __init__(self, path, told, lines):
        self.name = os.path.relpath(path, ROOT)
        with open(path, encoding="utf-8") as file:
            self.text = file.read().split("\n")
        self.places = {kind: {} for kind in ("lines", "branches", "MC/DC")}
        for line, count in lines:
            self.add("lines", (line,), count > 0)
        for branch in told["branches"]:
            self.add_branch(branch[:4], branch[4:6])
        for expansion in told["expansions"]:
            for branch in expansion["branches"]:
                self.add_branch(expansion["source_region"][:4], branch[4:6])
        for record in told.get("mcdc_records", []):
            for number, shown in enumerate(record[-1], 1):
                self.add("MC/DC", (*record[:4], f"that condition {number} of {len(record[-1])} decides is not shown"), shown)

    def add(self, kind, place, reached):
        self.places[kind][place] = self.places[kind].get(place, False) or reached

    def add_branch(self, region, counts):
        for outcome, count in zip(("true", "false"), counts):
            self.add("branches", (*region, f"never {outcome}"), count > 0)

    def tally(self, kind):
        known = self.places[kind]
        return sum(known.values()), len(known)

    def missing(self):
        for kind, places in self.places.items():
            for place in sorted(place for place, reached in places.items() if not reached):
                words = self.text[place[0] - 1].strip() if kind == "lines" else f"{self.excerpt(place)}: {place[4]}"
                yield f"{self.name}:{place[0]}: {kind}: {words}"

    def excerpt(self, place):
        first, left, last, right = place[:4]
        lines = self.text[first - 1:last]
        lines[-1] = lines[-1][:right - 1]
        lines[0] = lines[0][left - 1:]
        return " ".join(line.strip() for line in lines)


def line_counts(lcov):
    """{file: [(line, count)]} from llvm-cov's other format, the only one that has lines."""
    counts, at = {}, None
    for row in lcov.splitlines():
        if row.startswith("SF:"):
            at = counts.setdefault(row[3:], [])
        elif row.startswith("DA:"):
            at.append(tuple(int(number) for number in row[3:].split(",")[:2]))
    return counts


def measure(out, name, profiles, programs, sources, *shown):
    """Merges the profiles: [Found for each file]. Pages are left in out/html/name."""
    merged = os.path.join(out, name + ".profdata")
    run("llvm-profdata-19", "merge", "-sparse", *profiles, "-o", merged)
    common = [f"-instr-profile={merged}", programs[0], *(f"-object={path}" for path in programs[1:]), *sources]
    run("llvm-cov-19", "show", "-format=html", "-show-branches=count", *shown,
        f"-output-dir={os.path.join(out, 'html', name)}", *common)
    lines = line_counts(run("llvm-cov-19", "export", "-format=lcov", *common))
    told = json.loads(run("llvm-cov-19", "export", *common))["data"][0]["files"]
    return [Found(file["filename"], file, lines[file["filename"]]) for file in told]
