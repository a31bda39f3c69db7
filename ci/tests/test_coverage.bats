#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# ci/coverage notices what is not reached.

setup() {
    cd "$BATS_TEST_DIRNAME/../.." || return 1
    copy=$BATS_TEST_TMPDIR/copy
    mkdir "$copy"
    cp -R Makefile engine conformance ci "$copy"
}

@test "coverage: what no test reaches is named, and the status is 1" {
    sed -i 's/^bool smsp_frame_partial/bool smsp_unreached(int a, int b);\nbool smsp_unreached(int a, int b)\n{\n    return a \&\& b;\n}\n\n&/' \
        "$copy/engine/frame.c"
    rm "$copy/engine/tests/test_ground.c"
    run "$copy/ci/coverage"
    [ "$status" -eq 1 ]
    [[ $output == *'not reached: engine/frame.c:'*': lines: return a && b;'* ]]
    [[ $output == *'not reached: engine/frame.c:'*': branches: a: never true'* ]]
    [[ $output == *'not reached: engine/table.c:'*': MC/DC: '*'*link != SMSP_NIL: that condition 2 of 2 decides is not shown'* ]]
    [[ $output == *'not ok 1 - every line, branch and condition'* ]]
}

@test "coverage: a test that fails ends it" {
    sed -i 's/assert_true(smsp_same(NULL, 0, NULL, 0))/assert_false(smsp_same(NULL, 0, NULL, 0))/' "$copy/engine/tests/test_ground.c"
    run "$copy/ci/coverage"
    [ "$status" -eq 1 ]
    [[ $output == *"'test_ground' ended with status 1"* ]]
    [[ $output != *'ok 1 - every line'* ]]
}

# Only the unit tests are run, which reach some of the server and little of the client.
@test "coverage-programs: what no test reaches is named, and below the percentage asked for the status is 1" {
    cp -R server client "$copy"
    sed -i 's/^static void put_span/bool slot_unreached(int a, int b);\nbool slot_unreached(int a, int b)\n{\n    return a \&\& b;\n}\n\n&/' \
        "$copy/server/slot.c"
    sed -i 's/("server", "lines"): [0-9]*/("server", "lines"): 30/' "$copy/ci/coverage_programs"
    run "$copy/ci/coverage_programs" --steps units
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *'not reached: server/slot.c:'*': lines: return a && b;'* ]]
    [[ $output == *'not reached: server/slot.c:'*': branches: a: never true'* ]]
    [[ $output == *$'\nok 1 - at least 30 % of the lines of server/'* ]]
    [[ $output == *$'\nnot ok 2 - at least '*' % of the branches of server/'* ]]
    [[ $output == *$'\nnot ok 3 - at least '*' % of the lines of client/'* ]]
    [ "$(grep -c '^histogram.c ' <<<"$output")" -eq 1 ]
    [ "$(grep -c '^worker.c .* 0/' <<<"$output")" -eq 1 ] # in no unit test, and it counts all the same
}

@test "coverage-programs: a test that fails ends it, and so does a file of which no program is built" {
    cp -R server client "$copy"
    sed -i 's/assert_int_equal(histogram_quantile(&h, 0.5), 0)/assert_int_equal(histogram_quantile(\&h, 0.5), 1)/' \
        "$copy/client/tests/test_histogram.c"
    run "$copy/ci/coverage_programs" --steps units
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *'units failed, see build/coverage-programs/log/units'* ]]
    [[ $output != *'ok 1 - at least'* ]]
    mkdir -p "$copy/client/tests"
    cp client/tests/test_histogram.c "$copy/client/tests"
    echo 'int lonely(void);' >"$copy/client/lonely.c"
    run "$copy/ci/coverage_programs" --steps units
    [ "$status" -eq 1 ]
    [[ $output == *'no program is built of client/lonely.c: '* ]]
}
