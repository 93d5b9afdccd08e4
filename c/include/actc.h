/* actc.h - neural-network activation functions and their derivatives.

   Every function of actc/activations.def is a set of exported symbols of one shape. For `elu` and float:

     void actc_elu_f32(const float *x, float *y, size_t n, double alpha);                           y = f(x)
     void actc_elu_derivative_f32(const float *x, float *d, size_t n, double alpha);                d = f'(x)
     void actc_elu_second_derivative_f32(const float *x, float *d2, size_t n, double alpha);        d2 = f''(x)
     void actc_elu_backward_f32(const float *g, const float *x, float *gx, size_t n, double alpha); gx = g f'(x)
     void actc_elu_value_and_derivative_f32(const float *x, float *y, float *d, size_t n, double alpha);
     void actc_elu_parameter_backward_f32(const float *g, const float *x, size_t n, double alpha, double *gradients);

   Parameters are double whatever the type of x, and follow n; functions without parameters end at n and have no
   parameter_backward. `gradients` receives one sum over i of g[i] df/dp(x[i]) per parameter, in the row's order.
   Types: _f32 float, _f64 double, _f16 and _bf16 uint16_t holding IEEE binary16 and bfloat16. `actc_exact_elu_f32`
   and so on are the second tier: f and f' correctly rounded in f16, bf16 and f32 (at parameters other than the defaults
   within 0.5000001 ULP), within 1 ULP in f64 where exact_f64_is_paired. backward and f'' keep 4 ULP in both tiers.

   An output may be the very array of an input; other overlap is not allowed. Arrays need the alignment of their
   element type only. Nothing allocates, locks, sets errno or keeps state: every function is reentrant. NaN gives NaN,
   infinities give the mathematical limit, and the bits of an element never depend on its neighbours, index or
   alignment nor, on x86, AArch64, riscv, ppc64 and s390x, on the caller's rounding mode, traps or flush-to-zero flags;
   those and the IEEE status flags are left as they were found. */
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
    const char *limits; /* f(-inf), f(inf); f'(-inf), f'(inf); f''(-inf), f''(inf) */
    const char *kink;
    const char *zeros; /* isolated zeros of f' other than 0 */
    const char *reference;
    const char *elsewhere;
    int exact_f64_is_paired; /* whether `exact` float64 has a kernel of its own */
    const char *second_derivative;
    const char *domain;
    const char *kinks; /* where f, f' or f'' jumps; kink says what f' is there */
    const char *monotonicity;
    const char *lipschitz;
    double gain;            /* 1/sqrt(E[f(z)^2]), z standard normal, at default parameters; f' for the gradients': */
    double derivative_gain; /* weights of variance gain^2/n keep the second moment of n inputs. inf where f' is 0 */
    const char *special;    /* what f is at zero and invalid parameters: "condition: expression; ..."; "" without any */
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
    ACTC_SECOND_DERIVATIVE = 5,    /* x; d2 */
    ACTC_PASS_COUNT = 6,
    ACTC_EXACT = 256 /* or-ed to a pass: the exact tier */
};

enum actc_dtype { ACTC_F16 = 0, ACTC_BF16 = 1, ACTC_F32 = 2, ACTC_F64 = 3, ACTC_DTYPE_COUNT = 4 };

/* Any function by its row: the same computation as the flat symbol. params holds parameter_count doubles, or is NULL
   for the defaults. Returns 0, or -1 for an unknown pass or dtype. */
ACTC_API int actc_apply(const actc_activation *activation, enum actc_pass pass, enum actc_dtype dtype,
                        const void *const *in, void *const *out, size_t n, const double *params);

/* The same with parameters for each channel of arrays of shape (outer, channels, inner): element i belongs to channel
   (i / inner) % channels. params holds parameter_count rows of `channels` doubles; for ACTC_PARAMETER_BACKWARD each output
   is `channels` doubles, the sums of every channel. (N, C, H, W) has inner = H W; channels on the last axis, inner = 1.
   Returns 0, or -1 (and writes nothing) for an unknown pass or dtype, a function without parameters, or where n is no
   multiple of channels times inner. */
ACTC_API int actc_apply_channels(const actc_activation *activation, enum actc_pass pass, enum actc_dtype dtype,
                                 const void *const *in, void *const *out, size_t n, const double *params,
                                 size_t channels, size_t inner);

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
    ACTC_API void name##_second_derivative_##dtype(const real *x, real *d2, size_t n ACTC_DOUBLES_##parameters);       \
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

/* ---- gates: y = a f(b), declared from actc/gates.def ----

   For `swiglu` and float, with the parameters, types, tiers and rules of the activations; ga = g f(b) and gb = g a f'(b)
   are computed together, and ga, gb may be any of g, a, b:

     void actc_swiglu_f32(const float *a, const float *b, float *y, size_t n, double beta);
     void actc_swiglu_backward_f32(const float *g, const float *a, const float *b, float *ga, float *gb, size_t n,
                                   double beta);

   Two halves of one array, or its even and odd elements, are two strided operands of actc_gate_apply_strided. */

/* One row of the table of gates; as actc_activation it only grows at its end. */
typedef struct actc_gate {
    size_t struct_size;
    const char *name;
    const char *unique_name;
    size_t index;
    size_t parameter_count;
    const actc_parameter *parameters;
    const char *activation; /* f */
    const char *formula;    /* y, dy/da and dy/db as Python expressions of a, b and the parameters */
    const char *value_gradient;
    const char *gate_gradient;
    const char *reference;
    const char *elsewhere;
} actc_gate;

ACTC_API size_t actc_gate_count(void);
ACTC_API const actc_gate *actc_gate_at(size_t index);       /* NULL past the last */
ACTC_API const actc_gate *actc_gate_find(const char *name); /* by name or unique_name; NULL if there is none */

/* As actc_apply and actc_apply_strided: operands are a, b (ACTC_FORWARD) or g, a, b (ACTC_BACKWARD), the parameters, then
   y or ga, gb. Returns 0, or -1 for any other pass or an unknown dtype. */
ACTC_API int actc_gate_apply(const actc_gate *gate, enum actc_pass pass, enum actc_dtype dtype, const void *const *in,
                             void *const *out, size_t n, const double *params);
ACTC_API int actc_gate_apply_strided(const actc_gate *gate, enum actc_pass pass, enum actc_dtype dtype,
                                     char *const *data, const ptrdiff_t *strides, size_t n);

#define ACTC_DECLARE_GATE(name, row, tier, parameters, dtype, real)                                                    \
    ACTC_API void name##_##dtype(const real *a, const real *b, real *y, size_t n ACTC_DOUBLES_##parameters);           \
    ACTC_API void name##_backward_##dtype(const real *g, const real *a, const real *b, real *ga, real *gb,             \
                                          size_t n ACTC_DOUBLES_##parameters);

#define GATE(name, parameters, ...) ACTC_SYMBOLS(ACTC_DECLARE_GATE, name, parameters)
#include "actc/gates.def"
#undef GATE

/* ---- randomness that can be replayed ---- */

/* Philox 4x32-10 (Salmon et al. 2011): 4 count words from `count` consecutive counters, the least significant word of
   counter and key first. */
ACTC_API void actc_philox4x32_10(const uint32_t counter[4], const uint32_t key[2], uint32_t *words, size_t count);

/* RReLU in training: y = x for x > 0 and a x otherwise, f' likewise, a drawn from U[lower, upper) for each element. The
   slope of element i is lower + (upper - lower) u, u being word i % 4 of counter i / 4 over 2^32: a function of key and i
   alone, so that backward replays it, and chunks in any number of threads have the bits of the whole if `first` is the
   index of their first element. (In evaluation RReLU is leaky_relu with the slope (lower + upper)/2.) For float:

     void actc_rrelu_f32(const float *x, float *y, size_t n, double lower, double upper, uint64_t key, uint64_t first);
     void actc_rrelu_derivative_f32(const float *x, float *d, size_t n, double lower, double upper, ...);
     void actc_rrelu_backward_f32(const float *g, const float *x, float *gx, size_t n, double lower, double upper, ...);

   and one uniform entry, which returns 0, or -1 for another pass or an unknown dtype. */
ACTC_API int actc_rrelu_apply(enum actc_pass pass, enum actc_dtype dtype, const void *const *in, void *const *out,
                              size_t n, double lower, double upper, uint64_t key, uint64_t first);

#define ACTC_DECLARE_RRELU(name, row, tier, parameters, dtype, real)                                                   \
    ACTC_API void name##_##dtype(const real *x, real *y, size_t n, double lower, double upper, uint64_t key,           \
                                 uint64_t first);                                                                      \
    ACTC_API void name##_derivative_##dtype(const real *x, real *d, size_t n, double lower, double upper,              \
                                            uint64_t key, uint64_t first);                                             \
    ACTC_API void name##_backward_##dtype(const real *g, const real *x, real *gx, size_t n, double lower,              \
                                          double upper, uint64_t key, uint64_t first);
ACTC_SYMBOLS(ACTC_DECLARE_RRELU, rrelu, NONE)

/* ---- adaptive piecewise linear units ---- */

/* f(x) = max(0, x) + sum_s a[s] max(0, b[s] - x), s = 0 .. hinges - 1 (Agostinelli et al. 2014). f'(x) = [x > 0] - sum of
   the a[s] with x < b[s]; f'' = 0. Both tiers are the same: sums run in pairs of doubles and are rounded once.
   da and db receive `hinges` sums over i each: of g[i] max(0, b[s] - x[i]) and of g[i] a[s] [x[i] < b[s]]. */
#define ACTC_DECLARE_APL(symbol, row, tier, parameters, dtype, real)                                                   \
    ACTC_API void symbol##_##dtype(const real *x, real *y, size_t n, const double *a, const double *b, size_t hinges); \
    ACTC_API void symbol##_derivative_##dtype(const real *x, real *d, size_t n, const double *a, const double *b,      \
                                              size_t hinges);                                                          \
    ACTC_API void symbol##_second_derivative_##dtype(const real *x, real *d2, size_t n, const double *a,               \
                                                     const double *b, size_t hinges);                                  \
    ACTC_API void symbol##_backward_##dtype(const real *g, const real *x, real *gx, size_t n, const double *a,         \
                                            const double *b, size_t hinges);                                           \
    ACTC_API void symbol##_value_and_derivative_##dtype(const real *x, real *y, real *d, size_t n, const double *a,    \
                                                        const double *b, size_t hinges);                               \
    ACTC_API void symbol##_parameter_backward_##dtype(const real *g, const real *x, size_t n, const double *a,         \
                                                      const double *b, size_t hinges, double *da, double *db);
ACTC_TYPES(ACTC_DECLARE_APL, actc_apl, apl, 0, NONE)
ACTC_TYPES(ACTC_DECLARE_APL, actc_exact_apl, apl, ACTC_EXACT, NONE)

/* What the table says of its functions; in no table, so actc_apply refuses it. Its gains depend on a and b: NaN. */
ACTC_API const actc_activation *actc_apl_about(void);

/* The same over strided memory. data holds the inputs, a, b, then the outputs; from element to element an operand
   advances by strides[k] bytes, a and b too (0: the same hinges for all), and from hinge to hinge a, b, and for
   ACTC_PARAMETER_BACKWARD da and db, by hinge_strides[0 .. 3]. That pass takes one set of hinges. Returns 0, or -1
   for an unknown pass or dtype. */
ACTC_API int actc_apl_strided(enum actc_pass pass, enum actc_dtype dtype, char *const *data, const ptrdiff_t *strides,
                              size_t n, const ptrdiff_t *hinge_strides, size_t hinges);

#ifdef __cplusplus
}
#endif

#include "actc/rows.h"
#endif
