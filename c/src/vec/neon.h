/* neon.h - 128 bits of AArch64 Advanced SIMD. */
#include <arm_neon.h>
#define LANES (16 / (int)sizeof(REAL))
#if DOUBLE
#define fma(a, b, c) ((V)vfmaq_f64(c, a, b))
#define fnma(a, b, c) ((V)vfmsq_f64(c, a, b))
#define sel(m, a, b) ((V)vbslq_f64((uint64x2_t)(m), a, b))
#else
#define fma(a, b, c) ((V)vfmaq_f32(c, a, b))
#define fnma(a, b, c) ((V)vfmsq_f32(c, a, b))
#define sel(m, a, b) ((V)vbslq_f32((uint32x4_t)(m), a, b))
#define lower_half(v) ((D)vcvt_f64_f32(vget_low_f32(v)))
#define upper_half(v) ((D)vcvt_high_f64_f32(v))
#define square_root_of_doubles(v) ((D)vsqrtq_f64(v))
#define joined_halves(lower, upper) ((V)vcvt_high_f32_f64(vcvt_f32_f64(lower), upper))
#endif
#include "gnu.h"
