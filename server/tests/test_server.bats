#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The running server, one scenario a test: each starts its own on a free loopback port.

play() {
    local status=0
    timeout 170 /usr/bin/python3 -B "$BATS_TEST_DIRNAME/scenarios.py" "$@" 3>&- || status=$?
    [ "$status" -ne 77 ] || skip "needs root, to look into the server's processes"
    return "$status"
}

@test "server: requests end with LF, CR LF or NUL" { play endings; }
@test "server: requests without a terminator, under each --framing" { play unterminated; }
@test "server: a client that sends byte by byte" { play one_byte_at_a_time; }
@test "server: thousands of requests at once keep their order" { play pipelines; }
@test "server: a pipelined REGISTER is answered when it is hashed" {
    "${SMSPD:-$BATS_TEST_DIRNAME/../smspd}" --version | grep -q "^secrets: Argon2id" || skip "here a password costs next to nothing"
    play pipelined_logins
}
@test "server: the longest texts, many at once" { play long_texts; }
@test "server: a half-close loses no reply and runs no tail" { play half_close; }
@test "server: 8 senders with MESSAGE and STORE in one write" { play pairs; }
@test "server: a pair behind long texts is not torn" { play pair_behind_texts; }
@test "server: a STORE that is cut in two stays with its MESSAGE" { play split_pair; }
@test "server: half a request behind long MESSAGEs moves no text" { play half_behind_long_messages; }
@test "server: half a request that never ends delays no MESSAGE" { play drip_behind_message; }
@test "server: the last request of an unterminated client is answered" { play unterminated_last; }
@test "server: clients that read nothing keep nobody from logging in" { play deaf_clients_and_logins; }
@test "server: a MESSAGE finds the room that a DELMSG made" { play room_by_deleting; }
@test "server: SIGTERM and SIGINT end it, and the port is free at once" { play signals; }
@test "server: the keeper killed ends it with a line" { play keeper_killed; }
@test "server: the supervisor killed leaves nothing" { play supervisor_killed; }
@test "server: 40 workers killed under load harm nobody else" { play kill_workers 40; }
@test "server: 1,000 connections in a row leave nothing" { play connections 1000; }
@test "server: a slot shows the next client nothing" { play slot_reuse; }
@test "server: clients over the limit get KO and an end" { play over_the_limit; }
@test "server: when all clients leave and come again, none is refused" { play all_come_again; }
@test "server: accept fails, and it neither ends nor spins" { play no_descriptor_left; }
@test "server: fork fails, and it goes on when it can" {
    [ "$(id -u)" -eq 0 ] || skip "needs root, for a user of its own"
    play no_process_left
}
@test "server: a log that nobody reads stops nothing" { play stopped_log; }
@test "server: a hostile slot costs its worker only" { play hostile_slots; }
@test "server: a worker has its slot and three descriptors" { play one_slot_each; }
@test "server: started by a parent that ignores its children" { play children_ignored_at_start; }
@test "server: started with standard input and output closed" { play closed_at_start; }
@test "server: DUMP prints before the OK" { play dump; }
@test "server: a stopped terminal delays one OK by a second" { play stopped_terminal; }
@test "server: a flood of DUMPs shares printings, at a bounded rate" { play dump_flood; }
@test "server: a terminal that takes nothing more" { play full_terminal; }
@test "server: a keeper that does not end is ended" { play stuck_keeper; }
@test "server: a client that leaves during its DUMP" { play asker_leaves; }
@test "server: an idle client delays nobody" { play idle_client; }
@test "server: a store that refuses leaves no trace" {
    "$SMSPD_REFUSING" --version | grep -q "^secrets: Argon2id" || skip "without lasting secrets no store is opened"
    play store_refuses
}

@test "server: IPv6" {
    /usr/bin/python3 -c 'import socket; socket.create_server(("::1", 0), family=socket.AF_INET6)' 2>/dev/null ||
        skip "this machine has no IPv6"
    play ipv6
}
@test "server: the cost of a request follows the active clients, not those that are idle or gone" { play cost_follows_the_work; }
# test_yield.c tests how it pauses beside busy processes; times would depend on the machine.
@test "server: nothing yields the processor but through yield_once" {
    run grep -rlE '\bsched_yield *\(' "$BATS_TEST_DIRNAME/.." --include='*.c' --exclude-dir=tests
    [ "$output" = "$BATS_TEST_DIRNAME/../yield.c" ]
}
@test "server: a worker that clears the hints of others delays them by a bounded time" { play hints_cleared; }
@test "server: a MESSAGE and the GETMSG behind it stay together behind long texts" { play message_and_getmsg_behind_long_texts; }
