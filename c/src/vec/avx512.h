/* avx512.h - 512 bits with mask registers (F, DQ, BW, VL). */
#include <immintrin.h>
#define LANES (64 / (int)sizeof(REAL))
#define B(c) ((V)P(_mm512_set1)(c))
#define fma(a, b, c) ((V)P(_mm512_fmadd)(a, b, c))
#define fnma(a, b, c) ((V)P(_mm512_fnmadd)(a, b, c))
#define min(a, b) ((V)P(_mm512_min)(a, b))
#define max(a, b) ((V)P(_mm512_max)(a, b))
#if DOUBLE
typedef __mmask8 M;
#define COMPARE(a, b, how) _mm512_cmp_pd_mask(a, b, how)
#else
typedef __mmask16 M;
#define COMPARE(a, b, how) _mm512_cmp_ps_mask(a, b, how)
#endif
#define lt(a, b) COMPARE(a, b, _CMP_LT_OQ)
#define gt(a, b) COMPARE(a, b, _CMP_GT_OQ)
#define eq(a, b) COMPARE(a, b, _CMP_EQ_OQ)
#define sel(m, a, b) ((V)P(_mm512_mask_blend)(m, b, a))
#define FIRST(n) ((M)((1u << (n)) - 1))
#define load_some(p, n) ((V)P(_mm512_maskz_loadu)(FIRST(n), p))
#define store_some(p, v, n) P(_mm512_mask_storeu)(p, FIRST(n), v)
#include "gnu.h"

#if DOUBLE
/* conversions of values that the narrower type has already: exact, but for what is too large */
#define load_f16(p) ((V)_mm512_cvtps_pd(_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p)))))
#define store_f16(p, v) _mm_storeu_si128((__m128i *)(p), _mm256_cvtps_ph(_mm512_cvtpd_ps(v), _MM_FROUND_TO_NEAREST_INT))
#define load_bf16(p)                                                                                                   \
    ((V)_mm512_cvtps_pd(                                                                                               \
        _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(p))), 16))))
#define store_bf16(p, v)                                                                                               \
    _mm_storeu_si128((__m128i *)(p),                                                                                   \
                     _mm256_cvtepi32_epi16(_mm256_srli_epi32(_mm256_castps_si256(_mm512_cvtpd_ps(v)), 16)))
#endif
