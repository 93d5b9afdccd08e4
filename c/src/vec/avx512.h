/* avx512.h - 512 bits with mask registers (F, DQ, BW, VL). */
#include <immintrin.h>
#define LANES (64 / (int)sizeof(REAL))
#define B(c) ((V)P(_mm512_set1)(c))
#define fma(a, b, c) ((V)P(_mm512_fmadd)(a, b, c))
#define fnma(a, b, c) ((V)P(_mm512_fnmadd)(a, b, c))
#define min(a, b) ((V)P(_mm512_min)(a, b))
#define times_power(v, k) ((V)P(_mm512_scalef)(v, k))
#define square_root(v) ((V)P(_mm512_sqrt)(v))
#define max(a, b) ((V)P(_mm512_max)(a, b))
#define lanes_of(m) ((unsigned)(m))
#if DOUBLE
typedef __mmask8 M;
#define all_normal(v) (!_mm512_fpclass_pd_mask(v, 0x3E)) /* or NaN: none is 0, subnormal or infinite */
#define at_most(a, b) _mm512_cmple_epu64_mask((__m512i)(a), _mm512_set1_epi64((int64_t)(b)))
#define COMPARE(a, b, how) _mm512_cmp_pd_mask(a, b, how)
#else
typedef __mmask16 M;
#define all_normal(v) (!_mm512_fpclass_ps_mask(v, 0x3E))
#define at_most(a, b) _mm512_cmple_epu32_mask((__m512i)(a), _mm512_set1_epi32((int32_t)(b)))
#define COMPARE(a, b, how) _mm512_cmp_ps_mask(a, b, how)
#endif
#define lt(a, b) COMPARE(a, b, _CMP_LT_OQ)
#define gt(a, b) COMPARE(a, b, _CMP_GT_OQ)
#define eq(a, b) COMPARE(a, b, _CMP_EQ_OQ)
/* one operation; gcc makes two of the bitwise ones */
#define choose_bits(m, a, b) ((I)_mm512_ternarylogic_epi32((__m512i)(m), (__m512i)(a), (__m512i)(b), 0xCA))
#define sel(m, a, b) ((V)P(_mm512_mask_blend)(m, b, a))
#define FIRST(n) ((M)(((uint64_t)1 << (n)) - 1)) /* all lanes for n from LANES to 63 */
#define load_some(p, n) ((V)P(_mm512_maskz_loadu)(FIRST(n), p))
#define store_some(p, v, n) P(_mm512_mask_storeu)(p, FIRST(n), v)
#define lower_half(v) ((D)_mm512_cvtps_pd(_mm512_castps512_ps256(v)))
#define upper_half(v) ((D)_mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1)))
#define joined_halves(lower, upper)                                                                                    \
    ((V)_mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(lower)), _mm512_cvtpd_ps(upper), 1))
#define square_root_of_doubles(v) ((D)_mm512_sqrt_pd(v))
#define TRANSPOSES /* lanes of two vectors can be chosen freely */
#include "gnu.h"
/* lanes from memory, `by` bytes apart: 0.15 ns an element, a gather 0.37, and a vector of what was stored waits for that */
#define LANE(k) (*(const REAL *)(at + (k)*by))
#define PICKS_LANES
static INLINE V load_lanes(const char *at, ptrdiff_t by)
{
#if DOUBLE
    return _mm512_setr_pd(LANE(0), LANE(1), LANE(2), LANE(3), LANE(4), LANE(5), LANE(6), LANE(7));
#else
    return _mm512_setr_ps(LANE(0), LANE(1), LANE(2), LANE(3), LANE(4), LANE(5), LANE(6), LANE(7), LANE(8), LANE(9),
                          LANE(10), LANE(11), LANE(12), LANE(13), LANE(14), LANE(15));
#endif
}

/* Conversions. To double they are of values that the narrower type has already: exact, but for what is too large. */
#define HALVES_AT(p) _mm_loadu_si128((const __m128i *)(p))
#define WIDENED(p) _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(HALVES_AT(p)), 16))
#if DOUBLE
#define load_f16(p) ((V)_mm512_cvtps_pd(_mm256_cvtph_ps(HALVES_AT(p))))
#define store_f16(p, v) _mm_storeu_si128((__m128i *)(p), _mm256_cvtps_ph(_mm512_cvtpd_ps(v), _MM_FROUND_TO_NEAREST_INT))
#define load_bf16(p) ((V)_mm512_cvtps_pd(WIDENED(p)))
#define store_bf16(p, v)                                                                                               \
    _mm_storeu_si128((__m128i *)(p),                                                                                   \
                     _mm256_cvtepi32_epi16(_mm256_srli_epi32(_mm256_castps_si256(_mm512_cvtpd_ps(v)), 16)))
#else
#define HALVES_ROUND
#define load_f16(p) ((V)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(p))))
#define store_f16(p, v) _mm256_storeu_si256((__m256i *)(p), _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT))
#define load_bf16(p)                                                                                                   \
    ((V)_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(p))), 16)))
#define store_bf16(p, v)                                                                                               \
    _mm256_storeu_si256((__m256i *)(p), _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_castps_si512(v), 16)))
#endif
