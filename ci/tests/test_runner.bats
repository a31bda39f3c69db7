#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# ci/test, with tables of jobs that do what jobs should not do.

bats_require_minimum_version 1.5.0

setup() {
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    table="$BATS_TEST_TMPDIR/jobs"
    jobs=()
}

# Logs go to build/log: names that no real job has.
job() {
    local name="selftest-$BATS_TEST_NUMBER-$1"
    jobs+=("$root/build/log/$name.log")
    echo "$name 1 $2 $3" >>"$table"
}

teardown() {
    rm -f "${jobs[@]}"
}

counts() {
    run --separate-stderr "$root/ci/test" --jobs "$table"
    [ "${lines[-1]}" = "$1" ] && [ "$status" -eq "$2" ] && return
    printf '%s\n' "wanted: $1, status $2; got status $status:" "$output"
    return 1
}

# A process that was killed may stay for a while as a zombie, which has no command line.
ended() {
    for _ in $(seq 100); do
        [ -n "$(tr -d '\0' 2>/dev/null <"/proc/$1/cmdline")" ] || return 0
        sleep 0.05
    done
    return 1
}

@test "runner: cases of all jobs are counted, skipped ones apart" {
    job a 20 'printf "1..3\nok 1 - x\nok 2 # SKIP why\nok 3\n"'
    job b 20 'printf "ok 1\nok 2\n  ok 3 nested\nokay\nnot ok 4 # skip\n1..3\n"'
    counts "4 passed, 0 failed" 0
    [ "${lines[-2]}" = "2 skipped" ]
}

@test "runner: a failed case is a failure, and its log is shown" {
    job a 20 'printf "ok 1\nnot ok 2 - the reason\n"; exit 1'
    counts "1 passed, 1 failed" 1
    [[ "$output" == *"not ok 2 - the reason"* ]]
}

@test "runner: a failed case counts although the job ends with status 0" {
    job a 20 'echo "not ok 1"'
    counts "0 passed, 1 failed" 1
}

@test "runner: a job without a case is a failure" {
    job a 20 'echo all is well'
    counts "0 passed, 1 failed" 1
    [[ "$output" == *"ran no test"* ]]
}

@test "runner: a status other than 0 without a failed case is a failure" {
    job a 20 'echo ok 1; exit 3'
    counts "1 passed, 1 failed" 1
    [[ "$output" == *"ended with status 3"* ]]
}

@test "runner: cases that were announced and did not run are a failure" {
    job a 20 'printf "1..5\nok 1\n"'
    counts "1 passed, 1 failed" 1
    [[ "$output" == *"4 announced cases did not run"* ]]
}

@test "runner: a job that takes too long is stopped, with its children" {
    job a 1 'echo ok 1; sh -c "echo \$\$ >$PIDFILE; sleep 60"; echo ok 2'
    PIDFILE="$BATS_TEST_TMPDIR/pid" counts "1 passed, 1 failed" 1
    [[ "$output" == *"stopped after 1 s"* ]]
    ended "$(cat "$BATS_TEST_TMPDIR/pid")"
}

@test "runner: a process left behind is a failure, and is ended" {
    job a 20 'echo ok 1; setsid sleep 61 >/dev/null 2>&1 & echo $! >$PIDFILE'
    PIDFILE="$BATS_TEST_TMPDIR/pid" counts "1 passed, 1 failed" 1
    [[ "$output" == *"behind: sleep 61"* ]]
    ended "$(cat "$BATS_TEST_TMPDIR/pid")"
}

@test "runner: a temporary file left behind is a failure" {
    job a 20 'echo ok 1; mktemp >/dev/null'
    counts "1 passed, 1 failed" 1
    [[ "$output" == *"left temporary files behind"* ]]
}

@test "runner: with CI set, a file left in the source tree is a failure" {
    stray="ci/stray-$$"
    jobs+=("$root/$stray")
    job a 20 "echo ok 1; touch $stray"
    CI=true counts "1 passed, 1 failed" 1
    [[ "$output" == *"changed the source tree: ?? $stray"* ]]
}

@test "runner: jobs run side by side, as many as there are cores" {
    job a 20 'sleep 1; echo ok 1'
    job b 20 'sleep 1; echo ok 1'
    counts "2 passed, 0 failed" 0
    first=$(grep -n -m 1 passed <<<"$output" | cut -d: -f1)
    started=$(head -n "$first" <<<"$output" | grep -c started)
    [ "$started" -eq "$(($(nproc) < 2 ? 1 : 2))" ]
}

@test "runner: when it is told to end, its jobs and its scratch folder go with it" {
    job a 60 'echo $$ >$PIDFILE; sleep 60'
    export PIDFILE="$BATS_TEST_TMPDIR/pid" TMPDIR="$BATS_TEST_TMPDIR/scratch"
    mkdir "$TMPDIR"
    for signal in TERM INT HUP; do
        rm -f "$PIDFILE"
        # bash starts background jobs with INT ignored, and so may whoever starts CI
        "$root/ci/test" --jobs "$table" >/dev/null 2>&1 3>&- &
        runner=$!
        for _ in $(seq 100); do [ -s "$PIDFILE" ] && break; sleep 0.05; done
        [ -s "$PIDFILE" ]
        kill -s "$signal" "$runner"
        run wait "$runner"
        ended "$(cat "$PIDFILE")"
        [ -z "$(ls "$TMPDIR")" ]
    done
}

@test "runner: wrong usage is status 2, a wrong table names file and line" {
    run "$root/ci/test" no-such-job
    [ "$status" -eq 2 ]
    [ "$output" = "ci/test: no job 'no-such-job'; ci/test --list names them" ]
    echo "a few words" >"$table"
    run "$root/ci/test" --jobs "$table"
    [ "$status" -eq 1 ]
    [ "$output" = "$table:1: want: job, cores, seconds, command" ]
}

# ci_run_with BODY: .ci/run, where make is a script with this body.
ci_run_with() {
    mkdir "$BATS_TEST_TMPDIR/bin"
    printf '#!/bin/sh\n%s\n' "$1" >"$BATS_TEST_TMPDIR/bin/make"
    chmod +x "$BATS_TEST_TMPDIR/bin/make"
    PATH="$BATS_TEST_TMPDIR/bin:$PATH" run "$root/.ci/run"
}

@test "runner: .ci/run ends with the counts even if make cannot begin" {
    ci_run_with 'echo cannot >&2; exit 2'
    [ "${lines[-1]}" = "0 passed, 1 failed" ]
    [ "$status" -eq 2 ]
}

@test "runner: .ci/run ends with the counts of make test and its status" {
    ci_run_with 'echo "7 passed, 1 failed"; echo make: gone wrong; exit 2'
    [ "${lines[-1]}" = "7 passed, 1 failed" ]
    [ "$status" -eq 2 ]
}

@test "runner: .ci/run gives make warnings as errors and no terminal to ask" {
    ci_run_with 'echo "$CI $WERROR $(cat)"; echo "1 passed, 0 failed"'
    [ "${lines[0]}" = "true 1 " ]
    [ "$status" -eq 0 ]
}
