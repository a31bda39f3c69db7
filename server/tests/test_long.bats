#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The long forms of what test_server.bats tests shortly: make check-server-long.

play() {
    timeout 600 /usr/bin/python3 -B "$BATS_TEST_DIRNAME/scenarios.py" "$@" 3>&-
}

@test "server, long: 20,000 connections in a row leave nothing" { play connections 20000; }
@test "server, long: 200 workers killed under load harm nobody else" { play kill_workers 200; }
@test "server, long: 8 senders, 2,000 rounds of pairs each" { play pairs 2000; }
