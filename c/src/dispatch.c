/* dispatch.c - which instruction set, which kernel, and the exported symbols. */
#include "environment.h"
#include "internal.h"
#include "parameters.h"

#include <math.h> /* INFINITY */
#include <stdlib.h>
#include <string.h>

#if ACTC_HAS_X86_UNITS
#include <cpuid.h>
#endif

/* ---- the table as data ---- */

enum kind { EXACT, ROUNDED, PAIRED, WIDE }; /* as activations.def explains them */

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
#define ROW(row, parameter_list, kind, ...)                                                                            \
    {.struct_size = sizeof(actc_activation),                                                                           \
     .name = #row,                                                                                                     \
     .index = row_##row,                                                                                               \
     .parameter_count = COUNT_##parameter_list,                                                                        \
     .parameters = row##_parameters,                                                                                   \
     .exact_f64_is_paired = (kind) == PAIRED,                                                                          \
     __VA_ARGS__},
#include "../include/actc/activations.def"
#undef ROW
};

static const unsigned char kind_of[ROW_COUNT] = {
#define ROW(name, parameters, kind, ...) kind,
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
const isa *actc_current_isa(void)
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
const char *actc_isa(void) { return actc_current_isa()->name; }
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

/* One call, as the loops below see it: operands in the order inputs, parameters, outputs. */
typedef struct call {
    size_t row;
    int pass, exact, inputs, parameters, outputs;
    enum actc_dtype dtype;
    char *const *data;
    const ptrdiff_t *strides;
} call;

/* Pairs of doubles lose their low parts near overflow and underflow; there the ordinary double kernel is as good. */
static int fits_pairs(double p)
{
    double a = p < 0 ? -p : p;
    return a > 0x1p-500 && a < 0x1p500;
}

/* One block of elements as reals of one unit, parameters in high and low parts; room for doubles, of which the float unit
   uses half. */
typedef struct block {
    double in[2][BLOCK], out[MAX_PARAMETERS][BLOCK], high[MAX_PARAMETERS][BLOCK], low[MAX_PARAMETERS][BLOCK];
} block;
typedef struct retry {
    double in[2][RETRY], out[MAX_PARAMETERS][RETRY], high[MAX_PARAMETERS][RETRY], low[MAX_PARAMETERS][RETRY];
} retry;

static char *element_of(const call *c, int operand, size_t i)
{
    return c->data[operand] + (ptrdiff_t)i * c->strides[operand];
}

static int parameters_vary(const call *c)
{
    int vary = 0;
    for (int i = 0; i < c->parameters; i++) vary |= c->strides[c->inputs + i] != 0;
    return vary;
}

/* Elements [at, at + n) into the block: in[] points there, or to memory where that is of the unit's own type already. */
static void gather(const unit *u, int own, const call *c, size_t at, size_t n, block *s, const void **in)
{
    const int vary = parameters_vary(c);
    for (int i = 0; i < c->inputs; i++) {
        in[i] = element_of(c, i, at);
        if (own && c->strides[i] == (ptrdiff_t)item_size[c->dtype]) continue;
        u->read[c->dtype](in[i], c->strides[i], s->in[i], n);
        in[i] = s->in[i];
    }
    for (int i = 0; i < c->parameters; i++)
        u->split(element_of(c, c->inputs + i, at), c->strides[c->inputs + i], s->high[i], s->low[i],
                 vary ? n : MAX_LANES);
}

/* Whether an output is a derivative that passes through 0. */
static int has_zeros(const call *c, int output)
{
    return (c->pass == ACTC_DERIVATIVE || output == 1) && table[c->row].zeros[0];
}

/* Whether results of this unit need a judge: f and f' of a type narrower than the unit's, where anything rounds at all. */
static int has_judge(const unit *u, const call *c)
{
    const int is_correct = c->pass <= ACTC_VALUE_AND_DERIVATIVE && c->pass != ACTC_BACKWARD;
    return is_correct && u->doubtful[c->dtype] && kind_of[c->row] != EXACT;
}

/* Inputs at which `exact` float32 would be rounded to the wrong side, for the double kernel's error hides the right one:
   found among all 2^32 by tools/hard_cases.py, which decides by arbitrary precision. */
typedef struct hard_case {
    uint32_t row, pass, input, output;
} hard_case;
static const hard_case hard_cases[] = {
#define HARD(name, pass, input, output) {row_##name, pass, input, output},
#include "hard_cases.def"
#undef HARD
    {ROW_COUNT, 0, 0, 0}};

/* The last word on a double v, which is f or f' at x, where the row has no pairs: a listed value, or, for a subnormal result, where
   f(x) = a x + b x^2 .. is a tie but for b, the function of a larger x, whose doubles still show b. */
static double last_word(const unit *u, const call *c, int output, double x, double v, const void *const *parameters)
{
    const int is_derivative = c->pass == ACTC_DERIVATIVE || output == 1;
    union {
        float v;
        uint32_t b;
    } word = {(float)x};
    for (const hard_case *h = hard_cases; c->dtype == ACTC_F32 && !c->parameters && h->row < ROW_COUNT; h++)
        if (h->row == c->row && h->input == word.b && (int)h->pass == is_derivative) {
            word.b = h->output;
            return word.v;
        }
    /* an odd number of half units of the subnormals */
    const double halves = v * (c->dtype == ACTC_BF16 ? 0x1p134 : 0x1p150);
    for (int i = 0; i < c->parameters; i++)
        if (!(*(const double *)parameters[2 * i] < 0x1p20 && *(const double *)parameters[2 * i] > -0x1p20)) return v;
    if (is_derivative || x > 0x1p-120 || x < -0x1p-120 || halves > 0x1p30 || halves < -0x1p30) return v;
    if ((double)(int64_t)halves != halves || !((int64_t)halves & 1)) return v;
    const double larger = x * 0x1p100;
    double y;
    const void *in[] = {&larger};
    void *out[] = {&y};
    u->loops[c->row][ACTC_FORWARD](in, out, 1, parameters, 1);
    return y * 0x1p-100;
}

static void copy_item(void *to, const void *from, size_t size)
{
    if (size == 2)
        memcpy(to, from, 2);
    else if (size == 4)
        memcpy(to, from, 4);
    else
        memcpy(to, from, 8);
}

/* Elements to be computed again: where they are, and their operands, for an output may be an input. */
typedef struct pending {
    size_t count, at[BLOCK + RETRY];
    double operands[2 + MAX_PARAMETERS][BLOCK + RETRY]; /* one after the other, in their own type */
} pending;

static void note(pending *p, const call *c, size_t at, const uint16_t *list, size_t count)
{
    for (int i = 0; i < c->inputs + c->parameters; i++) {
        const size_t size = i < c->inputs ? item_size[c->dtype] : sizeof(double);
        char *to = (char *)p->operands[i] + p->count * size;
        for (size_t k = 0; k < count; k++) copy_item(to + k * size, element_of(c, i, at + list[k]), size);
    }
    for (size_t k = 0; k < count; k++) p->at[p->count++] = at + list[k];
}

/* The pending elements [first, first + count), count <= RETRY, once more, in double; where a double lies too near to the
   middle of two numbers of the dtype, rounded to odd (from pairs of doubles if the row has them), or by the last word. */
static void reconsider(const isa *in_use, const call *c, const pending *p, size_t first, size_t count)
{
    const unit *u = in_use->f64;
    const ptrdiff_t size = (ptrdiff_t)item_size[c->dtype];
    retry s;
    double word[2][RETRY], results[RETRY];
    const void *in[2] = {s.in[0], s.in[1]}, *parameters[2 * MAX_PARAMETERS];
    void *out[MAX_PARAMETERS], *words[2] = {word[0], word[1]};
    for (int i = 0; i < MAX_PARAMETERS; i++) {
        parameters[2 * i] = s.high[i], parameters[2 * i + 1] = s.low[i];
        out[i] = s.out[i];
    }
    for (int i = 0; i < c->inputs; i++)
        u->read[c->dtype]((const char *)p->operands[i] + (ptrdiff_t)first * size, size, s.in[i], count);
    for (int i = 0; i < c->parameters; i++)
        u->split((const char *)(p->operands[c->inputs + i] + first), sizeof(double), s.high[i], s.low[i], count);
    u->loops[c->row][c->pass](in, out, count, parameters, 1);

    loop *const paired = in_use->pairs->loops[c->row][ODD], *const odd = paired ? paired : u->loops[c->row][ODD];
    int computed = 0;
    for (int k = 0; k < c->outputs; k++) {
        if (has_judge(u, c)) {
            uint16_t open[RETRY];
            const size_t m = u->doubtful[c->dtype](s.out[k], count, has_zeros(c, k), open);
            if (odd && m && !computed++) odd(in, words, count, parameters, 1);
            for (size_t i = 0; i < m; i++) {
                const size_t e = open[i];
                const void *own[2 * MAX_PARAMETERS];
                for (int j = 0; j < MAX_PARAMETERS; j++) own[2 * j] = &s.high[j][e], own[2 * j + 1] = &s.low[j][e];
                if (odd) s.out[k][e] = word[c->pass == ACTC_DERIVATIVE || k == 1][e];
                if (!paired) s.out[k][e] = last_word(u, c, k, s.in[0][e], s.out[k][e], own);
            }
        }
        u->write[c->dtype](s.out[k], (char *)results, size, count);
        for (size_t j = 0; j < count; j++)
            copy_item(element_of(c, c->inputs + c->parameters + k, p->at[first + j]),
                      (const char *)results + (ptrdiff_t)j * size, (size_t)size);
    }
}

static void settle(const isa *in_use, const call *c, pending *p)
{
    for (size_t j = 0; j < p->count; j += RETRY)
        reconsider(in_use, c, p, j, p->count - j < RETRY ? p->count - j : RETRY);
    p->count = 0;
}

/* Adds to the list the elements of a block that have a parameter which the unit cannot hold. */
static size_t add_misfits(int (*fits)(double), const call *c, size_t at, size_t n, uint16_t *list, size_t count)
{
    uint8_t misfit[BLOCK] = {0}, any = 0;
    for (int i = c->inputs; i < c->inputs + c->parameters; i++) {
        if (c->strides[i] == 0 && fits(*(const double *)c->data[i])) continue;
        for (size_t k = 0; k < n; k++) any |= misfit[k] |= !fits(*(const double *)element_of(c, i, at + k));
    }
    if (!any) return count;
    for (size_t j = 0; j < count; j++) misfit[list[j]] = 0;
    for (size_t k = 0; k < n; k++)
        if (misfit[k]) list[count++] = (uint16_t)k;
    return count;
}

/* While a block is computed nothing is loaded, so the processor does not see the next one coming. */
static void prefetch(const call *c, size_t at, size_t n)
{
#if defined(__GNUC__)
    const size_t bytes = n * item_size[c->dtype];
    for (int i = 0; i < c->inputs + c->parameters + c->outputs; i++) {
        if (c->strides[i] != (ptrdiff_t)item_size[c->dtype]) continue;
        const char *p = element_of(c, i, at);
        for (size_t k = 0; k < bytes; k += 64) __builtin_prefetch(p + k);
    }
#else
    (void)c, (void)at, (void)n;
#endif
}

/* Block by block through one unit: for strides, for parameter arrays and for dtypes that are not the unit's own. What the
   unit cannot decide, be it that a parameter does not fit or that the result is doubtful, is computed again. */
static void through_blocks(const isa *in_use, const unit *u, loop *f, int (*fits)(double), const call *c, size_t total)
{
    const int own = c->dtype == (u == in_use->f32 ? ACTC_F32 : ACTC_F64), vary = parameters_vary(c);
    const int judged = has_judge(u, c) && (c->exact || c->dtype < ACTC_F32);
    block s;
    pending doubts;
    const void *parameters[2 * MAX_PARAMETERS];
    void *out[MAX_PARAMETERS];
    doubts.count = 0;
    for (int i = 0; i < MAX_PARAMETERS; i++) {
        parameters[2 * i] = s.high[i], parameters[2 * i + 1] = s.low[i];
        out[i] = s.out[i];
    }
    for (size_t at = 0, n; at < total; at += n) {
        const void *in[2];
        n = total - at < BLOCK ? total - at : BLOCK;
        gather(u, own, c, at, n, &s, in);
        if (total - at > n) prefetch(c, at + n, total - at - n < BLOCK ? total - at - n : BLOCK);
        f(in, out, n, parameters, (size_t)vary);

        uint16_t list[BLOCK];
        size_t count = 0;
        for (int k = 0; judged && k < c->outputs; k++) {
            uint16_t more[BLOCK];
            const size_t m = u->doubtful[c->dtype](s.out[k], n, has_zeros(c, k), count ? more : list);
            if (!count)
                count = m;
            else
                for (size_t i = 0, old = count; i < m; i++) {
                    size_t j = 0;
                    while (j < old && list[j] != more[i]) j++;
                    if (j == old) list[count++] = more[i];
                }
        }
        if (fits && c->parameters) count = add_misfits(fits, c, at, n, list, count);
        note(&doubts, c, at, list, count);
        for (int i = 0; i < c->outputs; i++) {
            const int k = c->inputs + c->parameters + i;
            u->write[c->dtype](s.out[i], element_of(c, k, at), c->strides[k], n);
        }
        if (doubts.count >= RETRY) settle(in_use, c, &doubts); /* many at once are cheaper */
    }
    settle(in_use, c, &doubts);
}

/* The loop for contiguous halves that spares the way through blocks (relu 0.08 ns an element instead of 0.20), if any. */
static halves_loop *halves_loop_of(const isa *in_use, const call *c, size_t n)
{
    if (!in_use->f32->halves || c->dtype > ACTC_BF16 || c->pass > ACTC_BACKWARD || n < MAX_LANES) return NULL;
    for (int i = 0; i < c->inputs + c->parameters + c->outputs; i++)
        if (c->strides[i] != 2) return NULL;
    return in_use->f32->halves[c->row][c->dtype][c->pass];
}

/* Sums of g df/dp: 256 neighbours by halves, the blocks' sums by halves again, so the order depends on n alone and
   the error grows with log n. */
static double block_sum(double *v, size_t n)
{
    for (size_t i = n; i < SUM_BLOCK; i++) v[i] = 0;
    for (size_t width = SUM_BLOCK / 2; width; width /= 2)
        for (size_t i = 0; i < width; i++) v[i] += v[i + width];
    return v[0];
}
static void parameter_sums(const isa *in_use, const call *c, size_t total)
{
    block s;
    double partial[MAX_PARAMETERS][64]; /* partial[j] sums 2^j blocks, as in a binary counter */
    const void *parameters[2 * MAX_PARAMETERS];
    void *out[MAX_PARAMETERS];
    for (int i = 0; i < MAX_PARAMETERS; i++) {
        parameters[2 * i] = s.high[i], parameters[2 * i + 1] = s.low[i];
        out[i] = s.out[i];
    }
    uint64_t blocks = 0;
    for (size_t at = 0, n; at < total; at += n, blocks++) {
        const void *in[2];
        n = total - at < SUM_BLOCK ? total - at : SUM_BLOCK;
        gather(in_use->f64, 0, c, at, n, &s, in);
        in_use->f64->loops[c->row][c->pass](in, out, n, parameters, (size_t)parameters_vary(c));
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

/* What has no loop in the float unit. */
static int is_wide(const call *c) { return kind_of[c->row] == WIDE || c->pass == ACTC_SECOND_DERIVATIVE; }

/* The identity on contiguous arrays, whatever its name. */
static int is_copy(const call *c, size_t n)
{
    const ptrdiff_t size = (ptrdiff_t)item_size[c->dtype];
    return c->pass == ACTC_FORWARD && !strcmp(table[c->row].formula, "x") &&
           (n == 1 || (c->strides[0] == size && c->strides[1] == size));
}
/* Arrays far larger than the caches: a store that goes past them spares the read of what it overwrites (32M floats:
   relu 0.24 ns an element, memcpy 0.32). The kernel fills a block in L1, which is then streamed out. */
enum { STREAMED_FROM = 1 << 25 };

static void stream(char *to, const char *from, size_t bytes)
{
#if ACTC_HAS_X86_UNITS
    const size_t head = -(uintptr_t)to & 15;
    memcpy(to, from, head);
    for (to += head, from += head, bytes -= head; bytes >= 16; to += 16, from += 16, bytes -= 16)
        _mm_stream_ps((float *)(void *)to, _mm_loadu_ps((const float *)(const void *)from));
#endif
    memcpy(to, from, bytes);
}
static void stream_end(void)
{
#if ACTC_HAS_X86_UNITS
    _mm_sfence();
#endif
}

/* Plain vectors, for memcpy may choose `rep movsb`, which takes twice as long between 0.5 and 8 MiB on a virtual Zen 4. */
static void copy(const call *c, size_t n)
{
    char *to = c->data[1];
    const char *from = c->data[0];
    size_t bytes = n * item_size[c->dtype];
    if (to == from) return;
    if (bytes >= STREAMED_FROM) {
        stream(to, from, bytes);
        stream_end();
        return;
    }
#if ACTC_HAS_X86_UNITS
    for (; bytes >= 32; to += 32, from += 32, bytes -= 32) {
        const __m128 a = _mm_loadu_ps((const float *)(const void *)from);
        const __m128 b = _mm_loadu_ps((const float *)(const void *)(from + 16));
        _mm_storeu_ps((float *)(void *)to, a);
        _mm_storeu_ps((float *)(void *)(to + 16), b);
    }
#endif
    memcpy(to, from, bytes);
}

static void run_streaming(loop *f, const void *const *in, char *out, size_t total, size_t size,
                          const void *const *parameters)
{
    enum { PORTION = 1024 };
    double portion[PORTION];
    void *results[1] = {portion};
    for (size_t at = 0, n; at < total; at += n) {
        const void *from[2] = {(const char *)in[0] + at * size, (const char *)in[1] + at * size};
        n = total - at < PORTION ? total - at : PORTION;
        f(from, results, n, parameters, 0);
        stream(out + at * size, (const char *)portion, n * size);
    }
    stream_end();
}

static void run(const call *c, size_t n)
{
    if (is_copy(c, n)) return copy(c, n);
    const isa *in_use = actc_current_isa();
    const environment before = enter();
    if (c->pass == ACTC_PARAMETER_BACKWARD) {
        parameter_sums(in_use, c, n);
    } else if (c->dtype != ACTC_F64 && (is_wide(c) || (c->dtype == ACTC_F32 && c->exact))) {
        through_blocks(in_use, in_use->f64, in_use->f64->loops[c->row][c->pass], NULL, c, n);
    } else if (halves_loop_of(in_use, c, n)) {
        const uint16_t *in[2] = {(const uint16_t *)c->data[0], (const uint16_t *)c->data[1]};
        halves_loop_of(in_use, c, n)(in, (uint16_t *)c->data[c->inputs], n);
    } else if (c->dtype < ACTC_F32) {
        through_blocks(in_use, in_use->f32, in_use->f32->loops[c->row][c->pass], fits_float, c, n);
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
            if (n * (size_t)size < STREAMED_FROM || c->outputs > 1 || out[0] == in[0] || out[0] == in[c->inputs - 1])
                f(in, out, n, parameters, 0);
            else
                run_streaming(f, in, out[0], n, (size_t)size, parameters);
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
    void symbol##_second_derivative_##dtype(const real *x, real *d2, size_t n ACTC_DOUBLES_##parameters)               \
    {                                                                                                                  \
        const void *in[] = {x};                                                                                        \
        void *out[] = {d2};                                                                                            \
        CALL(row, ACTC_SECOND_DERIVATIVE, tier, parameters, dtype);                                                    \
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
