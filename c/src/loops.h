/* loops.h - the one loop, and from the table the loops of every row. */
#include "parameters.h"

typedef void body(V x, const parameter *p, result *o);

#if PAIRS
/* the test keeps -0, which -0 + 0 would lose */
static INLINE V rounded_pair(pair a) { return sel(eq(a.l, K(0)), a.h, a.h + a.l); }
static INLINE V value(const result *o) { return rounded_pair(o->y); }
static INLINE V derivative(const result *o, int count)
{
    (void)count;
    return scaled(rounded_pair(o->d), o->w);
}
#else
static INLINE V value(const result *o) { return o->y; }
static INLINE V derivative(const result *o, int count)
{
    if (!o->has_scale) return o->d_is_half ? o->d + o->d : o->d;
    return count ? scaled(o->d, o->w) : scaled_normal(o->d, o->w); /* a parameter may make it subnormal */
}

/* v without its exponent, as far as 2^120 or 2^1000 either way, which is added to *k */
static INLINE V mild(V v, V *k)
{
    const REAL most = C(120, 1000);
    V e = max(K(-most), min(K(most), exponent(abs(v))));
    *k = *k + e;
    return v * pow2(K(MAGIC) - e);
}
/* g a m 2^k, whatever the partial products do. Below 2^-293 or 2^-2141, where the exponentials stop, it is 0 for finite
   factors: nothing but a product far above the largest number could bring it back. */
static OUT_OF_LINE V far_product(V g, V a, V m, V k)
{
    M none = lt(k, K(C(-293, -2141)));
    V product = mild(g, &k) * mild(a, &k) * mild(m, &k);
    return scaled(sel(none & lt(abs(product), K(INFINITE)), K(0), K(1)) * product,
                  exp2_of(max(K(C(-280, -2100)), min(K(C(200, 1900)), k))));
}

/* Whether g f' is the one product g d in all lanes. */
static INLINE int is_product(const result *o, V *d)
{
    *d = o->has_scale && !o->scale_is_rare ? scaled_if_normal(o->d, o->w) : o->d;
    if (o->d_is_half) return 0;
    if (!o->has_scale) return 1;
    return o->scale_is_rare ? !lanes_of(gt(abs(o->w.k), K(0))) : all_normal(*d);
}
/* g m 2^k where f' = m 2^k need not be normal and a large gradient may bring the result back. At an infinity the true f'
   is 0 where the scale merely tends to it. */
static OUT_OF_LINE V far_backward(V g, V x, V m, scale w)
{
    factors f = factors_of(w);
    V d = m * f.a * f.b, product = g * f.a * m * f.b;
    M hard = gt(w.k, K(0)) | gt(abs(g), K(0x1p40f)); /* g m may overflow, or k be where exponentials stop */
    if (lanes_of(hard)) product = sel(hard, far_product(g, m, K(1), w.k), product);
    return sel(is_normal(d) | gt(abs(x), K(LARGEST)), g * d, product);
}
static INLINE V backward(V g, V x, const result *o)
{
    if (o->d_is_half) {
        V d = o->d + o->d, half = g * o->d;
        return sel(gt(d, K(LARGEST)), half + half, g * d);
    }
    return far_backward(g, x, o->d, o->w);
}
#endif

#if AT_ONCE > 2
#error "EACH_VECTOR knows two vectors"
#endif
/* The statements for each of `width` vectors w: unrolled here, for what a compiler leaves a loop goes through memory. */
#define EACH_VECTOR(...)                                                                                               \
    do {                                                                                                               \
        enum { w = 0 };                                                                                                \
        __VA_ARGS__;                                                                                                   \
        if (AT_ONCE > 1 && width > 1) {                                                                                \
            enum { w = AT_ONCE - 1 };                                                                                  \
            __VA_ARGS__;                                                                                               \
        }                                                                                                              \
    } while (0)
enum { MAX_INPUTS = 3 };
typedef V inputs[MAX_INPUTS];
typedef V results[MAX_PARAMETERS < 2 ? 2 : MAX_PARAMETERS];

/* f at x, of which a body need only say what differs from nothing */
static INLINE void apply_body(body *f, V x, const parameter *p, result *o)
{
    o->has_scale = o->scale_is_rare = o->d_is_half = o->has_part = o->has_logistic = o->factor_is_one = 0;
    o->lost_y = o->lost_d = K(0);
    f(x, p, o);
}
/* f at some vectors, and of it what the pass asks for; inputs are g and x, or x */
static INLINE void evaluate(body *f, int pass, int count, int width, const inputs *in,
                            const parameter (*p)[MAX_PARAMETERS], results *out)
{
    const int has_g = pass == ACTC_BACKWARD || pass == ACTC_PARAMETER_BACKWARD;
    result o[AT_ONCE];
    EACH_VECTOR(apply_body(f, in[w][has_g], p[w], &o[w]));
    switch (pass) {
    case ACTC_FORWARD: EACH_VECTOR(out[w][0] = value(&o[w])); break;
    case ACTC_DERIVATIVE: EACH_VECTOR(out[w][0] = derivative(&o[w], count)); break;
    case ACTC_VALUE_AND_DERIVATIVE: EACH_VECTOR(out[w][0] = value(&o[w]), out[w][1] = derivative(&o[w], count)); break;
#if PAIRS
    case ODD:
        EACH_VECTOR(out[w][0] = odd(o[w].y.h, o[w].y.l), out[w][1] = scaled(odd(o[w].d.h, o[w].d.l), o[w].w));
        break;
#else
    case ACTC_BACKWARD: {
        V d[AT_ONCE];
        int products = 1;
        EACH_VECTOR(products &= is_product(&o[w], &d[w]));
        if (products)
            EACH_VECTOR(out[w][0] = in[w][0] * d[w]);
        else
            EACH_VECTOR(out[w][0] = backward(in[w][0], in[w][1], &o[w]));
        break;
    }
    case ACTC_SECOND_DERIVATIVE: EACH_VECTOR(if (DOUBLE) out[w][0] = o[w].d2); break;
    case ODD:
        EACH_VECTOR(out[w][0] = odd(value(&o[w]), o[w].lost_y), out[w][1] = odd(derivative(&o[w], count), o[w].lost_d));
        break;
    case ACTC_PARAMETER_BACKWARD:
        EACH_VECTOR(for (int i = 0; DOUBLE && i < count; i++) out[w][i] = in[w][0] * o[w].dp[i]);
        break;
#endif
    }
    (void)count;
}

#include "gate_values.h"

/* Vector w of fewer elements than a loop takes at once. Where that is two vectors, load_some and store_some take any
   number of elements, 0 and more than a vector has. */
#define LEFT(n, w) (AT_ONCE == 1 ? (n) : (n) > (w)*LANES ? (n) - (w)*LANES : 0)
#define SOME(p, w) (n < span ? load_some((p) + (w)*LANES, LEFT(n, w)) : load((p) + (w)*LANES))

/* The last vectors may overlap those before them: they are loaded first of all, since an output may be an input. An
   element's bits do not depend on which vector computes it, for the tail runs the same kernel as the body. Parameters that
   are the same for all are loaded outside of the inner loop, and so is what a body computes of them alone; with arrays of
   them the inner loop runs once for each `span`. */
static INLINE void run(body *f, int pass, enum gate gate, int count, const void *const *in, void *const *out, size_t n,
                       const void *const *parameters, size_t step)
{
    const int is_backward = pass == ACTC_BACKWARD;
    const int width = pass == ACTC_FORWARD || is_backward ? AT_ONCE : 1;
    const int operands = (is_backward || pass == ACTC_PARAMETER_BACKWARD ? 2 : 1) + (gate != NO_GATE);
    const int outputs = pass == ACTC_VALUE_AND_DERIVATIVE || (gate ? is_backward : pass == ODD) ? 2
                        : pass == ACTC_PARAMETER_BACKWARD                                       ? count
                                                                                                : 1;
    const size_t span = (size_t)width * LANES, last = n < span ? 0 : n - span, alike = step ? span : n;
    parameter p[AT_ONCE][MAX_PARAMETERS];
    const REAL *from[MAX_INPUTS];
    inputs x[AT_ONCE], x_last[AT_ONCE];
    results y[AT_ONCE];

    if (n == 0) return;
    /* once: stores might change in[] (mish' takes an eighth longer) */
    for (int j = 0; j < operands; j++) from[j] = in[j];
    EACH_VECTOR(for (int j = 0; j < operands; j++) x_last[w][j] = SOME(from[j] + last, w));
    for (size_t begin = 0; begin < n; begin += alike) {
        const size_t at = begin < last ? begin : last;
        EACH_VECTOR(for (int j = 0; j < count; j++) {
            const REAL *high = parameters[SUMMANDS * j], *low = parameters[SUMMANDS * j + 1],
                       *least = parameters[SUMMANDS * j + 2];
            p[w][j].high = step ? SOME(high + at, w) : load(high);
            p[w][j].low = DOUBLE ? K(0) : step ? SOME(low + at, w) : load(low);
            p[w][j].least = DOUBLE ? K(0) : step ? SOME(least + at, w) : load(least);
        });
        for (size_t i = begin; i - begin < alike; i += span) {
            const int at_end = i >= last;
            EACH_VECTOR(for (int j = operands; j-- > 0;) x[w][j] = at_end ? x_last[w][j]
                                                                          : load(from[j] + i + w * LANES));
            if (gate)
                evaluate_gate(f, pass, gate, count, width, (const inputs *)x, (const parameter(*)[MAX_PARAMETERS])p, y);
            else
                evaluate(f, pass, count, width, (const inputs *)x, (const parameter(*)[MAX_PARAMETERS])p, y);
            if (n < span) {
                EACH_VECTOR(for (int j = 0; j < outputs; j++)
                                store_some((REAL *)out[j] + w * LANES, y[w][j], LEFT(n, w)));
                return;
            }
            EACH_VECTOR(for (int j = 0; j < outputs; j++)
                            store((REAL *)out[j] + (at_end ? last : i) + w * LANES, y[w][j]));
            if (at_end) return;
        }
    }
}

#define LOOP_OF(name, suffix, call)                                                                                    \
    static void name##_##suffix(const void *const *in, void *const *out, size_t n, const void *const *parameters,      \
                                size_t step)                                                                           \
    {                                                                                                                  \
        (void)parameters, (void)step;                                                                                  \
        call;                                                                                                          \
    }
#define LOOP(name, suffix, pass, count)                                                                                \
    LOOP_OF(name, suffix, run(name##_body, pass, NO_GATE, count, in, out, n, parameters, step))
#if COMPACT
/* all passes from one copy of the body, which computes everything whatever is asked for */
#define TOGETHER(name, count)                                                                                          \
    static OUT_OF_LINE void name##_together(int pass, const void *const *in, void *const *out, size_t n,               \
                                            const void *const *parameters, size_t step)                                \
    {                                                                                                                  \
        run(name##_body, pass, NO_GATE, count, in, out, n, parameters, step);                                          \
    }
#define LOOP_TOGETHER(name, suffix, pass, count)                                                                       \
    LOOP_OF(name, suffix, name##_together(pass, in, out, n, parameters, step))
#else
#define TOGETHER(name, count)
#define LOOP_TOGETHER LOOP
#endif
#define LOOP_FOR_SIZE(...) RARE LOOP_TOGETHER(__VA_ARGS__)
#define LOOPS(name, count)                                                                                             \
    TOGETHER(name, count)                                                                                              \
    LOOP_TOGETHER(name, forward, ACTC_FORWARD, count)                                                                  \
    LOOP_TOGETHER(name, derivative, ACTC_DERIVATIVE, count)                                                            \
    LOOP_TOGETHER(name, value_and_derivative, ACTC_VALUE_AND_DERIVATIVE, count)

/* Which loops a unit has of a row: NAME##_KIND(name, parameters) defines them, LISTED_KIND lists them by pass. */
#if PAIRS
#define LOOPS_PAIRED(name, parameters) LOOPS(name, COUNT_##parameters) LOOP_TOGETHER(name, odd, ODD, COUNT_##parameters)
/* no backward: the ordinary one has the bound that it needs */
#define LISTED_PAIRED(name, parameters)                                                                                \
    name##_forward, name##_derivative, [ACTC_VALUE_AND_DERIVATIVE] = name##_value_and_derivative, [ODD] = name##_odd
#define LOOPS_EXACT(name, parameters)
#define LISTED_EXACT(name, parameters) NULL
#define LOOPS_ROUNDED LOOPS_EXACT
#define LISTED_ROUNDED LISTED_EXACT
#define LOOPS_WIDE LOOPS_EXACT
#define LISTED_WIDE LISTED_EXACT
#define LOOPS_NARROWED LOOPS_EXACT
#define LISTED_NARROWED LISTED_EXACT
#elif DOUBLE
#define LOOPS_ROUNDED(name, parameters)                                                                                \
    LOOPS(name, COUNT_##parameters)                                                                                    \
    LOOP_TOGETHER(name, backward, ACTC_BACKWARD, COUNT_##parameters)                                                   \
    LOOP_FOR_SIZE(name, second_derivative, ACTC_SECOND_DERIVATIVE, COUNT_##parameters)                                 \
    ACTC_IF_##parameters(LOOP_FOR_SIZE(name, parameter_backward, ACTC_PARAMETER_BACKWARD, COUNT_##parameters))
#define LISTED_ROUNDED(name, parameters)                                                                               \
    name##_forward, name##_derivative, name##_backward, name##_value_and_derivative,                                   \
        [ACTC_SECOND_DERIVATIVE] =                                                                                     \
            name##_second_derivative ACTC_IF_##parameters(, [ACTC_PARAMETER_BACKWARD] = name##_parameter_backward)
#define LOOPS_EXACT LOOPS_ROUNDED
#define LISTED_EXACT LISTED_ROUNDED
#define LOOPS_PAIRED LOOPS_ROUNDED
#define LISTED_PAIRED LISTED_ROUNDED
#define LOOPS_WIDE(name, parameters)                                                                                   \
    LOOPS_ROUNDED(name, parameters) ACTC_IF_##parameters(LOOP_FOR_SIZE(name, odd, ODD, COUNT_##parameters))
#define LISTED_WIDE(name, parameters) LISTED_ROUNDED(name, parameters) ACTC_IF_##parameters(, [ODD] = name##_odd)
#define LOOPS_NARROWED LOOPS_WIDE
#define LISTED_NARROWED LISTED_WIDE
#else
#define LOOPS_EXACT(name, parameters)                                                                                  \
    LOOPS(name, COUNT_##parameters)                                                                                    \
    LOOP_TOGETHER(name, backward, ACTC_BACKWARD, COUNT_##parameters)
#define LISTED_EXACT(name, parameters) name##_forward, name##_derivative, name##_backward, name##_value_and_derivative
#define LOOPS_ROUNDED LOOPS_EXACT
#define LISTED_ROUNDED LISTED_EXACT
#define LOOPS_PAIRED LOOPS_EXACT
#define LISTED_PAIRED LISTED_EXACT
#define LOOPS_NARROWED LOOPS_EXACT
#define LISTED_NARROWED LISTED_EXACT
#define LOOPS_WIDE(name, parameters)
#define LISTED_WIDE(name, parameters) NULL
#endif

#define ROW(name, parameters, kind, ...) LOOPS_##kind(name, parameters)
#include "../include/actc/activations.def"
#undef ROW

static loop *const loops[][LOOP_COUNT] = {
#define ROW(name, parameters, kind, ...) {LISTED_##kind(name, parameters)},
#include "../include/actc/activations.def"
#undef ROW
};

#include "half_loops.h"
#include "gate_loops.h"
#if DOUBLE && !PAIRS
#include "hinges.h"
#include "philox.h"
#endif

#define EXPORT_(isa, real) actc_##isa##_##real
#define EXPORT(isa, real) EXPORT_(isa, real)
#if PAIRS
const unit EXPORT(ISA, pairs) = {.loops = loops, .gates = gates};
#elif DOUBLE
const unit EXPORT(ISA, f64) = {.loops = loops,
                               .gates = gates,
                               .read = {read_f16, read_bf16, read_f32, read_f64},
                               .write = {write_f16, write_bf16, write_f32, write_f64},
                               .doubtful = {doubtful_f16, doubtful_bf16, doubtful_f32},
                               .split = split,
                               .hinges = hinges,
                               .counters = COUNTERS,
                               .philox = philox,
                               .uniform = uniform,
                               .rows = row_kernels,
                               .lanes = LANES,
                               .columns_of_rows = COLUMNS_OF_ROWS,
                               .rows_of_columns = ROWS_OF_COLUMNS};
#else
const unit EXPORT(ISA, f32) = {.loops = loops,
                               .gates = gates,
                               .halves = HALVES_TABLE,
                               .read = {read_f16, read_bf16, read_f32},
                               .write = {write_f16, write_bf16, write_f32},
                               .doubtful = {doubtful_f16, doubtful_bf16},
                               .split = split,
                               .rows = row_kernels,
                               .lanes = LANES,
                               .columns_of_rows = COLUMNS_OF_ROWS,
                               .rows_of_columns = ROWS_OF_COLUMNS};
#endif
