/* actc.h as it was before gates, rows and second derivatives: what tests/c/test_older.c is compiled against. Frozen.

   Every function of actc/activations.def is a set of exported symbols of one shape. For `elu` and float:

     void actc_elu_f32(const float *x, float *y, size_t n, double alpha);                           y = f(x)
     void actc_elu_derivative_f32(const float *x, float *d, size_t n, double alpha);                d = f'(x)
     void actc_elu_backward_f32(const float *g, const float *x, float *gx, size_t n, double alpha); gx = g f'(x)
     void actc_elu_value_and_derivative_f32(const float *x, float *y, float *d, size_t n, double alpha);
     void actc_elu_parameter_backward_f32(const float *g, const float *x, size_t n, double alpha, double *gradients);

   Parameters are double whatever the type of x, and follow n; functions without parameters end at n and have no
   parameter_backward. `gradients` receives one sum over i of g[i] df/dp(x[i]) per parameter, in the row's order.
   Types: _f32 float, _f64 double, _f16 and _bf16 uint16_t holding IEEE binary16 and bfloat16. `actc_exact_elu_f32`
   and so on are the second tier: correctly rounded in f16, bf16 and f32, within 1 ULP in f64 where the
   documentation says so.

   An output may be the very array of an input; other overlap is not allowed. Arrays need the alignment of their
   element type only. Nothing allocates, locks, sets errno or keeps state: every function is reentrant. NaN gives NaN,
   infinities give the mathematical limit, and the bits of an element never depend on its neighbours, index or
   alignment nor, on x86 and AArch64, on the caller's rounding mode, traps or flush-to-zero flags; those and the IEEE
   status flags are left as they were found. */
#ifndef ACTC_H
#define ACTC_H

#include <stddef.h>
#include <stdint.h>

#define ACTC_VERSION_MAJOR 0
#define ACTC_VERSION_MINOR 1
#define ACTC_VERSION_PATCH 0
#define ACTC_VERSION "0.1.0"

#if defined(_WIN32) && defined(ACTC_BUILD_SHARED)
#define ACTC_API __declspec(dllexport)
#elif defined(_WIN32) && defined(ACTC_SHARED)
#define ACTC_API __declspec(dllimport)
#elif defined(__GNUC__)
#define ACTC_API __attribute__((visibility("default")))
#else
#define ACTC_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the library ---- */

ACTC_API const char *actc_version(void);

/* The instruction set in use: "scalar", "gnu", "sse2", "avx2", "avx512" or "neon". The best one that the processor
   has is chosen at the first call, unless the environment variable ACTC_ISA names another that it has. */
ACTC_API const char *actc_isa(void);

/* Use the named instruction set from now on, in every thread. Returns 0, or -1 (and changes nothing) if this build or
   processor does not have it. */
ACTC_API int actc_use_isa(const char *name);

/* The i-th instruction set that this build and processor can run, best first; NULL past the last. */
ACTC_API const char *actc_isa_at(size_t i);

/* ---- the table as data ---- */

typedef struct actc_parameter {
    const char *name;
    double default_value;
} actc_parameter;

/* One row of the table. The structure only ever grows at its end: read a field after checking that it lies within
   struct_size when the library may be older than the header. Strings are never NULL. */
typedef struct actc_activation {
    size_t struct_size;
    const char *name;
    const char *unique_name; /* a name that means nothing else in NumPy, SciPy or CuPy; mostly the same */
    size_t index;            /* position in the table: actc_at(index) */
    size_t parameter_count;
    const actc_parameter *parameters;
    const char *formula; /* f and f' as Python expressions of x and the parameters */
    const char *derivative;
    const char *range;
    const char *limits; /* f(-inf), f(inf); f'(-inf), f'(inf) */
    const char *kink;
    const char *zeros; /* isolated zeros of f' other than 0 */
    const char *reference;
    const char *elsewhere;
    int exact_f64_is_paired; /* whether `exact` float64 has a kernel of its own */
} actc_activation;

ACTC_API size_t actc_count(void);
ACTC_API const actc_activation *actc_at(size_t index);       /* NULL past the last */
ACTC_API const actc_activation *actc_find(const char *name); /* by name or unique_name; NULL if there is none */

/* What to compute. Inputs, then parameters, then outputs: */
enum actc_pass {
    ACTC_FORWARD = 0,              /* x; y */
    ACTC_DERIVATIVE = 1,           /* x; d */
    ACTC_BACKWARD = 2,             /* g, x; gx */
    ACTC_VALUE_AND_DERIVATIVE = 3, /* x; y, d */
    ACTC_PARAMETER_BACKWARD = 4,   /* g, x; one double sum per parameter */
    ACTC_PASS_COUNT = 5,
    ACTC_EXACT = 256 /* or-ed to a pass: the exact tier */
};

enum actc_dtype { ACTC_F16 = 0, ACTC_BF16 = 1, ACTC_F32 = 2, ACTC_F64 = 3, ACTC_DTYPE_COUNT = 4 };

/* Any function by its row: the same computation as the flat symbol. params holds parameter_count doubles, or is NULL
   for the defaults. Returns 0, or -1 for an unknown pass or dtype. */
ACTC_API int actc_apply(const actc_activation *activation, enum actc_pass pass, enum actc_dtype dtype,
                        const void *const *in, void *const *out, size_t n, const double *params);

/* The same over strided memory, the shape of a NumPy inner loop: data holds the inputs, one double operand for each
   parameter (stride 0: one value for all), then the outputs; strides are in bytes and may be zero or negative, and
   operands must be aligned. For ACTC_PARAMETER_BACKWARD each output is one double, the sum over n by a pairwise scheme
   that depends on n alone; its stride is not used. */
ACTC_API int actc_apply_strided(const actc_activation *activation, enum actc_pass pass, enum actc_dtype dtype,
                                char *const *data, const ptrdiff_t *strides, size_t n);

/* ---- the flat symbols, declared from the table ---- */

#define ACTC_DOUBLES_NONE
#define ACTC_DOUBLES_ONE(a, a0) , double a
#define ACTC_DOUBLES_TWO(a, a0, b, b0) , double a, double b
#define ACTC_DOUBLES_THREE(a, a0, b, b0, c, c0) , double a, double b, double c
#define ACTC_DOUBLES_FOUR(a, a0, b, b0, c, c0, d, d0) , double a, double b, double c, double d

/* ACTC_IF_<parameters>(text): the text, or nothing for a row without parameters */
#define ACTC_KEEP(...) __VA_ARGS__
#define ACTC_DROP(...)
#define ACTC_IF_NONE ACTC_DROP
#define ACTC_IF_ONE(...) ACTC_KEEP
#define ACTC_IF_TWO(...) ACTC_KEEP
#define ACTC_IF_THREE(...) ACTC_KEEP
#define ACTC_IF_FOUR(...) ACTC_KEEP

#define ACTC_DECLARE(name, row, tier, parameters, dtype, real)                                                         \
    ACTC_API void name##_##dtype(const real *x, real *y, size_t n ACTC_DOUBLES_##parameters);                          \
    ACTC_API void name##_derivative_##dtype(const real *x, real *d, size_t n ACTC_DOUBLES_##parameters);               \
    ACTC_API void name##_backward_##dtype(const real *g, const real *x, real *gx, size_t n ACTC_DOUBLES_##parameters); \
    ACTC_API void name##_value_and_derivative_##dtype(const real *x, real *y, real *d,                                 \
                                                      size_t n ACTC_DOUBLES_##parameters);                             \
    ACTC_IF_##parameters(ACTC_API void name##_parameter_backward_##dtype(                                              \
                             const real *g, const real *x, size_t n ACTC_DOUBLES_##parameters, double *gradients);)

/* X(symbol, row, tier, parameters, dtype, C type) for both tiers and the four types of a row */
#define ACTC_SYMBOLS(X, name, parameters)                                                                              \
    ACTC_TYPES(X, actc_##name, name, 0, parameters)                                                                    \
    ACTC_TYPES(X, actc_exact_##name, name, ACTC_EXACT, parameters)
#define ACTC_TYPES(X, symbol, row, tier, parameters)                                                                   \
    X(symbol, row, tier, parameters, f16, uint16_t)                                                                    \
    X(symbol, row, tier, parameters, bf16, uint16_t)                                                                   \
    X(symbol, row, tier, parameters, f32, float)                                                                       \
    X(symbol, row, tier, parameters, f64, double)

#define ROW(name, parameters, exact_f64, ...) ACTC_SYMBOLS(ACTC_DECLARE, name, parameters)
#include "actc/activations.def"
#undef ROW

#ifdef __cplusplus
}
#endif
#endif
