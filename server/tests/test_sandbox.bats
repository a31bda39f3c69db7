#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What the processes may do, and what README.md says they may.

setup() {
    [ -n "${SMSPD_SANDBOX_TEST:-}" ] || skip "this smspd has no sandbox"
}

@test "sandbox: the system calls that pass are those of README.md" {
    run "$SMSPD_SANDBOX_TEST" list
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(uname -m)" = x86_64 ] || skip "README.md lists the calls of x86-64"
    [ "${#lines[@]}" -eq 2 ]
    for line in "${lines[@]}"; do
        grep -Fqx "$line" "$BATS_TEST_DIRNAME/../README.md"
    done
}
