#!/bin/sh
# wasm.sh - libactc as one WebAssembly module with 128-bit vectors, for browsers, Node and any engine with SIMD.
#
#   tools/wasm.sh actc.wasm                 the whole library
#   tools/wasm.sh actc.wasm gelu silu       only these functions (needs cmake)
#   CLANG=clang-14 WASM_CFLAGS="-Os" tools/wasm.sh ...
#
# The module imports nothing. It exports every symbol of actc.h, `memory` and `__heap_base`: memory from there on is
# the caller's. Pointers and size_t are numbers (32 bits), uint64_t is a BigInt. In JavaScript:
#
#   const { instance } = await WebAssembly.instantiateStreaming(fetch("actc.wasm"));
#   const { memory, __heap_base, actc_gelu_f32 } = instance.exports;
#   memory.grow(1);                                              // pages of 64 KiB; views made before are void now
#   const x = new Float32Array(memory.buffer, __heap_base.value, 1000);
#   const y = new Float32Array(memory.buffer, x.byteOffset + x.byteLength, 1000);
#   actc_gelu_f32(x.byteOffset, y.byteOffset, x.length);
#
# Wasm has no fused multiply-add, so it is emulated: the bits are those of every other processor, at 0.1 to 1 us an
# element where an exponential is computed (relu 1 ns). examples/embed/apply.mjs goes through the table. Debian: clang lld
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
[ $# -gt 0 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
output=$1
shift
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
sources=$root/c
if [ $# -gt 0 ]; then
    sources=$objects/c
    cmake "-DFUNCTIONS=$(IFS=';' && echo "$*")" "-DOUTPUT=$sources" -P "$root/c/pick.cmake"
fi

# Freestanding: WASI would want its imports of whoever loads the module. Bulk memory has memcpy and memset as
# instructions, and without errno sqrt is one too. The gnu unit is the one that wasm's vectors run.
find "$sources/src" -name '*.c' | xargs -P "$(getconf _NPROCESSORS_ONLN)" -I{} sh -c '
    source=$1; shift
    "$@" -c "$source" -o "$0/$(basename "$source" .c).o"' "$objects" {} \
    "${CLANG:-clang}" --target=wasm32 -O2 -std=gnu99 -ffreestanding -fvisibility=hidden -fno-math-errno -ffp-contract=off \
    -msimd128 -mbulk-memory -Wall -Wextra "-I$sources/include" ${WASM_CFLAGS:-}
"${CLANG:-clang}" --target=wasm32 -nostdlib -Wl,--no-entry -Wl,--export-dynamic -Wl,--export=__heap_base -Wl,--strip-all \
    -Wl,-z,stack-size=1048576 "$objects"/*.o -o "$output"
