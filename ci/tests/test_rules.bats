#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The lint finds what it is for: each test plants one fault in a small tree of its own.

setup() {
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    tree="$BATS_TEST_TMPDIR/tree"
    mkdir -p "$tree/engine/tests" "$tree/server" "$tree/ci" "$tree/client"
    cd "$tree" || return
    git -c init.defaultBranch=main init -q .
    echo /build/ >.gitignore
    mkdir -p build/release
    cp "$root/.clang-tidy" "$root/.shellcheckrc" .
    cp "$root/ci/lint" "$root/ci/lint-rules" "$root/ci/sources.py" "$root/ci/ending.py" ci/
    printf 'int smsp_one(void);\n' >engine/smsp.h
    printf '#include "smsp.h"\n\nint smsp_one(void)\n{\n    return 1;\n}\n' >engine/one.c
    printf '| FRM-1 | MUST | A rule. |\n' >engine/PROTOCOL.md
}

# The case of this title has failed, and its complaint holds the words.
finds() {
    run ci/lint-rules
    [ "$status" -eq 1 ]
    echo "$output" | grep -A 5 "^not ok [0-9]* - rules: $1" | grep -F -- "$2" || { echo "$output"; return 1; }
    [ "$(grep -c '^not ok' <<<"$output")" -eq 1 ]
}

@test "rules: a clean tree passes every case" {
    run ci/lint-rules
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(grep -c '^ok' <<<"$output")" -ge 13 ]
}

@test "rules: a forbidden call in the engine is found, but not in a comment or a text" {
    printf '/* malloc(1) */\nconst char *smsp_x(void)\n{\n    return "malloc(1)";\n}\n' >engine/two.c
    ci/lint-rules
    printf 'void *smsp_y(void)\n{\n    return malloc(1);\n}\n' >>engine/two.c
    finds "no call in engine/" "engine/two.c:8: malloc()"
}

@test "rules: each call that the engine may not make is found" {
    for call in malloc free printf snprintf strlen strcpy memchr time rand getenv abort; do
        printf 'void smsp_y(void)\n{\n    %s(0);\n}\n' "$call" >engine/two.c
        run ci/lint-rules
        grep -F "engine/two.c:3: $call() is not for this place" <<<"$output" || { echo "$call: $output"; return 1; }
    done
}

@test "rules: a copy past the checked writer is found in the engine, the writer's own is not" {
    printf 'void smsp_y(void *a, void *b)\n{\n    memcpy(a, b, 1);\n}\n' >engine/bytes.h
    ci/lint-rules
    mv engine/bytes.h engine/two.c
    finds "the engine copies bytes" "engine/two.c:3: memcpy()"
    printf 'void smsp_y(void *a, void *b)\n{\n    memmove(a, b, 1);\n}\n' >engine/two.c
    finds "the engine copies bytes" "engine/two.c:3: memmove()"
    mv engine/two.c engine/frame.c
    ci/lint-rules
}

@test "rules: the engine's tests may call what the engine may not" {
    printf 'void smsp_y(void)\n{\n    printf("x");\n}\n' >engine/tests/test_two.c
    ci/lint-rules
}

@test "rules: a header that the engine may not have is found" {
    echo '#include <stdio.h>' >engine/two.h
    finds "engine/ includes" "<stdio.h>"
}

@test "rules: an unsafe call is found anywhere" {
    printf 'void f(char *a, char *b)\n{\n    strcpy(a, b);\n}\n' >server/two.c
    finds "no call that cannot" "server/two.c:3: strcpy()"
}

@test "rules: an include that runs the wrong way is found" {
    echo 'int x(void);' >server/slot.h
    echo '#include "../server/slot.h"' >engine/two.h
    finds "includes run one way" "on which engine/ does not stand"
    rm engine/two.h
    echo '#include "../server/slot.h"' >client/two.h
    finds "includes run one way" "on which client/ does not stand"
    rm client/two.h
    echo '#include "smsp.h"' >>server/slot.h
    ci/lint-rules
}

@test "rules: a function of 61 lines is found in C, shell and Python, one of 60 is not" {
    body() { seq "$1" | sed "s/.*/$2/"; }
    { printf 'int smsp_f(void)\n{\n'; body 57 '    ;'; printf '}\n'; } >engine/two.c
    { printf '#!/bin/sh\nf() {\n'; body 58 '    :'; printf '}\n'; } >ci/two.sh
    { printf 'def f():\n'; body 59 '    pass'; } >ci/two.py
    chmod +x ci/two.sh
    ci/lint-rules
    { printf 'int smsp_f(void)\n{\n'; body 58 '    ;'; printf '}\n'; } >engine/two.c
    finds "no function has over 60" "engine/two.c:1: smsp_f has 61 lines"
    rm engine/two.c
    { printf '#!/bin/sh\nf() {\n'; body 59 '    :'; printf '}\n'; } >ci/two.sh
    finds "no function has over 60" "ci/two.sh:2: f has 61 lines"
    rm ci/two.sh
    { printf 'def f():\n'; body 60 '    pass'; } >ci/two.py
    finds "no function has over 60" "ci/two.py:1: f has 61 lines"
}

@test "rules: a file of 501 lines is found" {
    yes '/* x */' | head -n 500 >server/two.c
    ci/lint-rules
    echo '/* y */' >>server/two.c
    finds "no file of code" "501 lines"
}

@test "rules: a path of one machine and an unfinished mark are found" {
    echo "See /ho""me/somebody/notes." >engine/notes.md
    finds "no path of" "engine/notes.md:1"
    echo "/* TO""DO: more */" >engine/two.h
    rm engine/notes.md
    finds "nothing marked" "engine/two.h:1"
}

@test "rules: white space at the end, a tab and a missing newline are found" {
    printf 'x \n' >engine/a.md
    finds "no white space" "engine/a.md:1: white space"
    printf 'int x(void);\n\tint y(void);\n' >engine/a.h
    rm engine/a.md
    finds "no white space" "engine/a.h:2: indented with a tab"
    printf 'int x(void);' >engine/a.h
    finds "no white space" "engine/a.h: no newline"
}

@test "rules: something else at the top level is found" {
    echo x >notes.txt
    finds "nothing else at the top" "notes.txt"
}

@test "rules: the wrong Python, and a script that is not executable, are found" {
    printf '#!/usr/bin/env python3\n' >ci/two
    chmod +x ci/two
    finds "scripts name" "want #!/usr/bin/python3"
    printf '#!/bin/sh\n' >ci/two
    chmod -x ci/two
    finds "scripts name" "not executable"
}

@test "rules: a source without its licence, or without words about what it is for, is found" {
    echo ISC >LICENSE
    rm engine/*.c engine/*.h
    begins() { printf '%b' "$2" >"$1"; } # FILE TEXT
    begins engine/one.c '/* SPDX-License-Identifier: ISC */\n/* One, two and three. */\nint smsp_x;\n'
    begins ci/one.py '# SPDX-License-Identifier: ISC\n"""One, two and three."""\n'
    begins ci/two.bats '#!/usr/bin/env bats\n# SPDX-License-Identifier: ISC\n# One, two and three.\n'
    ci/lint-rules
    begins engine/two.h '/* One, two and three. */\nint smsp_y;\n'
    finds "each source and script" "engine/two.h: 'SPDX-License-Identifier: ISC' is not in its first lines"
    begins engine/two.h '/* SPDX-License-Identifier: ISC */\n#ifndef TWO_H\n/* x */\n'
    finds "each source and script" "engine/two.h: begins with no words"
    rm engine/two.h
    begins ci/two.sh '#!/bin/sh\n# SPDX-License-Identifier: ISC\ntrue\n'
    chmod +x ci/two.sh
    finds "each source and script" "ci/two.sh: begins with no words"
}

@test "rules: a link to nowhere and a rule that is none are found" {
    echo 'See [that](gone.md) and [this](engine/smsp.h).' >README.md
    finds "links between pages" "gone.md is not there"
    rm README.md
    echo "/* FRM-1 and FRM-""99 */" >engine/two.h
    finds "rules that are cited" "FRM-""99 is no rule"
}

@test "rules: the built engine may not have variables, other symbols or other needs" {
    library() {
        printf '%s\n' "$1" >engine/two.c
        cc -O1 -c engine/two.c -o build/two.o
        rm -f build/two.a engine/two.c
        ar rcs build/two.a build/two.o
        run ci/lint-rules --library build/two.a
    }
    library 'int smsp_f(int x) { return x; } static const char *const names[] = {"a", "b"};
        const char *smsp_g(int x) { return names[x]; }'
    echo "$output"
    [ "$status" -eq 0 ]
    library 'static int count; int smsp_f(void) { return count++; }'
    [[ "$output" == *"two.o: count is a variable"* ]]
    library 'static int count = 7; int smsp_f(void) { return count++; }'
    [[ "$output" == *"two.o: count is a variable"* ]]
    library 'int f(int x) { return x; }'
    [[ "$output" == *"two.o: f is visible without the prefix"* ]]
    library 'void *malloc(unsigned long); void *smsp_f(void) { return malloc(8); }'
    [[ "$output" == *"two.o: needs malloc"* ]]
    [ "$status" -eq 1 ]
}

@test "rules: each tool of the lint fails on what it is for, and names file and line" {
    cc -c engine/one.c -o build/one.o
    ar rcs build/release/libsmsp.a build/one.o
    run ci/lint
    [ "$status" -eq 0 ] || { echo "$output"; return 1; }
    [ "$(grep -c '^ok' <<<"$output")" -ge 19 ]
    printf '#!/bin/sh\ncd $1\n' >ci/two.sh
    printf 'import os\n' >ci/two.py
    # Out of bounds for cppcheck and for clang-tidy.
    printf 'int f(void);\nint f(void)\n{\n    int a[2] = {0, 1};\n    return a[2];\n}\n' >server/two.c
    chmod +x ci/two.sh
    run ci/lint
    [ "$status" -eq 1 ]
    for words in 'not ok 1 - shellcheck' 'ci/two.sh line 2' 'not ok 2 - pyflakes3' 'ci/two.py:1:1' \
        'not ok 3 - cppcheck' 'server/two.c:5' 'not ok 4 - clang-tidy' 'server/two.c:5:5: error'; do
        grep -F -- "$words" <<<"$output" || { echo "missing: $words"; echo "$output"; return 1; }
    done
}

@test "rules: what clang-tidy found clean is looked at again when a header changes" {
    ar rcs build/release/libsmsp.a
    ci/lint
    [ -e build/lint/engine/one.c.ok ]
    sleep 0.05
    printf '#define SMSP_TWICE(x) x * 2\n' >>engine/smsp.h
    printf '#include "smsp.h"\n' >engine/two.c
    run ci/lint
    [ "$status" -eq 1 ]
    [[ "$output" == *"engine/smsp.h:2"* ]]
}

@test "rules: clang-tidy sees each file with the flags that make gives it, and again when they change" {
    cp "$root/Makefile" .
    printf 'build/release/libsmsp.a: build/release/engine/one.o\n\tar rcs $@ $^\n' >engine/rules.mk
    printf 'build/release/server/two.o: CPPFLAGS += -DTWO=1\n' >server/rules.mk
    printf '_Static_assert(TWO == 1, "without its flag");\nint two(void);\nint two(void)\n{\n    return TWO;\n}\n' >server/two.c
    make -s build/release/libsmsp.a
    ci/lint
    printf 'build/release/server/two.o: CPPFLAGS += -DTWO=3\n' >server/rules.mk
    run ci/lint
    [ "$status" -eq 1 ]
    [[ "$output" == *"without its flag"* ]]
}
