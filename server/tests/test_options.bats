#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Options, exit codes, and the one line that each mistake gets.

setup() {
    smspd=${SMSPD:-$BATS_TEST_DIRNAME/../smspd}
}

# wrong STATUS WORDS ARGUMENTS...: smspd ends with the status, and one line with the words.
wrong() {
    local status_wanted=$1 words=$2
    shift 2
    run timeout 10 "$smspd" "$@" 3>&-
    echo "smspd $*: status $status: $output"
    [ "$status" -eq "$status_wanted" ]
    last=${lines[${#lines[@]} - 1]}
    [[ "$last" == "smspd: "*"$words"* ]]
    [ "$status_wanted" -ne 2 ] || [ "${#lines[@]}" -eq 1 ]
}

@test "options: --help prints all of them on standard output, status 0" {
    run "$smspd" --help
    [ "$status" -eq 0 ]
    for option in memory max-clients max-accounts max-messages max-text max-mailbox framing shared-mailboxes \
        help version; do
        [[ "$output" == *"--$option"* ]]
    done
    [ -z "$("$smspd" -h 2>&1 >/dev/null)" ]
}

@test "options: --version names the version and the parts" {
    run "$smspd" --version
    [ "$status" -eq 0 ]
    [[ "${lines[0]}" =~ ^smspd\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
    for part in store secrets sandbox; do
        grep -q "^$part: ." <<<"$output"
    done
}

@test "options: what is not known or lacks its value, status 2" {
    wrong 2 "--bogus: no such option" --bogus 127.0.0.1 0
    wrong 2 "-x: no such option" -x 127.0.0.1 0
    wrong 2 "--max-clients: its value is missing" --max-clients
    wrong 2 "-x: no such option" -xV 127.0.0.1 0
    wrong 2 "-1: no such option" 127.0.0.1 -1
    wrong 2 "--memory=yes: it takes no value" --memory=yes 127.0.0.1 0
    wrong 2 "--bogus: no such option" 127.0.0.1 0 --bogus
    wrong 2 "HOST and PORT"
    wrong 2 "HOST and PORT" 127.0.0.1
    wrong 2 "HOST and PORT" 127.0.0.1 0 more
}

@test "options: numbers are digits in range, status 2" {
    for value in 0 -1 +1 1x x '' ' 1' 1.5 0x10 01 99999999999999999999999; do
        wrong 2 "--max-clients $value: want a number from 1 to 16384" --max-clients "$value" 127.0.0.1 0
        wrong 2 "--max-accounts $value: want" --max-accounts "$value" 127.0.0.1 0
        wrong 2 "--max-messages $value: want" --max-messages "$value" 127.0.0.1 0
        wrong 2 "--max-text $value: want" --max-text "$value" 127.0.0.1 0
        wrong 2 "--max-mailbox $value: want" --max-mailbox "$value" 127.0.0.1 0
    done
    wrong 2 "--max-clients 16385" --max-clients 16385 127.0.0.1 0
}

@test "options: a cost, a directory and limits that are none, status 2" {
    wrong 2 "--password-cost none: want full or test" --password-cost none 127.0.0.1 0
    wrong 2 "--data : want the name of a directory" --data '' 127.0.0.1 0
    wrong 2 "too large together" --max-accounts 4294967294 --max-messages 4294967294 --max-text 4611686018427387903 127.0.0.1 0
    wrong 2 "or less text than" --max-text 63 127.0.0.1 0
    wrong 1 "host no.such.host.invalid" --password-cost full no.such.host.invalid 0
}

@test "options: --data without libsodium, status 1" {
    "$smspd" --version | grep -q "^secrets: Argon2id" && skip "this smspd has libsodium"
    wrong 1 "--data x: this smspd was built without libsodium" --data x 127.0.0.1 0
    wrong 1 "this smspd was built without SQLite" --check --data .
    [ ! -e x ]
}

@test "options: output that cannot be written is reported, status 1" {
    for words in --help --version; do
        run bash -c '"$1" "$2" >/dev/full' - "$smspd" "$words"
        echo "$words $status $output"
        [ "$status" -eq 1 ]
        [ "$output" = "smspd: cannot write the output: No space left on device" ]
    done
}

@test "options: a framing that is none, status 2" {
    wrong 2 "--framing none: want auto, terminated or course" --framing none 127.0.0.1 0
}

@test "options: ports are digits up to 65535, status 2" {
    wrong 2 "port x: want a number from 0 to 65535; see smspd --help" 127.0.0.1 x
    wrong 2 "port 65536: want" 127.0.0.1 65536
    wrong 2 "port 99999: want" 127.0.0.1 99999
    wrong 2 "port 1x: want" 127.0.0.1 1x
    wrong 2 "port : want" 127.0.0.1 ''
    wrong 2 "port 000000: want" 127.0.0.1 000000
    wrong 2 "port -1: want" -- 127.0.0.1 -1
}

@test "options: an unusable host, status 1" {
    wrong 1 "host no.such.host.invalid" no.such.host.invalid 0
    wrong 1 "192.0.2.1 port 0: Cannot assign requested address; give an address of this machine" 192.0.2.1 0
}

@test "options: a port in use, status 1" {
    mkfifo "$BATS_TEST_TMPDIR/log"
    "$smspd" 127.0.0.1 0 2>"$BATS_TEST_TMPDIR/log" 3>&- &
    pid=$!
    port=$(sed -n '/listening on/{s/.*://p;q}' "$BATS_TEST_TMPDIR/log")
    run timeout 10 "$smspd" 127.0.0.1 "$port" 3>&-
    kill "$pid"
    wait "$pid"
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"smspd: "*"in use"* ]]
}

@test "options: a data directory that cannot be used, status 1 and one line" {
    "$smspd" --version | grep -q "^store: SQLite" || skip "this smspd has no store"
    cd "$BATS_TEST_TMPDIR"
    touch file
    mkdir -p none empty taken/lock folder/mail.db
    wrong 1 "--data file: cannot use it: Not a directory" --data file 127.0.0.1 0
    wrong 1 "--data none/deep/er: cannot make it: No such file" --data none/deep/er 127.0.0.1 0
    wrong 1 "--data taken: cannot use it: Is a directory" --data taken 127.0.0.1 0
    wrong 1 "/folder/mail.db: cannot open it" --data folder 127.0.0.1 0
    wrong 1 "/file/mail.db: Not a directory" --check --data file
    wrong 1 "there is no database" --check --data empty
    long=$(printf './%.0s' {1..2045})none # 4,094 bytes, to which no file's name can be added
    wrong 1 "--data: the directory's name is too long" --data "$long" 127.0.0.1 0
    wrong 1 "/none/mail.db: there is no database" --check --data "$long"
    # What is in a name speaks to no terminal: DEL and the control characters of UTF-8.
    wrong 1 $'--data a?b?\x9bc\xc2\xa9/x\xc2y: cannot make it' --data $'a\x7fb\xc2\x9bc\xc2\xa9/x\xc2y' 127.0.0.1 0
    touch empty/mail.db
    wrong 1 "it is empty" --check --data empty
    wrong 2 "--check: say with --data DIR" --check
    wrong 2 "want no words with --check" --check --data empty 127.0.0.1 0
}
