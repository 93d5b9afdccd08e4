/* cases.h - what the test programs share: every function of the table as a test case, inputs that hurt, comparison bit
   for bit and one line per failure. Needs actc.h and the C standard library only, and nothing of libm. */
#ifndef CASES_H
#define CASES_H

#include <actc.h>

#include <float.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GNUC__)
#define MAYBE_UNUSED __attribute__((unused))
#else
#define MAYBE_UNUSED
#endif

enum { TIER_COUNT = 2, PARAMETERS_MAX = 4, OPERANDS_MAX = 2 + 2 * PARAMETERS_MAX, NAMES_MAX = 64 };

static const size_t item_size[] = {2, 2, 4, 8};
static const char *const dtype_name[] = {"f16", "bf16", "f32", "f64"};
static const char *const tier_name[] = {"default", "exact"};
static const char *const pass_name[] = {
    "forward", "derivative", "backward", "value_and_derivative", "parameter_backward", "second_derivative"};

/* ---- the flat symbols behind one signature; the table of the header is their only list ---- */

typedef void flat_call(int pass, const void *const *in, void *const *out, size_t n, const double *p, double *sums);

#define ARGUMENTS_NONE
#define ARGUMENTS_ONE(...) , p[0]
#define ARGUMENTS_TWO(...) , p[0], p[1]
#define ARGUMENTS_THREE(...) , p[0], p[1], p[2]
#define ARGUMENTS_FOUR(...) , p[0], p[1], p[2], p[3]

#define FLAT(symbol, row, tier, parameters, dtype, real)                                                               \
    static MAYBE_UNUSED void flat_##symbol##_##dtype(int pass, const void *const *in, void *const *out, size_t n,      \
                                                     const double *p, double *sums)                                    \
    {                                                                                                                  \
        (void)p, (void)sums;                                                                                           \
        switch (pass) {                                                                                                \
        case ACTC_FORWARD: symbol##_##dtype(in[0], out[0], n ARGUMENTS_##parameters); break;                           \
        case ACTC_DERIVATIVE: symbol##_derivative_##dtype(in[0], out[0], n ARGUMENTS_##parameters); break;             \
        case ACTC_SECOND_DERIVATIVE: symbol##_second_derivative_##dtype(in[0], out[0], n ARGUMENTS_##parameters);      \
            break;                                                                                                     \
        case ACTC_BACKWARD: symbol##_backward_##dtype(in[0], in[1], out[0], n ARGUMENTS_##parameters); break;          \
        case ACTC_VALUE_AND_DERIVATIVE:                                                                                \
            symbol##_value_and_derivative_##dtype(in[0], out[0], out[1], n ARGUMENTS_##parameters);                    \
            break;                                                                                                     \
            ACTC_IF_##parameters(case ACTC_PARAMETER_BACKWARD                                                          \
                                 : symbol##_parameter_backward_##dtype(in[0], in[1], n ARGUMENTS_##parameters, sums);  \
                                 break;)                                                                               \
        }                                                                                                              \
    }
#define ROW(name, parameters, ...) ACTC_SYMBOLS(FLAT, name, parameters)
#include <actc/activations.def>
#undef ROW

typedef struct header_row {
    const char *name;
    flat_call *flat[TIER_COUNT][ACTC_DTYPE_COUNT];
} header_row;

#define LISTED(symbol)                                                                                                 \
    {                                                                                                                  \
        symbol##_f16, symbol##_bf16, symbol##_f32, symbol##_f64                                                        \
    }
static const header_row header_rows[] = {
#define ROW(name, ...) {#name, {LISTED(flat_actc_##name), LISTED(flat_actc_exact_##name)}},
#include <actc/activations.def>
#undef ROW
};
enum { HEADER_ROWS = sizeof header_rows / sizeof header_rows[0] };

/* ---- how much ---- */

/* Everything with ACTC_TEST_SAMPLE=full, else what follows. */
static MAYBE_UNUSED int is_full(void)
{
    static int full = -1;
    if (full < 0) full = getenv("ACTC_TEST_SAMPLE") && !strcmp(getenv("ACTC_TEST_SAMPLE"), "full");
    return full;
}
/* Lengths up to a few vectors: the short ones and those around multiples of 16, where vectors end. */
static MAYBE_UNUSED int is_tried(size_t n) { return is_full() || n <= 18 || (n + 1) % 16 <= 2; }

/* ---- one case ---- */

typedef struct test_case {
    const actc_activation *row;
    flat_call *flat;
    const char *isa;
    int tier, pass, dtype, inputs, outputs;
    double p[PARAMETERS_MAX];
} test_case;

/* Outputs counts arrays of the dtype; the sums of parameter_backward are doubles, one per parameter. */
static MAYBE_UNUSED int make_case(test_case *c, size_t header, int tier, int pass, int dtype)
{
    c->row = actc_find(header_rows[header].name);
    if (!c->row) return 0;
    c->flat = header_rows[header].flat[tier][dtype];
    c->isa = actc_isa();
    c->tier = tier, c->pass = pass, c->dtype = dtype;
    c->inputs = pass == ACTC_BACKWARD || pass == ACTC_PARAMETER_BACKWARD ? 2 : 1;
    c->outputs = pass == ACTC_VALUE_AND_DERIVATIVE ? 2 : pass == ACTC_PARAMETER_BACKWARD ? 0 : 1;
    for (size_t i = 0; i < c->row->parameter_count; i++) c->p[i] = c->row->parameters[i].default_value;
    return pass != ACTC_PARAMETER_BACKWARD || c->row->parameter_count > 0;
}

static MAYBE_UNUSED enum actc_pass apply_pass(const test_case *c)
{
    return (enum actc_pass)(c->pass | (c->tier ? ACTC_EXACT : 0));
}

/* actc_apply; for parameter_backward out is ignored and sums written */
static MAYBE_UNUSED int apply(const test_case *c, const void *const *in, void *const *out, size_t n, double *sums)
{
    void *each[PARAMETERS_MAX];
    for (int i = 0; i < PARAMETERS_MAX; i++) each[i] = sums ? sums + i : NULL;
    return actc_apply(c->row, apply_pass(c), (enum actc_dtype)c->dtype, in,
                      c->pass == ACTC_PARAMETER_BACKWARD ? each : out, n, c->p);
}

/* ---- elements ---- */

static MAYBE_UNUSED uint64_t bits_at(int dtype, const void *array, size_t i)
{
    uint16_t h;
    uint32_t w;
    uint64_t b;
    const char *from = (const char *)array + i * item_size[dtype];
    switch (item_size[dtype]) {
    case 2: memcpy(&h, from, 2); return h;
    case 4: memcpy(&w, from, 4); return w;
    default: memcpy(&b, from, 8); return b;
    }
}
static MAYBE_UNUSED void set_bits_at(int dtype, void *array, size_t i, uint64_t b)
{
    uint16_t h = (uint16_t)b;
    uint32_t w = (uint32_t)b;
    char *to = (char *)array + i * item_size[dtype];
    switch (item_size[dtype]) {
    case 2: memcpy(to, &h, 2); break;
    case 4: memcpy(to, &w, 4); break;
    default: memcpy(to, &b, 8); break;
    }
}

static const struct layout {
    int mantissa, exponent;
} layouts[] = {{10, 5}, {7, 8}, {23, 8}, {52, 11}};

static MAYBE_UNUSED int is_nan(int dtype, uint64_t b)
{
    const struct layout f = layouts[dtype];
    uint64_t infinity = (((uint64_t)1 << f.exponent) - 1) << f.mantissa;
    return (b & (infinity | (infinity - 1))) > infinity;
}
static MAYBE_UNUSED int same_bits(int dtype, uint64_t a, uint64_t b)
{
    return a == b || (is_nan(dtype, a) && is_nan(dtype, b));
}
static MAYBE_UNUSED uint64_t double_bits(double v)
{
    uint64_t b;
    memcpy(&b, &v, 8);
    return b;
}
static MAYBE_UNUSED double bits_double(uint64_t b)
{
    double v;
    memcpy(&v, &b, 8);
    return v;
}

/* A double in the dtype, rounded towards zero: integer arithmetic only, for inputs must not depend on the machine. */
static MAYBE_UNUSED uint64_t encode(int dtype, double v)
{
    const struct layout f = layouts[dtype];
    const uint64_t b = double_bits(v), fraction = b & 0xFFFFFFFFFFFFF, sign = (b >> 63) << (f.mantissa + f.exponent);
    const int exponent = (int)(b >> 52 & 0x7FF), bias = (1 << (f.exponent - 1)) - 1, top = (1 << f.exponent) - 1;
    const int biased = exponent - 1023 + bias;
    if (dtype == ACTC_F64) return b;
    if (exponent == 0x7FF) return sign | (uint64_t)top << f.mantissa | (fraction ? (uint64_t)1 << (f.mantissa - 1) : 0);
    if (biased >= top) return sign | (((uint64_t)top << f.mantissa) - 1);
    if (biased > 0) return sign | (uint64_t)biased << f.mantissa | fraction >> (52 - f.mantissa);
    if (exponent == 0 || biased < -f.mantissa) return sign;
    return sign | (fraction | 0x10000000000000) >> (53 - f.mantissa - biased);
}

/* For printing; exact */
static MAYBE_UNUSED double decode(int dtype, uint64_t b)
{
    const struct layout f = layouts[dtype];
    const uint64_t fraction = b & (((uint64_t)1 << f.mantissa) - 1);
    const int exponent = (int)(b >> f.mantissa) & ((1 << f.exponent) - 1), bias = (1 << (f.exponent - 1)) - 1;
    const uint64_t sign = (b >> (f.mantissa + f.exponent) & 1) << 63;
    if (dtype == ACTC_F64) return bits_double(b);
    if (exponent == (1 << f.exponent) - 1)
        return bits_double(sign | 0x7FF0000000000000 | fraction << (52 - f.mantissa));
    if (exponent) return bits_double(sign | (uint64_t)(exponent - bias + 1023) << 52 | fraction << (52 - f.mantissa));
    double unit = bits_double((uint64_t)(1023 + 1 - bias - f.mantissa) << 52);
    return (sign ? -1.0 : 1.0) * ((double)fraction * unit);
}

/* ---- inputs ---- */

/* splitmix64 of a counter: the same everywhere, and any element without the ones before it */
static MAYBE_UNUSED uint64_t hash(uint64_t seed, uint64_t i)
{
    uint64_t z = seed * 0xD1342543DE82EF95u + (i + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}
/* in [-range, range), exact */
static MAYBE_UNUSED double uniform(uint64_t h, double range)
{
    return ((double)(h >> 11) * (1.0 / 4503599627370496.0) - 1.0) * range;
}

#define INFINITY_ (DBL_MAX * 2)
/* each with both signs: where kernels change branch, overflow, underflow, cancel or have a kink */
static const double directed[] = {
    0,
    0x1p-1074,
    0x1p-1022,
    0x1.8p-1023,
    1e-310,
    1e-300,
    1e-200,
    1e-100,
    0x1p-149,
    0x1p-148,
    0x1p-126,
    0x1.8p-127,
    0x1p-133,
    1e-40,
    1e-38,
    1e-30,
    1e-20,
    0x1p-53,
    0x1p-27,
    0x1p-25,
    0x1p-24,
    0x1p-14,
    0x1p-13,
    1e-5,
    1e-3,
    0.01,
    0.1,
    0.25,
    0.3,
    0.5,
    0.625,
    0.6931471805599453,
    0.75,
    0.7517915246935645,
    0.9,
    1,
    1.0000001,
    1.2784645427610738,
    1.5,
    1.9,
    2,
    2.3,
    2.5,
    3,
    3.5,
    4,
    5,
    5.5,
    6,
    7,
    8,
    8.3,
    9,
    10,
    11,
    12,
    13.5,
    15,
    16,
    16.6357,
    17,
    17.3,
    18.7,
    20,
    22,
    26,
    27.2,
    30,
    33,
    36.7,
    38.5,
    40,
    44,
    50,
    64,
    80,
    87.33,
    88.02,
    88.72,
    88.73,
    90,
    100,
    103.27,
    103.97,
    104,
    110,
    128,
    150,
    174,
    180,
    192.6,
    193,
    200,
    256,
    350,
    400,
    500,
    512,
    700,
    708.39,
    709.78,
    709.79,
    710,
    720,
    744,
    745.13,
    745.2,
    750,
    1000,
    1024,
    1400,
    1454.2,
    1455,
    1500,
    4096,
    1e4,
    65504,
    65536,
    1e5,
    1e6,
    0x1p23,
    0x1p24,
    1e8,
    1e10,
    1e15,
    0x1p52,
    0x1p53,
    1e19,
    1e30,
    1e38,
    0x1.fffffep127,
    1e100,
    0x1p400,
    1e150,
    1e155,
    1e200,
    1e300,
    1.7e308,
    DBL_MAX,
    INFINITY_,
};
enum { DIRECTED = 2 * (int)(sizeof directed / sizeof directed[0]) + 4 };

static MAYBE_UNUSED uint64_t random_input(int dtype, uint64_t seed, uint64_t i)
{
    const struct layout f = layouts[dtype];
    uint64_t h = hash(seed, 2 * i), v = hash(seed, 2 * i + 1);
    switch (h % 8) {
    case 0: return v & ((((uint64_t)1 << (f.mantissa + f.exponent)) << 1) - 1);
    case 1: return encode(dtype, uniform(v, 1));
    case 2:
    case 3: return encode(dtype, uniform(v, 8));
    case 4: return encode(dtype, uniform(v, 120));
    case 5: return encode(dtype, uniform(v, dtype == ACTC_F64 ? 760 : 30));
    case 6: return encode(dtype, (double)(int)(v % 257) / 8 - 16); /* kinks, and exact halves of them */
    default: return encode(dtype, uniform(v, 1) * bits_double((uint64_t)(1023 - 40 + h / 8 % 60) << 52));
    }
}

/* the i-th input: the directed ones, then as many pseudo-random ones as anybody wants */
static MAYBE_UNUSED uint64_t input(int dtype, uint64_t i)
{
    const struct layout f = layouts[dtype];
    const uint64_t infinity = (((uint64_t)1 << f.exponent) - 1) << f.mantissa;
    const uint64_t sign = (uint64_t)1 << (f.mantissa + f.exponent);
    if (i < DIRECTED - 4) return encode(dtype, i & 1 ? -directed[i / 2] : directed[i / 2]);
    switch (DIRECTED - i) {
    case 4: return infinity - 1;
    case 3: return 1 | sign;
    case 2: return infinity | (uint64_t)1 << (f.mantissa - 1);
    case 1: return infinity | 1 | sign; /* signalling, with a sign */
    default: return random_input(dtype, 1, i);
    }
}
static MAYBE_UNUSED uint64_t gradient(int dtype, uint64_t i)
{
    uint64_t h = hash(2, i);
    if (h % 8 == 0) return encode(dtype, (h & 8 ? -1 : 1) * directed[h / 16 % (sizeof directed / sizeof directed[0])]);
    if (h % 8 < 3) return random_input(dtype, 3, i);
    return encode(dtype, uniform(h, 4));
}

static const double other_parameters[] = {
    0.5,
    -0.75,
    2,
    0,
    -0.0,
    0.1,
    1e-3,
    3.3,
    20,
    1e-7,
    -1e5,
    16777217,
    0x1.0000000000001p0,
    0x1p-79,
    0x1p79,
    0x1p-81,
    0x1p81,
    1e-200,
    -1e200,
    0x1p-1074,
    1e-310,
    DBL_MAX,
    INFINITY_,
    -INFINITY_,
};
enum {
    OTHER_PARAMETERS = (int)(sizeof other_parameters / sizeof other_parameters[0]),
    PARAMETER_SETS = 1 + OTHER_PARAMETERS + 1 + 6 /* defaults, others, NaN, random */
};

/* the j-th parameter of the k-th set, k > 0 */
static MAYBE_UNUSED double other_parameter(uint64_t k, uint64_t j)
{
    if (k <= OTHER_PARAMETERS) return other_parameters[(k - 1 + 5 * j) % OTHER_PARAMETERS];
    if (k == OTHER_PARAMETERS + 1) return INFINITY_ - INFINITY_;
    return uniform(hash(k, j), k % 2 ? 2 : 10);
}
static MAYBE_UNUSED int set_parameters(test_case *c, int k)
{
    if (k > 0 && !c->row->parameter_count) return 0;
    for (size_t j = 0; j < c->row->parameter_count; j++)
        c->p[j] = k == 0 ? c->row->parameters[j].default_value : other_parameter((uint64_t)k, j);
    return 1;
}

/* ---- failures ---- */

static unsigned long failures, checks;
static int lines_left; /* of the check at hand: a broken kernel should not print a million lines */
enum { LINES = 4 };

static MAYBE_UNUSED void begin_check(void)
{
    lines_left = LINES;
    checks++;
}
static MAYBE_UNUSED void print_case(const test_case *c)
{
    printf(" isa=%s %s %s %s %s", c->isa, c->row->name, tier_name[c->tier], pass_name[c->pass], dtype_name[c->dtype]);
    for (size_t i = 0; i < c->row->parameter_count; i++) printf(" %s=%a", c->row->parameters[i].name, c->p[i]);
}
static MAYBE_UNUSED int another_line(void)
{
    failures++;
    if (lines_left-- > 0) return 1;
    if (lines_left == -1) printf("FAIL ... and more of the same\n");
    return 0;
}
static MAYBE_UNUSED void print_bits(const char *what, int dtype, uint64_t b)
{
    printf(" %s=%a (0x%0*llx)", what, decode(dtype, b), 2 * (int)item_size[dtype], (unsigned long long)b);
}

/* Every element of got[] the same bits as want[], NaN as NaN. x and g are for the message, g may be NULL. */
static MAYBE_UNUSED void expect_same(const char *check, const test_case *c, int output, const void *want,
                                     const void *got, size_t n, const void *g, const void *x)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t a = bits_at(c->dtype, want, i), b = bits_at(c->dtype, got, i);
        if (same_bits(c->dtype, a, b) || !another_line()) continue;
        printf("FAIL %s:", check);
        print_case(c);
        printf(" output=%d n=%lu i=%lu", output, (unsigned long)n, (unsigned long)i);
        print_bits("x", c->dtype, bits_at(c->dtype, x, i));
        if (g) print_bits("g", c->dtype, bits_at(c->dtype, g, i));
        print_bits("want", c->dtype, a);
        print_bits("got", c->dtype, b);
        printf("\n");
    }
}
/* The same for the sums of parameter_backward; with n == 1 the element is worth telling. */
static MAYBE_UNUSED void expect_same_sums(const char *check, const test_case *c, const double *want, const double *got,
                                          size_t n, const void *g, const void *x)
{
    for (size_t i = 0; i < c->row->parameter_count; i++) {
        uint64_t a = double_bits(want[i]), b = double_bits(got[i]);
        if (same_bits(ACTC_F64, a, b) || !another_line()) continue;
        printf("FAIL %s:", check);
        print_case(c);
        printf(" sum=%lu n=%lu", (unsigned long)i, (unsigned long)n);
        if (n == 1)
            print_bits("x", c->dtype, bits_at(c->dtype, x, 0)), print_bits("g", c->dtype, bits_at(c->dtype, g, 0));
        print_bits("want", ACTC_F64, a);
        print_bits("got", ACTC_F64, b);
        printf("\n");
    }
}
static MAYBE_UNUSED void expect(int condition, const test_case *c, const char *format, ...)
{
    va_list arguments;
    if (condition || !another_line()) return;
    printf("FAIL ");
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    if (c) printf(":"), print_case(c);
    printf("\n");
}

static MAYBE_UNUSED int summary(const char *program)
{
    printf("%s: %lu functions, %lu checks, %lu failures (actc %s, ACTC_ISA=%s)\n", program, (unsigned long)actc_count(),
           checks, failures, actc_version(), getenv("ACTC_ISA") ? getenv("ACTC_ISA") : "");
    return failures || !checks ? EXIT_FAILURE : EXIT_SUCCESS; /* ACTC_ISA="avx2\r" once left nothing to check */
}

/* for_each_case(c) { ... }: every row of the header, both tiers, every dtype and pass, parameters at their defaults */
#define for_each_case(c)                                                                                               \
    for (size_t case_ = 0; case_ < (size_t)HEADER_ROWS * TIER_COUNT * ACTC_DTYPE_COUNT * ACTC_PASS_COUNT; case_++)     \
        if (make_case(&(c), case_ / (TIER_COUNT * ACTC_DTYPE_COUNT * ACTC_PASS_COUNT),                                 \
                      (int)(case_ / (ACTC_DTYPE_COUNT * ACTC_PASS_COUNT) % TIER_COUNT),                                \
                      (int)(case_ % ACTC_PASS_COUNT), (int)(case_ / ACTC_PASS_COUNT % ACTC_DTYPE_COUNT)))

#endif
