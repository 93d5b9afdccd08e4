#!/bin/sh
# The C core as core.js beside this file: WebAssembly with 128-bit vectors, gzip, base64, so that the page works from a
# file. Needs clang with the wasm32 target, wasm-ld and gzip (Debian: clang lld); says so and returns 3 where they are not.
# CLANG and WASM_LD name others than the first that is found.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
clang=${CLANG:-clang}
ld=${WASM_LD:-$(command -v wasm-ld || ls /usr/bin/wasm-ld-* 2>/dev/null | tail -1 || true)}
target="--target=wasm32 -msimd128 -mbulk-memory"

if ! echo 'int f(void) { return 0; }' | "$clang" $target -c -x c -o /dev/null - 2>/dev/null || [ -z "$ld" ]; then
    echo "the explorer's core is not built: it takes clang with the wasm32 target and wasm-ld (Debian: clang lld)" >&2
    exit 3
fi
build=$here/build
mkdir -p "$build"
stale=$(find "$root/c" "$here/build.sh" "$here/libc" -type f -newer "$here/core.js" 2>/dev/null | head -1 || true)
[ -f "$here/core.js" ] && [ -z "$stale" ] && exit 0

# the unit of the compiler's own vectors, and the scalar one that serves what it has not
find "$root/c/src" "$here/libc" -name '*.c' ! -path '*/isa/*' >"$build/sources"
find "$root/c/src/isa" -name 'gnu_*.c' -o -name 'scalar_*.c' | sort >>"$build/sources"
xargs -P "$(getconf _NPROCESSORS_ONLN)" -I{} sh -c \
    "'$clang' $target -O2 -nostdlibinc -isystem '$here/libc' -I'$root/c/include' -c '{}' -o '$build/'\$(basename '{}').o" <"$build/sources"
"$ld" --no-entry --gc-sections --strip-all -O2 -z stack-size=1048576 --stack-first -o "$build/actc.wasm" "$build"/*.o \
    $(for f in version count at apply isa; do echo "--export=actc_$f"; done) --export=__heap_base
{ printf 'const ACTC_CORE = "'; gzip -9 -n -c "$build/actc.wasm" | base64 | tr -d '\n'; printf '";\n'; } >"$build/core.js"
mv "$build/core.js" "$here/core.js"
echo "explorer: $(wc -c <"$build/actc.wasm") bytes of WebAssembly, $(wc -c <"$here/core.js") in core.js"
