/* dispatch.c - which instruction set, which kernel, and the exported symbols. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#if ACTC_HAS_X86_UNITS
#include <cpuid.h>
#include <xmmintrin.h>
#endif

/* ---- the table as data ---- */

#define PARAMETERS_NONE                                                                                                \
    {                                                                                                                  \
        {                                                                                                              \
            NULL, 0                                                                                                    \
        }                                                                                                              \
    }
#define PARAMETERS_ONE(a, a0)                                                                                          \
    {                                                                                                                  \
        {                                                                                                              \
#a, a0                                                                                                     \
        }                                                                                                              \
    }
#define PARAMETERS_TWO(a, a0, b, b0)                                                                                   \
    {                                                                                                                  \
        {#a, a0}, { #b, b0 }                                                                                           \
    }
#define PARAMETERS_THREE(a, a0, b, b0, c, c0)                                                                          \
    {                                                                                                                  \
        {#a, a0}, {#b, b0}, { #c, c0 }                                                                                 \
    }
#define PARAMETERS_FOUR(a, a0, b, b0, c, c0, d, d0)                                                                    \
    {                                                                                                                  \
        {#a, a0}, {#b, b0}, {#c, c0}, { #d, d0 }                                                                       \
    }
#define COUNT_NONE 0
#define COUNT_ONE(...) 1
#define COUNT_TWO(...) 2
#define COUNT_THREE(...) 3
#define COUNT_FOUR(...) 4
#define IS_PAIRED 1
#define IS_ROUNDED 0

enum {
#define ROW(name, ...) row_##name,
#include "../include/actc/activations.def"
#undef ROW
    ROW_COUNT
};

#define ROW(name, parameters, ...) static const actc_parameter name##_parameters[] = PARAMETERS_##parameters;
#include "../include/actc/activations.def"
#undef ROW

static const actc_activation table[ROW_COUNT] = {
#define ROW(row, parameter_list, exact_f64, ...)                                                                       \
    {.struct_size = sizeof(actc_activation),                                                                           \
     .name = #row,                                                                                                     \
     .index = row_##row,                                                                                               \
     .parameter_count = COUNT_##parameter_list,                                                                        \
     .parameters = row##_parameters,                                                                                   \
     .exact_f64_is_paired = IS_##exact_f64,                                                                            \
     __VA_ARGS__},
#include "../include/actc/activations.def"
#undef ROW
};

const char *actc_version(void) { return ACTC_VERSION; }
size_t actc_count(void) { return ROW_COUNT; }
const actc_activation *actc_at(size_t index) { return index < ROW_COUNT ? &table[index] : NULL; }
const actc_activation *actc_find(const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (!strcmp(name, table[i].name) || !strcmp(name, table[i].unique_name)) return &table[i];
    return NULL;
}

/* ---- which instruction set ---- */

static int always(void) { return 1; }

#if ACTC_HAS_X86_UNITS
/* The processor's word alone is not enough: the system must save the registers too (XGETBV). And no
   __builtin_cpu_supports: not every runtime library that clang links with has it. */
static unsigned saved_registers(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return 0;
    __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return a;
}
static int has_avx2(void)
{
    unsigned a, b, c, d;
    if ((saved_registers() & 0x6) != 0x6 || !__get_cpuid(1, &a, &b, &c, &d)) return 0;
    if (!(c & bit_FMA) || !(c & bit_F16C)) return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_AVX2);
}
static int has_avx512(void)
{
    const unsigned needed = bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL;
    unsigned a, b, c, d;
    if ((saved_registers() & 0xE6) != 0xE6 || !has_avx2()) return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & needed) == needed;
}
#endif

typedef struct isa {
    const char *name;
    int (*supported)(void);
    const unit *f32, *f64, *pairs;
} isa;

#define ISA(name, supported)                                                                                           \
    {                                                                                                                  \
#name, supported, &actc_##name##_f32, &actc_##name##_f64, &actc_##name##_pairs                                 \
    }
static const isa isas[] = {
#if ACTC_HAS_X86_UNITS
    ISA(avx512, has_avx512), ISA(avx2, has_avx2),
#endif
#if ACTC_HAS_NEON
    ISA(neon, always),
#endif
#if ACTC_HAS_GNU
    ISA(gnu, always),
#endif
#if ACTC_HAS_X86_UNITS
    ISA(sse2, always),
#endif
    ISA(scalar, always),
};
enum { ISA_COUNT = sizeof isas / sizeof isas[0] };

/* Written once at the first call with the same value by every thread, or by actc_use_isa. */
#if defined(__GNUC__)
static const isa *chosen;
#define READ_CHOSEN() __atomic_load_n(&chosen, __ATOMIC_RELAXED)
#define WRITE_CHOSEN(p) __atomic_store_n(&chosen, p, __ATOMIC_RELAXED)
#else
static const isa *volatile chosen;
#define READ_CHOSEN() chosen
#define WRITE_CHOSEN(p) (chosen = (p))
#endif

static const isa *supported_isa(const char *name)
{
    for (size_t i = 0; i < ISA_COUNT; i++)
        if ((!name || !strcmp(name, isas[i].name)) && isas[i].supported()) return &isas[i];
    return NULL;
}
static const isa *current(void)
{
    const isa *now = READ_CHOSEN();
    if (!now) {
        const char *wish = getenv("ACTC_ISA");
        if (wish) now = supported_isa(wish);
        if (!now) now = supported_isa(NULL);
        WRITE_CHOSEN(now);
    }
    return now;
}
const char *actc_isa(void) { return current()->name; }
int actc_use_isa(const char *name)
{
    const isa *wish = name ? supported_isa(name) : NULL;
    if (!wish) return -1;
    WRITE_CHOSEN(wish);
    return 0;
}
const char *actc_isa_at(size_t i)
{
    for (size_t k = 0; k < ISA_COUNT; k++)
        if (isas[k].supported() && i-- == 0) return isas[k].name;
    return NULL;
}

/* ---- one call ---- */

/* Kernels are right in the default floating-point environment: round to nearest, subnormals kept, no traps. A caller who
   lives in another one gets it back, status flags included: NumPy looks at them after loops that needed a cast, and
   would warn. (Elsewhere than on x86 and AArch64 it takes libm to ask, so the caller's environment stands.) */
#if ACTC_HAS_X86_UNITS
typedef unsigned environment;
static environment enter(void)
{
    const environment before = _mm_getcsr();
    if ((before & 0xFFC0) != 0x1F80) _mm_setcsr(0x1F80);
    return before;
}
static void leave(environment before) { _mm_setcsr(before); }
#elif ACTC_HAS_NEON
typedef struct {
    uint64_t control, status;
} environment;
static environment enter(void)
{
    environment before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before.control));
    __asm__ volatile("mrs %0, fpsr" : "=r"(before.status));
    if (before.control & 0x1C89F00) __asm__ volatile("msr fpcr, %0" : : "r"(before.control & ~(uint64_t)0x1C89F00));
    return before;
}
static void leave(environment before)
{
    if (before.control & 0x1C89F00) __asm__ volatile("msr fpcr, %0" : : "r"(before.control));
    __asm__ volatile("msr fpsr, %0" : : "r"(before.status));
}
#else
typedef int environment;
static environment enter(void) { return 0; }
static void leave(environment before) { (void)before; }
#endif

static const size_t item_size[ACTC_DTYPE_COUNT] = {2, 2, 4, 8};

/* One call, as the loops below see it: operands in the order inputs, parameters, outputs. */
typedef struct call {
    size_t row;
    int pass, exact, inputs, parameters, outputs;
    enum actc_dtype dtype;
    char *const *data;
    const ptrdiff_t *strides;
} call;

/* Whether the float unit can hold a parameter as the sum of two floats with nothing lost to overflow or underflow. */
static int fits_float(double p)
{
    double a = p < 0 ? -p : p;
    return p == 0 || (a > 0x1p-80 && a < 0x1p80);
}

/* Pairs of doubles lose their low parts near overflow and underflow; there the ordinary double kernel is as good. */
static int fits_pairs(double p)
{
    double a = p < 0 ? -p : p;
    return a > 0x1p-500 && a < 0x1p500;
}

typedef struct staging {
    double in[2][BLOCK], out[MAX_PARAMETERS][BLOCK], high[MAX_PARAMETERS][BLOCK], low[MAX_PARAMETERS][BLOCK];
} staging;

/* Elements [at, at + n) through the double unit into s->out, as doubles still. */
static void compute_block(const isa *in_use, const call *c, staging *s, size_t at, size_t n)
{
    const void *in[2], *parameters[2 * MAX_PARAMETERS];
    void *out[MAX_PARAMETERS];
    const unit *u = in_use->f64;
    int step = 0;
    for (int i = 0; i < c->inputs; i++) {
        u->read[c->dtype](c->data[i] + (ptrdiff_t)at * c->strides[i], c->strides[i], s->in[i], n);
        in[i] = s->in[i];
    }
    for (int i = 0; i < c->parameters; i++) step |= c->strides[c->inputs + i] != 0;
    for (int i = 0; i < c->parameters; i++) {
        ptrdiff_t stride = c->strides[c->inputs + i];
        u->split(c->data[c->inputs + i] + (ptrdiff_t)at * stride, stride, s->high[i], s->low[i], step ? n : MAX_LANES);
        parameters[2 * i] = s->high[i], parameters[2 * i + 1] = s->low[i];
    }
    for (int i = 0; i < MAX_PARAMETERS; i++) out[i] = s->out[i];
    u->loops[c->row][c->pass](in, out, n, parameters, step);

    /* Where a double lies too near to the middle of two numbers of the dtype, the pairs decide, rounded to odd. */
    loop *odd = in_use->pairs->loops[c->row][ODD];
    if (!odd || c->pass > ACTC_VALUE_AND_DERIVATIVE || c->pass == ACTC_BACKWARD || !u->doubtful[c->dtype]) return;
    double zeros = table[c->row].zeros[0] ? 0x1p-53 : 0;
    int doubt = 0;
    if (c->pass != ACTC_DERIVATIVE) doubt |= u->doubtful[c->dtype](s->out[0], n, 0);
    if (c->pass != ACTC_FORWARD) doubt |= u->doubtful[c->dtype](s->out[c->outputs - 1], n, zeros);
    if (!doubt) return;
    double word[2][BLOCK]; /* value and derivative; taken for the doubtful elements only, whatever stands beside them */
    out[0] = word[0], out[1] = word[1];
    odd(in, out, n, parameters, step);
    for (int k = 0; k < c->outputs; k++) {
        const int is_derivative = c->pass == ACTC_DERIVATIVE || k == 1;
        for (size_t i = 0; i < n; i++)
            if (u->doubtful[c->dtype](&s->out[k][i], 1, is_derivative ? zeros : 0))
                s->out[k][i] = word[is_derivative][i];
    }
}

static void through_double(const isa *in_use, const call *c, size_t at, size_t end)
{
    staging s;
    for (size_t n; at < end; at += n) {
        n = end - at < BLOCK ? end - at : BLOCK;
        compute_block(in_use, c, &s, at, n);
        for (int i = 0; i < c->outputs; i++) {
            int k = c->inputs + c->parameters + i;
            in_use->f64->write[c->dtype](s.out[i], c->data[k] + (ptrdiff_t)at * c->strides[k], c->strides[k], n);
        }
    }
}

/* Blocks through the unit of the dtype itself, for strides and parameter arrays. */
static void through_blocks(const isa *in_use, const unit *u, loop *f, int (*fits)(double), const call *c, size_t total)
{
    staging s; /* room for doubles; the float unit uses half of it */
    const size_t size = item_size[c->dtype];
    const void *in[2], *parameters[2 * MAX_PARAMETERS];
    void *out[MAX_PARAMETERS];
    int step = 0;
    for (int i = 0; i < c->parameters; i++) step |= c->strides[c->inputs + i] != 0;
    for (size_t at = 0, n; at < total; at += n) {
        n = total - at < BLOCK ? total - at : BLOCK;
        for (int i = 0; i < c->inputs; i++) {
            const char *from = c->data[i] + (ptrdiff_t)at * c->strides[i];
            in[i] = from;
            if (c->strides[i] != (ptrdiff_t)size) u->read[c->dtype](from, c->strides[i], s.in[i], n), in[i] = s.in[i];
        }
        int all_fit = 1;
        for (int i = 0; i < c->parameters; i++) {
            ptrdiff_t stride = c->strides[c->inputs + i];
            const char *from = c->data[c->inputs + i] + (ptrdiff_t)at * stride;
            u->split(from, stride, s.high[i], s.low[i], step ? n : MAX_LANES);
            parameters[2 * i] = s.high[i], parameters[2 * i + 1] = s.low[i];
            for (size_t k = 0; fits && k < (stride ? n : 1); k++)
                all_fit &= fits(*(const double *)(from + (ptrdiff_t)k * stride));
        }
        /* An output may be an input, so nothing is written before all is read. */
        for (int i = 0; i < c->outputs; i++) out[i] = s.out[i];
        f(in, out, n, parameters, step);
        if (!all_fit) { /* those elements through the double unit */
            staging d;
            compute_block(in_use, c, &d, at, n);
            for (int i = 0; i < c->parameters; i++) {
                ptrdiff_t stride = c->strides[c->inputs + i];
                const char *from = c->data[c->inputs + i] + (ptrdiff_t)at * stride;
                for (size_t k = 0; k < n; k++)
                    if (!fits(*(const double *)(from + (ptrdiff_t)k * stride)))
                        for (int j = 0; j < c->outputs; j++) {
                            if (c->dtype == ACTC_F32)
                                ((float *)(void *)s.out[j])[k] = (float)d.out[j][k];
                            else
                                s.out[j][k] = d.out[j][k];
                        }
            }
        }
        for (int i = 0; i < c->outputs; i++) {
            int k = c->inputs + c->parameters + i;
            u->write[c->dtype](s.out[i], c->data[k] + (ptrdiff_t)at * c->strides[k], c->strides[k], n);
        }
    }
}

/* Sums of g df/dp: 256 neighbours by halves, the blocks' sums by halves again, so the order depends on n alone and
   the error grows with log n. */
static double block_sum(double *v, size_t n)
{
    for (size_t i = n; i < BLOCK; i++) v[i] = 0;
    for (size_t width = BLOCK / 2; width; width /= 2)
        for (size_t i = 0; i < width; i++) v[i] += v[i + width];
    return v[0];
}
static void parameter_sums(const isa *in_use, const call *c, size_t total)
{
    staging s;
    double partial[MAX_PARAMETERS][64]; /* partial[j] sums 2^j blocks, as in a binary counter */
    uint64_t blocks = 0;
    for (size_t at = 0, n; at < total; at += n, blocks++) {
        n = total - at < BLOCK ? total - at : BLOCK;
        compute_block(in_use, c, &s, at, n);
        for (int i = 0; i < c->parameters; i++) {
            double sum = block_sum(s.out[i], n);
            int level = 0;
            for (uint64_t b = blocks; b & 1; b >>= 1) sum += partial[i][level++];
            partial[i][level] = sum;
        }
    }
    for (int i = 0; i < c->parameters; i++) {
        double sum = 0;
        for (int level = 0; level < 64; level++)
            if (blocks >> level & 1) sum += partial[i][level];
        *(double *)c->data[c->inputs + c->parameters + i] = sum;
    }
}

static void run(const call *c, size_t n)
{
    const isa *in_use = current();
    const environment before = enter();
    if (c->pass == ACTC_PARAMETER_BACKWARD) {
        parameter_sums(in_use, c, n);
    } else if (c->dtype < ACTC_F32 || (c->dtype == ACTC_F32 && c->exact)) {
        through_double(in_use, c, 0, n);
    } else {
        const unit *u = c->dtype == ACTC_F32 ? in_use->f32 : in_use->f64;
        const int paired = c->exact && in_use->pairs->loops[c->row][c->pass] != NULL;
        loop *f = paired ? in_use->pairs->loops[c->row][c->pass] : u->loops[c->row][c->pass];
        int (*const fits)(double) = c->dtype == ACTC_F32 ? fits_float : paired ? fits_pairs : NULL;
        const ptrdiff_t size = (ptrdiff_t)item_size[c->dtype];
        int direct = 1;
        for (int i = 0; i < c->inputs + c->parameters + c->outputs; i++) {
            int is_parameter = i >= c->inputs && i < c->inputs + c->parameters;
            if (is_parameter)
                direct &= c->strides[i] == 0 && (!fits || fits(*(double *)c->data[i]));
            else
                direct &= c->strides[i] == size || n == 1;
        }
        if (direct) {
            union {
                double f64[2 * MAX_PARAMETERS][MAX_LANES];
                float f32[2 * MAX_PARAMETERS][MAX_LANES];
            } lanes;
            const void *parameters[2 * MAX_PARAMETERS];
            for (int i = 0; i < c->parameters; i++) {
                u->split(c->data[c->inputs + i], 0, lanes.f64[2 * i], lanes.f64[2 * i + 1], MAX_LANES);
                parameters[2 * i] = lanes.f64[2 * i], parameters[2 * i + 1] = lanes.f64[2 * i + 1];
            }
            const void *in[2] = {c->data[0], c->data[1]};
            void *out[2] = {c->data[c->inputs + c->parameters], c->data[c->inputs + c->parameters + c->outputs - 1]};
            f(in, out, n, parameters, 0);
        } else {
            through_blocks(in_use, u, f, fits, c, n);
        }
    }
    leave(before);
}

/* ---- the exported entries ---- */

static int describe(call *c, const actc_activation *activation, int pass, enum actc_dtype dtype)
{
    c->row = activation->index;
    c->pass = pass & ~ACTC_EXACT;
    c->exact = (pass & ACTC_EXACT) != 0;
    c->dtype = dtype;
    c->parameters = (int)table[c->row].parameter_count;
    c->inputs = c->pass == ACTC_BACKWARD || c->pass == ACTC_PARAMETER_BACKWARD ? 2 : 1;
    c->outputs = c->pass == ACTC_VALUE_AND_DERIVATIVE ? 2 : c->pass == ACTC_PARAMETER_BACKWARD ? c->parameters : 1;
    return (unsigned)c->pass < ACTC_PASS_COUNT && (unsigned)dtype < ACTC_DTYPE_COUNT && c->outputs > 0 ? 0 : -1;
}

int actc_apply_strided(const actc_activation *activation, enum actc_pass pass, enum actc_dtype dtype, char *const *data,
                       const ptrdiff_t *strides, size_t n)
{
    call c;
    if (describe(&c, activation, pass, dtype)) return -1;
    c.data = data, c.strides = strides;
    run(&c, n);
    return 0;
}

int actc_apply(const actc_activation *activation, enum actc_pass pass, enum actc_dtype dtype, const void *const *in,
               void *const *out, size_t n, const double *params)
{
    call c;
    char *data[2 + 2 * MAX_PARAMETERS];
    ptrdiff_t strides[2 + 2 * MAX_PARAMETERS];
    int k = 0;
    if (describe(&c, activation, pass, dtype)) return -1;
    for (int i = 0; i < c.inputs; i++, k++)
        data[k] = (char *)(uintptr_t)in[i], strides[k] = (ptrdiff_t)item_size[dtype];
    for (int i = 0; i < c.parameters; i++, k++)
        data[k] = (char *)(uintptr_t)(params ? &params[i] : &table[c.row].parameters[i].default_value), strides[k] = 0;
    for (int i = 0; i < c.outputs; i++, k++) data[k] = out[i], strides[k] = (ptrdiff_t)item_size[dtype];
    c.data = data, c.strides = strides;
    run(&c, n);
    return 0;
}

#define VALUES_NONE                                                                                                    \
    {                                                                                                                  \
        0                                                                                                              \
    }
#define VALUES_ONE(a, a0)                                                                                              \
    {                                                                                                                  \
        a                                                                                                              \
    }
#define VALUES_TWO(a, a0, b, b0)                                                                                       \
    {                                                                                                                  \
        a, b                                                                                                           \
    }
#define VALUES_THREE(a, a0, b, b0, c, c0)                                                                              \
    {                                                                                                                  \
        a, b, c                                                                                                        \
    }
#define VALUES_FOUR(a, a0, b, b0, c, c0, d, d0)                                                                        \
    {                                                                                                                  \
        a, b, c, d                                                                                                     \
    }

enum { type_f16 = ACTC_F16, type_bf16 = ACTC_BF16, type_f32 = ACTC_F32, type_f64 = ACTC_F64 };

#define CALL(row, pass, tier, parameters, dtype)                                                                       \
    const double values[] = VALUES_##parameters;                                                                       \
    actc_apply(&table[row_##row], (enum actc_pass)((pass) | (tier)), (enum actc_dtype)type_##dtype, in, out, n, values)

#define DEFINE(symbol, row, tier, parameters, dtype, real)                                                             \
    void symbol##_##dtype(const real *x, real *y, size_t n ACTC_DOUBLES_##parameters)                                  \
    {                                                                                                                  \
        const void *in[] = {x};                                                                                        \
        void *out[] = {y};                                                                                             \
        CALL(row, ACTC_FORWARD, tier, parameters, dtype);                                                              \
    }                                                                                                                  \
    void symbol##_derivative_##dtype(const real *x, real *d, size_t n ACTC_DOUBLES_##parameters)                       \
    {                                                                                                                  \
        const void *in[] = {x};                                                                                        \
        void *out[] = {d};                                                                                             \
        CALL(row, ACTC_DERIVATIVE, tier, parameters, dtype);                                                           \
    }                                                                                                                  \
    void symbol##_backward_##dtype(const real *g, const real *x, real *gx, size_t n ACTC_DOUBLES_##parameters)         \
    {                                                                                                                  \
        const void *in[] = {g, x};                                                                                     \
        void *out[] = {gx};                                                                                            \
        CALL(row, ACTC_BACKWARD, tier, parameters, dtype);                                                             \
    }                                                                                                                  \
    void symbol##_value_and_derivative_##dtype(const real *x, real *y, real *d, size_t n ACTC_DOUBLES_##parameters)    \
    {                                                                                                                  \
        const void *in[] = {x};                                                                                        \
        void *out[] = {y, d};                                                                                          \
        CALL(row, ACTC_VALUE_AND_DERIVATIVE, tier, parameters, dtype);                                                 \
    }                                                                                                                  \
    ACTC_IF_##parameters(void symbol##_parameter_backward_##dtype(                                                     \
        const real *g, const real *x, size_t n ACTC_DOUBLES_##parameters, double *gradients) {                         \
        const void *in[] = {g, x};                                                                                     \
        void *out[MAX_PARAMETERS];                                                                                     \
        for (int i = 0; i < MAX_PARAMETERS; i++) out[i] = gradients + i;                                               \
        CALL(row, ACTC_PARAMETER_BACKWARD, tier, parameters, dtype);                                                   \
    })

#define ROW(name, parameters, exact_f64, ...) ACTC_SYMBOLS(DEFINE, name, parameters)
#include "../include/actc/activations.def"
#undef ROW
