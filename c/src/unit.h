/* unit.h - everything one unit is made of. A unit is one instruction set and one real type: it defines ISA, TARGET,
   VECTORS, DOUBLE and PAIRS (and COMPACT, if its speed is no target), includes this file, and exports one table. Inside, V
   is the vector and REAL its element, so a kernel is simply called by its name. */
#include "internal.h"
#include "system.h"

/* A library for little memory keeps the speed of float32 in the default tier only. */
#if defined(ACTC_COMPACT)
#define FOR_SIZE 1
#else
#define FOR_SIZE 0
#endif
#ifndef COMPACT
#define COMPACT (FOR_SIZE && DOUBLE)
#endif

/* Vectors that a loop computes at once, their operations in turns: one vector is a long chain, and what waits in it fills
   the scheduler before the next begins. 1.05 to 1.5 times as fast with the 32 registers of AVX-512 (gelu and mish' 1.3,
   gelu' 1.4, phish 1.5); AVX2 has 16, and gains 0 to 10 % for a fifth more code. */
#if !defined(AT_ONCE) || FOR_SIZE
#undef AT_ONCE
#define AT_ONCE 1
#endif

/* No build flags: a unit sets its own target. Contraction of a*b + c to fma would make bits depend on the compiler. */
#define PRAGMA_(text) _Pragma(#text)
#define PRAGMA(text) PRAGMA_(text)
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#ifdef TARGET
PRAGMA(clang attribute push(__attribute__((target(TARGET))), apply_to = function))
#endif
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off", "no-math-errno")
#if __GNUC__ == 11 && !defined(TARGET) && !defined(__OPTIMIZE_SIZE__)
#pragma GCC optimize("O2") /* at -O3 the compiler fails on vectors of doubles (gnu on x86-64) */
#endif
#ifdef TARGET
PRAGMA(GCC target(TARGET))
#endif
#elif defined(_MSC_VER)
#pragma fp_contract(off)
#endif

#if defined(__GNUC__) && !defined(__clang__)
#define UNSWITCHED __attribute__((optimize("no-unswitch-loops")))
#define UNVECTORISED __attribute__((optimize("no-tree-vectorize")))
#else
#define UNSWITCHED
#define UNVECTORISED
#endif
#if defined(__GNUC__)
#define INLINE inline __attribute__((always_inline, unused))
#define OUT_OF_LINE __attribute__((noinline, unused))
#define RARE __attribute__((cold)) /* for size: 13 KB of a wheel, at 7 % of the time */
#elif defined(_MSC_VER)
#define INLINE __forceinline
#define OUT_OF_LINE __declspec(noinline)
#define RARE
#else
#define INLINE inline
#define OUT_OF_LINE
#define RARE
#endif

#if DOUBLE
#define REAL double
#define BITS uint64_t
#define SIGNED_BITS int64_t
#define MANTISSA 52
#define EXPONENT 11
#define P(op) op##_pd
#define C(single, twice) ((REAL)(twice))
#else
#define REAL float
#define BITS uint32_t
#define SIGNED_BITS int32_t
#define MANTISSA 23
#define EXPONENT 8
#define P(op) op##_ps
#define C(single, twice) ((REAL)(single))
#endif
#define SIGN ((BITS)1 << (MANTISSA + EXPONENT))
#define EXPONENT_BITS ((((BITS)1 << EXPONENT) - 1) << MANTISSA)
#define ONE_BITS ((((BITS)1 << (EXPONENT - 1)) - 1) << MANTISSA)
#define K(c) B((REAL)(c))
#define INFINITE (LARGEST + LARGEST)
#define LARGEST C(0x1.fffffep127f, 0x1.fffffffffffffp1023)

static INLINE double as_double(uint64_t b)
{
    union {
        uint64_t b;
        double v;
    } w = {b};
    return w.v;
}
static INLINE double abs_one(double v) { return v < 0 ? -v : v; }
static INLINE uint64_t as_bits(double v)
{
    union {
        double v;
        uint64_t b;
    } w = {v};
    return w.b;
}

static INLINE float as_float(uint32_t b)
{
    union {
        uint32_t b;
        float v;
    } w = {b};
    return w.v;
}
static INLINE uint32_t float_bits(float v)
{
    union {
        float v;
        uint32_t b;
    } w = {v};
    return w.b;
}

#define NOT_A_NUMBER C(as_float(0x7FC00000), as_double(0x7FF8000000000000))

#include "vec/fma.h"
#include "vec/sqrt.h"
#include VECTORS

#include "elementary/pair.h"
#include "elementary/exp.h"
#include "elementary/log1p.h"
#include "elementary/log.h"
#include "elementary/normal.h"
#if DOUBLE
#include "elementary/double_double.h"
#endif
#include "activations/body.h"
#if PAIRS
#include "activations/pairs.h"
#else
#include "activations/rectifiers.h"
#include "activations/sigmoids.h"
#include "activations/gated.h"
#include "activations/times_sigmoid.h"
#include "activations/tanhs.h"
#include "activations/sigmoid_gates.h"
#include "elementary/reduce_large.h"
#if DOUBLE
#include "elementary/sincos.h"
#include "activations/algebraic.h"
#include "activations/gates.h"
#include "activations/waves.h"
#include "activations/wide.h"
#else
#include "elementary/sine.h"
#include "activations/narrow.h"
#include "activations/narrow_gates.h"
#include "activations/narrow_waves.h"
#endif
#endif
#if !PAIRS
#include "storage.h"
#include "rows/rows.h"
#endif
#if AT_ONCE > 1 && defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("schedule-insns") /* or the vectors of a loop stay one after the other; rows lose a tenth by it */
#endif
#include "loops.h"

#if defined(__clang__) && defined(TARGET)
#pragma clang attribute pop
#endif
