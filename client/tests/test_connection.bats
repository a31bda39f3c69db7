#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Connections that are lost, idle, slow or strange, with a server that follows a script.
# shellcheck disable=SC2154  # bats and test_helper.bash set them

load test_helper.bash

setup() {
    client_setup
    sent="$BATS_TEST_TMPDIR/peer.log"
}

teardown() {
    client_teardown
}

# slowly LINE...: lines with a pause between them.
slowly() {
    echo "$1"
    shift
    while [ $# -gt 0 ]; do
        sleep 0.3
        echo "$1"
        shift
    done
}

# times WORD: how many requests with that word reached the server.
times() {
    grep -o "$1 " "$sent" | wc -l
}

# batch LINE...: the client with these lines, as alice.
batch() {
    give_cookie alice c0
    printf '%s\n' "$@" | "$smsp" -u alice 127.0.0.1 "$port"
}

# slow_batch LINE...: with a pause between them, in which the server may close.
slow_batch() {
    give_cookie alice c0
    slowly "$@" | "$smsp" -u alice 127.0.0.1 "$port"
}

@test "connection: MESSAGE and STORE are sent in one write" {
    start_peer 'read 2; say OK\nOK\n; eof'
    give_cookie alice c0
    run --separate-stderr smsp send bob hello
    expect_run 0 OK ""
    [ "$(cat "$sent")" = "1 b'MESSAGE hello c0\\nSTORE bob c0\\n'" ]
}

@test "connection: closed while idle: smsp reconnects silently" {
    start_peer 'read 1; say COUNTED 1\n' 'read 1; say OK\n' 'read 2; say OK\nOK\n'
    run --separate-stderr slow_batch count delete 'send bob hi'
    expect_run 0 $'COUNTED 1\nOK\nOK' ""
    [ "$(wc -l <"$sent")" -eq 3 ]
}

@test "connection: reset while idle: smsp reconnects silently" {
    start_peer 'read 1; say COUNTED 1\n; reset' 'read 1; say OK\n'
    run --separate-stderr slow_batch count delete
    expect_run 0 $'COUNTED 1\nOK' ""
}

@test "connection: lost after a repeatable request: it is repeated once, silently" {
    start_peer 'read 1; say COUNTED 1\n; read 2' 'read 1; say COUNTED 2\n'
    run --separate-stderr batch count count
    expect_run 0 $'COUNTED 1\nCOUNTED 2' ""
    [ "$(times COUNT)" -eq 3 ]
}

@test "connection: lost twice after a repeatable request: status 2" {
    start_peer 'read 1; say COUNTED 1\n; read 2' 'read 1'
    run --separate-stderr batch count count
    expect_run 2 "COUNTED 1" "smsp: standard input, line 2: 127.0.0.1 port $port closed the connection before its reply; the request may or may not have been carried out"
    [ "$(times COUNT)" -eq 3 ]
}

@test "connection: lost after another request: never repeated" {
    for line in delete 'send bob hi' logout 'register bob pw' 'MESSAGE x c0' 'STORE bob c0' 'WHATEVER x'; do
        client_teardown
        start_peer 'read 1; say COUNTED 1\n; read 2' 'eof'
        run --separate-stderr batch count "$line" count
        echo "$line"
        expect_run 2 "COUNTED 1" "smsp: standard input, line 2: *closed the connection before its reply; the request may or may not have been carried out"
        [ "$(times COUNT)" -eq 1 ]
        [ "$(cut -d' ' -f1 "$sent" | sort -u)" = 1 ]
    done
}

@test "connection: lost before the first reply: status 2" {
    start_peer 'read 1'
    give_cookie alice c0
    run --separate-stderr smsp count
    expect_run 2 "" "smsp: 127.0.0.1 port $port closed the connection before its reply; *"
}

@test "connection: lost between MESSAGE and STORE: reports that the text may be in the IMQ" {
    start_peer 'read 2; say OK\n'
    give_cookie alice c0
    run --separate-stderr smsp send bob hello
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [[ "${stderr_lines[0]}" == *"closed the connection before its reply"* ]]
    [ "${stderr_lines[1]}" = "smsp: the server has the text, but it may be in the IMQ and not in the mailbox of bob" ]
}

@test "connection: lost in the middle of a reply: status 2" {
    start_peer 'read 1; say OK\n; read 2; say COUNTED 1' 'read 1; say COUNTED 12\n'
    run --separate-stderr batch delete count
    expect_run 0 $'OK\nCOUNTED 12' ""
}

@test "connection: no reply within --timeout: status 2, and a late reply is not taken for the next one" {
    start_peer 'read 1; wait 1.3; say COUNTED 1\n; wait 0.2' 'read 1; say COUNTED 2\n'
    give_cookie alice c0
    run --separate-stderr "$smsp" --timeout 1 127.0.0.1 "$port" count
    expect_run 2 "" "smsp: 127.0.0.1 port $port sent no reply within 1 s; the request may or may not have been carried out"
    run --separate-stderr smsp count
    expect_run 0 "COUNTED 2" ""
}

@test "connection: replies may end with LF, CR LF or NUL" {
    for end in '\n' '\r\n' '\x00'; do
        client_teardown
        start_peer "read 1; say COUNTED 1$end; read 2; say OK$end; read 4; say OK${end}OK$end; eof"
        run --separate-stderr batch count delete 'send bob hi'
        echo "$end"
        expect_run 0 $'COUNTED 1\nOK\nOK' ""
    done
}

@test "connection: replies without terminator end with silence, and requests are sent one by one" {
    start_peer 'read 1; say COUNTED 1; read 2; say OK; read 3; say OK; eof'
    run --separate-stderr batch count 'send bob hi'
    expect_run 0 $'COUNTED 1\nOK' ""
    [ "$(grep -c . "$sent")" -eq 3 ]
    client_teardown
    start_peer 'read 1; say COUNTED 1; read 2; say KO; eof'
    run --separate-stderr batch count 'send bob hi'
    expect_run 1 $'COUNTED 1\nKO' ""
    [ "$(times STORE)" -eq 0 ]
}

@test "connection: the end of the connection ends a reply without terminator" {
    start_peer 'read 1; say COUNTED 1'
    give_cookie alice c0
    run --separate-stderr smsp count
    expect_run 0 "COUNTED 1" ""
}

@test "connection: a reply in pieces is received completely" {
    start_peer 'read 1; say COU; wait 0.4; say NTED 1\n; read 2; say h; wait 1.2; say i\n'
    give_cookie alice c0
    run --separate-stderr smsp read
    expect_run 0 hi ""
}

@test "connection: a reply of more than 64 KiB is rejected" {
    start_peer 'read 1; say COUNTED 1\n; read 2; many 65537 x; say \n; eof'
    give_cookie alice c0
    run --separate-stderr smsp read
    expect_run 2 "" "smsp: the reply of 127.0.0.1 port $port has more than 65536 bytes"
    start_peer 'read 1; say COUNTED 1\n; read 2; many 65536 x; say \n; eof'
    give_cookie alice c0
    smsp read | tr -d x | cmp - <(echo)
}

@test "connection: a line without a request is not taken for a reply" {
    start_peer 'read 1; say OK\nCOUNTED 9\n; eof' 'read 1; say COUNTED 1\n'
    run --separate-stderr batch delete count
    expect_run 0 $'OK\nCOUNTED 1' "smsp: standard input, line 2: 127.0.0.1 port $port sent 'COUNTED 9' without a request"
}

@test "connection: of a long line without a request the beginning is printed" {
    start_peer "read 1; say OK\n$(printf 'y%.0s' {1..200})\n; eof" 'read 1; say COUNTED 1\n'
    run --separate-stderr batch delete count
    expect_run 0 $'OK\nCOUNTED 1' "smsp: standard input, line 2: 127.0.0.1 port $port sent '$(printf 'y%.0s' {1..80})' without a request"
}

@test "connection: read, when the first of its two requests is lost" {
    start_peer 'read 1'
    give_cookie alice c0
    run --separate-stderr smsp read
    expect_run 2 "" "smsp: 127.0.0.1 port $port closed the connection before its reply; *"
}

@test "connection: send, when MESSAGE is refused and the rest is lost" {
    start_peer 'read 2; say KO\n; wait 0.2'
    give_cookie alice c0
    run --separate-stderr smsp send bob hello
    expect_run 2 KO "smsp: 127.0.0.1 port $port closed the connection before its reply; *"
}

@test "connection: send, when the session ends between MESSAGE and STORE" {
    start_peer 'read 2; say OK\nYou should log in first.\n; eof'
    give_cookie alice c0
    run --separate-stderr smsp send bob hello
    expect_run 1 "You should log in first." "smsp: the session has ended; the text stays in the IMQ, *"
}

@test "connection: a cookie or a username that is too long is reported" {
    start_peer "read 1; say OK $(printf 'c%.0s' {1..256})\n; eof"
    SMSP_PASSWORD=pw run --separate-stderr smsp login alice
    [ "$status" -eq 2 ]
    [[ "$stderr" == *": the username or the cookie is too long to store" || "$stderr" == *"this is not a valid reply to LOGIN" ]]
    start_peer 'read 1; say OK c0\n; eof'
    SMSP_PASSWORD=pw run --separate-stderr smsp login "$(printf 'u%.0s' {1..256})"
    expect_run 2 "OK c0" "smsp: the username or the cookie is too long to store"
    [ ! -e "$XDG_STATE_HOME" ]
}

@test "connection: LOGOUT with another cookie does not end the session" {
    start_peer 'read 1; say OK\n; read 2; say COUNTED 0\n; eof'
    run --separate-stderr batch 'LOGOUT other' count
    expect_run 0 $'OK\nCOUNTED 0' ""
    [ "$(cat "$(cookie_file alice)")" = c0 ]
}

@test "connection: any reply to an unknown request is accepted" {
    start_peer 'read 1; say a text\n; read 2; say \x01\n; read 3; say KO\n; eof'
    run --separate-stderr batch WHATEVER WHATEVER WHATEVER
    expect_run 1 $'a text\n\001\nKO' ""
}

@test "connection: KO and close: reports that the server may have too many clients" {
    start_peer 'say KO\n; half; eof'
    give_cookie alice c0
    run --separate-stderr smsp count
    [ "$output" = KO ] || [ "$status" -eq 2 ]
    [[ "$stderr" == "smsp: "*"it may have too many clients" ]]
}

@test "connection: smspd is full: reports that the server may have too many clients" {
    start_server --max-clients 1
    exec 9<>"/dev/tcp/127.0.0.1/$port"
    echo DUMP >&9
    read -r reply <&9
    [ "$reply" = OK ]
    run --separate-stderr smsp DUMP
    exec 9>&-
    [ "$output" = KO ] || [ "$status" -eq 2 ]
    [ "$status" -ne 0 ]
    [[ "$stderr" == "smsp: "*"it may have too many clients" ]]
}

@test "connection: an invalid reply is printed and reported: status 2" {
    start_peer 'read 1; say HELLO\n; read 2; say COUNTED 01\n; read 3; say OK\n; eof'
    run --separate-stderr batch count
    expect_run 2 HELLO "smsp: standard input, line 1: this is not a valid reply to COUNT"
    start_peer 'read 2; say HM\nOK\n; eof'
    give_cookie alice c0
    run --separate-stderr smsp send bob hi
    [ "$status" -eq 2 ]
    [ "$output" = HM ]
    [ "${stderr_lines[1]}" = "smsp: the text was rejected, but STORE moved another one, the most recent in the IMQ, to bob" ]
    start_peer 'read 1; say OK\n; eof'
    SMSP_PASSWORD=pw run --separate-stderr smsp register alice
    expect_run 2 OK "smsp: this is not a valid reply to REGISTER"
}

@test "connection: a message with forbidden bytes is printed unchanged if standard output is not a terminal" {
    start_peer 'read 1; say COUNTED 1\n; read 2; say \x1b[31mred\t\xff\n; eof'
    give_cookie alice c0
    smsp read >"$BATS_TEST_TMPDIR/read"
    printf '\033[31mred\t\377\n' | cmp - "$BATS_TEST_TMPDIR/read"
}

@test "connection: errors about a hostile server contain no escape sequences" {
    start_peer 'read 1; say OK\n\x1b]0\x3bx\x07\n; eof' 'read 1; say COUNTED 1\n'
    run --separate-stderr batch delete count
    [ "$status" -eq 0 ]
    [[ "$stderr" == *"sent '\\x1b]0;x\\x07' without a request" ]]
}

@test "connection: a server that reads nothing: status 2" {
    start_peer 'wait 3'
    give_cookie alice c0
    run --separate-stderr "$smsp" --timeout 1 127.0.0.1 "$port" count
    expect_run 2 "" "smsp: 127.0.0.1 port $port sent no reply within 1 s; *"
}

@test "connection: IPv6" {
    host=::1 start_server
    SMSP_PASSWORD=pw run --separate-stderr "$smsp" ::1 "$port" register alice
    [ "$status" -eq 0 ]
    [ -f "$XDG_STATE_HOME/smsp/%3A%3A1:$port:alice" ]
    run --separate-stderr "$smsp" ::1 "$port" count
    expect_run 0 "COUNTED 0" ""
}
