#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# ci/footprint and ci/mutation: what they say is true, and what they are for is noticed.

setup() {
    cd "$BATS_TEST_DIRNAME/../.." || return
}

# A copy of these files in a folder of its own, to be spoilt.
copy() {
    tree="$BATS_TEST_TMPDIR/tree"
    mkdir -p "$tree"
    cp -r --parents "$@" "$tree"
    cd "$tree" || return
}

@test "footprint: the page names each file and each public function, and its states have their sizes" {
    copy engine ci/footprint
    ci/footprint --check
    sed -i 's/^| 1,000 |/| 1,001 |/' engine/FOOTPRINT.md
    run ci/footprint --check
    [ "$status" -eq 1 ]
    [[ "$output" == *"is stale: | 1,001 |"* && "$output" == *"make footprint"* ]]
}

@test "footprint: recursion through another function, an unbounded stack and an unknown pointer are refused" {
    copy engine ci/footprint
    printf 'int smsp_b(int n);\nint smsp_a(int n);\nint smsp_a(int n)\n{\n    return n ? smsp_b(n - 1) + 1 : 0;\n}\n' >engine/one.c
    printf 'int smsp_a(int n);\nint smsp_b(int n);\nint smsp_b(int n)\n{\n    return smsp_a(n) * 3;\n}\n' >engine/two.c
    run ci/footprint
    [ "$status" -eq 1 ]
    [[ "$output" == *"recursion: smsp_"*" -> smsp_"* ]]
    rm engine/two.c
    printf 'void smsp_c(char *);\nvoid smsp_a(int n);\nvoid smsp_a(int n)\n{\n    char a[n];\n    smsp_c(a);\n}\n' >engine/one.c
    run ci/footprint
    [ "$status" -eq 1 ]
    [[ "$output" == *"smsp_a takes a stack whose size is not fixed"* ]]
    printf 'int smsp_a(int (*f)(void));\nint smsp_a(int (*f)(void))\n{\n    return f() + 1;\n}\n' >engine/one.c
    run ci/footprint
    [ "$status" -eq 1 ]
    [[ "$output" == *"smsp_a of one.c calls through a pointer"* ]]
}

@test "mutation: a gap in the tests is noticed, and so are stale explanations" {
    copy engine conformance ci/mutation ci/mutants.py ci/mutation-survivors build/flat
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
