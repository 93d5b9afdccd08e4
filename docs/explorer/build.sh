#!/bin/sh
# The C core as build/core.js: the module of tools/wasm.sh, gzip and base64, so that the page works from a file
# (which may not be fetched). Says so and returns 3 where clang cannot make WebAssembly (Debian: clang lld).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
if ! echo 'int f(void) { return 0; }' |
    "${CLANG:-clang}" --target=wasm32 -nostdlib -Wl,--no-entry -x c -o /dev/null - 2>/dev/null; then
    echo "the explorer's core is not built: that takes clang with the wasm32 target and wasm-ld (Debian: clang lld)" >&2
    exit 3
fi
core=$here/build/core.js
if [ -f "$core" ] && [ -z "$(find "$root/c" "$root/tools/wasm.sh" "$0" -type f -newer "$core")" ]; then
    exit 0
fi
mkdir -p "$here/build"
part=$(mktemp -d "$here/build/part.XXXXXX") # beside core.js, so that mv is one step
trap 'rm -rf "$part"' EXIT
sh "$root/tools/wasm.sh" "$part/actc.wasm"
{
    printf 'const ACTC_CORE = "'
    gzip -9 -n -c "$part/actc.wasm" | base64 | tr -d '\n'
    printf '";\n'
} >"$part/core.js"
mv "$part/core.js" "$core"
echo "explorer: $(wc -c <"$part/actc.wasm") bytes of WebAssembly, $(wc -c <"$core") in core.js"
