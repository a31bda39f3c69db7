#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The manual pages: no mistakes in them, and the options and defaults of --help, no more and no fewer.

setup() {
    cd "$BATS_TEST_DIRNAME/../.." || return
}

# help_of PROGRAM: the lines of --help that begin with an option.
help_of() {
    "$1" --help | grep -E '^ {2,6}-'
}

# options_of PAGE: its section OPTIONS as it is printed; each option begins 7 columns from the left.
options_of() {
    mandoc -T ascii "$1" | sed 's/.\x08//g' | sed -n '/^OPTIONS/,/^[A-Z]/p' | sed '1d;$d'
}

# spellings: each way to write each option of the lines on standard input, which begin with one.
spellings() {
    grep -oE '(^| |, )--?[A-Za-z][A-Za-z-]*' | tr -d ' ,' | sort
}

# same_options PROGRAM PAGE LEAST: both name the same options, at least so many, with the same defaults.
same_options() {
    local help page line option default
    help=$(help_of "$1")
    page=$(options_of "$2")
    spellings <<<"$(sed -E 's/  +-/ -/; s/([^ ])  .*/\1/' <<<"$help")" >"$BATS_TEST_TMPDIR/help"
    spellings <<<"$(grep -E '^ {7}-' <<<"$page")" >"$BATS_TEST_TMPDIR/page"
    diff "$BATS_TEST_TMPDIR/help" "$BATS_TEST_TMPDIR/page" || return 1
    [ "$(wc -l <"$BATS_TEST_TMPDIR/help")" -ge "$3" ] || return 1
    while read -r line; do
        option=$(grep -oE -- '--[a-z-]+' <<<"$line" | head -n 1)
        default=$(sed -nE 's/.*\((default: )?([0-9]+)\)$/\2/p' <<<"$line")
        [ -n "$default" ] || continue
        echo "$2: $option has the default $default"
        awk -v option="$option" '/^       -/ { on = $0 ~ option "( |$)" } on' <<<"$page" | tr -d , | grep -qw -- "$default" ||
            return 1
    done <<<"$help"
}

@test "manual: smspd(8) has the options of smspd --help" { same_options server/smspd server/smspd.8 21; }
@test "manual: smsp(1) has the options of smsp --help" { same_options client/smsp client/smsp.1 6; }
@test "manual: smsp-load(1) has the options of smsp-load --help" { same_options client/smsp-load client/load/smsp-load.1 25; }

@test "manual: an option more, one fewer and another default are found" {
    sed '/^\.BI .*idle.*timeout/,/closed/d' server/smspd.8 >"$BATS_TEST_TMPDIR/fewer.8"
    sed 's/^\.SS Other/&\n.TP\n.BI \\-\\-bogus " N"\nNothing./' server/smspd.8 >"$BATS_TEST_TMPDIR/more.8"
    sed 's/(512)/(513)/' server/smspd.8 >"$BATS_TEST_TMPDIR/default.8"
    for page in fewer more default; do
        run cmp -s server/smspd.8 "$BATS_TEST_TMPDIR/$page.8"
        [ "$status" -eq 1 ]
        run same_options server/smspd "$BATS_TEST_TMPDIR/$page.8" 21
        echo "$page: $status $output"
        [ "$status" -ne 0 ]
    done
}

@test "manual: mandoc finds no mistake in any page" {
    for page in server/*.8 client/*.1 client/*/*.1; do
        mandoc -T lint -W warning "$page"
    done
}
