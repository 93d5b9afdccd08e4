#!/bin/sh
# sanitize.sh - the library and its tests under the sanitizers of clang, every instruction set of this machine.
#
#   tools/sanitize.sh                     all of these
#   tools/sanitize.sh address             memory and undefined behaviour: the programs of tests/c, the corpus of the fuzzer
#   tools/sanitize.sh memory              uninitialised memory: the programs, without the units whose masked stores it
#                                         does not see (avx2, avx512); hours on a slow machine
#   tools/sanitize.sh thread              races: test_threads, test_pool
#   tools/sanitize.sh python              the extensions and the library under the address sanitizer: tests of the Python layer
#   SANITIZE_BUILD=dir                    where to build (default build/sanitize); what is newer than the sources stays
#   SANITIZE_CC=clang, PYTHON=python3     compiler; an interpreter with what the tests need
#   SANITIZE_TESTS="tests/test_x.py ..."  other tests for `python`
#
# Debian: clang, libclang-rt-14-dev (of clang's version)
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${SANITIZE_BUILD:-$root/build/sanitize}
cc=${SANITIZE_CC:-clang}
python=${PYTHON:-python3}
failed=

# programs NAME FLAGS...: the objects and the test programs, in $build/NAME
programs() {
    name=$1
    shift
    sh "$root/tools/objects.sh" "$build/$name/objects" "$cc" -O1 -g1 -fPIC -Wall -Wextra -fno-omit-frame-pointer "$@"
    for program in test_abi test_pages test_guard test_environment test_threads test_pool fuzz; do
        source=$root/tests/c/$program.c
        [ "$program" = test_pool ] && source="$source $root/c/threads/pool.c $root/c/threads/calls.c"
        [ "$program" = fuzz ] && source=$root/tests/fuzz/fuzz.c
        # shellcheck disable=SC2086
        "$cc" -O1 -g1 -std=gnu99 "$@" -DREPLAY "-I$root/c/include" $source "$build/$name"/objects/*.o -lm -pthread \
            -o "$build/$name/$program"
    done
}

# try LABEL COMMAND...: runs it, prints its last line, or its last lines where it fails
try() {
    label=$1
    shift
    if "$@" >"$build/log" 2>&1; then
        echo "$label: $(tail -n 1 "$build/log")"
    else
        failed="$failed $label"
        tail -n 40 "$build/log"
        echo "$label: FAILED"
    fi
}

# everything of tests/c for each instruction set
all_programs() {
    name=$1
    for isa in $("$build/$name/test_abi" isas); do
        case $name-$isa in memory-avx*) continue ;; esac
        try "$name $isa" env ACTC_ISA="$isa" "$build/$name/test_abi" inputs 40
        for program in test_pages test_guard test_environment; do
            try "$name $isa" env ACTC_ISA="$isa" "$build/$name/$program"
        done
    done
    [ "$name" = memory ] && return # what follows tries every instruction set
    try "$name threads" "$build/$name/test_threads"
    try "$name pool" "$build/$name/test_pool"
    try "$name corpus" find "$root/tests/fuzz/corpus" -type f -exec "$build/$name/fuzz" {} +
    try "$name random calls" "$build/$name/fuzz" random 3000
}

export UBSAN_OPTIONS="${UBSAN_OPTIONS:-}:print_stacktrace=1:halt_on_error=1"
for what in "${@:-address memory thread python}"; do
    for sanitizer in $what; do
        case $sanitizer in
        address)
            programs address -fsanitize=address,undefined -fno-sanitize-recover=all
            all_programs address
            ;;
        memory)
            programs memory -fsanitize=memory -fsanitize-memory-track-origins
            all_programs memory
            ;;
        thread)
            programs thread -fsanitize=thread
            try "thread" env ACTC_TEST_SAMPLE=full "$build/thread/test_threads"
            try "thread pool" "$build/thread/test_pool"
            ;;
        python)
            # the library's objects are those of `address`; the extensions join them
            programs address -fsanitize=address,undefined -fno-sanitize-recover=all
            to=$build/python
            mkdir -p "$to/lib/actc/lib"
            "$cc" -fsanitize=address,undefined -shared-libasan -shared "$build"/address/objects/*.o \
                -Wl,-soname,libactc.so -o "$to/lib/actc/lib/libactc.so"
            (cd "$root" && CC=$cc CFLAGS="-fsanitize=address -shared-libasan -fno-omit-frame-pointer" \
                LDFLAGS="-fsanitize=address -shared-libasan" \
                "$python" setup.py -q build_ext --build-lib "$to/lib" --build-temp "$to/temp" >"$build/log" 2>&1) ||
                { tail -n 20 "$build/log" && exit 1; }
            library=$("$cc" -print-file-name=libclang_rt.asan-$(uname -m).so)
            cp "$root"/src/actc/*.py "$root"/src/actc/*.pxd "$to/lib/actc/"
            # Python's own arenas would hide what is freed and used again; NumPy keeps small arrays for later, too
            tests=${SANITIZE_TESTS:-tests/test_views.py tests/test_state.py tests/test_apl.py tests/test_rrelu.py \
                tests/test_channels.py tests/test_gates.py}
            # shellcheck disable=SC2086
            (cd "$root" && try "python" env LD_PRELOAD="$library" PYTHONMALLOC=malloc PYTHONPATH="$to/lib" \
                ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1:handle_segv=1" \
                "$python" -m pytest -q -x -p no:cacheprovider $tests && [ -z "$failed" ]) || failed="$failed python"
            ;;
        *) echo "sanitize.sh: there is no $sanitizer" >&2 && exit 2 ;;
        esac
    done
done
[ -z "$failed" ] || { echo "sanitize.sh: failures:$failed" && exit 1; }
