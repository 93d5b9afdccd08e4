#!/bin/sh
# sanitize.sh - the library and its tests under the sanitizers of clang, every instruction set of this machine.
#
#   tools/sanitize.sh                     all of these
#   tools/sanitize.sh address             memory and undefined behaviour: the programs of tests/c, the corpus of the fuzzer
#   tools/sanitize.sh memory              uninitialised memory: the same
#   tools/sanitize.sh thread              races: test_threads
#   tools/sanitize.sh python              the extensions under the address sanitizer of gcc: tests of the Python layer
#   SANITIZE_BUILD=dir                    where to build (default build/sanitize); what is newer than the sources stays
#   SANITIZE_CC=clang, PYTHON=python3     compiler; an interpreter with what the tests need
#   SANITIZE_TESTS="tests/test_x.py ..."  other tests for `python`
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${SANITIZE_BUILD:-$root/build/sanitize}
cc=${SANITIZE_CC:-clang}
python=${PYTHON:-python3}
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
common="-O1 -g1 -std=gnu99 -DACTC_WITH_GNU -Wall -Wextra -fno-omit-frame-pointer -I$root/c/include"
failed=

# is_newer FILE: whether nothing of the sources is newer
is_newer() { [ -e "$1" ] && [ -z "$(find "$root/c" "$root/tests/c" "$root/tests/fuzz" "$root/src/actc" -name '*.[ch]' -newer "$1" -o \
    -name '*.def' -newer "$1" -o -name '*.pyx' -newer "$1" | head -n 1)" ]; }

# programs NAME FLAGS...: the objects and the test programs, in $build/NAME
programs() {
    name=$1
    shift
    mkdir -p "$build/$name"
    if is_newer "$build/$name/fuzz"; then return; fi
    # the largest first, so that no core waits for the last one
    ls -S "$root"/c/src/isa/*.c "$root"/c/src/*.c | xargs -P "$jobs" -I{} sh -c '
        source=$1 object=$2/$(basename "$1" .c).o; shift 2
        "$@" -c "$source" -o "$object" || exit 255' compile {} "$build/$name" "$cc" $common "$@"
    for program in test_abi test_pages test_guard test_environment test_threads; do
        "$cc" $common "$@" "$root/tests/c/$program.c" "$build/$name"/*.o -lm -pthread -o "$build/$name/$program"
    done
    "$cc" $common "$@" -DREPLAY "$root/tests/fuzz/fuzz.c" "$build/$name"/*.o -lm -o "$build/$name/fuzz"
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
        try "$name $isa" env ACTC_ISA="$isa" "$build/$name/test_abi" inputs 40
        for program in test_pages test_guard test_environment; do
            try "$name $isa" env ACTC_ISA="$isa" "$build/$name/$program"
        done
    done
    try "$name threads" "$build/$name/test_threads"
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
            ;;
        python)
            to=$build/python
            library=$(gcc -print-file-name=libasan.so)
            if ! is_newer "$to/lib/actc/lib/libactc.so"; then
                (cd "$root" && CC=gcc CFLAGS="-fsanitize=address -fno-omit-frame-pointer" LDFLAGS="-fsanitize=address" \
                    ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD= \
                    "$python" setup.py -q build_ext --build-lib "$to/lib" --build-temp "$to/temp" >"$build/log" 2>&1) ||
                    { tail -n 20 "$build/log" && exit 1; }
            fi
            cp "$root"/src/actc/*.py "$root"/src/actc/*.pxd "$to/lib/actc/"
            # Python's own arenas would hide what is freed and used again; NumPy keeps small arrays for later, too
            tests=${SANITIZE_TESTS:-tests/test_views.py tests/test_calls.py tests/test_ufunc.py tests/test_rows.py \
                tests/test_gates.py tests/test_apl.py tests/test_rrelu.py tests/test_parameters.py tests/test_memory.py \
                tests/test_state.py}
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
