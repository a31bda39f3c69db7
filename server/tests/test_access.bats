#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Secrets and limits, one scenario a test.

play() {
    local status=0
    timeout 170 /usr/bin/python3 "$BATS_TEST_DIRNAME/scenarios.py" "$@" 3>&- || status=$?
    [ "$status" -ne 77 ] || skip "not to be tried on this machine"
    return "$status"
}

# with PART WORD: skips unless --version says so of this part.
with() {
    "${SMSPD:-$BATS_TEST_DIRNAME/../smspd}" --version | grep -q "^$1: .*$2" || skip "this smspd is without $2"
}

@test "access: password and cookie are nowhere, a text only where it is kept" {
    with secrets Argon2id
    with store SQLite
    with sandbox Landlock # a sanitizer's memory is too large to be searched
    play secrets_nowhere
}

@test "access: a worker knows nothing of other clients" {
    with sandbox Landlock # a sanitizer's memory is too large to be searched
    play strangers_nowhere
}

@test "access: an unknown name and a wrong password take the same time" {
    with secrets Argon2id
    play login_times
}

@test "access: accounts of different costs and an unknown name take the same work" {
    with secrets Argon2id
    with store SQLite
    play costs_alike
}

@test "access: the fourth failed login takes a second longer" { play failed_logins; }

@test "access: two passwords are hashed at a time" {
    with secrets Argon2id
    with sandbox Landlock # a sanitizer keeps memory after its use
    play hashing_bounded
}

@test "access: who waits for a permit may leave" {
    with secrets Argon2id
    with sandbox Landlock
    play waiting_for_a_permit
}

@test "access: clients that are too slow are left" { play too_slow; }
@test "access: clients from one address are counted" { play clients_per_address; }
@test "access: --no-dump prints counts" { play no_dump; }

@test "access: workers and keeper are confined" {
    with sandbox Landlock
    play confined
}

@test "access: no core files, with a sandbox or without" { play no_core_files; }
@test "access: a flood of REGISTER keeps nobody from logging in" {
    with secrets Argon2id
    play register_flood
}

@test "access: a flood of wrong LOGINs from another address keeps nobody from logging in" {
    with secrets Argon2id
    play login_flood
}

@test "access: one address leaves places for others" { play places_for_other_addresses; }
@test "access: no LOGIN and no REGISTER without a permit for that name" { play no_login_without_a_permit; }
