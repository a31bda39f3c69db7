#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What the processes may do, and what sandbox/README.md says they may.

setup() {
    [ -n "${SMSPD_SANDBOX_TEST:-}" ] || skip "this smspd has no sandbox"
}

@test "sandbox: the system calls that pass are those of sandbox/README.md" {
    before=$(stat -c '%a %u %g %F' /dev/*)
    run "$SMSPD_SANDBOX_TEST" list
    echo "$output"
    [ "$status" -eq 0 ]
    # root may make every call that passes: none of them may reach a file of the machine
    [ "$(stat -c '%a %u %g %F' /dev/*)" = "$before" ]
    [ "$(uname -m)" = x86_64 ] || skip "sandbox/README.md lists the calls of x86-64"
    [ "${#lines[@]}" -eq 2 ]
    for line in "${lines[@]}"; do
        grep -Fqx "$line" "$BATS_TEST_DIRNAME/../sandbox/README.md"
    done
}
