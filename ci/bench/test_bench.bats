#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The benchmark: that it runs, that its counters add up, and that it notices when they do not.

setup() {
    cd "$BATS_TEST_DIRNAME/../.." || return
}

# python LINES: with the benchmark's modules at hand.
python() {
    PYTHONPATH=ci/bench PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -c "$1"
}

@test "bench: a short run starts all servers, ends them, and writes every table" {
    before=$(find build/bench -maxdepth 1 -name 'run-*' | sort)
    run ci/bench/run --short --out "$BATS_TEST_TMPDIR"
    echo "$output"
    [ "$status" -eq 0 ]
    for part in '| smspd --memory |' 'redis |' 'beanstalkd' 'fork and exit' '| COUNT |' 'an account' '| MESSAGE 64 |'; do
        echo "looking for: $part"
        grep -qF -- "$part" "$BATS_TEST_TMPDIR/RESULTS.md"
    done
    grep -q '<svg' "$BATS_TEST_TMPDIR/growth.svg"
    [ "$(find build/bench -maxdepth 1 -name 'run-*' | sort)" = "$before" ]
}

@test "bench: counters that do not add up are refused" {
    python '
import measure, servers
server = servers.smspd("--memory")
good = {"mix": "job", "clients": 4, "depth": 8, "requests": 4000, "rounds": 1000, "wrong": 0}
measure.check_counters(server, good)
for wrong in ({"wrong": 1}, {"requests": 0, "rounds": 0}, {"rounds": 900}, {"requests": 5000}):
    try:
        measure.check_counters(server, {**good, **wrong})
    except servers.BenchError:
        continue
    raise SystemExit(f"{wrong} was believed")
'
}

@test "bench: a server that does not start is one line, and nothing of it stays" {
    run python '
import os, servers
with servers.Servers("build/bench") as running:
    directory = running.directory
    try:
        running.start(servers.Server("liar", lambda port, at: ["sh", "-c", "echo no such luck; exit 3"], "smsp", "job"))
    except servers.BenchError as error:
        print(error)
assert not os.path.exists(directory)
'
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$output" = "liar does not listen: no such luck" ]
}

@test "bench: ratios are taken round by round" {
    python '
import goals, report
entry = lambda name, rates: {"server": name, "cell": [1, 1, 64], "rounds": [{"requests_per_second": r} for r in rates]}
grid = report.Grid([entry("smspd --memory", [100, 50, 30]), entry("redis", [50, 50, 10])])
assert grid.ratios("smspd --memory", "redis", (1, 1, 64)) == [2, 1, 3]
assert goals.spread([2, 1, 3]) == "**2.00** (1.00 to 3.00)"
assert report.figure(1234567) == "1,230,000" and report.figure(12.345) == "12.3" and report.figure(999) == "999"
'
}

@test "bench: a figure is judged by its median and its targets" {
    python '
from goals import Goal, summary
more = lambda *values: Goal("rate", list(values), 0.5, 1)
assert [more(v).verdict() for v in (0.49, 0.5, 0.99, 1)] == ["**not met**", "met", "met", "proud"]
less = lambda *values: Goal("time", list(values), 2, 1.5, less=True)
assert [less(v).verdict() for v in (1.5, 1.51, 2, 2.01)] == ["proud", "met", "met", "**not met**"]
assert more(0.1, 0.6, 9).verdict() == "met" and more().verdict() == "not measured"
assert Goal("", [3], None, 2).verdict() == "proud" and Goal("", [1], None, 2).verdict() == "short of it"
assert Goal("", [1]).verdict() == "" and less(1.7).row() == ["time", "≤ 2", "≤ 1.5", "**1.70** (1.70 to 1.70)", "met"]
assert summary([more(0.1), less(1), Goal("", [1])]) == \
    "Of 2 figures 1 are what we would be proud of, 0 are as asked for, 1 are not: rate."
'
}

@test "bench: the speed of fuzzing is read from what a campaign prints" {
    python '
import measure
said = """parser             6     902133   147802       388597      126    198  -
session            6      90213    14780        38859      126    198  -"""
assert measure.fuzzing_rows(said, ["parser", "session"])["session"] == {"runs_a_second": 14780, "of_a_core": 38859}
assert measure.fuzzing_rows(said.replace("-\n", "split\n"), ["parser"]) == {}
'
}

@test "bench: one part alone does not overwrite the figures of the other" {
    echo kept >"$BATS_TEST_TMPDIR/RESULTS.md"
    run python '
import argparse, importlib.machinery, importlib.util, servers
loader = importlib.machinery.SourceFileLoader("run", "ci/bench/run")
run = importlib.util.module_from_spec(importlib.util.spec_from_loader("run", loader))
loader.exec_module(run)
run.RAW = "'"$BATS_TEST_TMPDIR"'/none"
for part in ("engine", "servers"):
    given = argparse.Namespace(engine=False, servers=False, short=False, out="'"$BATS_TEST_TMPDIR"'")
    run.see_that_nothing_is_lost(given)
    setattr(given, part, True)
    try:
        run.see_that_nothing_is_lost(given)
    except servers.BenchError as error:
        print(error)
'
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(grep -c 'which would be lost: run' <<<"$output")" -eq 2 ]
}

@test "bench: the engine's three parsers agree, and its cases are right" {
    run build/release/bench/engine --short
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(grep -c '"case"' <<<"$output")" -ge 50 ]
    run build/release/bench/engine --short nonsense
    [ "$status" -eq 2 ]
}
