#!/usr/bin/env bats
# ci/footprint: what the page says is true, and what it is for is noticed.

setup() {
    root=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    cd "$root" || return
}

# A copy of the engine and of the tool, to be spoilt.
copy() {
    tree="$BATS_TEST_TMPDIR/tree"
    mkdir -p "$tree/ci"
    cp -r engine "$tree/"
    cp ci/footprint "$tree/ci/"
    cd "$tree" || return
}

@test "footprint: the page names each file and each public function, and its states have their sizes" {
    copy
    ci/footprint --check
    sed -i 's/^| 1,000 |/| 1,001 |/' engine/FOOTPRINT.md
    run ci/footprint --check
    [ "$status" -eq 1 ]
    [[ "$output" == *"is stale: | 1,001 |"* && "$output" == *"make footprint"* ]]
}

@test "footprint: recursion through another function, an unbounded stack and an unknown pointer are refused" {
    copy
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
