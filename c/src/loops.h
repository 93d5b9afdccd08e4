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

/* g f'(x). Where f' is a normal number that is one product; elsewhere the scale is multiplied in around d, for a large
   gradient may bring the result back. At an infinity the true f' is 0 where the scale merely tends to it. */
static INLINE V backward(V g, V x, const result *o, int count)
{
    if (o->d_is_half) {
        V d = o->d + o->d, half = g * o->d;
        return sel(gt(d, K(LARGEST)), half + half, g * d);
    }
    if (!o->has_scale) return g * o->d;
    if (o->scale_is_rare) {
        if (!lanes_of(gt(abs(o->w.k), K(0)))) return g * o->d;
    } else {
        V d = scaled_if_normal(o->d, o->w);
        if (all_normal(d)) return g * d;
    }
    /* a gradient near overflow lends 2^64 to the last factor, for d may be above 1 before its scale comes in; a small one
       meets d after both factors where they grow */
    M large = gt(abs(g), K(0x1p64f)), grows = gt(o->w.k, K(0)) & lt(abs(g), K(0x1p-30f));
    factors f = factors_of(o->w);
    V product = g * sel(large, K(0x1p-64f), K(1)) * f.a * sel(grows, f.b, K(1)) * o->d *
                (sel(grows, K(1), f.b) * sel(large, K(0x1p64f), K(1)));
    V d = derivative(o, count);
    return sel(is_normal(d) | gt(abs(x), K(LARGEST)), g * d, product);
}
#endif

static INLINE void element(body *f, int pass, int count, V g, V x, const parameter *p, V *out)
{
    result o;
    o.has_scale = o.scale_is_rare = o.d_is_half = 0;
    o.lost_y = o.lost_d = K(0);
    f(x, p, &o);
    switch (pass) {
    case ACTC_FORWARD: out[0] = value(&o); break;
    case ACTC_DERIVATIVE: out[0] = derivative(&o, count); break;
    case ACTC_VALUE_AND_DERIVATIVE: out[0] = value(&o), out[1] = derivative(&o, count); break;
#if PAIRS
    case ODD: out[0] = odd(o.y.h, o.y.l), out[1] = scaled(odd(o.d.h, o.d.l), o.w); break;
#else
    case ACTC_BACKWARD: out[0] = backward(g, x, &o, count); break;
    case ACTC_SECOND_DERIVATIVE:
        if (DOUBLE) out[0] = o.d2;
        break;
    case ODD: out[0] = odd(value(&o), o.lost_y), out[1] = odd(derivative(&o, count), o.lost_d); break;
    case ACTC_PARAMETER_BACKWARD:
        for (int i = 0; DOUBLE && i < count; i++) out[i] = g * o.dp[i];
        break;
#endif
    }
    (void)count, (void)g;
}

/* Elements [at, at + LANES), or the first n if n < LANES. */
#define SOME(p) (n < LANES ? load_some(p, n) : load(p))

/* The last vector may overlap the one before it: it is loaded first of all, since an output may be an input. An
   element's bits do not depend on which vector computes it, for the tail runs the same kernel as the body. Parameters that
   are the same for all are loaded outside of the inner loop, and so is what a body computes of them alone; with arrays of
   them the inner loop runs once for each vector. */
static INLINE void run(body *f, int pass, int count, const void *const *in, void *const *out, size_t n,
                       const void *const *parameters, size_t step)
{
    const int inputs = pass == ACTC_BACKWARD || pass == ACTC_PARAMETER_BACKWARD ? 2 : 1;
    const int outputs = pass == ACTC_VALUE_AND_DERIVATIVE || pass == ODD ? 2
                        : pass == ACTC_PARAMETER_BACKWARD                ? count
                                                                         : 1;
    const REAL *g = in[0], *x = in[inputs - 1];
    const size_t last = n < LANES ? 0 : n - LANES, alike = step ? LANES : n;
    parameter p[MAX_PARAMETERS];
    V y[MAX_PARAMETERS < 2 ? 2 : MAX_PARAMETERS], x_last, g_last;

    if (n == 0) return;
    x_last = SOME(x + last);
    g_last = inputs == 2 ? SOME(g + last) : x_last;

    for (size_t begin = 0; begin < n; begin += alike) {
        for (int j = 0; j < count; j++) {
            const REAL *high = parameters[2 * j], *low = parameters[2 * j + 1];
            const size_t at = begin < last ? begin : last;
            p[j].high = step ? SOME(high + at) : load(high);
            p[j].low = DOUBLE ? K(0) : step ? SOME(low + at) : load(low);
        }
        for (size_t i = begin; i - begin < alike; i += LANES) {
            const int at_end = i >= last;
            const V xi = at_end ? x_last : load(x + i), gi = inputs == 1 ? xi : at_end ? g_last : load(g + i);
            element(f, pass, count, gi, xi, p, y);
            if (n < LANES) {
                for (int j = 0; j < outputs; j++) store_some((REAL *)out[j], y[j], n);
                return;
            }
            for (int j = 0; j < outputs; j++) store((REAL *)out[j] + (at_end ? last : i), y[j]);
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
    LOOP_OF(name, suffix, run(name##_body, pass, count, in, out, n, parameters, step))
#if COMPACT
/* all passes from one copy of the body, which computes everything whatever is asked for */
#define TOGETHER(name, count)                                                                                          \
    static OUT_OF_LINE void name##_together(int pass, const void *const *in, void *const *out, size_t n,               \
                                            const void *const *parameters, size_t step)                                \
    {                                                                                                                  \
        run(name##_body, pass, count, in, out, n, parameters, step);                                                   \
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
