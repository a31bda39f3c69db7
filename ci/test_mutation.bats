#!/usr/bin/env bats
# ci/mutation: mutants are killed, and a gap in the tests is noticed.

setup() {
    root=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    cd "$root" || return
}

# A copy of the engine and of the tool, to be spoilt.
copy() {
    tree="$BATS_TEST_TMPDIR/tree"
    mkdir -p "$tree/ci"
    cp -r engine conformance "$tree/"
    cp ci/mutation ci/mutants.py ci/mutation-survivors "$tree/ci/"
    mkdir -p "$tree/build"
    cp -r build/flat "$tree/build/"
    cd "$tree" || return
}

@test "mutation: a gap in the tests is noticed, and so are stale explanations" {
    copy
    printf '[none: for this test]\ntable.c: no such line ==> at all\n' >ci/mutation-survivors
    run ci/mutation --sample 5 --tests text -- table.c
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"5 mutants: 0 killed, 5 survived"* && "$output" == *"SURVIVED  engine/table.c:"* ]]
    [[ "$output" == *"STALE     table.c: no such line ==> at all"* ]]
    run ci/mutation --sample 5 table.c
    echo "$output"
    [[ "$output" == *"5 mutants: 5 killed"* ]]
}

@test "mutation: wrong usage is told in a line" {
    run ci/mutation --tests nothing
    [ "$status" -eq 1 ]
    [[ "$output" == "# "*"mutation: no test 'nothing': there are answer "* ]]
    run ci/mutation nothing.c
    [ "$status" -eq 2 ]
    [[ "$output" == *"no engine/nothing.c"* ]]
}
