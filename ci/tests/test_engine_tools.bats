#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# ci/footprint and ci/mutation: what they say is true, and they detect what they are for. All but the first
# test work on an engine of two files.

setup() {
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    tree="$BATS_TEST_TMPDIR/tree"
    mkdir -p "$tree/ci" "$tree/engine/tests" "$tree/conformance" "$tree/build/flat"
    cd "$root/ci" && cp footprint mutation mutants.py ending.py "$tree/ci"
    cd "$tree" || return
    printf '#include <stddef.h>\nstruct limits;\nsize_t smsp_state_size(const struct limits *limits);\nint smsp_twice(int n);\n' >engine/smsp.h
    printf '#include "smsp.h"\n\nsize_t smsp_state_size(const struct limits *limits)\n{\n    return limits ? 640 : 0;\n}\n' >engine/state.c
    printf '#include "smsp.h"\n\nint smsp_twice(int n)\n{\n    return n + n;\n}\n' >engine/twice.c
    printf '#include "smsp.h"\nint main(void)\n{\n    return smsp_twice(3) != 6;\n}\n' >engine/tests/test_twice.c
    printf '#include "smsp.h"\nint main(void)\n{\n    return smsp_state_size(NULL) != 0;\n}\n' >engine/tests/test_state.c
    printf 'int main(void)\n{\n    return 0;\n}\n' >conformance/replay.c
    : >conformance/replay_server.c
    : >build/flat/one.flat
}

@test "footprint: engine/FOOTPRINT.md names each file and each public function, and its states have their sizes" {
    cd "$root"
    run ci/footprint --check
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "footprint: a page that is stale is refused" {
    ci/footprint
    ci/footprint --check
    sed -i 's/^| 1,000 |/| 1,001 |/' engine/FOOTPRINT.md
    run ci/footprint --check
    [ "$status" -eq 1 ]
    [[ "$output" == *"is stale: | 1,001 |"* && "$output" == *"make footprint"* ]]
}

@test "footprint: recursion through another function, an unbounded stack and an unknown pointer are refused" {
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

@test "mutation: a gap in the tests is detected, and so are stale explanations" {
    printf '[none: for this test]\ntwice.c: no such line ==> at all\n' >ci/mutation-survivors
    run ci/mutation --sample 1 --tests state -- twice.c
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"1 mutants: 0 killed, 1 survived"* && "$output" == *"SURVIVED  engine/twice.c:"* ]]
    [[ "$output" == *"STALE     twice.c: no such line ==> at all"* ]]
    : >ci/mutation-survivors
    run ci/mutation --sample 1 twice.c
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *"1 mutants: 1 killed"* ]]
}

@test "mutation: wrong usage is reported in one line" {
    : >ci/mutation-survivors
    run ci/mutation --tests nothing
    [ "$status" -eq 1 ]
    [[ "$output" == "# "*"mutation: no test 'nothing': there are state twice replay"* ]]
    run ci/mutation nothing.c
    [ "$status" -eq 2 ]
    [[ "$output" == *"no engine/nothing.c"* ]]
}
