#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The minimal server: conformance, and a process that is killed while it holds the lock.

setup() {
    cd "$BATS_TEST_DIRNAME/../.." || return
    minimal=${SMSPD_MINIMAL:-server/minimal/smspd-minimal}
}

# scenario NAME [PROGRAM]: one function of minimal_scenarios.py against a server of its own.
scenario() {
    timeout 60 /usr/bin/python3 -B server/tests/minimal_scenarios.py "$1" "${2:-$minimal}" 3>&-
}

@test "minimal: the source has at most 220 lines" {
    [ "$(wc -l <server/minimal/smspd-minimal.c)" -le 220 ]
}

@test "minimal: usage and a port in use are said in one line" {
    run "$minimal"
    [ "$status" -eq 2 ]
    [ "$output" = 'usage: smspd-minimal HOST PORT' ]
    run "$minimal" nowhere.invalid 0
    [ "$status" -eq 1 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == 'smspd-minimal: nowhere.invalid port 0: '* ]]
}

@test "minimal: all MUST and SHOULD cases of the suite pass" {
    run conformance/smsp-conformance --server "$(printf %q "$minimal") {host} {port}" --delivery whole --level should 3>&-
    echo "$output" | tail -n 20
    [ "$status" -eq 0 ]
}

@test "minimal: a process that is killed while it holds the lock is undone, and the others go on" {
    scenario killed_with_lock
}

@test "minimal: a state that is damaged is replaced by an empty one" {
    scenario damaged "${SMSPD_MINIMAL_DAMAGED:-build/release/smspd-minimal-damaged}"
}

@test "minimal: a stopped terminal stops nobody but the client that asked for DUMP" {
    scenario stopped_terminal
}
