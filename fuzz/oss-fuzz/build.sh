#!/bin/bash -eu
# SPDX-License-Identifier: ISC
# Builds every target twice, with usual and with tiny limits, for OSS-Fuzz and ClusterFuzzLite. They set the
# fuzzing engine and the sanitizer: $CC $CFLAGS $CXX $CXXFLAGS $LIB_FUZZING_ENGINE $OUT $WORK.
# SMSP_TARGETS restricts the targets, for a test.

cd "${SRC:-.}/smsp" 2>/dev/null || cd "$(dirname "$0")/../.."

OPTIONS=(-D_POSIX_C_SOURCE=200809L -std=c11 -Iengine -Ifuzz/common -Iserver -Iclient)
TINY=(-DSMSP_NAME_MAX=4u -DSMSP_PASSWORD_MAX=5u -DSMSP_CONTENT_MAX=56u -DSMSP_COOKIE_BYTES=1u)
read -ra compile_flags <<<"$CFLAGS"
read -ra link_flags <<<"$CXXFLAGS"

# objects SUFFIX [FLAG...]: compiles all sources into $WORK/smspSUFFIX.
objects() {
    local folder=$WORK/smsp$1 source
    shift
    mkdir -p "$folder"
    for source in engine/*.c server/slot_entry.c client/output.c \
        fuzz/common/{model,model_wire,oracle,transcript,world}.c fuzz/common/mutator_*.c fuzz/targets/*.c; do
        case $source in
        fuzz/targets/fuzz_selftest.c | fuzz/common/mutator_afl.c) continue ;;
        fuzz/targets/fuzz_store.c) continue ;; # needs SQLite, which is not compiled with the sanitizers
        esac
        "$CC" "${compile_flags[@]}" "${OPTIONS[@]}" "$@" -c "$source" -o "$folder/$(basename "$source" .c).o"
    done
}

# target NAME SUFFIX: links the target, and copies its corpus and dictionary.
target() {
    local folder=$WORK/smsp$2 name=fuzz_$1${2//-/_}
    local shared=() object
    for object in "$folder"/*.o; do
        [[ $object == */fuzz_* || $object == */mutator_* ]] || shared+=("$object")
    done
    if [ "${FUZZING_ENGINE:-libfuzzer}" = libfuzzer ]; then
        case $1 in
        session | frame) shared+=("$folder"/mutator_{session,libfuzzer}.o) ;;
        ops) shared+=("$folder"/mutator_{ops,libfuzzer}.o) ;;
        esac
    fi
    # shellcheck disable=SC2086  # may be several arguments
    "$CXX" "${link_flags[@]}" "$folder/fuzz_$1.o" "${shared[@]}" $LIB_FUZZING_ENGINE -o "$OUT/$name"
    cp "fuzz/corpus/$1.zip" "$OUT/${name}_seed_corpus.zip"
    case $1 in
    parser | frame | session | reply) cp fuzz/dict/smsp.dict "$OUT/$name.dict" ;;
    esac
}

for suffix in '' -tiny; do
    if [ -z "$suffix" ]; then objects ''; else objects "$suffix" "${TINY[@]}"; fi
    for name in ${SMSP_TARGETS:-parser frame session ops reply effect slot limits memory}; do
        target "$name" "$suffix"
    done
done
