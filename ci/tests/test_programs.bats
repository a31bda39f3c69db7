#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What holds for every program of ours, wherever it is.

setup() {
    cd "$BATS_TEST_DIRNAME/../.." || return
}

# The programs in Python that have options, and so print at least their help; but the reference server,
# which is one file and reports nothing.
programs() {
    ci/sources.py | xargs -0 grep -lz '^#!/usr/bin/python3.*argparse\.ArgumentParser' -- | grep -v /reference/ | sort
}

@test "programs: what cannot be printed is one line and status 3, with Python's buffer and without" {
    [ "$(programs | wc -l)" -ge 15 ]
    for program in $(programs); do
        for unbuffered in "" 1; do
            run env PYTHONUNBUFFERED="$unbuffered" bash -c '"$1" --help 2>&1 >/dev/full' sh "$program"
            echo "$program: status $status: $output"
            [ "$status" -eq 3 ]
            [ "$output" = "${program##*/}: standard output: No space left on device" ]
        done
        run bash -c '"$1" --help 2>&1 >&-' sh "$program"
        echo "$program: status $status: $output"
        [ "$status" -eq 3 ]
    done
}
