#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# ci/coverage and ci/coverage_programs detect what is not reached, in a project of two functions.

setup() {
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    tree="$BATS_TEST_TMPDIR/tree"
    mkdir -p "$tree/ci" "$tree/engine/tests" "$tree/server" "$tree/client/load" "$tree/client/tests"
    cp "$root/ci/coverage" "$root/ci/coverage_programs" "$root/ci/counts.py" "$root/ci/ending.py" "$tree/ci"
    cd "$tree" || return
    printf 'int both(int a, int b);\nint one(int a);\n' >engine/two.h
    printf '#include "two.h"\nint both(int a, int b)\n{\n    return a && b;\n}\n' >engine/two.c
    printf '#include "two.h"\nint one(int a)\n{\n    if (a)\n        return 7;\n    return 9;\n}\n' >engine/one.c
    printf '#include "two.h"\nint main(void)\n{\n    return one(0) != 9 || one(1) != 7;\n}\n' >engine/tests/test_one.c
    printf '#include "two.h"\nint main(void)\n{\n    return both(0, 1) || both(1, 0) || !both(1, 1);\n}\n' >engine/tests/test_two.c
    # The replayed transcripts reach nothing, and the programs have the engine in them.
    cat >Makefile <<'MAKE'
.RECIPEPREFIX := >
build/$(VARIANT)/engine/tests/test_%: engine/tests/test_%.c engine/one.c engine/two.c
> @mkdir -p $(@D)
> $(CC) $(CFLAGS) -Iengine $^ -o $@
replay:
> @mkdir -p build/$(VARIANT)/conformance
> echo 'int main(void) { return 0; }' | $(CC) $(CFLAGS) -xc - -o build/$(VARIANT)/conformance/replay
client/smsp server/smspd:
> touch $@
tested: build/$(VARIANT)/client/tests/test_load
build/$(VARIANT)/client/tests/test_load: client/tests/test_load.c $(filter-out client/lonely.c,$(wildcard server/*.c client/*.c client/load/*.c))
> @mkdir -p $(@D)
> $(CC) $(CFLAGS) $^ -o $@
check-server-units check-histogram:
> build/$(VARIANT)/client/tests/test_load
MAKE
}

@test "coverage: all that is reached is status 0" {
    run ci/coverage
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *$'\nok 1 - every line, branch and condition of engine/ is reached'* ]]
    [[ $output != *'not reached:'* ]]
}

@test "coverage: what no test reaches is named, and the status is 1" {
    sed -i 's/both(1, 0) || //' engine/tests/test_two.c # MC/DC alone
    run ci/coverage
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *'not reached: engine/two.c:4: MC/DC: a && b: that condition 2 of 2 decides is not shown'* ]]
    [[ $output == *'not ok 1 - every line, branch and condition'* ]]
    sed -i 's/ || one(1) != 7//' engine/tests/test_one.c
    run ci/coverage
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *'not reached: engine/one.c:5: lines: return 7;'* ]]
    [[ $output == *'not reached: engine/one.c:4: branches: a: never true'* ]]
}

@test "coverage: a test that fails ends it" {
    sed -i 's/!both(1, 1)/both(1, 1)/' engine/tests/test_two.c
    run ci/coverage
    [ "$status" -eq 1 ]
    [[ $output == *"'test_two' ended with status 1"* ]]
    [[ $output != *'ok 1 - every line'* ]]
}

# A program that reaches half of the server and all of the client.
programs() {
    printf 'int serve(int a);\nint serve(int a)\n{\n    if (a)\n        return 1;\n    return 2;\n}\n' >server/slot.c
    printf 'int idle(void);\nint idle(void)\n{\n    return 1;\n}\n' >server/worker.c
    printf 'int load(void);\nint load(void)\n{\n    return 3;\n}\n' >client/load/load.c
    printf 'int serve(int a);\nint load(void);\nint main(void)\n{\n    return serve(0) != 2 || load() != %s;\n}\n' "$1" >client/tests/test_load.c
}

@test "coverage-programs: what no test reaches is named, and below the percentage asked for the status is 1" {
    programs 3
    run ci/coverage_programs --steps units
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *'not reached: server/slot.c:5: lines: return 1;'* ]]
    [[ $output == *'not reached: server/slot.c:4: branches: a: never true'* ]]
    [[ $output == *$'\nnot ok 1 - at least 95 % of the lines of server/'* ]]
    [[ $output == *$'\nnot ok 2 - at least 95 % of the branches of server/'* ]]
    [[ $output == *$'\nok 3 - at least 95 % of the lines of client/'* ]]
    [ "$(grep -c '^load/load.c .* 100.0%' <<<"$output")" -eq 1 ]
    [ "$(grep -c '^worker.c .* 0/' <<<"$output")" -eq 1 ] # no test calls it, and it counts all the same
}

@test "coverage-programs: a test that fails ends it, and so does a file of which no program is built" {
    programs 4
    run ci/coverage_programs --steps units
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *'units failed, see build/coverage-programs/log/units'* ]]
    [[ $output != *'ok 1 - at least'* ]]
    programs 3
    echo 'int lonely(void);' >client/lonely.c
    run ci/coverage_programs --steps units
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *'no program is built of client/lonely.c: '* ]]
}
