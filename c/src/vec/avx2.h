/* avx2.h - 256 bits, with fused multiply-add. */
#include <immintrin.h>
#define LANES (32 / (int)sizeof(REAL))
#define B(c) ((V)P(_mm256_set1)(c))
#define fma(a, b, c) ((V)P(_mm256_fmadd)(a, b, c))
#define fnma(a, b, c) ((V)P(_mm256_fnmadd)(a, b, c))
#define min(a, b) ((V)P(_mm256_min)(a, b))
#define max(a, b) ((V)P(_mm256_max)(a, b))
#define sel(m, a, b) ((V)P(_mm256_blendv)(b, a, (V)(m)))

/* n < LANES: masked moves never touch, and so never fault on, the lanes left out */
static const int64_t first_lanes[8] = {-1, -1, -1, -1, 0, 0, 0, 0};
#if DOUBLE
#define FIRST(n) _mm256_loadu_si256((const __m256i *)(first_lanes + 4 - (n)))
#else
#define FIRST(n) _mm256_loadu_si256((const __m256i *)((const int32_t *)first_lanes + 8 - (n)))
#endif
#define load_some(p, n) ((V)P(_mm256_maskload)(p, FIRST(n)))
#define store_some(p, v, n) P(_mm256_maskstore)(p, FIRST(n), v)
#include "gnu.h"
