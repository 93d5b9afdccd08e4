#!/bin/sh
# cross.sh - other architectures on this machine: the library and its C tests through cross compilers and qemu-user, the
# AVX-512 kernels through SIMDe, and Windows through Wine. Each must pass its own tests, and give the same bits as this
# machine: the digests of test_abi (one line per function, tier, pass and dtype) are compared too.
#
#   tools/cross.sh                          all that is installed; the rest is skipped with a message
#   tools/cross.sh aarch64 windows          only these, which must then be there
#   CROSS_BUILD=dir                         where to build (default build/cross)
#   CROSS_INPUTS=n                          pseudo-random inputs per case (default 100)
#   CROSS_PROGRAMS="test_abi ..."           default: test_abi test_pages test_environment test_pool
#
# `nehalem` is an x86-64 processor without AVX. Debian: gcc-{aarch64,riscv64,s390x,powerpc64le,i686}-linux-gnu with
# libc6-dev-*-cross, qemu-user-static, libsimde-dev; clang, gcc-mingw-w64-x86-64-posix and wine64 for Windows
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
build=${CROSS_BUILD:-$root/build/cross}
inputs=${CROSS_INPUTS:-100}
programs=${CROSS_PROGRAMS:-test_abi test_pages test_environment test_pool} # test_abi is always needed
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
failed=

# compile DIRECTORY COMPILER FLAGS...: every source to DIRECTORY/*.o
compile() {
    to=$1 cc=$2
    shift 2
    mkdir -p "$to"
    find "$root/c/src" "$root/c/threads" -name '*.c' |
        xargs -P "$jobs" -I{} sh -c '
            source=$1 to=$2; shift 2
            "$@" -c "$source" -o "$to/$(basename "$source" .c).o"' compile {} "$to" \
            "$cc" -O2 -std=gnu99 -ffp-contract=off -Wall -Wextra -fvisibility=hidden "-I$root/c/include" "$@"
}

# link DIRECTORY COMPILER FLAGS...: the test programs with the objects of DIRECTORY
link() {
    to=$1 cc=$2
    shift 2
    for program in $programs; do
        "$cc" -O1 -std=c99 "$@" "-I$root/c/include" "$root/tests/c/$program.c" "$to"/*.o -lm -pthread -o "$to/$program" || return 1
    done
}

# check NAME DIRECTORY RUN...: the programs, every instruction set on its own so that they run side by side; then digests
check() {
    name=$1 to=$2
    shift 2
    good=yes
    isas=${isas_wanted:-$("$@" "$to/test_abi" isas | tr -d '\r')}
    for program in $programs; do
        arguments=
        [ "$program" = test_abi ] && arguments="inputs $inputs"
        # shellcheck disable=SC2086
        printf '%s\n' $isas | xargs -P "$jobs" -I{} sh -c '
            isa=$1 log=$2; shift 2
            ACTC_ISA=$isa "$@" >"$log.$isa.log" 2>&1 || echo "exit $?" >>"$log.$isa.log"' \
            check {} "$to/$program" "$@" "$to/$program" $arguments
        for isa in $isas; do
            log=$to/$program.$isa.log
            if ! grep -q '^exit' "$log"; then
                tail -n 1 "$log"
                continue
            fi
            good=no
            # how often each kind of failure, the first lines, then the verdict
            sed -n 's/^FAIL \([^:]*: isa=[^ ]* [^ ]*\).*/\1/p' "$log" | sort | uniq -c | sort -rn | head -n 12
            grep '^FAIL' "$log" | head -n 3
            tail -n 2 "$log"
            echo "$name: $program failed with $isa, see $log"
        done
    done
    if [ -f "$to/test_abi" ]; then
        ACTC_ISA=$digest_isa "$@" "$to/test_abi" digest 2>&1 | tr -d '\r' >"$to/digest"
        if cmp -s "$build/native/digest" "$to/digest"; then
            echo "$name: $(wc -l <"$to/digest") digests as on this machine"
        else
            good=no
            diff "$build/native/digest" "$to/digest" | sed -n 's/^> \(.*\) .*/\1/p' >"$to/differing"
            echo "$name: $(wc -l <"$to/differing") digests differ from this machine's, for example"
            head -n 5 "$to/differing"
            echo "    (which inputs: diff the outputs of '$to/test_abi dump FUNCTION' and '$build/native/test_abi dump FUNCTION')"
        fi
    fi
    [ $good = yes ] || failed="$failed $name"
}

wanted() {
    [ -z "$only" ] && return 0
    case " $only " in *" $1 "*) return 0 ;; esac
    return 1
}
missing() {
    echo "$1: skipped, $2"
    [ -z "$only" ] || failed="$failed $1"
}

only=$*
echo "native"
compile "$build/native" "${CC:-cc}" -DACTC_WITH_GNU && link "$build/native" "${CC:-cc}" || exit 1
# The reference is whatever this machine runs best: hardware fma needs no emulation to be right.
digest_isa= isas_wanted=
native_isa=$("$build/native/test_abi" isas | head -n 1)
ACTC_ISA=$native_isa "$build/native/test_abi" digest >"$build/native/digest"
echo "native: digests of $native_isa"

# name, prefix of the compiler, qemu, instruction set for the digest, flags (x87 has other bits whatever one does)
while read -r name prefix qemu isa flags; do
    wanted "$name" || continue
    cc=$prefix-gcc
    command -v "$cc" >/dev/null || { missing "$name" "no $cc"; continue; }
    # an x86-64 system mostly runs i686 programs by itself
    runner=env
    [ "$qemu" = none ] || runner=$(command -v "qemu-$qemu-static" || command -v "qemu-$qemu") ||
        { missing "$name" "no qemu-$qemu"; continue; }
    echo "$name: $cc $flags under $(basename "$runner")"
    digest_isa=$isa
    # of the processors that have no AVX; qemu's own choice has AVX2
    if [ "$name" = nehalem ]; then export QEMU_CPU=Nehalem; else unset QEMU_CPU; fi
    # shellcheck disable=SC2086
    if compile "$build/$name" "$cc" -DACTC_WITH_GNU $flags && link "$build/$name" "$cc" -static $flags; then
        check "$name" "$build/$name" "$runner"
    else
        echo "$name: does not build"
        failed="$failed $name"
    fi
done <<'END'
aarch64 aarch64-linux-gnu aarch64 neon
riscv64 riscv64-linux-gnu riscv64 gnu
s390x s390x-linux-gnu s390x gnu
ppc64le powerpc64le-linux-gnu ppc64le gnu
i686 i686-linux-gnu none sse2 -msse2 -mfpmath=sse
nehalem x86_64-linux-gnu x86_64 sse2
END

# AVX-512: SIMDe turns its intrinsics into AVX2 ones, so the kernels' logic is tested (lanes, masks, tails), not the
# processor's instructions. The dispatcher rightly says that this machine cannot run avx512; the emulated units take the
# names of the avx2 ones, and the avx2 units the names of the avx512 ones, which nobody calls.
if wanted avx512; then
    if ! echo '#include <simde/x86/avx512.h>' | "${CC:-cc}" -E -x c - >/dev/null 2>&1; then
        missing avx512 "no SIMDe"
    elif [ "$native_isa" != avx2 ] && [ "$native_isa" != avx512 ]; then
        missing avx512 "this processor has no AVX2 to emulate it with"
    elif ! command -v objcopy >/dev/null; then
        missing avx512 "no objcopy"
    else
        echo "avx512: through SIMDe, under the name avx2"
        to=$build/avx512
        mkdir -p "$to/shim"
        cat >"$to/shim/immintrin.h" <<'END'
/* What vec/avx512.h includes. The compiler's own header comes first: SIMDe builds on its AVX2 part. */
#ifndef SHIM_IMMINTRIN_H
#define SHIM_IMMINTRIN_H
#pragma GCC system_header
#include_next <immintrin.h>
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
/* SIMDe 0.7 has no masked moves; these touch no lane left out, like the real ones. */
#define SHIM_MASKED(suffix, real, vector, lanes)                                                                       \
    static inline vector shim_maskz_loadu_##suffix(unsigned mask, const real *p)                                       \
    {                                                                                                                  \
        vector v = {0};                                                                                                \
        for (int i = 0; i < lanes; i++)                                                                                \
            if (mask >> i & 1) v[i] = p[i];                                                                            \
        return v;                                                                                                      \
    }                                                                                                                  \
    static inline void shim_mask_storeu_##suffix(real *p, unsigned mask, vector v)                                     \
    {                                                                                                                  \
        for (int i = 0; i < lanes; i++)                                                                                \
            if (mask >> i & 1) p[i] = v[i];                                                                            \
    }
SHIM_MASKED(ps, float, __m512, 16)
SHIM_MASKED(pd, double, __m512d, 8)
/* 0, subnormal or infinite, which is the one class asked for */
#define SHIM_CLASS(suffix, vector, lanes)                                                                              \
    static inline unsigned shim_fpclass_##suffix(vector v, int class)                                                  \
    {                                                                                                                  \
        unsigned mask = 0;                                                                                             \
        for (int i = 0; i < lanes; i++)                                                                                \
            if (!__builtin_isnan(v[i]) && !__builtin_isnormal(v[i])) mask |= 1u << i;                            \
        return class == 0x3E ? mask : 0;                                                                               \
    }
SHIM_CLASS(ps, __m512, 16)
SHIM_CLASS(pd, __m512d, 8)
#define _mm512_fpclass_ps_mask shim_fpclass_ps
#define _mm512_fpclass_pd_mask shim_fpclass_pd
#define _mm512_maskz_loadu_ps shim_maskz_loadu_ps
#define _mm512_maskz_loadu_pd shim_maskz_loadu_pd
#define _mm512_mask_storeu_ps shim_mask_storeu_ps
#define _mm512_mask_storeu_pd shim_mask_storeu_pd
/* and its scalef takes subnormal numbers for 0. v 2^n, rounded once, and in doubles: x87 rounds as a caller wished. */
static inline double shim_times_power(double v, int n)
{
    while (n > 1000) v *= 0x1p1000, n -= 1000;
    if (n < -2000) v *= 0x1p-1000, n += 1000; /* what rounds here is 0 in the end */
    if (n < -1000) v *= __builtin_ldexp(1, n + 1000), n = -1000;
    return v * __builtin_ldexp(1, n);
}
#define SHIM_SCALEF(suffix, vector, lanes)                                                                             \
    static inline vector shim_scalef_##suffix(vector v, vector k)                                                      \
    {                                                                                                                  \
        for (int i = 0; i < lanes; i++) {                                                                              \
            const double whole = k[i] < -3000 ? -3000 : k[i] > 3000 ? 3000 : __builtin_isnan(k[i]) ? 0 : k[i];         \
            v[i] = __builtin_isnan(k[i]) ? k[i] : shim_times_power(v[i], (int)whole);                                  \
        }                                                                                                              \
        return v;                                                                                                      \
    }
SHIM_SCALEF(ps, __m512, 16)
SHIM_SCALEF(pd, __m512d, 8)
#undef _mm512_scalef_ps
#undef _mm512_scalef_pd
#define _mm512_scalef_ps shim_scalef_ps
#define _mm512_scalef_pd shim_scalef_pd
/* nor these conversions */
typedef union { __m512d all; __m256d half[2]; } shim_halves;
static inline __m512d shim_cvtps_pd(__m256 v)
{
    shim_halves r;
    r.half[0] = _mm256_cvtps_pd(_mm256_castps256_ps128(v)), r.half[1] = _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1));
    return r.all;
}
static inline __m256 shim_cvtpd_ps(__m512d v)
{
    shim_halves w;
    w.all = v;
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps(w.half[0])), _mm256_cvtpd_ps(w.half[1]), 1);
}
typedef union { __m512 all; __m256 half[2]; } shim_float_halves;
static inline __m256 shim_extractf32x8_ps(__m512 v, int k)
{
    shim_float_halves w;
    w.all = v;
    return w.half[k];
}
static inline __m512 shim_insertf32x8(__m512 v, __m256 half, int k)
{
    shim_float_halves w;
    w.all = v, w.half[k] = half;
    return w.all;
}
static inline __m512 shim_cvtph_ps(__m256i v)
{
    shim_float_halves r;
    r.half[0] = _mm256_cvtph_ps(_mm256_castsi256_si128(v)), r.half[1] = _mm256_cvtph_ps(_mm256_extracti128_si256(v, 1));
    return r.all;
}
static inline __m256i shim_cvtps_ph(__m512 v)
{
    shim_float_halves w;
    union { __m256i all; __m128i half[2]; } r;
    w.all = v;
    for (int i = 0; i < 2; i++) r.half[i] = _mm256_cvtps_ph(w.half[i], _MM_FROUND_TO_NEAREST_INT);
    return r.all;
}
static inline __m512i shim_cvtepu16_epi32(__m256i v)
{
    union { __m512i all; __m256i half[2]; } r;
    r.half[0] = _mm256_cvtepu16_epi32(_mm256_castsi256_si128(v));
    r.half[1] = _mm256_cvtepu16_epi32(_mm256_extracti128_si256(v, 1));
    return r.all;
}
#define SHIM_NARROWED(name, from, to, lanes)                                                                           \
    static inline to shim_##name(from v)                                                                               \
    {                                                                                                                  \
        union { to all; short lane[lanes]; } r;                                                                        \
        union { from all; int lane[lanes]; } w;                                                                        \
        w.all = v;                                                                                                     \
        for (int i = 0; i < lanes; i++) r.lane[i] = (short)w.lane[i];                                                  \
        return r.all;                                                                                                  \
    }
SHIM_NARROWED(cvtepi32_epi16, __m256i, __m128i, 8)
SHIM_NARROWED(wide_cvtepi32_epi16, __m512i, __m256i, 16)
#undef _mm512_cvtepu16_epi32
#undef _mm512_cvtepi32_epi16
#undef _mm512_cvtph_ps
#undef _mm512_cvtps_ph
#undef _mm512_cvtps_pd
#undef _mm512_cvtpd_ps
#undef _mm256_cvtepi32_epi16
#define _mm512_cvtepu16_epi32 shim_cvtepu16_epi32
#define _mm512_cvtepi32_epi16 shim_wide_cvtepi32_epi16
#define _mm512_cvtph_ps shim_cvtph_ps
#define _mm512_cvtps_ph(v, how) shim_cvtps_ph(v)
#define _mm512_cvtps_pd shim_cvtps_pd
#define _mm512_extractf32x8_ps shim_extractf32x8_ps
#define _mm512_insertf32x8 shim_insertf32x8
#define _mm512_cvtpd_ps shim_cvtpd_ps
#define _mm256_cvtepi32_epi16 shim_cvtepi32_epi16
#endif
END
        cp "$build/native"/*.o "$to"
        good=yes
        for real in f32 f64 pairs; do
            # target(...) inside the unit's pragma would allow the compiler real AVX-512 instructions
            "${CC:-cc}" -O2 -std=gnu99 -ffp-contract=off -mavx2 -mfma -mf16c "-I$to/shim" "-I$root/c/include" -Wno-psabi \
                '-Dtarget(isa)=diagnostic push' -c "$root/c/src/isa/avx512_$real.c" -o "$to/emulated.o" &&
                objcopy --redefine-sym actc_avx512_$real=actc_avx2_$real "$to/emulated.o" "$to/avx512_$real.o" &&
                objcopy --redefine-sym actc_avx2_$real=actc_avx512_$real "$build/native/avx2_$real.o" "$to/avx2_$real.o" ||
                good=no
        done
        rm -f "$to/emulated.o"
        digest_isa=avx2
        if [ $good = yes ] && link "$to" "${CC:-cc}"; then
            isas_wanted=avx2
            check avx512 "$to" env
        else
            echo "avx512: does not build"
            failed="$failed avx512"
        fi
    fi
fi

# Windows, under Wine. By clang: gcc does not align the stack for AVX there (its bug 54412).
if wanted windows; then
    mingw=x86_64-w64-mingw32
    wine=$(command -v wine64 || command -v wine || command -v /usr/lib/wine/wine64)
    if ! command -v clang >/dev/null || ! command -v "$mingw-gcc" >/dev/null; then
        missing windows "no clang, or no $mingw-gcc, whose headers and libraries it takes"
    elif [ -z "$wine" ]; then
        missing windows "no wine"
    else
        echo "windows: clang --target=$mingw under wine"
        to=$build/windows digest_isa=$native_isa isas_wanted=
        mkdir -p "$to"
        libraries=$(dirname "$("$mingw-gcc" -print-libgcc-file-name)")
        printf '#!/bin/sh\nexec clang --target=%s -Wno-unused-command-line-argument -L"%s" "$@"\n' "$mingw" "$libraries" >"$to/cc"
        printf '#!/bin/sh\nprogram=$1.exe\nshift\nexec "%s" "$program" "$@"\n' "$wine" >"$to/run"
        chmod +x "$to/cc" "$to/run"
        export WINEDEBUG=-all WINEPREFIX="$to/prefix"
        programs="test_abi test_environment" # the others are for POSIX
        if compile "$to" "$to/cc" -DACTC_WITH_GNU && link "$to" "$to/cc"; then
            for program in $programs; do cp "$to/$program.exe" "$to/$program"; done
            check windows "$to" "$to/run"
        else
            echo "windows: does not build"
            failed="$failed windows"
        fi
    fi
fi

[ -z "$failed" ] || { echo "failed:$failed"; exit 1; }
