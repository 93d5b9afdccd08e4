/* sse2.h - 128 bits, the x86-64 baseline. It has no fused multiply-add, so fma is emulated: right, but slow. */
#include <emmintrin.h>
#define LANES (16 / (int)sizeof(REAL))
#define min(a, b) ((V)P(_mm_min)(a, b))
#define square_root(v) ((V)P(_mm_sqrt)(v))
#define square_root_of_doubles(v) ((D)_mm_sqrt_pd(v))
#define max(a, b) ((V)P(_mm_max)(a, b))
#define lanes_of(m) ((unsigned)P(_mm_movemask)((V)(m)))
#ifdef FMA_OF_FOUR
#define fma(a, b, c) ((V)fma_of_four((__m128)(a), (__m128)(b), (__m128)(c)))
#define fnma(a, b, c) fma(-(a), b, c)
#endif
#define SHARES_ROWS
#include "gnu.h"
