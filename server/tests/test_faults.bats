#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What fails once in a long while, made to fail: make check-server-faults.

play() {
    timeout 600 /usr/bin/python3 -B "$BATS_TEST_DIRNAME/scenarios.py" "$@" 3>&-
}

@test "faults: a permit to hash comes back from the dead" { play permit_of_the_dead; }
@test "faults: each system call of the start that fails ends it with a line" { play failing_calls; }
@test "faults: a keeper that is killed at the start is reported" { play keeper_killed_at_start; }
@test "faults: each library call fails once, mail in memory" { play calls_in_memory; }
@test "faults: each library call fails once, in a new directory" { play calls_with_data; }
@test "faults: each library call fails once, with mail that is there, and in --check" { play calls_with_old_data; }
