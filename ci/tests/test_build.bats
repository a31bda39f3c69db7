#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What make builds again and what it does not, in a copy of the sources.

# The sources alone, and the same with what make has built of them, for tests that begin there.
setup_file() {
    unset MAKEFLAGS MAKELEVEL VARIANT NONE CC
    export WERROR=1 CFLAGS=-O0 # quick to build; the tests of warnings say otherwise
    sources="$BATS_FILE_TMPDIR/sources"
    mkdir "$sources"
    cd "$BATS_TEST_DIRNAME/../.." || return
    # Nothing here is built of the inputs of the fuzzers.
    ci/sources.py | grep -zv -e '^fuzz/corpus/' -e '^fuzz/regressions/' | tar cf - --null -T - | tar xf - -C "$sources"
    cp -a "$sources" "$BATS_FILE_TMPDIR/built"
    make -j2 -C "$BATS_FILE_TMPDIR/built" >"$BATS_FILE_TMPDIR/make.log" 2>&1 || { cat "$BATS_FILE_TMPDIR/make.log"; return 1; }
}

setup() {
    copy="$BATS_TEST_TMPDIR/smsp"
    cp -a "$BATS_FILE_TMPDIR/sources" "$copy"
    cd "$copy" || return
}

# The test begins with what make has built, as `build` would in this folder.
begin_built() {
    rm -rf "$copy"
    cp -a "$BATS_FILE_TMPDIR/built" "$copy"
    cd "$copy" || return
    cp "$BATS_FILE_TMPDIR/make.log" "$BATS_TEST_TMPDIR/make.log"
}

# What make prints; its diagnostics too if it fails.
build() {
    make -j2 --no-print-directory "$@" >"$BATS_TEST_TMPDIR/make.log" 2>&1 && return
    echo "make $* failed:"
    grep -v -- " -c " "$BATS_TEST_TMPDIR/make.log"
    return 1
}

# compiled: how many sources the last build compiled.
compiled() {
    grep -c -- ' -c ' "$BATS_TEST_TMPDIR/make.log" || true
}

# includers_of HEADER: how many of what was built include it.
includers_of() {
    find build/release -name '*.d' -exec grep -l "$1" {} + | wc -l
}

programs_run() {
    server/smspd --version | grep -q .
    client/smsp --version | grep -q .
    client/smsp --help | grep -q .
}

@test "build: make says which parts are in, and a second make does nothing" {
    begin_built
    for words in '^smspd [0-9]' '^store: ' '^secrets: ' '^sandbox: ' '^smsp [0-9]'; do
        grep "$words" "$BATS_TEST_TMPDIR/make.log"
    done
    [ "$(compiled)" -gt 5 ]
    programs_run
    build
    [ "$(compiled)" -eq 0 ]
    [ "$(grep -c -v -e '^make' -e '^$' "$BATS_TEST_TMPDIR/make.log")" -eq 0 ]
}

# marks FILE PATTERN: how many lines of its headers, symbols and notes fit.
marks() {
    readelf -W --file-header --program-headers --dynamic --notes --symbols "$1" 2>/dev/null | grep -c -E -- "$2" || true
}

@test "build: server and client have what this compiler has against faults" {
    build CFLAGS="-O2 -g" all
    for program in server/smspd client/smsp; do
        [ "$(marks "$program" 'Type: *DYN')" -eq 1 ]
        [ "$(marks "$program" 'GNU_RELRO')" -eq 1 ]
        [ "$(marks "$program" 'BIND_NOW|Flags:.*NOW')" -ge 1 ]
        [ "$(marks "$program" 'UND __stack_chk_(fail|guard)')" -ge 1 ]
        [ "$(marks "$program" 'UND __[a-z]*_chk(@|$)')" -ge 1 ] || ! ldd --version 2>&1 | grep -qi glibc
    done
    [ "$(uname -m)" != x86_64 ] || [ "$(marks build/release/server/worker.o 'IBT, SHSTK')" -eq 1 ]
    [ "$(marks build/release/engine/frame.o '_chk')" -eq 0 ]
    build CFLAGS="-O2 -g" HARDEN= all
    [ "$(marks server/smspd '_chk')" -eq 0 ]
    for flag in fstack-protector-strong fcf-protection D_FORTIFY_SOURCE; do # one place
        [ "$(grep -rl --include=Makefile --include='*.mk' -e "$flag" . | wc -l)" -eq 1 ]
    done
}

@test "build: touching a header compiles what includes it, and only that" {
    begin_built
    all=$(compiled)
    touch engine/table.h
    build
    includers=$(includers_of engine/table.h)
    [ "$includers" -gt 0 ]
    [ "$(compiled)" -eq "$includers" ]
    [ "$includers" -lt "$all" ]
    touch engine/smsp.h
    build
    [ "$(compiled)" -eq "$(includers_of engine/smsp.h)" ]
}

@test "build: touching a source of the engine makes library and programs again" {
    begin_built
    touch -d '1 minute ago' server/smspd client/smsp build/release/libsmsp.a
    touch engine/request.c
    build
    [ "$(compiled)" -eq 1 ]
    for made in build/release/libsmsp.a server/smspd client/smsp; do
        [ "$made" -nt Makefile ]
        [ -n "$(find "$made" -mmin -0.5)" ]
    done
}

@test "build: a removed header is no obstacle" {
    begin_built
    echo '/* soon gone */' >engine/gone.h
    sed -i '1i #include "gone.h"' engine/error.c
    build
    rm engine/gone.h
    sed -i 1d engine/error.c
    build
}

@test "build: other flags compile everything again, the same flags nothing" {
    begin_built
    all=$(compiled)
    build CFLAGS=-O1
    [ "$(compiled)" -eq "$all" ]
    build CFLAGS=-O1
    [ "$(compiled)" -eq 0 ]
}

@test "build: clang has nothing to warn of" {
    command -v clang
    build CC=clang CFLAGS='-O2 -g'
    programs_run
}

# At -O2 another test builds all, with the same WERROR: "the same sources".
@test "build: gcc has nothing to warn of at -O3 and as C17" {
    build CFLAGS=-O3
    build CFLAGS='-O1 -std=c17'
}

@test "build: the core alone, NONE=1, with both compilers" {
    build NONE=1
    programs_run
    # libc and what the loader brings, nothing else
    run bash -c "ldd server/smspd client/smsp | grep -v -e : -e linux-vdso -e libc.so -e ld-linux"
    echo "$output"
    [ -z "$output" ]
    build NONE=1 CC=clang
    programs_run
}

@test "build: a compiler and libc are enough: no pkg-config, no library" {
    build PKG_CONFIG=false
    programs_run
    build PKG_CONFIG=/nonexistent/pkg-config
    programs_run
}

@test "build: a variant leaves the usual build and its programs alone" {
    begin_built
    before=$(sha256sum server/smspd client/smsp build/release/libsmsp.a)
    build VARIANT=other CFLAGS=-O1
    [ -e build/other/libsmsp.a ]
    [ "$(sha256sum server/smspd client/smsp build/release/libsmsp.a)" = "$before" ]
}

@test "build: all that is made is below build or ignored by git, and clean removes it" {
    git -c init.defaultBranch=main init -q .
    git add -A
    git -c user.name=x -c user.email=x@localhost commit -q -m x
    build
    run git status --porcelain
    [ -z "$output" ] || { echo "$output"; return 1; }
    build clean
    run git status --porcelain --ignored
    [ -z "$output" ] || { echo "$output"; return 1; }
}

@test "build: the same sources give the same programs in another folder, and gcc has nothing to warn of at -O2" {
    export CFLAGS='-O2 -g'
    build
    sha256sum server/smspd client/smsp >"$BATS_TEST_TMPDIR/sums"
    mv "$copy" "$BATS_TEST_TMPDIR/elsewhere"
    cd "$BATS_TEST_TMPDIR/elsewhere"
    build clean
    build
    sha256sum -c "$BATS_TEST_TMPDIR/sums"
}

@test "build: make help has a line for each target that people call" {
    run make -s help
    [ "$status" -eq 0 ]
    # in groups, each target once
    for group in everyday conformance fuzzing assurance benchmarks install; do
        grep -qx "$group:" <<<"$output"
    done
    mapfile -t targets < <(sed -n 's/^\([a-z][a-zA-Z0-9-]*\):.*## .*/\1/p' Makefile ./*/*.mk ./*/*/*.mk)
    [ "${#targets[@]}" -gt 40 ]
    for target in "${targets[@]}"; do
        echo "$target"
        [ "$(grep -c "^  $target  *[a-z0-9]" <<<"$output")" -eq 1 ]
    done
}

@test "build: without a compiler there is one clear line" {
    run make --no-print-directory CC=no-such-compiler
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "make: no compiler 'no-such-compiler': install one (ci/deps build does) or name yours with CC=" ]
    [[ "$output" != *"not found"* ]]
}
