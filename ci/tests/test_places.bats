#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The project in awkward places: an unpacked archive in a folder with an awkward name, whoever starts make.

setup_file() {
    unset MAKEFLAGS MAKELEVEL VARIANT NONE CC
    export CFLAGS=-O0
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    place=$(mktemp -d)
    export root place tree="$place/it's a \"test\` folder"
    chmod 755 "$place" # another user finds it too
    mkdir "$tree"
    cd "$root" || return
    ci/sources.py | grep -zv -e '^fuzz/corpus/' -e '^fuzz/regressions/' | tar cf - --null -T - | tar xf - -C "$tree"
    cd "$tree" || return
    make -s -j2 >"$BATS_FILE_TMPDIR/make.log" 2>&1 || { cat "$BATS_FILE_TMPDIR/make.log"; return 1; }
}

teardown_file() {
    rm -rf "$place"
}

setup() {
    cd "$tree" || return
}

# What a newcomer runs, on a few cases: started by the command given, as a prefix.
newcomer() {
    "$@" make conformance CASES=count DELIVERY=whole HTML="$BATS_TEST_TMPDIR/report.html" >"$BATS_TEST_TMPDIR/out" 2>&1 ||
        { cat "$BATS_TEST_TMPDIR/out"; return 1; }
    grep -Eq '^# [0-9]+ cases, .*: [0-9]+ PASS' "$BATS_TEST_TMPDIR/out"
    ! grep -q 'FAIL\|ERROR\|incomplete' "$BATS_TEST_TMPDIR/out"
}

@test "places: an archive without git in a folder with spaces, quotes and a backtick" {
    make -s check-engine check-server-units conformance-replay >"$BATS_TEST_TMPDIR/out" 2>&1 || { cat "$BATS_TEST_TMPDIR/out"; return 1; }
    [ "$(grep -c '^not ok' "$BATS_TEST_TMPDIR/out")" -eq 0 ]
    # the rules see the same files as beside git
    run ci/lint-rules
    echo "$output"
    [ "$(grep -c '^ok' <<<"$output")" -ge 14 ]
    [ "$(ci/sources.py | tr '\0' '\n' | grep -c -v ^fuzz/)" -eq "$("$root/ci/sources.py" | tr '\0' '\n' | grep -c -v ^fuzz/)" ]
}

@test "places: a hostile environment, umask 077, a long TMPDIR, ignored signals and no standard input" {
    mkdir "$BATS_TEST_TMPDIR/shadow"
    echo 'raise SystemExit("the wrong re.py")' >"$BATS_TEST_TMPDIR/shadow/re.py"
    echo 'echo sourced; exit 9' >"$BATS_TEST_TMPDIR/rc"
    long="$BATS_TEST_TMPDIR/$(printf 'x%.0s' {1..100})"
    mkdir "$long"
    export TMPDIR="$long"
    umask 077
    trap '' INT HUP PIPE
    touch engine/frame.c # and something to build
    newcomer env -u HOME -u LANG -u TERM PYTHONPATH="$BATS_TEST_TMPDIR/shadow" PYTHONOPTIMIZE=2 PYTHONSAFEPATH=1 \
        BASH_ENV="$BATS_TEST_TMPDIR/rc" ENV="$BATS_TEST_TMPDIR/rc" MAKEFLAGS='-j3 -k' LC_ALL=C CDPATH=/tmp \
        GREP_OPTIONS=-v XDG_STATE_HOME=relative XDG_CACHE_HOME=relative <&-
    [ -z "$(ls -A "$long")" ]
}

@test "places: an ordinary user with an empty environment" {
    [ "$(id -u)" -eq 0 ] || skip "every other test runs as an ordinary user already"
    chown -R 65534:65534 "$tree"
    mkdir "$place/tmp"
    chown 65534:65534 "$place/tmp" "$BATS_TEST_TMPDIR"
    touch engine/frame.c
    HTML=$place/tmp/report.html
    run setpriv --reuid=65534 --regid=65534 --clear-groups env -i TMPDIR="$place/tmp" \
        "$(command -v make)" conformance CASES=count DELIVERY=whole HTML="$HTML"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" != *"No such file"* ]] # a program that make does not find without PATH
    rm "$HTML"
    [ -z "$(ls -A "$place/tmp")" ]
}
