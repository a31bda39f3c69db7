#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Commands on standard input: the output contains exactly the replies.
# shellcheck disable=SC2154  # bats and test_helper.bash set them

load test_helper.bash

setup() {
    client_setup
    start_server
}

teardown() {
    client_teardown
}

# batch TEXT: the client with the text, in printf's escapes, as its standard input.
batch() {
    # shellcheck disable=SC2059 # the format is the test's own
    printf "$1" | smsp
}

@test "batch: one line for each command, and nothing else" {
    run --separate-stderr batch 'register alice pw\nsend alice hello you\ncount\nread\ndelete\ncount\ndump\nlogout\n'
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [[ "${lines[0]}" =~ ^OK\ [0-9a-f]{32}$ ]]
    [ "$(tail -n +2 <<<"$output")" = $'OK\nCOUNTED 1\nhello you\nOK\nCOUNTED 0\nOK\nOK' ]
}

@test "batch: after a KO the other lines are executed; status 1" {
    run --separate-stderr batch 'register alice pw\ndelete\nregister alice pw\ncount\n'
    [ "$status" -eq 1 ]
    [ -z "$stderr" ]
    [ "$(tail -n +2 <<<"$output")" = $'KO\nKO\nCOUNTED 0' ]
}

@test "batch: an invalid line is reported with its number, the others are executed; status 2" {
    run --separate-stderr batch 'register alice pw\ncuont\nlogin\nsend\ncount\nread\n'
    [ "$status" -eq 2 ]
    [ "$(tail -n +2 <<<"$output")" = $'COUNTED 0\nKO' ]
    [ "${stderr_lines[0]}" = "smsp: standard input, line 2: unknown command 'cuont'; 'help' lists the commands" ]
    [ "${stderr_lines[1]}" = "smsp: standard input, line 3: no password: add it as the last word, or set SMSP_PASSWORD" ]
    [ "${stderr_lines[2]}" = "smsp: standard input, line 4: usage: send USER TEXT..." ]
    [ "${#stderr_lines[@]}" -eq 3 ]
}

@test "batch: blank lines, CR LF, leading spaces, and a last line without its end" {
    run --separate-stderr batch '\r\n\n   \nregister alice pw\r\n  count\r\ncount'
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [ "$(tail -n +2 <<<"$output")" = $'COUNTED 0\nCOUNTED 0' ]
}

@test "batch: empty input: status 0" {
    run --separate-stderr batch ''
    expect_run 0 "" ""
}

@test "batch: quit ends the run" {
    run --separate-stderr batch 'DUMP\nquit\nDUMP\n'
    expect_run 0 OK ""
}

@test "batch: lines with control characters or NUL are rejected, the others are executed" {
    run --separate-stderr batch 'register alice pw\nsend alice a\tb\nsend alice a\000b\nDUMP \033[2J\ncount\n'
    [ "$status" -eq 2 ]
    [ "$(tail -n +2 <<<"$output")" = "COUNTED 0" ]
    [ "${#stderr_lines[@]}" -eq 3 ]
    [[ "${stderr_lines[1]}" == *"line 3: the line was not sent: it contains a control character or is not UTF-8" ]]
}

@test "batch: a line of more than 64 KiB is rejected, the others are executed" {
    { head -c 70000 /dev/zero | tr '\0' A; printf '\nDUMP\n'; } >"$BATS_TEST_TMPDIR/input"
    run --separate-stderr smsp <"$BATS_TEST_TMPDIR/input"
    expect_run 2 OK "smsp: standard input, line 1: the line was not sent: it has more than 65536 bytes"
    { printf DUMP; head -c 65528 /dev/zero | tr '\0' ' '; printf '\nDUMP\n'; } >"$BATS_TEST_TMPDIR/input"
    run --separate-stderr smsp <"$BATS_TEST_TMPDIR/input" # too long for the server, which stays in step
    expect_run 1 $'KO\nOK' ""
    run --separate-stderr bash -c 'head -c 65536 /dev/zero | tr "\0" D | "$1" 127.0.0.1 "$2"' - "$smsp" "$port"
    expect_run 2 "" "smsp: standard input, line 1: the line was not sent: it has more than 65535 bytes"
}

@test "batch: a name that is too long for a request, and unknown commands" {
    name=$(head -c 65500 /dev/zero | tr '\0' n)
    printf '%s\n' 'register alice pw' "read $name" "count $name" "send $name text" 1count "${name:0:100}" >"$BATS_TEST_TMPDIR/input"
    run --separate-stderr smsp <"$BATS_TEST_TMPDIR/input"
    [ "$status" -eq 2 ]
    [ "${#lines[@]}" -eq 1 ]
    [ "${#stderr_lines[@]}" -eq 5 ]
    [[ "${stderr_lines[0]}" == "smsp: standard input, line 2: COUNT was not sent: "* ]]
    [[ "${stderr_lines[2]}" == "smsp: standard input, line 4: STORE was not sent: "* ]]
    [ "${stderr_lines[3]}" = "smsp: standard input, line 5: unknown command '1count'; 'help' lists the commands" ]
    [ "${stderr_lines[4]}" = "smsp: standard input, line 6: unknown command '${name:0:80}'; 'help' lists the commands" ]
    run --separate-stderr smsp quit
    expect_run 0 "" ""
}

@test "batch: commands and lines in the protocol's syntax share the session" {
    run --separate-stderr batch 'REGISTER alice pw\nMESSAGE hi there $cookie\nSTORE alice $cookie\nread\nLOGOUT $cookie\ncount\n'
    [ "$status" -eq 2 ]
    [ "$(tail -n +2 <<<"$output")" = $'OK\nOK\nhi there\nOK' ]
    [ "$stderr" = "smsp: standard input, line 6: alice is not logged in at 127.0.0.1 port $port: register or log in first" ]
}

@test "batch: -u and SMSP_USER set the user, the last login does not" {
    register alice
    run --separate-stderr batch 'count\n'
    expect_run 2 "" "smsp: standard input, line 1: not logged in *"
    SMSP_USER=alice run --separate-stderr batch 'count\n'
    expect_run 0 "COUNTED 0" ""
}

@test "batch: a password may be in SMSP_PASSWORD" {
    SMSP_PASSWORD=pw run --separate-stderr batch 'register alice\nlogin alice\nlogin alice no\n'
    [ "$status" -eq 1 ]
    [ "${#lines[@]}" -eq 3 ]
    [ "${lines[2]}" = KO ]
}

@test "batch: a cookie that cannot be stored is reported, and the session goes on" {
    XDG_STATE_HOME=/dev/null run --separate-stderr batch 'register alice pw\ncount\n'
    [ "$status" -eq 0 ]
    [ "${lines[1]}" = "COUNTED 0" ]
    [[ "$stderr" == "smsp: standard input, line 1: cannot store the cookie in "* ]]
}

@test "batch: 8 senders at once, and no text in a wrong mailbox" {
    local i pids=()
    for i in {1..8}; do
        { echo "register user$i pw"; for _ in {1..50}; do echo "send user$i for user$i"; done; } |
            "$smsp" 127.0.0.1 "$port" >"$BATS_TEST_TMPDIR/sender$i" 3>&- &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i"; done
    for i in {1..8}; do
        [ "$(grep -cx OK "$BATS_TEST_TMPDIR/sender$i")" -eq 50 ]
    done
    smsp dump
    awk '/^  user/ { user = $1; sub(":", "", user); n += $2 } /^    / && $NF != user { exit 1 }
         END { exit n != 400 }' "$BATS_TEST_TMPDIR/terminal"
}

# on_terminal COMMAND...: what a terminal shows of its output; its input is ours.
on_terminal() {
    /usr/bin/python3 -c '
import os, pty, subprocess, sys
ours, theirs = pty.openpty()
status = subprocess.run(sys.argv[1:], stdout=theirs, stderr=theirs, timeout=20, check=False).returncode
os.close(theirs)
sys.stdout.buffer.write(os.read(ours, 65536))
sys.exit(status)' "$@"
}

@test "batch: a terminal as output gets no escapes, whatever the input is" {
    start_peer 'read 1; say \x1b]0\x3btitle\x07\xc2\x9b31m\xff\n; eof'
    echo 'GETMSG a b' >"$BATS_TEST_TMPDIR/input"
    run on_terminal "$smsp" 127.0.0.1 "$port" <"$BATS_TEST_TMPDIR/input"
    echo "$output"
    [[ "$output" == *'\x1b]0;title\x07\xc2\x9b31m\xff'* ]]
    [[ "$output" != *$'\e'* ]]
    start_peer 'read 1; say COUNTED 1\n; read 2; say \x1b[31mred\n; eof'
    give_cookie alice c
    run on_terminal "$smsp" -u alice 127.0.0.1 "$port" read </dev/null
    echo "$output"
    [[ "$output" == *'\x1b[31mred'* ]]
    [[ "$output" != *$'\e'* ]]
}
