#!/usr/bin/env bats
# ci/coverage notices what is not reached.

setup() {
    cd "$BATS_TEST_DIRNAME/.." || return 1
    copy=$BATS_TEST_TMPDIR/copy
    mkdir "$copy"
    cp -R Makefile engine conformance ci "$copy"
}

@test "coverage: what no test reaches is named, and the status is 1" {
    sed -i 's/^bool smsp_frame_partial/bool smsp_unreached(int a, int b);\nbool smsp_unreached(int a, int b)\n{\n    return a \&\& b;\n}\n\n&/' \
        "$copy/engine/frame.c"
    rm "$copy/engine/test_ground.c"
    run "$copy/ci/coverage"
    [ "$status" -eq 1 ]
    [[ $output == *'not reached: engine/frame.c:'*': lines: return a && b;'* ]]
    [[ $output == *'not reached: engine/frame.c:'*': branches: a: never true'* ]]
    [[ $output == *'not reached: engine/table.c:'*': MC/DC: '*'*link != SMSP_NIL: that condition 2 of 2 decides is not shown'* ]]
    [[ $output == *'not ok 1 - every line, branch and condition'* ]]
}

@test "coverage: a test that fails ends it" {
    sed -i 's/assert_true(smsp_same(NULL, 0, NULL, 0))/assert_false(smsp_same(NULL, 0, NULL, 0))/' "$copy/engine/test_ground.c"
    run "$copy/ci/coverage"
    [ "$status" -eq 1 ]
    [[ $output == *"'test_ground' ended with status 1"* ]]
    [[ $output != *'ok 1 - every line'* ]]
}
