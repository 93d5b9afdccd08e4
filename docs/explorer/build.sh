#!/bin/sh
# The C core as core.js beside this file: the module of tools/wasm.sh, gzip and base64, so that the page works from a file
# (which may not be fetched). Says so and returns 3 where clang cannot make WebAssembly (Debian: clang lld).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
if ! echo 'int f(void) { return 0; }' |
    "${CLANG:-clang}" --target=wasm32 -nostdlib -Wl,--no-entry -x c -o /dev/null - 2>/dev/null; then
    echo "the explorer's core is not built: that takes clang with the wasm32 target and wasm-ld (Debian: clang lld)" >&2
    exit 3
fi
if [ -f "$here/core.js" ] && [ -z "$(find "$root/c" "$root/tools/wasm.sh" "$0" -type f -newer "$here/core.js")" ]; then
    exit 0
fi
build=$(mktemp -d "$here/build.XXXXXX") # beside core.js, so that mv is one step
trap 'rm -rf "$build"' EXIT
sh "$root/tools/wasm.sh" "$build/actc.wasm"
{
    printf 'const ACTC_CORE = "'
    gzip -9 -n -c "$build/actc.wasm" | base64 | tr -d '\n'
    printf '";\n'
} >"$build/core.js"
mv "$build/core.js" "$here/core.js"
echo "explorer: $(wc -c <"$build/actc.wasm") bytes of WebAssembly, $(wc -c <"$here/core.js") in core.js"
