#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What root has started gives up root. Each scenario starts its own server.

play() {
    local status=0
    timeout 170 /usr/bin/python3 -B "$BATS_TEST_DIRNAME/scenarios.py" "$@" 3>&- || status=$?
    [ "$status" -ne 77 ] || skip "needs root"
    return "$status"
}

# with PART WORD: skips unless --version says so of this part.
with() {
    "${SMSPD:-$BATS_TEST_DIRNAME/../smspd}" --version | grep -q "^$1: .*$2" || skip "this smspd is without $2"
}

@test "root: every process becomes an ordinary user, in a root directory of its own" {
    with store SQLite
    with secrets Argon2id
    play root_given_up
}

@test "root: the directory of --data belongs to that user" {
    with store SQLite
    with secrets Argon2id
    play root_data
}

@test "root: --user takes a name or a number" { play root_user; }

@test "root: as the first process of a container" { play first_process; }
