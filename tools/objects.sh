#!/bin/sh
# objects.sh - the library's sources as objects of one kind, for fuzz.sh, sanitize.sh and coverage.sh; what is newer than
# its source and all headers stays.
#
#   tools/objects.sh DIRECTORY COMPILER FLAGS...
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
to=$1
shift
mkdir -p "$to"
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
header=$(find "$root/c" -name '*.h' -o -name '*.def' | xargs ls -t | head -n 1)
# the largest first, so that no core waits for the last one
ls -S "$root"/c/src/isa/*f64.c "$root"/c/src/isa/*pairs.c "$root"/c/src/isa/*f32.c "$root"/c/src/*.c |
    xargs -P "$jobs" -I{} sh -c '
        source=$1 header=$2 object=$3/$(basename "$1" .c).o; shift 3
        [ "$object" -nt "$source" ] && [ "$object" -nt "$header" ] && exit
        "$@" -c "$source" -o "$object" || exit 255' compile {} "$header" "$to" \
        "$@" -std=gnu99 -DACTC_WITH_GNU "-I$root/c/include"
