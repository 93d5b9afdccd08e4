/* scalar.h - one element at a time, in ISO C: the reference that every compiler can build. */
#define LANES 1
#define ONE_LANE
typedef REAL V;
typedef int M;

#define B(c) ((REAL)(c))
#define load(p) (*(p))
#define store(p, v) ((void)(*(p) = (v)))
#define load_some(p, n) ((void)(n), *(p))
#define store_some(p, v, n) ((void)(n), (void)(*(p) = (v)))

#define lt(a, b) ((M)((a) < (b)))
#define gt(a, b) ((M)((a) > (b)))
#define eq(a, b) ((M)((a) == (b)))
#define lanes_of(m) ((unsigned)(m))
static INLINE V sel(M m, V a, V b) { return m ? a : b; }
static INLINE V min(V a, V b) { return a < b ? a : b; }
static INLINE V max(V a, V b) { return a > b ? a : b; }

typedef union {
    V v;
    BITS b;
} word;
static INLINE V from_bits(BITS b)
{
    word w;
    w.b = b;
    return w.v;
}
static INLINE BITS to_bits(V v)
{
    word w;
    w.v = v;
    return w.b;
}
/* the C library's names, here for vectors */
#define abs vector_abs
#define copysign vector_copysign
static INLINE V abs(V x) { return from_bits(to_bits(x) & ~SIGN); }
static INLINE V negated_if_odd(V v, V n) { return from_bits(to_bits(v) ^ to_bits(n) << (MANTISSA + EXPONENT)); }
static INLINE V copysign(V x, V s) { return from_bits((to_bits(x) & ~SIGN) | (to_bits(s) & SIGN)); }
static INLINE V exponent(V x) { return (V)(SIGNED_BITS)(to_bits(x) >> MANTISSA) - (V)(ONE_BITS >> MANTISSA); }
#define square_root(x) square_root_one(x)
static INLINE V binade(V x) { return from_bits(to_bits(x) & EXPONENT_BITS); } /* 2^e <= |x| < 2^(e+1) */
static INLINE V pow2(V n) { return from_bits((to_bits(n) << MANTISSA) + ONE_BITS); }
/* where the last `dropped` bits lie within `error` of a 1 and zeros */
static INLINE M bits_near(V x, int dropped, BITS error)
{
    BITS off = (to_bits(x) + error - ((BITS)1 << (dropped - 1))) & (((BITS)1 << dropped) - 1);
    return off <= error + error;
}
#if !DOUBLE
/* to the nearest bfloat16, whose bits are the upper half */
static INLINE V nearest_bf16(V x)
{
    BITS b = to_bits(x);
    return from_bits((x == x ? b + 0x7FFF + (b >> 16 & 1) : b | 0x400000) & 0xFFFF0000);
}
#endif
static INLINE V odd(V x, V e)
{
    BITS b = to_bits(x);
    return (e < 0 || e > 0) && !(b & 1) ? from_bits(((e > 0) == (x > 0)) ? b + 1 : b - 1) : x;
}

#define moved(v, by) ((void)(by), (v)) /* lane k + by, counted round */

#define fma(a, b, c) fma_one(a, b, c)
#define fnma(a, b, c) fma_one(-(a), b, c)
