/* avx2.h - 256 bits, with fused multiply-add. */
#include <immintrin.h>
#define LANES (32 / (int)sizeof(REAL))
#define B(c) ((V)P(_mm256_set1)(c))
#define fma(a, b, c) ((V)P(_mm256_fmadd)(a, b, c))
#define fnma(a, b, c) ((V)P(_mm256_fnmadd)(a, b, c))
#define min(a, b) ((V)P(_mm256_min)(a, b))
#define square_root(v) ((V)P(_mm256_sqrt)(v))
#define max(a, b) ((V)P(_mm256_max)(a, b))
#define lanes_of(m) ((unsigned)P(_mm256_movemask)((V)(m)))
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
#define lower_half(v) ((D)_mm256_cvtps_pd(_mm256_castps256_ps128(v)))
#define upper_half(v) ((D)_mm256_cvtps_pd(_mm256_extractf128_ps(v, 1)))
#define joined_halves(lower, upper) ((V)_mm256_set_m128(_mm256_cvtpd_ps(upper), _mm256_cvtpd_ps(lower)))
#define square_root_of_doubles(v) ((D)_mm256_sqrt_pd(v))
#define TRANSPOSES /* lanes of two vectors can be chosen freely */
#include "gnu.h"
#define LANE(k) (*(const REAL *)(at + (k)*by)) /* as in avx512.h */
#define PICKS_LANES
static INLINE V load_lanes(const char *at, ptrdiff_t by)
{
#if DOUBLE
    return _mm256_setr_pd(LANE(0), LANE(1), LANE(2), LANE(3));
#else
    return _mm256_setr_ps(LANE(0), LANE(1), LANE(2), LANE(3), LANE(4), LANE(5), LANE(6), LANE(7));
#endif
}

/* Conversions. To double they are of values that the narrower type has already: exact, but for what is too large. */
#if DOUBLE
#define load_f16(p) ((V)_mm256_cvtps_pd(_mm_cvtph_ps(_mm_loadl_epi64((const __m128i *)(p)))))
#define store_f16(p, v) _mm_storel_epi64((__m128i *)(p), _mm_cvtps_ph(_mm256_cvtpd_ps(v), _MM_FROUND_TO_NEAREST_INT))
#define load_bf16(p)                                                                                                   \
    ((V)_mm256_cvtps_pd(                                                                                               \
        _mm_castsi128_ps(_mm_slli_epi32(_mm_cvtepu16_epi32(_mm_loadl_epi64((const __m128i *)(p))), 16))))
#define store_bf16(p, v)                                                                                               \
    _mm_storel_epi64((__m128i *)(p),                                                                                   \
                     _mm_packus_epi32(_mm_srli_epi32(_mm_castps_si128(_mm256_cvtpd_ps(v)), 16), _mm_setzero_si128()))
#else
#define HALVES_ROUND
#define load_f16(p) ((V)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p))))
#define store_f16(p, v) _mm_storeu_si128((__m128i *)(p), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT))
#define load_bf16(p)                                                                                                   \
    ((V)_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(p))), 16)))
#define HIGH_HALVES(v) _mm256_srli_epi32(_mm256_castps_si256(v), 16)
#define store_bf16(p, v)                                                                                               \
    _mm_storeu_si128((__m128i *)(p), _mm_packus_epi32(_mm256_castsi256_si128(HIGH_HALVES(v)),                          \
                                                      _mm256_extracti128_si256(HIGH_HALVES(v), 1)))
#endif
