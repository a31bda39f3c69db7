#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The server in odd places, one scenario a test: what is closed, low, read-only or refused.

play() {
    local status=0
    timeout 170 /usr/bin/python3 -B "$BATS_TEST_DIRNAME/scenarios.py" "$@" 3>&- || status=$?
    [ "$status" -ne 77 ] || skip "not to be tried on this machine"
    return "$status"
}

# with PART WORD: skips unless this part begins with the word in --version.
with() {
    "${SMSPD:-$BATS_TEST_DIRNAME/../smspd}" --version | grep -q "^$1: $2" || skip "this smspd is without $2"
}

@test "places: started with nothing open" { play all_closed; }
@test "places: a terminal that closes" { play hangup; }
@test "places: :: is every address" { play all_addresses; }
@test "places: no memory can be given back" { play no_madvise; }
@test "places: no close_range" { play no_close_range; }

@test "places: a file system without locks" {
    with store SQLite
    play no_locks
}

@test "places: no /dev/urandom" {
    with store SQLite
    play no_urandom
}

@test "places: too few descriptors" {
    with store SQLite
    with sandbox seccomp # a sanitizer opens some of its own
    play few_descriptors
}

@test "places: little memory" {
    with sandbox seccomp # a sanitizer needs much
    play little_memory
}

@test "places: --check of what may not be read" {
    with store SQLite
    play unreadable
}

@test "places: a directory by all its names" {
    with store SQLite
    play odd_names
}

@test "places: --check of a snapshot that cannot be written" {
    with store SQLite
    play snapshots
}

@test "places: --check with large limits" {
    with store SQLite
    play check_with_large_limits
}
