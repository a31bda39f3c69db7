#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# ci/deps, against a dpkg, an apt-get and an id that only pretend: nothing is installed.

setup() {
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    fake="$BATS_TEST_TMPDIR/bin"
    mkdir "$fake"
    export FAKE_STATE="$BATS_TEST_TMPDIR/installed"
    export SMSP_DEPS_LOCKED=1 # no lock: no system directory is touched
    : >"$FAKE_STATE"
    write_fake id 'echo "${FAKE_UID:-0}"'
    write_fake pkg-config 'exit 1'
    write_fake dpkg-query 'sed "s/^/installed /" "$FAKE_STATE"'
    # The fake apt-get installs everything that is named, unless FAKE_REFUSES is its error or FAKE_OFFLINE is set.
    write_fake apt-get 'echo "apt-get $*" >>"$FAKE_STATE.calls"
        case " $* " in *" update "*) [ -z "${FAKE_OFFLINE:-}" ]; exit ;; esac
        [ -z "${FAKE_REFUSES:-}" ] || { echo "E: $FAKE_REFUSES"; exit 100; }
        [ -z "${FAKE_OFFLINE:-}" ] || { echo "E: Unable to locate package" ; exit 100; }
        for word in "$@"; do case $word in -*|install|*=*) ;; *) echo "$word" >>"$FAKE_STATE" ;; esac; done'
    PATH="$fake:$PATH"
    # What build wants, in the table's own words.
    wanted=$("$root/ci/deps" --list | awk '$1 == "build" { print $2 }')
}

write_fake() {
    printf '#!/bin/sh\n%s\n' "$2" >"$fake/$1"
    chmod +x "$fake/$1"
}

@test "deps: nothing lacking is quick, silent and status 0" {
    echo "$wanted" >"$FAKE_STATE"
    for _ in 1 2 3 4 5; do # the best of five: the machine may be busy
        start=$(date +%s%N)
        run "$root/ci/deps" build
        took=$((($(date +%s%N) - start) / 1000000))
        [ "$status" -eq 0 ]
        [ -z "$output" ]
        [ ! -e "$FAKE_STATE.calls" ]
        [ "$took" -ge 300 ] || return 0
    done
    echo "five times over 300 ms, the last took $took ms"
    return 1
}

@test "deps: as root it installs what is lacking, only that, and says so" {
    echo "$wanted" | grep -v libedit-dev >"$FAKE_STATE"
    run "$root/ci/deps" build
    [ "$status" -eq 0 ]
    [ "$output" = "ci/deps: installing for 'build': libedit-dev" ]
    grep -q -- '--no-install-recommends libedit-dev$' "$FAKE_STATE.calls"
    [ "$(wc -l <"$FAKE_STATE.calls")" -eq 1 ]
}

@test "deps: who is not root gets the one command and status 3" {
    echo "$wanted" | grep -v libedit-dev >"$FAKE_STATE"
    FAKE_UID=1000 run "$root/ci/deps" build
    [ "$status" -eq 3 ]
    [[ "$output" == *"sudo apt-get install --no-install-recommends libedit-dev" ]]
    [ ! -e "$FAKE_STATE.calls" ]
}

@test "deps: a thing that dpkg does not know but that is there is not installed" {
    echo "$wanted" | grep -v -e libedit-dev >"$FAKE_STATE"
    write_fake pkg-config '[ "$2" = libedit ]'
    FAKE_UID=1000 run "$root/ci/deps" build
    [ "$status" -eq 0 ]
}

@test "deps: offline it tries once more with fresh lists, says so, and ends with 3" {
    echo "$wanted" | grep -v libedit-dev >"$FAKE_STATE"
    FAKE_OFFLINE=1 run "$root/ci/deps" build
    [ "$status" -eq 3 ]
    [[ "$output" == *"could not install libedit-dev: is the network there?"* ]]
    grep -q update "$FAKE_STATE.calls"
}

@test "deps: a package that this release does not have is named, and nobody asks for the network" {
    echo "$wanted" | grep -v -e libedit-dev -e libsodium-dev >"$FAKE_STATE"
    for sentence in "Unable to locate package libedit-dev" "Package 'libedit-dev' has no installation candidate"; do
        FAKE_REFUSES=$sentence run "$root/ci/deps" build
        [ "$status" -eq 3 ]
        [[ "$output" == *"could not install libedit-dev libsodium-dev: this release of the system has no package libedit-dev" ]]
        [[ "$output" != *network* ]]
    done
}

@test "deps: another failure of apt shows apt's own reason, and nobody asks for the network" {
    echo "$wanted" | grep -v libedit-dev >"$FAKE_STATE"
    FAKE_REFUSES="You don't have enough free space" run "$root/ci/deps" build
    [ "$status" -eq 3 ]
    [[ "$output" == *"E: You don't have enough free space"* ]]
    [[ "$output" == *"could not install libedit-dev: apt-get's reason is above" ]]
    [[ "$output" != *network* ]]
}

@test "deps: a purpose brings those that it includes" {
    FAKE_UID=1000 run "$root/ci/deps" conformance
    [ "$status" -eq 3 ]
    [[ "$output" == *libc6-dev* ]]
}

@test "deps: an unknown purpose is one line and status 2" {
    run "$root/ci/deps" build nonsense
    [ "$status" -eq 2 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ "$output" == *"unknown purpose 'nonsense'"* ]]
    run "$root/ci/deps"
    [ "$status" -eq 2 ]
}

@test "deps: each line of the table has a purpose, a package, a probe and a reason" {
    run awk 'NF < 4' <("$root/ci/deps" --list)
    [ -z "$output" ]
    run awk '$2 ~ /^\+/ { print substr($2, 2) }' <("$root/ci/deps" --list)
    for purpose in $output; do
        "$root/ci/deps" --list | grep -q "^$purpose "
    done
}
