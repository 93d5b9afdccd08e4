#!/bin/sh
# embed.sh - the programs of examples/embed in every language for which this machine has, or apt can install, a toolchain.
#
#   tools/embed.sh [PYTHON]       PYTHON has actc and pytest; cffi and numba are added to it by pip
#
# Debian 12 has everything but a JDK with java.lang.foreign (22 or later; any will do that lies in /usr/lib/jvm).
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
python=${1:-python3}

# What is there stays as it is: its package would bring a second one.
missing=
for tool in gcc:gcc g++:g++ make:make pkg-config:pkg-config cmake:cmake rustc:rustc go:golang-go node:nodejs \
    gfortran:gfortran luajit:luajit ruby:ruby Rscript:r-base-core clang:clang wasm-ld:lld; do
    command -v "${tool%%:*}" >/dev/null || missing="$missing ${tool#*:}"
done
case $missing in *nodejs*) missing="$missing libnode-dev" ;; esac
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        for package in $missing; do
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null ||
                echo "embed.sh: $package could not be installed"
        done
    else
        echo "embed.sh: not installed (as root: apt-get install$missing)"
    fi
fi
"$python" -m pip install -q cffi numba || echo "embed.sh: cffi and numba could not be installed"
exec "$python" -m pytest -rA --no-header -q "$root/tests/test_embed.py"
