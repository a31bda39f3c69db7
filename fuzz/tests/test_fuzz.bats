#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Runs all corpora and regressions without a fuzzer, two short campaigns, and tests the scripts.

bats_require_minimum_version 1.5.0

setup_file() {
    cd "$BATS_TEST_DIRNAME/../.." || return 1
    export MAKEFLAGS='' MAKELEVEL=''
    for variant in fuzz-replay fuzz-replay-tiny; do
        make -s -j2 --no-print-directory VARIANT=$variant fuzz-programs || return 1
    done
    for program in san/fuzz/parser san-tiny/fuzz/parser san/fuzz/session san-tiny/fuzz/session \
        san/fuzz/selftest san-tiny/fuzz/selftest; do
        make -s -j2 --no-print-directory VARIANT="fuzz-${program%%/*}" "build/fuzz-$program" || return 1
    done
}

setup() {
    cd "$BATS_TEST_DIRNAME/../.." || return 1
}

# replay TARGET: runs its corpus and regressions, with usual and with tiny limits.
replay() {
    local folders=("build/corpus/$1")
    [ ! -d "fuzz/regressions/$1" ] || folders+=("fuzz/regressions/$1")
    for variant in fuzz-replay fuzz-replay-tiny; do
        run -0 "build/$variant/fuzz/$1" "${folders[@]}"
        [[ $output == *"1..${#folders[@]}"* ]]
    done
}

@test "fuzz: parser, all inputs pass" {
    replay parser
}

@test "fuzz: frame, all inputs pass" {
    replay frame
}

@test "fuzz: session, all inputs pass" {
    replay session
}

@test "fuzz: ops, all inputs pass" {
    replay ops
}

@test "fuzz: reply, all inputs pass" {
    replay reply
}

@test "fuzz: effect, all inputs pass" {
    replay effect
}

@test "fuzz: slot, all inputs pass" {
    replay slot
}

@test "fuzz: limits, all inputs pass" {
    replay limits
}

@test "fuzz: memory, all inputs pass" {
    replay memory
}

@test "fuzz: store, all inputs pass" {
    pkg-config --exists sqlite3 && [ -z "${NONE:-}" ] || skip "no SQLite"
    replay store
}

@test "fuzz: ten seconds of the parser find nothing" {
    run -0 fuzz/campaign --time 10 parser
    [[ $output == *"nothing found in "* ]]
}

@test "fuzz: ten seconds of sessions find nothing" {
    run -0 fuzz/campaign --time 10 session
    [[ $output == *"nothing found in "* ]]
}

@test "fuzz: a campaign finds the self-test's fault, prints how to repeat it, and ends with status 1" {
    run -1 fuzz/campaign --time 10 --limits tiny --fresh selftest
    [[ $output == *"FOUND by selftest-tiny"* ]]
    read -ra command < <(sed -n 's/^  again: *//p' <<<"$output")
    [ "${#command[@]}" -eq 2 ]
    run ! "${command[@]}"
    [[ $output == *"ORACLE selftest"* || $output == *"heap-buffer-overflow"* ]]
    rm -f "${command[1]}"
}

@test "fuzz: --show prints a session in readable form" {
    printf '\000\000REGISTER a p\n\020BCOUNT a \0200\r\n' >"$BATS_TEST_TMPDIR/input"
    run -0 build/fuzz-replay/fuzz/session --show "$BATS_TEST_TMPDIR/input"
    [[ $output == *'A> REGISTER a p\n'* ]]
    [[ $output == *'B> COUNT a '* ]]
    [[ $output == *'B< COUNTED 0\n'* ]]
}

@test "fuzz: a missing input and a folder without inputs are errors" {
    run -2 build/fuzz-replay/fuzz/session "$BATS_TEST_TMPDIR/none"
    [[ $output == *"No such file"* ]]
    mkdir "$BATS_TEST_TMPDIR/empty"
    run -1 build/fuzz-replay/fuzz/session "$BATS_TEST_TMPDIR/empty"
    [[ $output == *"not ok"* ]]
}

@test "fuzz: a failed check fails the replay, which names the input" {
    printf 'a b c d e' >"$BATS_TEST_TMPDIR/spaces"
    run -1 build/fuzz-replay/fuzz/selftest "$BATS_TEST_TMPDIR/spaces"
    [[ $output == *"not ok"*spaces* ]]
}

@test "fuzz: scripts answer a wrong argument with one line and status 2" {
    for script in campaign find-bugs minimise afl speed; do
        run -2 "fuzz/$script" nonsense
        [[ $output == *nonsense* ]]
    done
}

@test "fuzz: a file that cannot be written is reported, before a campaign and for a finding" {
    findings=build/fuzz/findings
    run -1 bash -c 'trap "" XFSZ; ulimit -f 0; fuzz/campaign --fresh --time 2 --limits usual selftest'
    [[ $output == *"campaign: "*"/zeros: File too large"* ]]
    [[ $output != *Traceback* ]]
    [ ! -e $findings ] || mv $findings $findings.kept
    ln -s /proc $findings # no file can be created there
    run fuzz/campaign --time 2 --limits usual selftest
    rm $findings
    [ ! -e $findings.kept ] || mv $findings.kept $findings
    [ "$status" -eq 1 ]
    [[ $output == *"FOUND by selftest"*"could not be written: is the disk full?"* ]]
    [[ $output != *"again:"* ]]
}

@test "fuzz: a program that afl-fuzz leaves stopped is killed" {
    run -0 timeout 20 /usr/bin/python3 - <<'END'
import os, subprocess, sys
sys.path.insert(0, "fuzz")
import engines
engines.adopt_orphans()
started = subprocess.run(["sh", "-c", "sleep 60 >/dev/null 2>&1 & sleep 0.5; kill -STOP $!; echo $!"], capture_output=True, text=True, check=True)
engines.await_orphans()
assert not os.path.exists(f"/proc/{int(started.stdout)}"), "it is still there"
END
}

@test "fuzz: a bug planted in the server's loader builds and is found" {
    pkg-config --exists sqlite3 && [ -z "${NONE:-}" ] || skip "no SQLite"
    run -0 fuzz/find-bugs --seeds 1 --empty 0 store-passes-over-strays
    [[ $output == *"| store-passes-over-strays | store | rows |"* ]]
}

@test "fuzz: a finding is named after its first report, not after what printing the report causes" {
    run -0 /usr/bin/python3 - <<'END'
import sys
sys.path.insert(0, "fuzz")
from engines import oracle_of
report = "frame.c:107:12: runtime error: addition of unsigned offset to 0x60 overflowed\nORACLE allocation: the engine allocated 9 bytes\n"
assert oracle_of(report)[0] == "UBSan addition of unsigned offset overflowed", oracle_of(report)
aborted = "ORACLE work: 9 blocks\n==1== ERROR: libFuzzer: deadly signal\n"
assert oracle_of(aborted) == ("work", "9 blocks"), oracle_of(aborted)
END
}

@test "fuzz: the corpora still detect work that is not linear" {
    run -0 fuzz/find-bugs --seeds 1 --empty 0 bytes-searched-again
    [[ $output == *"| bytes-searched-again | frame | work |"* ]]
}

@test "fuzz: each archive is what packing its inputs gives, on any machine, and its names are hashes" {
    count=0
    for archive in fuzz/corpus/*.zip; do
        folder=$BATS_TEST_TMPDIR/$(basename "$archive" .zip)
        fuzz/corpora.py unpack "$archive" "$folder"
        (cd "$folder" && sha1sum -- *) | while read -r hash name; do
            [ "$hash" = "$name" ] || exit 1
        done
        chmod 600 "$folder"/*
        (umask 077 && TZ=Asia/Tokyo fuzz/corpora.py pack "$folder" "$BATS_TEST_TMPDIR/again.zip")
        cmp "$archive" "$BATS_TEST_TMPDIR/again.zip"
        count=$((count + 1))
    done
    [ "$count" -eq 10 ]
}

@test "fuzz: an input whose bytes or name were changed in its archive is reported, and nothing is unpacked" {
    mkdir "$BATS_TEST_TMPDIR/inputs"
    printf 'DUMP' >"$BATS_TEST_TMPDIR/inputs/any-name"
    fuzz/corpora.py pack "$BATS_TEST_TMPDIR/inputs" "$BATS_TEST_TMPDIR/one.zip"
    sed 's/DUMP/JUMP/' "$BATS_TEST_TMPDIR/one.zip" >"$BATS_TEST_TMPDIR/bytes.zip"
    sed 's/'"$(printf DUMP | sha1sum | cut -c1-4)"'/..\/x/g' "$BATS_TEST_TMPDIR/one.zip" >"$BATS_TEST_TMPDIR/name.zip"
    for damage in bytes name; do
        run -1 fuzz/corpora.py unpack "$BATS_TEST_TMPDIR/$damage.zip" "$BATS_TEST_TMPDIR/out"
        [[ $output == "corpora.py: $BATS_TEST_TMPDIR/$damage.zip: "* ]]
        [ "${#lines[@]}" -eq 1 ]
        [ ! -e "$BATS_TEST_TMPDIR/out" ]
    done
}

@test "fuzz: the corpora are within 256 KiB each" {
    for folder in build/corpus/*/; do
        size=$(cat "$folder"/* | wc -c)
        [ "$size" -gt 0 ]
        [ "$size" -le 262144 ]
    done
}

# A removed line shows where a hunk belongs. A hunk that only adds lines has nothing but its context,
# which must fit exactly: otherwise patch puts the lines somewhere else.
@test "fuzz: every planted bug applies to the sources, in the right place" {
    count=0
    for bug in fuzz/bugs/*.patch; do
        fuzz=$(awk '/^@@/ { hunks++ } /^-/ && hunks && removed != hunks { removed = hunks; removing++ }
            END { print (hunks > removing) ? 0 : 3 }' "$bug")
        patch --dry-run -s -F"$fuzz" -p1 -i "$bug"
        count=$((count + 1))
    done
    [ "$count" -ge 80 ]
}

@test "fuzz: OSS-Fuzz's build makes targets that run, with corpora and dictionaries" {
    export OUT=$BATS_TEST_TMPDIR/out WORK=$BATS_TEST_TMPDIR/work CC=clang CXX=clang++ SMSP_TARGETS='frame reply'
    export CFLAGS='-O0 -fsanitize=address,fuzzer-no-link' CXXFLAGS='-fsanitize=address' LIB_FUZZING_ENGINE=-fsanitize=fuzzer
    mkdir "$OUT" "$WORK"
    run -0 fuzz/oss-fuzz/build.sh
    for name in fuzz_frame fuzz_frame_tiny fuzz_reply fuzz_reply_tiny; do
        run -0 "$OUT/$name" -runs=50 "build/corpus/$(cut -d_ -f2 <<<"$name")"
        python3 -m zipfile -t "$OUT/${name}_seed_corpus.zip"
        [ -s "$OUT/$name.dict" ]
    done
}

@test "fuzz: the scheduled job names every target, and no job takes over 90 minutes" {
    targets=$(python3 -c 'import sys; sys.path.insert(0, "fuzz"); import engines; print(", ".join(engines.TARGETS))')
    grep -qF "target: [$targets]" .github/workflows/ci.yml
    for workflow in .github/workflows/ci.yml .clusterfuzzlite/workflow.yml; do
        # Every job has a time limit.
        [ "$(grep -c '^    runs-on:' "$workflow")" -eq "$(grep -c '^    timeout-minutes:' "$workflow")" ]
        while read -r _ minutes; do
            [ "$minutes" -le 90 ]
        done < <(grep -oE 'minutes: *[0-9]+' "$workflow")
    done
}
