/* gnu.h - vectors as GCC and Clang know them, for any architecture. The headers of the instruction sets define what
   the compiler does not find by itself and include this one for the rest. */
#ifndef LANES
#define LANES (16 / (int)sizeof(REAL))
#endif
typedef REAL V __attribute__((vector_size(LANES * sizeof(REAL))));
typedef REAL unaligned __attribute__((vector_size(LANES * sizeof(REAL)), aligned(sizeof(REAL)), may_alias));
typedef BITS I __attribute__((vector_size(LANES * sizeof(REAL))));

#ifndef B
static INLINE V B(REAL c) { return c - (V){0}; }
#endif
#define load(p) ((V) * (const unaligned *)(p))
#define store(p, v) ((void)(*(unaligned *)(p) = (v)))
#ifndef load_some
static INLINE V load_some(const REAL *p, size_t n)
{
    V v = {0};
    for (size_t i = 0; i < n; i++) v[i] = p[i];
    return v;
}
static INLINE void store_some(REAL *p, V v, size_t n)
{
    for (size_t i = 0; i < n; i++) p[i] = v[i];
}
#endif

#if !DOUBLE
/* half a vector's lanes as doubles */
typedef double D __attribute__((vector_size(LANES * sizeof(REAL))));
typedef double unaligned_doubles __attribute__((vector_size(LANES * sizeof(REAL)), aligned(8), may_alias));
#define load_doubles(p) ((D) * (const unaligned_doubles *)(p))
#define store_doubles(p, v) ((void)(*(unaligned_doubles *)(p) = (v)))
#ifndef lower_half
/* Not lane by lane: gcc 12 then takes (double)(float)d for d (x86-64, -O2). */
typedef float half_vector __attribute__((vector_size(LANES * sizeof(REAL) / 2)));
typedef union {
    V all;
    half_vector of[2];
} vector_halves;
static INLINE D lower_half(V v)
{
    const vector_halves r = {v};
    return __builtin_convertvector(r.of[0], D);
}
static INLINE D upper_half(V v)
{
    const vector_halves r = {v};
    return __builtin_convertvector(r.of[1], D);
}
static INLINE V joined_halves(D lower, D upper)
{
    vector_halves r;
    r.of[0] = __builtin_convertvector(lower, half_vector);
    r.of[1] = __builtin_convertvector(upper, half_vector);
    return r.all;
}
#endif
#endif

#ifndef lt
typedef SIGNED_BITS M __attribute__((vector_size(LANES * sizeof(REAL))));
#define lt(a, b) ((M)((a) < (b)))
#define gt(a, b) ((M)((a) > (b)))
#define eq(a, b) ((M)((a) == (b)))
#endif
#ifndef at_most
#define at_most(a, b) ((M)((a) <= ((b) - (I){0})))
#endif
#ifndef lanes_of
/* bit i: lane i */
static INLINE unsigned lanes_of(M m)
{
    unsigned bits = 0;
    for (int i = 0; i < LANES; i++) bits |= (unsigned)(m[i] & 1) << i;
    return bits;
}
#endif
#ifndef choose_bits
/* those of a where m has ones, those of b elsewhere */
static INLINE I choose_bits(I m, I a, I b) { return (m & a) | (~m & b); }
#endif
#ifndef sel
static INLINE V sel(M m, V a, V b) { return (V)choose_bits((I)m, (I)a, (I)b); }
#endif
#ifndef min
static INLINE V min(V a, V b) { return sel(lt(a, b), a, b); }
static INLINE V max(V a, V b) { return sel(gt(a, b), a, b); }
#endif

/* the C library's names, here for vectors */
#define abs vector_abs
#define copysign vector_copysign
static INLINE I all(BITS b) { return b - (I){0}; }
static INLINE V abs(V x) { return (V)((I)x & all(~SIGN)); }
static INLINE V copysign(V x, V s) { return (V)choose_bits(all(SIGN), (I)s, (I)x); }
/* -v where the last bit of n, an integer plus MAGIC, is set */
static INLINE V negated_if_odd(V v, V n) { return (V)((I)v ^ (I)n << (MANTISSA + EXPONENT)); }
/* the exponent of a positive normal number: its bits, as the last of 2^MANTISSA, are an integer */
static INLINE V exponent(V x)
{
    const BITS at = ONE_BITS + ((BITS)MANTISSA << MANTISSA); /* 2^MANTISSA */
    return (V)((I)x >> MANTISSA | all(at)) - K((REAL)((BITS)1 << MANTISSA) + (REAL)(ONE_BITS >> MANTISSA));
}
static INLINE V binade(V x) { return (V)((I)x & all(EXPONENT_BITS)); } /* 2^e <= |x| < 2^(e+1) */
#ifndef square_root
static INLINE V square_root(V x)
{
    for (int i = 0; i < LANES; i++) x[i] = square_root_one(x[i]);
    return x;
}
#endif
#if !DOUBLE && !defined(square_root_of_doubles)
static INLINE D square_root_of_doubles(D x)
{
    for (int i = 0; i < LANES / 2; i++) x[i] = square_root_of_double(x[i]);
    return x;
}
#endif
static INLINE V pow2(V n) { return (V)(((I)n << MANTISSA) + all(ONE_BITS)); }
/* where the last `dropped` bits lie within `error` of a 1 and zeros */
static INLINE M bits_near(V x, int dropped, BITS error)
{
    I off = ((I)x + all(error - ((BITS)1 << (dropped - 1)))) & all(((BITS)1 << dropped) - 1);
    return at_most(off, error + error);
}
#if !DOUBLE
/* to the nearest bfloat16, whose bits are the upper half */
static INLINE V nearest_bf16(V x)
{
    I r = ((I)x + 0x7FFF + ((I)x >> 16 & 1)) & all(0xFFFF0000);
    return sel(eq(x, x), (V)r, (V)(((I)x | 0x400000) & all(0xFFFF0000)));
}
#endif
static INLINE V odd(V x, V e)
{
    V zero = B(0), one = B(1), away = copysign(one, e) * copysign(one, x);
    V nudged = sel(gt(away, zero), (V)((I)x + 1), (V)((I)x - 1));
    M even = eq((V)((I)x << (MANTISSA + EXPONENT - 1)), zero);
    return sel(even, sel(gt(abs(e), zero), nudged, x), x);
}

/* lane k of the result is lane index[k] of a and b, one after the other */
static INLINE V chosen_lanes(V a, V b, const BITS *index)
{
#if defined(__clang__)
    V r = a;
    for (int i = 0; i < LANES; i++) r[i] = index[i] < LANES ? a[index[i]] : b[index[i] - LANES];
    return r;
#else
    typedef BITS unaligned_bits __attribute__((vector_size(LANES * sizeof(REAL)), aligned(sizeof(REAL)), may_alias));
    return __builtin_shuffle(a, b, (I) * (const unaligned_bits *)index);
#endif
}
/* lane k of the result is lane k + by of v, counted round */
static INLINE V moved(V v, int by)
{
#if defined(__clang__)
    V r = v;
    for (int i = 0; i < LANES; i++) r[i] = v[(i + by) & (LANES - 1)];
    return r;
#else
    static const BITS numbers[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                   12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};
    return chosen_lanes(v, v, numbers + by);
#endif
}

#if !DOUBLE
static INLINE D moved_doubles(D v, int by)
{
    D r = v;
    for (int i = 0; i < LANES / 2; i++) r[i] = v[(i + by) & (LANES / 2 - 1)];
    return r;
}
#endif

#ifndef fma
static FMA_IN_PLACE V fma_lanes(V a, V b, V c)
{
    V r = c;
    for (int i = 0; i < LANES; i++) r[i] = fma_one(a[i], b[i], c[i]);
    return r;
}
#define fma(a, b, c) fma_lanes(a, b, c)
#define fnma(a, b, c) fma_lanes(-(a), b, c)
#endif
