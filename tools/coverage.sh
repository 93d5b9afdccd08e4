#!/bin/sh
# coverage.sh - which lines and branches of the C core the tests reach, by clang's own coverage. The kernels are compiled
# for every instruction set from one text: what any of them reaches counts as reached, but for their own c/src/vec/*.h.
#
#   tools/coverage.sh               the table; what is not reached goes to build/coverage/unreached
#   COVERAGE_BUILD=dir              where to build (default build/coverage); what is newer than the sources stays
#   COVERAGE_CC=clang, LLVM=-14     compiler, and the suffix of llvm-cov and llvm-profdata if they have one
#   COVERAGE_PROGRAMS="..."         default: test_abi test_pages test_guard test_environment test_threads fuzz
#   COVERAGE_TESTS="tests/..."      Python tests that run on the library too ("" for none), in one process, for the workers
#                                   of several leave no profile; PYTHON=python3 runs them
#
# A kernel's text counts once for each function that has it and each place where a macro puts it. So there remain branches on
# what is constant in a copy (the type, whether lanes lie along a row), and, of `SUM`, which writes its statements three times,
# the copies of a way that takes another. Besides: other processors and a list of instruction sets without `scalar`
# (instruction_set.c), ends of loops that return sooner (blocks.c, apl.c), and parameters by row of a NARROWED row (rows.c),
# of which none has any.
#
# Debian: clang, llvm, libclang-rt-14-dev (of clang's version)
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${COVERAGE_BUILD:-$root/build/coverage}
cc=${COVERAGE_CC:-clang}
llvm=${LLVM:-}
python=${PYTHON:-python3}
programs=${COVERAGE_PROGRAMS:-test_abi test_pages test_guard test_environment test_threads fuzz}
tests=${COVERAGE_TESTS-tests/test_channels.py tests/test_rows.py tests/test_rrelu.py}
mkdir -p "$build/profiles"
rm -f "$build"/profiles/*
flags="-fprofile-instr-generate -fcoverage-mapping"
# shellcheck disable=SC2086
sh "$root/tools/objects.sh" "$build/objects" "$cc" -O1 -fPIC $flags
# shellcheck disable=SC2086
"$cc" $flags -shared "$build"/objects/*.o -Wl,-soname,libactc.so -o "$build/libactc.so"

export LLVM_PROFILE_FILE="$build/profiles/%p-%m.profraw"
for program in $programs; do
    source=$root/tests/c/$program.c arguments=
    [ "$program" = test_abi ] && arguments="inputs 40"
    [ "$program" = fuzz ] && source=$root/tests/fuzz/fuzz.c arguments="random 4000"
    "$cc" -O1 -std=gnu99 -DREPLAY "-I$root/c/include" "$source" -L"$build" -lactc -Wl,-rpath,"$build" -pthread -lm \
        -o "$build/$program"
    for isa in $("$build/test_abi" isas); do
        # shellcheck disable=SC2086
        ACTC_ISA=$isa "$build/$program" $arguments >"$build/log" 2>&1 || { tail -n 20 "$build/log" && exit 1; }
        case $program in test_guard | test_environment) ;; *) break ;; esac # the others need the best one, or try all
    done
done
find "$root/tests/fuzz/corpus" -type f -exec "$build/fuzz" {} + >"$build/log" 2>&1
if [ -n "$tests" ]; then
    # the installed package, or the one in src, with this library for its own
    package=$(cd "$root" && PYTHONPATH=src "$python" -c 'import actc; print(actc.__path__[0])')
    rm -rf "$build/package"
    mkdir -p "$build/package"
    cp -r "$package" "$build/package/actc"
    cp "$build/libactc.so" "$build/package/actc/lib/"
    # shellcheck disable=SC2086
    (cd "$root" && PYTHONPATH="$build/package" "$python" -m pytest -q -p no:cacheprovider $tests) >"$build/log" 2>&1 ||
        { tail -n 20 "$build/log" && exit 1; }
fi

"llvm-profdata$llvm" merge -sparse "$build"/profiles/*.profraw -o "$build/profile"
"llvm-cov$llvm" report "$build/libactc.so" -instr-profile "$build/profile" --show-branch-summary \
    --show-region-summary=false --show-instantiation-summary=false | sed "s|$root/||"
"llvm-cov$llvm" show "$build/libactc.so" -instr-profile "$build/profile" --show-branches=count \
    --show-instantiations=false >"$build/annotated"
# lines never executed, and branches never taken
awk '/^\/.*:$/ { file = $0 } /^ *[0-9]+\| *0\|/ || /Branch .*: *0[,\]]/ { print file, $0 }' "$build/annotated" >"$build/unreached"
echo "$(wc -l <"$build/unreached") lines and branches are not reached: $build/unreached"
