#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The tests that take minutes: make check-fuzz-long.

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_DIRNAME/../.." || return 1
    export MAKEFLAGS='' MAKELEVEL=''
}

@test "fuzz: a planted bug is found from the corpus" {
    run -0 fuzz/find-bugs --seeds 1 --empty 0 --time 20 store-takes-the-oldest
    [[ $output == *"1 of 1 bugs found"* ]]
}

@test "fuzz: OSS-Fuzz's build makes every target for each sanitizer" {
    for sanitizer in address undefined memory; do
        export OUT=$BATS_TEST_TMPDIR/$sanitizer/out WORK=$BATS_TEST_TMPDIR/$sanitizer/work CC=clang CXX=clang++
        export CFLAGS="-O1 -fno-omit-frame-pointer -fsanitize=$sanitizer,fuzzer-no-link"
        export CXXFLAGS="-O1 -fsanitize=$sanitizer" LIB_FUZZING_ENGINE=-fsanitize=fuzzer
        mkdir -p "$OUT" "$WORK"
        run -0 fuzz/oss-fuzz/build.sh
        count=0
        for program in "$OUT"/fuzz_*; do
            [[ $program != *.zip && $program != *.dict ]] || continue
            run -0 "$program" -runs=200
            count=$((count + 1))
        done
        [ "$count" -eq 18 ] # all but store, each with both limits
    done
}

@test "fuzz: AFL++ finds the self-test's fault" {
    run -1 fuzz/afl --time 20 selftest
    [[ $output == *"FOUND"* ]]
    rm -rf build/fuzz/afl/selftest
}

# AFL++ passes the input in shared memory, where reading past its end is not detected unless the input is copied.
@test "fuzz: AFL++ with sanitizers finds a read past the input without other oracles" {
    run -0 fuzz/find-bugs --engine afl --oracles none --seeds 1 --time 30 part-past-the-end
    [[ $output == *"| part-past-the-end | parser | ASan heap-buffer-overflow |"* ]]
}

@test "fuzz: AFL++ runs a target, with our mutator, and finds nothing" {
    run -0 fuzz/afl --time 10 ops
    [[ $output == *"crashes 0, hangs 0"* ]]
}

@test "fuzz: ten seconds of every target under MemorySanitizer find nothing" {
    run -0 fuzz/campaign --build msan --time 10
    [[ $output == *"nothing found in "* ]]
}

@test "fuzz: twenty seconds of the forking server find nothing" {
    run -0 fuzz/fuzz-server --time 20
    [[ $output == *"nothing found in "* ]]
}

@test "fuzz: coverage is measured" {
    run -0 fuzz/coverage
    [[ $output == *"both "*" %"* ]]
    [ -s build/fuzz/coverage/both/index.html ]
}

@test "fuzz: a script that gets SIGTERM leaves no fuzzer behind" {
    fuzz/campaign --time 60 --limits tiny parser >"$BATS_TEST_TMPDIR/out" 3>&- &
    campaign=$!
    for _ in $(seq 100); do
        ! pgrep -f "build/fuzz-san-tiny/fuzz/parser.*$PWD" >/dev/null || break
        sleep 0.2
    done
    kill "$campaign"
    run wait "$campaign"
    sleep 1
    run ! pgrep -P "$campaign"
    run ! pgrep -f "^$PWD/build/fuzz-san-tiny/fuzz/parser -dict"
}

@test "fuzz: Ctrl-C ends a campaign, which prints its results so far" {
    run -0 fuzz/campaign --time 1 --limits tiny parser # builds it
    run -130 timeout --preserve-status -s INT 15 fuzz/campaign --time 100 --limits tiny parser
    [[ $output == *"nothing found in "* ]]
    run ! pgrep -f "^$PWD/build/fuzz-san-tiny/fuzz/parser -dict"
}

@test "fuzz: Ctrl-C ends AFL++, which prints its results so far" {
    run -0 fuzz/afl --time 2 parser # builds it
    run -130 timeout --preserve-status -s INT 15 fuzz/afl --time 100 parser
    [[ $output == *" runs in "*"crashes 0, hangs 0"* ]]
    run ! pgrep -f "^$PWD/build/fuzz-afl/fuzz/parser"
}
