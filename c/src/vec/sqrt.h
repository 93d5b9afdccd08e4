/* sqrt.h - the square root of one number, rounded correctly, by the instruction that nearly every processor has: the C
   library's function would set errno and need to be linked. */
#if defined(__SSE2__)
#include <emmintrin.h>
static INLINE REAL square_root_one(REAL x)
{
#if DOUBLE
    __m128d v = _mm_set_sd(x);
    return _mm_cvtsd_f64(_mm_sqrt_sd(v, v));
#else
    return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x)));
#endif
}
#elif defined(__aarch64__) && defined(__GNUC__)
static INLINE REAL square_root_one(REAL x)
{
#if DOUBLE
    __asm__("fsqrt %d0, %d1" : "=w"(x) : "w"(x));
#else
    __asm__("fsqrt %s0, %s1" : "=w"(x) : "w"(x));
#endif
    return x;
}
#elif defined(__GNUC__)
static INLINE REAL square_root_one(REAL x) { return (REAL)__builtin_sqrt(x); }
#else
#include <math.h>
static INLINE REAL square_root_one(REAL x) { return (REAL)sqrt(x); }
#endif
