#!/bin/sh
# sizes.sh - the stripped static and shared library for each instruction set: the table of docs/embed.md.
#
#   tools/sizes.sh                     everything, by instruction set; minutes
#   FUNCTIONS="gelu;silu" TYPE=MinSizeRel tools/sizes.sh avx2 "avx2;scalar"
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
[ $# -gt 0 ] || set -- scalar "sse2;scalar" "avx2;scalar" "avx512;scalar" "avx512;avx2;sse2;scalar"
echo "| instruction sets | static (KB) | shared (KB) |"
echo "|---|---:|---:|"
for isas; do
    cmake -S "$root/c" -B "$build" "-DACTC_ISAS=$isas" "-DACTC_FUNCTIONS=${FUNCTIONS:-}" \
        "-DCMAKE_BUILD_TYPE=${TYPE:-Release}" >/dev/null
    cmake --build "$build" --parallel >/dev/null
    strip --strip-unneeded "$build/libactc.a"
    strip "$build/libactc.so"
    echo "| $isas | $(stat -Lc %s "$build/libactc.a" | awk '{printf "%.0f", $1 / 1000}') |" \
        "$(stat -Lc %s "$build/libactc.so" | awk '{printf "%.0f", $1 / 1000}') |"
done
