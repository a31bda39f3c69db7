#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Options, arguments, and errors in their use.
# shellcheck disable=SC2154  # bats and test_helper.bash set them

load test_helper.bash

setup() {
    client_setup
    port=1 # nobody listens there, and nothing here should try
}

@test "options: --help names every option, command and variable" {
    run --separate-stderr "$smsp" --help
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    for word in -u --user --trace --timeout --help --version SMSP_USER SMSP_PASSWORD XDG_STATE_HOME \
        register login send count read delete logout dump help quit '$cookie'; do
        echo "$word"
        grep -qF -- "$word" <<<"$output"
    done
    [ "$(awk 'length > 100' <<<"$output" | wc -l)" -eq 0 ]
}

@test "options: --version prints the version and the kind of line input" {
    run --separate-stderr "$smsp" --version
    [ "$status" -eq 0 ]
    [[ "$output" == "smsp $(sed -n 's/^.define SMSP_VERSION "\(.*\)"/\1/p' engine/smsp.h) (line input: "*")" ]]
}

@test "options: a mistyped option gives one line and status 2" {
    run --separate-stderr "$smsp" --trase 127.0.0.1 1
    expect_run 2 "" "smsp: unknown option '--trase'; smsp --help lists the options"
    run --separate-stderr "$smsp" -x 127.0.0.1 1
    expect_run 2 "" "smsp: unknown option '-x'; *"
    run --separate-stderr "$smsp" --trace=yes 127.0.0.1 1
    expect_run 2 "" "smsp: unknown option '--trace=yes'; *"
}

@test "options: a missing value gives one line and status 2" {
    run --separate-stderr "$smsp" -u
    expect_run 2 "" "smsp: a value is missing after option '-u'; *"
    run --separate-stderr "$smsp" --timeout
    expect_run 2 "" "smsp: a value is missing after option '--timeout'; *"
}

@test "options: --timeout takes 1 to 3600 seconds" {
    for value in 0 -1 3601 1s "" 99999999999999999999; do
        run --separate-stderr "$smsp" --timeout "$value" 127.0.0.1 1 count
        expect_run 2 "" "smsp: --timeout '$value' is not a number of seconds from 1 to 3600"
    done
}

@test "options: HOST and PORT are needed, PORT is 1 to 65535" {
    run --separate-stderr "$smsp"
    expect_run 2 "" "smsp: HOST and PORT are missing; usage: smsp *"
    run --separate-stderr "$smsp" localhost
    expect_run 2 "" "smsp: PORT is missing; usage: smsp *"
    for value in 0 65536 http 12x "" -5; do
        run --separate-stderr "$smsp" -- localhost "$value" count
        expect_run 2 "" "smsp: port '$value' is not a number from 1 to 65535"
    done
}

@test "options: an invalid username in -u or SMSP_USER is rejected" {
    run --separate-stderr "$smsp" -u 'a b' 127.0.0.1 1 count
    expect_run 2 "" "smsp: -u 'a b' is not a valid username"
    SMSP_USER=$'a\tb' run --separate-stderr smsp count
    expect_run 2 "" "smsp: SMSP_USER 'a\\\\x09b' is not a valid username"
    run --separate-stderr "$smsp" -u "$(printf '%256s' '' | tr ' ' a)" 127.0.0.1 1 count
    [ "$status" -eq 2 ]
}

@test "options: no command, no user, no text: status 2 without a connection" {
    run --separate-stderr smsp cuont
    expect_run 2 "" "smsp: unknown command 'cuont'; 'help' lists the commands"
    run --separate-stderr smsp $'\e[31mx'
    expect_run 2 "" "smsp: the line was not sent: it contains a control character or is not UTF-8"
    run --separate-stderr smsp register
    expect_run 2 "" "smsp: usage: register USER"
    run --separate-stderr smsp send bob
    expect_run 2 "" "smsp: usage: send USER TEXT..."
    run --separate-stderr smsp send bob ""
    expect_run 2 "" "smsp: usage: send USER TEXT..."
    run --separate-stderr smsp count bob carol
    expect_run 2 "" "smsp: usage: count \[USER\]"
    run --separate-stderr smsp logout now
    expect_run 2 "" "smsp: usage: logout"
    run --separate-stderr smsp dump all
    expect_run 2 "" "smsp: usage: dump"
}

@test "options: not logged in: status 2 without a connection" {
    for words in "send bob hi" count read delete logout; do
        # shellcheck disable=SC2086 # words
        run --separate-stderr smsp $words
        expect_run 2 "" "smsp: not logged in at 127.0.0.1 port 1: register or log in first"
    done
    run --separate-stderr "$smsp" -u alice 127.0.0.1 1 count
    expect_run 2 "" "smsp: alice is not logged in at 127.0.0.1 port 1: register or log in first"
}

@test "options: a command of more than 64 KiB is rejected" {
    run --separate-stderr smsp send bob "$(head -c 65530 /dev/zero | tr '\0' a)"
    expect_run 2 "" "smsp: the command was not sent: it has more than 65535 bytes"
}

@test "options: nobody listens: one line, status 2" {
    start_peer eof
    "$smsp" 127.0.0.1 "$port" </dev/null # the peer's only connection is not needed
    exec 9<>"/dev/tcp/127.0.0.1/$port"
    exec 9>&-
    wait "${started[0]}"
    run --separate-stderr smsp DUMP
    expect_run 2 "" "smsp: cannot connect to 127.0.0.1 port $port: Connection refused; is a server running there?"
}

@test "options: an invalid host: one line, status 2" {
    run --separate-stderr "$smsp" 'a..b' 5000 DUMP
    expect_run 2 "" "smsp: cannot find host 'a..b': *; check the name, or give an address"
}

@test "options: output that cannot be written is reported: status 2" {
    run --separate-stderr bash -c '"$1" --help >/dev/full' - "$smsp"
    expect_run 2 "" "smsp: cannot write the output: No space left on device"
}

teardown() {
    client_teardown
}
