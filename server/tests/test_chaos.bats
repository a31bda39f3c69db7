#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The short form of make chaos, and that it detects what it looks for.

setup() {
    "${SMSPD:-$BATS_TEST_DIRNAME/../smspd}" --version | grep -q "^store: SQLite" || skip "this smspd has no store"
}

chaos() {
    timeout 170 /usr/bin/python3 "$BATS_TEST_DIRNAME/chaos.py" "$@" 3>&-
}

@test "chaos: nothing acknowledged is lost or doubled, whatever fails" {
    run chaos --time 8
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *"lost 0, doubled 0, wrong replies 0"* ]]
}

@test "chaos: a server that keeps nothing is found out" {
    SMSPD=$SMSPD_REFUSING run chaos --time 4 --seed 3
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" =~ lost\ [1-9] ]]
}

@test "chaos: Ctrl-C ends it with a line" {
    run timeout --foreground -s INT 3 /usr/bin/python3 "$BATS_TEST_DIRNAME/chaos.py" --time 60 --seed 4 3>&-
    echo "$output"
    [ "$status" -eq 124 ] # what timeout says when it had to send the signal
    [ "${#lines[@]}" -eq 2 ]
    [[ "${lines[1]}" == "chaos: interrupted"* ]]
}

@test "chaos: its ledger detects lost, doubled, misplaced, refused and disordered mail" {
    cd "$BATS_TEST_DIRNAME"
    /usr/bin/python3 - <<'END'
from chaos_ledger import Ledger

def settled(mailboxes, waiting=()):
    ledger = Ledger()
    for number in range(3):
        ledger.outcome(ledger.send("a", "b", number), "stored")
    ledger.outcome(ledger.send("a", "b", 3), "refused")
    ledger.outcome(ledger.send("a", "b", 4), "unknown")
    ledger.read("b", "a to b: 0", True)
    return [len(found) for found in ledger.settle(mailboxes, waiting)]

one, two, refused, unknown = ("a to b: %d" % number for number in (1, 2, 3, 4))
assert settled({"b": [one, two]}) == [0, 0, 0]
assert settled({"b": [one, two, unknown]}) == [0, 0, 0]
assert settled({"b": [one, two]}, [unknown]) == [0, 0, 0]
assert settled({"b": [one]}) == [1, 0, 0]
assert settled({"b": [one]}, [two]) == [1, 0, 0]
assert settled({"b": [one, two, two]})[1] == 1
assert settled({"b": [one, two, "a to b: 0"]})[1] == 1
assert settled({"b": [one, two], "a": [unknown]}) == [0, 0, 1]
assert settled({"b": [one, two, refused]}) == [0, 0, 1]
assert settled({"b": [two, one]}) == [0, 0, 1]
assert settled({"b": [one, two, "forged"]})[2] == 1
END
}
