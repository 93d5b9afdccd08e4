#!/bin/sh
# fuzz.sh - differential fuzzing with libFuzzer: tests/fuzz/fuzz.c makes calls of the whole library from bytes, in which
# every instruction set of this machine must give the bits of scalar, under the address sanitizer.
#
#   tools/fuzz.sh [SECONDS]       fuzz (default 600), from tests/fuzz/corpus and what earlier runs found
#   tools/fuzz.sh merge           put the smallest inputs that reach every way to the kernels into tests/fuzz/corpus
#   tools/fuzz.sh FILE...         run these inputs, for example a crash
#   FUZZ_BUILD=dir                where to build, and where corpus and crashes are kept (default build/fuzz)
#   FUZZ_CC=clang                 the compiler
#
# Whatever fails is kept as crash-* with a line that tells the call, and fuzzing goes on; the exit status tells.
#
# Debian: clang, libclang-rt-14-dev (of clang's version)
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${FUZZ_BUILD:-$root/build/fuzz}
cc=${FUZZ_CC:-clang}
seeds=$root/tests/fuzz/corpus
mkdir -p "$build/corpus" "$build/artifacts" "$seeds"

# -O1: the kernels become neither slower nor other bits, and compile in half the time
flags="-O1 -g1 -std=gnu99 -I$root/c/include"
sh "$root/tools/objects.sh" "$build/objects" "$cc" -O1 -g1 -fsanitize=fuzzer-no-link,address
# shellcheck disable=SC2086
"$cc" $flags -fsanitize=fuzzer,address "$root/tests/fuzz/fuzz.c" "$build"/objects/*.o -o "$build/fuzz"

export ASAN_OPTIONS="${ASAN_OPTIONS:-}:handle_sigfpe=1:allocator_may_return_null=1"
case ${1:-600} in
merge)
    # by what they reach outside the kernels: those are the same text thousands of times over
    mkdir -p "$build/merged"
    rm -f "$build/merged"/*
    sh "$root/tools/objects.sh" "$build/plain" "$cc" -O1
    others=$(for source in "$root"/c/src/*.c; do echo "$build/objects/$(basename "$source" .c).o"; done)
    # shellcheck disable=SC2086
    "$cc" $flags -fsanitize=fuzzer,address "$root/tests/fuzz/fuzz.c" $others "$build"/plain/*_*.o -o "$build/plain/fuzz"
    "$build/plain/fuzz" -merge=1 "$build/merged" "$seeds" "$build/corpus"
    rm -f "$seeds"/*
    cp "$build/merged"/* "$seeds"
    ;;
*[!0-9]*) exec "$build/fuzz" "$@" ;;
*)
    "$build/fuzz" -max_len=160 -timeout=20 -fork=1 -ignore_crashes=1 -max_total_time="${1:-600}" \
        -artifact_prefix="$build/artifacts/" "$build/corpus" "$seeds"
    if ls "$build/artifacts"/crash-* >/dev/null 2>&1; then
        echo "fuzz.sh: $(ls "$build/artifacts" | wc -l) failures in $build/artifacts"
        exit 1
    fi
    ;;
esac
