#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What lasts, one scenario a test: the server with --data, restarted, killed, on
# disks that fail.

setup() {
    "${SMSPD:-$BATS_TEST_DIRNAME/../smspd}" --version | grep -q "store: SQLite" || skip "this smspd has no store"
}

play() {
    local status=0
    timeout 170 /usr/bin/python3 "$BATS_TEST_DIRNAME/scenarios.py" "$@" 3>&- || status=$?
    [ "$status" -ne 77 ] || skip "not to be tried by this user"
    return "$status"
}

@test "store: everything outlives the server" { play restarts; }
@test "store: a backup, and back" { play backup_and_restore; }
@test "store: the keeper tidies up at the end" { play clean_end; }
@test "store: one server a directory" { play one_server_a_directory; }
@test "store: the directory may be behind a symbolic link" { play behind_a_link; }
@test "store: --check counts, and finds damage" { play check; }
@test "store: the keeper killed 10 times under load loses and doubles nothing" { play keeper_replaced; }
@test "store: five keepers that answered nobody end the server" { play keepers_die_in_a_row; }
@test "store: other programs may read and write the database" { play other_writers; }
@test "store: a full disk means KO, and no trace" { play full_disk; }
@test "store: a commit that fails is answered by nobody" { play failed_sync; }
@test "store: a small disk fills and empties" { play small_disk; }
@test "store: a keeper killed while not a byte of the disk is free" { play keeper_killed_on_a_full_disk; }
@test "store: a cost that nobody here would have chosen is not paid" { play foreign_costs; }
@test "store: a large database is checked" { play large_check; }
