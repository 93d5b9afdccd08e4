/* sqrt.h - the square root of one number, rounded correctly, by the instruction that nearly every processor has: the C
   library's function would set errno and need to be linked. A float's goes by way of double, whose 53 bits are more than
   twice 24: no root lies so near to the middle between two floats that the first rounding could put it there. */
#if defined(__SSE2__)
#include <emmintrin.h>
static INLINE double square_root_of_double(double x)
{
    const __m128d v = _mm_set_sd(x);
    return _mm_cvtsd_f64(_mm_sqrt_sd(v, v));
}
#elif defined(__aarch64__) && defined(__GNUC__)
static INLINE double square_root_of_double(double x)
{
    __asm__("fsqrt %d0, %d1" : "=w"(x) : "w"(x));
    return x;
}
#elif defined(__GNUC__)
static INLINE double square_root_of_double(double x) { return __builtin_sqrt(x); }
#else
#include <math.h>
static INLINE double square_root_of_double(double x) { return sqrt(x); }
#endif
static INLINE REAL square_root_one(REAL x) { return (REAL)square_root_of_double(x); }
