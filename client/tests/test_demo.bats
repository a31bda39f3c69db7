#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The demo, and the script that runs the tests of the client.
# shellcheck disable=SC2154  # bats and test_helper.bash set them

load test_helper.bash

setup() {
    client_setup
    mkdir "$BATS_TEST_TMPDIR/temporary"
    export TMPDIR="$BATS_TEST_TMPDIR/temporary" SMSP_TEST_DEMO=$BATS_TEST_TMPDIR
}

teardown() {
    client_teardown
}

# nothing_left: there is no file, and no process with the environment of this test.
nothing_left() {
    [ -z "$(ls -A "$TMPDIR")" ]
    [ ! -e "$XDG_STATE_HOME" ]
    ! grep -lzsx "SMSP_TEST_DEMO=$BATS_TEST_TMPDIR" /proc/[0-9]*/environ | grep -v -e "/$$/" -e "/$BASHPID/" -e /self/ |
        while IFS=/ read -r _ _ pid _; do cat "/proc/$pid/comm"; done 2>/dev/null | grep smspd
}

@test "demo: two users exchange mail, and the server's terminal is shown" {
    run --separate-stderr client/demo
    echo "$output $stderr"
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [ "$(grep -c '^# ' <<<"$output")" -eq 10 ]
    [ "$(awk 'length > 80' <<<"$output" | wc -l)" -eq 0 ]
    [ "$(grep -c '^\$ smsp -u ' <<<"$output")" -eq 17 ]
    [ "$(grep -cx '    | IMQ: 1' <<<"$output")" -eq 1 ]
    [ "$(grep -cx '    |   1: See you there' <<<"$output")" -eq 1 ]
    [ "$(grep -cx '    |     1: Lunch at noon, or later' <<<"$output")" -eq 1 ]
    [ "$(grep -cx 'Lunch at noon, or later' <<<"$output")" -eq 1 ]
    [ "$(grep -cx 'At noon, gladly' <<<"$output")" -eq 1 ]
    [ "$(grep -cx 'COUNTED 2' <<<"$output")" -eq 2 ]
    nothing_left
}

@test "demo: after a signal, or when nobody reads, it ends quietly and leaves nothing" {
    : >"$BATS_TEST_TMPDIR/demo"
    PAUSE=1 client/demo >"$BATS_TEST_TMPDIR/demo" 3>&- &
    started+=($!)
    wait_for_port "$BATS_TEST_TMPDIR/demo" '.*runs on port \([0-9]*\)\.'
    kill "${started[0]}"
    wait "${started[0]}" || status=$?
    [ "$status" -eq 143 ]
    nothing_left
    for count in 0 1 3 20; do
        # with SIGPIPE as usual, and ignored by whoever started it
        for setting in '' 'import signal; signal.signal(signal.SIGPIPE, signal.SIG_IGN); '; do
            echo "$count lines; $setting"
            run --separate-stderr /usr/bin/python3 -c "import subprocess, sys; $setting
demo = subprocess.Popen(['client/demo'], stdout=subprocess.PIPE, restore_signals=False)
[demo.stdout.readline() for _ in range($count)]
demo.stdout.close()
sys.exit(demo.wait(60))"
            [ "$status" -eq 141 ]
            [ -z "$stderr" ]
            nothing_left
        done
    done
}

@test "demo: output that cannot be written is reported once" {
    run bash -c 'client/demo >/dev/full'
    echo "$output"
    [ "$status" -eq 1 ]
    [ "$output" = "client/demo: cannot write the output: No space left on device" ]
    run bash -c 'client/demo >&-'
    [ "$status" -eq 1 ]
    [ "$output" = "client/demo: standard output is closed" ]
    nothing_left
}

@test "check: runs commands side by side and fails if one fails" {
    run client/tests/check 'echo one' 'echo two'
    [ "$status" -eq 0 ]
    [ "$output" = $'one\ntwo' ]
    run client/tests/check 'echo one' false 'echo two'
    [ "$status" -eq 1 ]
    [ "$output" = $'one\ntwo' ]
    client/tests/check 'sleep 60' 3>&- &
    started+=($!)
    sleep 0.2
    kill "${started[0]}"
    wait "${started[0]}" || status=$?
    [ "$status" -eq 1 ]
    nothing_left
}
