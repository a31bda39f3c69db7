# SPDX-License-Identifier: ISC
# Functions that all tests of the client use. Each test has its own state directory, and
# its servers are stopped at its end.
# shellcheck disable=SC2154  # bats sets them

bats_require_minimum_version 1.5.0

client_setup() {
    cd "$BATS_TEST_DIRNAME/../.." || return
    smsp=${SMSP:-client/smsp}
    export XDG_STATE_HOME="$BATS_TEST_TMPDIR/state"
    unset SMSP_USER SMSP_PASSWORD
    started=()
}

client_teardown() {
    local pid
    for pid in "${started[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    started=()
}

# wait_for_port FILE PATTERN: sets port from the first line of the file that fits.
wait_for_port() {
    local i
    for ((i = 0; i < 500; i++)); do
        port=$(sed -n "s/$2/\\1/p" "$1")
        [ -z "$port" ] || return 0
        sleep 0.01
    done
    echo "no server after 5 s:"
    cat "$1"
    return 1
}

# start_server [OPTION...]: smspd on a free port of $host, or 127.0.0.1.
start_server() {
    : >"$BATS_TEST_TMPDIR/log"
    "${SMSPD:-server/smspd}" "$@" "${host:-127.0.0.1}" 0 >"$BATS_TEST_TMPDIR/terminal" 2>"$BATS_TEST_TMPDIR/log" 3>&- &
    started+=($!)
    wait_for_port "$BATS_TEST_TMPDIR/log" '.*listening on .*:\([0-9]*\)$'
}

# start_peer CONNECTION...: a server that follows a script (scripted_server.py).
start_peer() {
    : >"$BATS_TEST_TMPDIR/peer.port"
    client/tests/scripted_server.py "$BATS_TEST_TMPDIR/peer.log" "$@" >"$BATS_TEST_TMPDIR/peer.port" 3>&- &
    started+=($!)
    wait_for_port "$BATS_TEST_TMPDIR/peer.port" '\([0-9]*\)'
}

# smsp WORD...: the client with that server.
smsp() {
    "$smsp" 127.0.0.1 "$port" "$@"
}

# register USER: an account with the password pw, by a client of its own.
register() {
    SMSP_PASSWORD=pw smsp register "$1" >"$BATS_TEST_TMPDIR/registered"
}

# cookie_file [USER]
cookie_file() {
    printf '%s' "$XDG_STATE_HOME/smsp/127.0.0.1:$port${1:+:$1}"
}

# give_cookie USER COOKIE: stores a cookie as after a login.
give_cookie() {
    mkdir -p "$XDG_STATE_HOME/smsp"
    (umask 077 && echo "$2" >"$(cookie_file "$1")" && echo "$1" >"$(cookie_file)")
}

# expect_run STATUS STDOUT STDERR: what `run --separate-stderr` got; STDERR is a
# pattern, and of one line or none.
expect_run() {
    printf 'status %s\nstdout %s\nstderr %s\n' "$status" "$output" "$stderr"
    [ "$status" -eq "$1" ]
    [ "$output" = "$2" ]
    # shellcheck disable=SC2053 # a pattern
    [[ "$stderr" == $3 ]]
    [ "$(printf '%s' "$stderr" | grep -c '')" -le 1 ]
}
