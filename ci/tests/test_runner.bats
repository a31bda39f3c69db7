#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# ci/test, with tables of jobs that do what jobs should not do.

bats_require_minimum_version 1.5.0

setup() {
    source=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    # A tree of its own, in which nothing else writes.
    root="$BATS_TEST_TMPDIR/root"
    devices="$BATS_TEST_TMPDIR/dev"
    mkdir -p "$root/ci" "$devices"
    cp "$source/ci/test" "$source/ci/guard.py" "$source/ci/ending.py" "$root/ci"
    table="$BATS_TEST_TMPDIR/jobs"
    printf '/build/\n/client/smsp\n__pycache__/\n.hypothesis/\n' >"$root/.gitignore"
}

job() {
    echo "$1 1 $2 $3" >>"$table"
}

counts() {
    run --separate-stderr "$root/ci/test" --jobs "$table" --devices "$devices"
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
    job a 1 "echo ok 1; sh -c 'echo \$\$ >$BATS_TEST_TMPDIR/pid; sleep 60'; echo ok 2"
    counts "1 passed, 1 failed" 1
    [[ "$output" == *"stopped after 1 s"* ]]
    ended "$(cat "$BATS_TEST_TMPDIR/pid")"
}

@test "runner: a process left behind is a failure, and is ended" {
    job a 20 "echo ok 1; setsid sleep 61 >/dev/null 2>&1 & echo \$! >$BATS_TEST_TMPDIR/pid"
    counts "1 passed, 1 failed" 1
    [[ "$output" == *"behind: sleep 61"* ]]
    ended "$(cat "$BATS_TEST_TMPDIR/pid")"
}

@test "runner: a temporary file left behind is a failure" {
    job a 20 'echo ok 1; mktemp >/dev/null'
    counts "1 passed, 1 failed" 1
    [[ "$output" == *"left temporary files behind"* ]]
}

@test "runner: a file left in the home is a failure" {
    job a 20 'echo ok 1; touch $HOME/.left'
    counts "1 passed, 1 failed" 1
    [[ "$output" == *"left temporary files behind: .left"* ]]
}

@test "runner: a new, a changed and a removed file of the source tree are failures, what make builds is not" {
    touch "$root/changed" "$root/removed"
    job a 20 'echo ok 1; touch new; chmod 600 changed; rm removed; mkdir -p build/x client ci/__pycache__ .hypothesis; touch build/x/y client/smsp ci/__pycache__/z'
    counts "1 passed, 5 failed" 1
    for words in "$root/new: was not there -> -rw" "$root/changed: -rw-r--r-- " "-> -rw------- " \
        "$root/removed: " "-> is gone" "$root/client: was not there" "$root/.hypothesis: was not there"; do
        grep -F -- "the tests left something changed" <<<"$output" | grep -F -- "$words"
    done
}

@test "runner: what git sees at the end and did not see before is a failure" {
    git -c init.defaultBranch=main init -q "$root"
    git -C "$root" add -A
    git -C "$root" -c user.name=x -c user.email=x@localhost commit -q -m x
    job a 20 'echo ok 1'
    counts "1 passed, 0 failed" 0
    job b 20 'echo ok 1; git rm -q --cached ci/test'
    counts "2 passed, 2 failed" 1
    [[ "$output" == *"left something changed: D  ci/test"* ]]
}

@test "runner: a device whose mode, owner or kind changes is a failure" {
    touch "$devices/null" "$devices/tty"
    job a 20 "echo ok 1; chmod 0 $devices/null; rm $devices/tty; mkdir $devices/tty"
    counts "1 passed, 2 failed" 1
    [[ "$output" == *"$devices/null: -rw-r--r-- "*" -> ---------- "* ]]
    [[ "$output" == *"$devices/tty: -rw-r--r-- "*" -> drwxr-xr-x "* ]]
}

@test "runner: the machine's own devices are watched" {
    job a 20 'echo ok 1'
    grep -q 'default="/dev"' "$root/ci/test"
    PYTHONPATH="$root/ci" /usr/bin/python3 -c '
import guard
seen = guard.snapshot("/nonexistent")
assert "device" in seen["/dev/null"] and seen["/dev/null"].startswith("c"), seen'
}

@test "runner: a job has an environment, a umask and signals that do not depend on the caller" {
    job a 20 'echo ok 1; env | cut -d= -f1 | sort | tr "\n" " "; umask; grep SigIgn /proc/self/status'
    plain='CMOCKA_MESSAGE_OUTPUT HOME LANG LC_ALL PATH PWD SMSP_TEST_JOB TERM TMPDIR 0022'
    (
        trap '' INT HUP PIPE
        umask 077
        env -i PATH="$PATH" BASH_ENV=/nonexistent MAKEFLAGS=-n GREP_OPTIONS=-v LC_ALL=C CDPATH=/ XDG_CACHE_HOME=x \
            PYTHONPATH=/nonexistent "$root/ci/test" --jobs "$table" --devices "$devices" >"$BATS_TEST_TMPDIR/out"
    )
    cat "$BATS_TEST_TMPDIR/out" "$root/build/log/a.log"
    [ "$(tail -n 1 "$BATS_TEST_TMPDIR/out")" = "1 passed, 0 failed" ]
    grep -Fx "$plain" "$root/build/log/a.log"
    # of libc's own two signals make leaves 32 and 33 ignored
    ignored=$(sed -n 's/^SigIgn:\s*//p' "$root/build/log/a.log")
    [ "$((0x$ignored & 0x7fffffff))" -eq 0 ]
    # nothing at all, and no standard input
    env -i "$root/ci/test" --jobs "$table" --devices "$devices" <&- | grep -x "1 passed, 0 failed"
}

@test "runner: git, make and the home of the caller stay out" {
    job a 20 'echo "ok 1"; git config --get user.name; test -z "$(ls -A "$HOME")" && echo ok 2'
    mkdir "$BATS_TEST_TMPDIR/home"
    printf '[user]\n\tname = somebody\n' >"$BATS_TEST_TMPDIR/home/.gitconfig"
    HOME="$BATS_TEST_TMPDIR/home" counts "2 passed, 0 failed" 0
    [ "$(grep -c somebody "$root/build/log/a.log")" -eq 0 ]
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
    export PIDFILE="$BATS_TEST_TMPDIR/pid" TMPDIR="$BATS_TEST_TMPDIR/scratch"
    job a 60 "echo \$\$ >$PIDFILE; sleep 60"
    mkdir "$TMPDIR"
    for signal in TERM INT HUP; do
        rm -f "$PIDFILE"
        # bash starts background jobs with INT ignored, and so may whoever starts CI
        "$root/ci/test" --jobs "$table" >/dev/null 2>&1 3>&- &
        runner=$!
        for _ in $(seq 100); do [ -s "$PIDFILE" ] && break; sleep 0.05; done
        [ -s "$PIDFILE" ]
        kill -s "$signal" "$runner"
        wait "$runner" || true
        ended "$(cat "$PIDFILE")"
        [ -z "$(ls "$TMPDIR")" ]
    done
}

@test "runner: wrong usage is status 2, a wrong table names file and line" {
    run "$source/ci/test" no-such-job
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
    PATH="$BATS_TEST_TMPDIR/bin:$PATH" run "$source/.ci/run"
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
