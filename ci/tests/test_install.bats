#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# make install and make uninstall, below a DESTDIR of our own.

setup() {
    cd "$BATS_TEST_DIRNAME/../.." || return
    dest="$BATS_TEST_TMPDIR/dest dir" # a space: quoting matters
    mkdir "$dest"
    version=$(sed -n 's/^.define SMSP_VERSION "\(.*\)"/\1/p' engine/smsp.h)
}

quiet_make() {
    make --no-print-directory "$@" >"$BATS_TEST_TMPDIR/make.log" 2>&1 || { cat "$BATS_TEST_TMPDIR/make.log"; return 1; }
}

@test "install: programs, library, header, pkg-config file and manual are there, with their modes" {
    quiet_make install DESTDIR="$dest" PREFIX=/usr
    for file in 755:bin/smsp 755:sbin/smspd 644:include/smsp.h 644:lib/libsmsp.a 644:lib/pkgconfig/smsp.pc; do
        echo "$file"
        [ "$(stat -c %a "$dest/usr/${file#*:}")" = "${file%%:*}" ]
    done
    for page in client/*.1 server/*.8; do
        [ ! -e "$page" ] || cmp "$page" "$dest/usr/share/man/man${page##*.}/${page#*/}"
    done
    # and nothing else
    [ "$(find "$dest" -type f | wc -l)" -eq "$((5 + $(find client server -name '*.1' -o -name '*.8' | wc -l)))" ]
}

@test "install: the installed programs run and tell the version" {
    quiet_make install DESTDIR="$dest" PREFIX=/usr
    run "$dest/usr/bin/smsp" --version
    [ "$status" -eq 0 ]
    [[ "$output" == *"$version"* ]]
    run "$dest/usr/sbin/smspd" --version
    [ "$status" -eq 0 ]
    [[ "$output" == *"$version"* ]]
}

@test "install: a program is compiled against the library by pkg-config, and runs" {
    quiet_make install DESTDIR="$dest" PREFIX=/opt/smsp
    mv "$dest" "$BATS_TEST_TMPDIR/dest" # pkg-config does not do well with spaces
    export PKG_CONFIG_PATH="$BATS_TEST_TMPDIR/dest/opt/smsp/lib/pkgconfig"
    export PKG_CONFIG_SYSROOT_DIR="$BATS_TEST_TMPDIR/dest"
    [ "$(pkg-config --modversion smsp)" = "$version" ]
    cat >"$BATS_TEST_TMPDIR/user.c" <<'PROGRAM'
#include <smsp.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    const char *line = "COUNT alice 00";
    smsp_request request;
    if (smsp_request_parse((const uint8_t *)line, strlen(line), &request) != SMSP_OK)
        return 1;
    return puts(smsp_strerror(SMSP_OK)) < 0;
}
PROGRAM
    # shellcheck disable=SC2046 # a list of flags
    cc -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -o "$BATS_TEST_TMPDIR/user" \
        "$BATS_TEST_TMPDIR/user.c" $(pkg-config --cflags --libs smsp)
    run "$BATS_TEST_TMPDIR/user"
    [ "$status" -eq 0 ]
    [ -n "$output" ]
}

@test "install: uninstall removes every file that install made" {
    quiet_make install DESTDIR="$dest" PREFIX=/usr
    [ "$(find "$dest" -type f | wc -l)" -ge 5 ]
    quiet_make uninstall DESTDIR="$dest" PREFIX=/usr
    run find "$dest" -type f
    [ -z "$output" ]
}

@test "install: a second installation over the first works" {
    quiet_make install DESTDIR="$dest" PREFIX=/usr
    quiet_make install DESTDIR="$dest" PREFIX=/usr
}
