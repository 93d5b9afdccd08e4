/* internal.h - what the units (one a file in isa/) and the dispatcher (dispatch.c) agree on. */
#ifndef ACTC_INTERNAL_H
#define ACTC_INTERNAL_H

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ > 0) ||                           \
    defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || defined(_M_FP_FAST)
#error "actc needs IEEE arithmetic: compile and link it with -fno-fast-math after -ffast-math or -Ofast"
#endif

#include "../include/actc.h"

enum {
    BLOCK = 512,           /* elements staged at a time: a handful of blocks of reals stay in L1 */
    RETRY = 64,            /* elements computed again at a time */
    SUM_BLOCK = 256,       /* neighbours summed by halves: part of what parameter_backward promises */
    MAX_PARAMETERS = 4,    /* of one row; the macros of actc.h end at FOUR */
    SUMMANDS = 3,          /* floats whose sum is a parameter; the double unit reads the first alone, itself */
    MAX_LANES = 16,        /* of one vector, any unit */
    ODD = ACTC_PASS_COUNT, /* value and derivative, rounded to odd instead of to nearest: where ties must be told */
    LOOP_COUNT
};

/* Room for a parameter of n elements, in either unit. */
#define PARAMETER_ROOM(n)                                                                                              \
    union {                                                                                                            \
        double whole[n];                                                                                               \
        float summands[SUMMANDS][n];                                                                                   \
    }
/* where their summands are, of `count` parameters in such room */
#define POINT_TO(room, count, parameters)                                                                              \
    for (int i_ = 0; i_ < SUMMANDS * (count); i_++) (parameters)[i_] = (room)[i_ / SUMMANDS].summands[i_ % SUMMANDS]

/* Of functions with arrays of their own: a compiler that copies one into its caller has all other calls pay for them. */
#if defined(__GNUC__)
#define OWN_FRAME __attribute__((noinline))
#elif defined(_MSC_VER)
#define OWN_FRAME __declspec(noinline)
#else
#define OWN_FRAME
#endif

/* n elements from in[] to out[], contiguous and of the unit's real type. Parameter i is the sum of the SUMMANDS arrays from
   parameters[SUMMANDS i] on; element k reads index k of them where step is 1, index 0 where it is 0 (MAX_LANES copies stand
   there). For ACTC_PARAMETER_BACKWARD out[i] receives the products g df/dp_i. */
typedef void loop(const void *const *in, void *const *out, size_t n, const void *const *parameters, size_t step);

/* What a call of `hinges` does besides adding: begin with max(0, x) or its slope; at the end round and keep NaN. */
enum { FIRST_HINGES = 1, LAST_HINGES = 2, ALL_HINGES = FIRST_HINGES | LAST_HINGES };

/* n contiguous halves, n >= MAX_LANES, of a row without parameters, from memory to memory. */
typedef void halves_loop(const uint16_t *const *in, uint16_t *out, size_t n);

/* ---- functions of whole rows ---- */

/* An operand as a kernel sees it: vector i at `at + i step`, its lanes `lane` bytes apart. */
typedef struct memory {
    char *at;
    ptrdiff_t step, lane;
} memory;

/* How the lanes of a vector lie over rows: along one row, or across rows side by side, both for operands of the unit's own
   real type with neighbouring lanes; or along one row of whatever operands. */
enum way { ALONG, ACROSS, ANY, WAY_COUNT };
enum {
    MAX_ROW_INPUTS = 3,
    MAX_ROW_OUTPUTS = 4,
    /* Vectors of rows side by side in a kernel's call. Where they are flat, all has its number sixteen times; in a panel of a
       wide matrix sums only, and wider panels mean fewer visits to each page (4096 x 4096 floats: logsumexp 0.36 ns an element
       instead of 0.72 with half of them). What keeps no sums takes as many as fill L1 (2000 x 2000 floats: hardmax 0.21, 0.33
       with PANEL). */
    FLAT = 4,
    PANEL = 16,
    WIDE_PANEL = 128,
};

/* Rows for one call of a kernel. */
typedef struct panel {
    memory in[MAX_ROW_INPUTS], out[MAX_ROW_OUTPUTS];
    double parameters[MAX_PARAMETERS];
    size_t length, width; /* elements in a row; rows: 1 along */
    int along;            /* whether the lanes hold neighbours of one row */
    /* Across: vectors of a run; whether they hold MAX_LANES elements of each row, one after the other and nothing between, or
       one; vectors of numbers for each row: as many as have rows of their own (vector v has those of v & row_mask), or, if
       rows do not fill whole vectors, a run. */
    size_t vectors, rows, row_mask;
    int flat;
    ptrdiff_t ahead; /* across: steps to what should be on its way here */
    enum actc_dtype dtype;
} panel;
/* 1, or 0 where it takes the kernel for ANY operands; then the inputs are still there */
typedef int row_kernel(const panel *p);

/* The kernels of one instruction set for one real type. */
typedef struct unit {
    loop *const (*loops)[LOOP_COUNT]; /* by row of the table; NULL where the unit has none */
    loop *const (*gates)[LOOP_COUNT]; /* by row of gates.def: in g, a, b; out y, or both gradients */
    /* strided memory of each dtype to contiguous reals, and back with one rounding; NULL where the unit never does */
    void (*read[ACTC_DTYPE_COUNT])(const char *from, ptrdiff_t stride, void *reals, size_t n);
    void (*write[ACTC_DTYPE_COUNT])(const void *reals, char *to, ptrdiff_t stride, size_t n);
    /* which of n <= BLOCK reals lie so near to the middle between two numbers of the dtype that their own error decides,
       and how many; near_zero: they are derivatives of a row that has isolated zeros */
    size_t (*doubtful[ACTC_DTYPE_COUNT])(const void *reals, size_t n, int near_zero, uint16_t *which);
    /* strided doubles to reals, or to arrays of their summands, `apart` floats from each other */
    void (*split)(const char *doubles, ptrdiff_t stride, void *reals, size_t apart, size_t n);
    /* by row, dtype and pass; NULL where they go by blocks */
    halves_loop *const (*halves)[2][ACTC_BACKWARD + 1];
    /* Adds `count` hinges a max(0, b - x), or their slopes, to a sum kept as pairs of doubles; at last the sum is rounded,
       to odd for a narrower type, and multiplied by g if there is one. ab holds a of the first, b of the first, a of the
       second ...: SUM_BLOCK numbers each where step is 1, one that stands for all where it is 0. Says whether an x is
       -inf. */
    int (*hinges)(const double *g, const double *x, const double *ab, size_t count, size_t step, int part, int dtype,
                  int slope, double *high, double *low, size_t n);
    /* the generator: count <= counters at a time; a stretch of a stream of uniform numbers */
    size_t counters;
    void (*philox)(const uint32_t *counter, const uint32_t *key, uint32_t *words, size_t count);
    void (*uniform)(uint64_t key, uint64_t first, double lower, double upper, double *values, size_t n);
    row_kernel *const (*rows)[ACTC_PASS_COUNT][WAY_COUNT]; /* by row of rows.def; NULL: the scalar unit's serve */
    int lanes;
    /* n neighbours of each of `width` rows of the unit's own type to n vectors, `step` bytes apart, and back; NULL where plain
       loops do */
    void (*columns_of_rows)(const char *rows, ptrdiff_t outer, size_t width, size_t n, char *columns, ptrdiff_t step);
    void (*rows_of_columns)(const char *columns, ptrdiff_t step, char *rows, ptrdiff_t outer, size_t width, size_t n);
} unit;

/* One instruction set: float and double kernels, and double kernels that carry pairs of doubles. */
#define ACTC_ISA_UNITS(name) extern const unit actc_##name##_f32, actc_##name##_f64, actc_##name##_pairs
ACTC_ISA_UNITS(scalar);
ACTC_ISA_UNITS(gnu);
ACTC_ISA_UNITS(sse2);
ACTC_ISA_UNITS(avx2);
ACTC_ISA_UNITS(avx512);
ACTC_ISA_UNITS(neon);

typedef struct isa {
    const char *name;
    int (*supported)(void);
    const unit *f32, *f64, *pairs;
} isa;

/* The instruction set in use. */
const isa *actc_current_isa(void);

static const size_t item_size[ACTC_DTYPE_COUNT] = {2, 2, 4, 8};

/* How many elements lie before the first line of the cache, where it pays to begin there: vectors that cross lines take two
   accesses each, and NumPy's arrays begin 16 bytes after one (relu of 16 K floats: 0.12 ns an element, 0.05 from the line
   on). What takes longer to compute than to fetch gains nothing, and the first vector costs up to 20 ns. */
static inline size_t before_line(const void *p, size_t size, size_t n, int is_light)
{
    enum { LINE = 64, WORTH_LIGHT = 1 << 11, WORTH = 1 << 15 };
    return n * size < (is_light ? WORTH_LIGHT : WORTH) ? 0 : ((LINE - 1) & (0 - (uintptr_t)p)) / size;
}

/* for macros that have the suffix of a symbol */
enum { type_f16 = ACTC_F16, type_bf16 = ACTC_BF16, type_f32 = ACTC_F32, type_f64 = ACTC_F64 };

/* Which units this compiler and architecture can build. ACTC_WITHOUT_AVX512 and its like leave one out; without `scalar`,
   which every processor has, whoever builds promises that there is a processor for one of the others. */
#if defined(__x86_64__) || defined(__i386__)
#define ACTC_X86 1
#else
#define ACTC_X86 0
#endif
#if defined(__GNUC__) && (ACTC_X86 && (defined(__SSE2__) || defined(__x86_64__)))
#define ACTC_HAS_X86_UNITS 1
#else
#define ACTC_HAS_X86_UNITS 0
#endif
#if ACTC_HAS_X86_UNITS && !defined(ACTC_WITHOUT_AVX512)
#define ACTC_HAS_AVX512 1
#else
#define ACTC_HAS_AVX512 0
#endif
#if ACTC_HAS_X86_UNITS && !defined(ACTC_WITHOUT_AVX2)
#define ACTC_HAS_AVX2 1
#else
#define ACTC_HAS_AVX2 0
#endif
#if ACTC_HAS_X86_UNITS && !defined(ACTC_WITHOUT_SSE2)
#define ACTC_HAS_SSE2 1
#else
#define ACTC_HAS_SSE2 0
#endif
#if defined(__GNUC__) && defined(__aarch64__) && !defined(ACTC_WITHOUT_NEON)
#define ACTC_HAS_NEON 1
#else
#define ACTC_HAS_NEON 0
#endif
#if !defined(ACTC_WITHOUT_SCALAR) || ACTC_HAS_SSE2 /* which borrows its row functions, doubles and pairs */
#define ACTC_HAS_SCALAR 1
#else
#define ACTC_HAS_SCALAR 0
#endif
/* Vectors of the compiler's own making serve every other architecture; elsewhere they are built for the tests. */
#if defined(__GNUC__) && !defined(ACTC_WITHOUT_GNU) &&                                                                 \
    (defined(ACTC_WITH_GNU) || !(ACTC_HAS_X86_UNITS || ACTC_HAS_NEON))
#define ACTC_HAS_GNU 1
#else
#define ACTC_HAS_GNU 0
#endif

#if defined(__GNUC__) || defined(__clang__)
#define PREFETCH(...) __builtin_prefetch(__VA_ARGS__)
#else
#define PREFETCH(...) ((void)0) /* a wish */
#endif

#endif
