/* gate_loops.h - from gates.def the loops y = a f(b), f being the body of an activation.

   In floats f(b) alone may be off by 1.3 ULP, and its product with a by twice that and another half. Bodies therefore say
   more than f(b): what it rounds off, or the denominator that a is to be divided by. */

/* What a gate multiplies. a: the value as the gate takes it, rest: what its rounding loses; its slope and that of the
   gate's own clamp are 0 or 1. */
typedef struct {
    V a, rest, b, slope_a, slope_b;
} gate_operands;

static INLINE gate_operands gate_operands_of(V a, V b, int clamped, V limit)
{
    gate_operands o = {a, K(0), b, K(1), K(1)};
    if (clamped) {
        pair one_more = two_sum(min(limit, max(-limit, a)), K(1));
        M known = eq(limit, limit);
        o.a = sel(known, one_more.h, limit);
        o.rest = sel(lt(abs(o.a), K(INFINITE)), one_more.l, K(0));
        o.b = sel(known, min(limit, b), limit);
        o.slope_a = sel(gt(abs(a), limit), K(0), sel(eq(a, a) & known, K(1), a + limit));
        o.slope_b = sel(gt(b, limit), K(0), sel(eq(b, b) & known, K(1), b + limit));
    }
    return o;
}

#if PAIRS
/* Rows that pairs.h has not: f alone, which is all that a tie asks for. */
static INLINE pair times_sigmoid(V x, pair v)
{
    M below = lt(v.h, K(0)), inside = lt(abs(v.h), K(EXP_LIMIT));
    V k, rest = sel(inside, v.l, K(0));
    pair minus = {max(K(-EXP_LIMIT), -abs(v.h)), sel(below, rest, -rest)}, q = exp_pair(minus, &k), one = single(K(1));
    scale w = exp2_of(k);
    pair e0 = add(one, q), m = add(one, scaled_pair(e0, value_of(w)));
    return shifted(quotient(mul(sel_pair(below, e0, one), single(x)), m), unless(gt(v.h, K(0)), w));
}
BODY(swish)
{
    o->y = times_sigmoid(x, two_product(x, p[0].high));
    o->d = o->y;
}
BODY(gelu_tanh)
{
    NO_PARAMETERS;
    pair C = constant_pair(0x1.9884533d43651p0, -0x1.cbc0d30ebfd15p-54);
    pair a = constant_pair(0x1.2444f2a4d8b4bp-4, -0x1.6c843a29d1c7p-61); /* as in times_sigmoid.h */
    o->y = times_sigmoid(x, mul(add(C, mul(two_product(x, x), a)), single(x)));
    o->d = o->y;
}

/* a f(b) rounded to odd. Where f(b) = b/2 + c b^2 .. the product may be a tie but for the square, and f(b) = 1/2 + b/4
   likewise; pairs show either only if b is not too small. So a tiny b is replaced by one that is 2^58 times smaller than
   1, which is still far from moving a product of two floats over another middle. And b sigma(v), however near to b, is
   nearer to 0, unless v is infinite. */
static INLINE V odd_product(body *f, gate_operands o, const parameter *p, int count)
{
    result r;
    M tiny = lt(abs(o.b), K(0x1p-58)) & gt(abs(o.b), K(0));
    V shrink = sel(tiny, binade(o.b) * K(0x1p58), K(1));
    f(o.b / shrink, p, &r);
    shrink = sel(lt(abs(r.y.h), K(0x1p-40)), shrink, K(1)); /* not where f(0) is not 0 */
    M whole = eq(abs(r.y.h), abs(o.b)) & eq(r.y.l, K(0));
    if (count) whole = whole & lt(abs(p[0].high), K(INFINITE));
    r.y.l = sel(whole, K(-0x1p-200) * r.y.h, r.y.l);
    pair a = {o.a, o.rest}, y = mul(a, scaled_pair(r.y, shrink));
    return odd(y.h, y.l);
}
#else

/* a f(b) where a part 2^w would overflow on the way, and where b may be subnormal */
static INLINE V far_value(body *f, V a, V b, const parameter *p)
{
    result o;
    M tiny = lt(abs(b), K(C(0x1p-100f, 0x1p-900))) & gt(abs(b), K(0)); /* f is linear there */
    M plain = eq(b, K(0)) | gt(abs(b), K(LARGEST)) | gt(abs(a), K(LARGEST));
    f(sel(tiny, b * K(C(0x1p70f, 0x1p800)), b), p, &o);
    V y = far_product(a, K(1), sel(tiny, o.y, o.part), sel(tiny, K(C(-70, -800)), o.part_w.k));
    return sel(plain, a * sel(gt(abs(b), K(LARGEST)), o.y, o.part), y);
}
static INLINE V times_part(V a, V b, body *f, const parameter *p, const result *o)
{
    V y = a * o->part;
    M far = lt(abs(o->part), K(C(0x1p-100f, 0x1p-960))) | gt(abs(y), K(C(0x1p126f, 0x1p1022)));
    if (!DOUBLE) {
        V rest = a * o->rest;
        y = sel(gt(abs(rest), K(0)), fma(a, o->part, rest), y); /* -0 + 0 would be 0 */
    }
    y = scaled(y, o->part_w);
    return lanes_of(far) ? sel(far, far_value(f, a, b, p), y) : y;
}

static OUT_OF_LINE V far_logistic(V a, V factor, V b, V sigma, V k, M below)
{
    M plain = gt(abs(b), K(LARGEST)) | gt(abs(a), K(LARGEST));
    V limit = sel(below & gt(abs(b), K(LARGEST)), copysign(K(0), factor), factor);
    return sel(plain, a * (limit * sigma), far_product(a, factor, sigma, k));
}
/* With a in the numerator one division serves, as in silu. What the product a b loses and what m does go back in by the
   remainder; a alone leaves room for an ULP. */
static INLINE V times_logistic(V a, V a_rest, V b, const result *o)
{
    pair n = o->factor_is_one ? single(a) : two_product(a, o->factor);
    V y;
    if (o->factor_is_one) {
        V q = n.h / o->m;
        y = sel(o->below, scaled(q, o->m_w), fnma(q, o->two_k, n.h));
    } else {
        V inverse = K(1) / o->m, q = n.h * inverse, more = fma(a_rest, o->factor, n.l);
        V rest = inverse * fnma(q, o->m_rest, fnma(q, o->m, n.h) + more);
        V above = fnma(q, o->two_k, n.h) + fnma(rest, o->two_k, more);
        y = sel(o->below, scaled(q + rest, o->m_w), above);
    }
    y = copysign(y, n.h); /* -0 + 0 would be 0 */
    M far = gt(abs(n.h), K(C(0x1p126f, 0x1p1022)));
    if (!lanes_of(far)) return y;
    V low = K(1) / o->m;
    low = fnma(low, low * o->m_rest, low);
    V sigma = sel(o->below, low, fnma(low, o->two_k, K(1)));
    return sel(far, far_logistic(a, o->factor, b, sigma, sel(o->below, o->m_w.k, K(0)), o->below), y);
}
static INLINE V times_value(V a, V a_rest, V b, body *f, const parameter *p, const result *o)
{
    if (o->has_logistic) return times_logistic(a, a_rest, b, o);
    return o->has_part ? times_part(a, b, f, p, o) : a * o->y;
}
/* f' is at most a little above 1: only a product g a that is too large needs care. */
static INLINE V times_slope(V g, V a, V b, const result *o)
{
    V d, ga = g * a;
    V y = is_product(o, &d) ? ga * d : backward(ga, b, o);
    M far = gt(abs(ga), K(C(0x1p100f, 0x1p900)));
    if (!lanes_of(far)) return y;
    far = far & lt(abs(g), K(INFINITE)) & lt(abs(a), K(INFINITE));
    return sel(far, far_product(g, a, o->d, o->has_scale ? o->w.k : K(0)), y);
}
#endif

static INLINE void gate_element(body *f, int pass, int clamped, int count, V g, V a, V b, const parameter *p, V *out)
{
    gate_operands in = gate_operands_of(a, b, clamped, clamped ? p[count - 1].high : K(0));
#if PAIRS
    out[0] = odd_product(f, in, p, count);
    (void)pass, (void)g;
#else
    result o;
    o.has_scale = o.scale_is_rare = o.d_is_half = o.has_part = o.has_logistic = o.factor_is_one = 0;
    o.lost_y = o.lost_d = K(0);
    f(in.b, p, &o);
    if (pass == ACTC_FORWARD) {
        out[0] = times_value(in.a, in.rest, in.b, f, p, &o);
    } else {
        out[0] = times_value(g * in.slope_a, K(0), in.b, f, p, &o);
        out[1] = times_slope(g * in.slope_b, in.a, in.b, &o);
    }
#endif
}

/* As `run` of loops.h: the last vector may overlap the one before it and is loaded first of all. */
static INLINE void run_gate(body *f, int pass, int clamped, int count, const void *const *in, void *const *out,
                            size_t n, const void *const *parameters, size_t step)
{
    const int inputs = pass == ACTC_BACKWARD ? 3 : 2, outputs = pass == ACTC_BACKWARD ? 2 : 1;
    const size_t span = LANES, last = n < span ? 0 : n - span;
    parameter p[MAX_PARAMETERS], p_last[MAX_PARAMETERS];
    V x[3], x_last[3], y[2];

    if (n == 0) return;
    for (int j = 0; j < count; j++) {
        const REAL *high = parameters[2 * j], *low = parameters[2 * j + 1];
        p_last[j].high = step ? SOME(high + last, 0) : load(high);
        p_last[j].low = DOUBLE ? K(0) : step ? SOME(low + last, 0) : load(low);
        p[j] = p_last[j];
    }
    for (int j = 0; j < inputs; j++) x_last[j] = SOME((const REAL *)in[j] + last, 0);

    for (size_t i = 0;; i += span) {
        const int at_end = i >= last;
        const size_t at = at_end ? last : i;
        for (int j = 0; j < inputs; j++) x[j] = at_end ? x_last[j] : load((const REAL *)in[j] + i);
        for (int j = 0; j < count; j++) {
            p[j].high = at_end || !step ? p_last[j].high : load((const REAL *)parameters[2 * j] + i);
            p[j].low = at_end || !step || DOUBLE ? p_last[j].low : load((const REAL *)parameters[2 * j + 1] + i);
        }
        gate_element(f, pass, clamped, count, x[0], x[inputs - 2], x[inputs - 1], p, y);
        if (n < span) {
            for (int j = 0; j < outputs; j++) store_some((REAL *)out[j], y[j], n);
            return;
        }
        for (int j = 0; j < outputs; j++) store((REAL *)out[j] + at, y[j]);
        if (at_end) return;
    }
}

#define GATE_LOOP(name, suffix, pass, parameters, activation, clamped)                                                 \
    static void name##_gate_##suffix(const void *const *in, void *const *out, size_t n, const void *const *values,     \
                                     size_t step)                                                                      \
    {                                                                                                                  \
        (void)values, (void)step;                                                                                      \
        run_gate(activation##_body, pass, clamped, COUNT_##parameters, in, out, n, values, step);                      \
    }

/* Which loops a unit has of a gate, by its kind: as for the activations in loops.h. */
#if PAIRS
#define GATES_EXACT(name, parameters, activation)
#define GATE_LISTED_EXACT(name) NULL
#define GATES_ROUNDED(name, parameters, activation) GATE_LOOP(name, odd, ODD, parameters, activation, 0)
#define GATE_LISTED_ROUNDED(name) [ODD] = name##_gate_odd
#define GATES_CLAMPED(name, parameters, activation) GATE_LOOP(name, odd, ODD, parameters, activation, 1)
#else
#define GATES_OF(name, parameters, activation, clamped)                                                                \
    GATE_LOOP(name, forward, ACTC_FORWARD, parameters, activation, clamped)                                            \
    GATE_LOOP(name, backward, ACTC_BACKWARD, parameters, activation, clamped)
#define GATES_ROUNDED(name, parameters, activation) GATES_OF(name, parameters, activation, 0)
#define GATE_LISTED_ROUNDED(name) [ACTC_FORWARD] = name##_gate_forward, [ACTC_BACKWARD] = name##_gate_backward
#define GATES_EXACT GATES_ROUNDED
#define GATE_LISTED_EXACT GATE_LISTED_ROUNDED
#define GATES_CLAMPED(name, parameters, activation) GATES_OF(name, parameters, activation, 1)
#endif
#define GATE_LISTED_CLAMPED GATE_LISTED_ROUNDED

#define GATE(name, parameters, activation, kind, ...) GATES_##kind(name, parameters, activation)
#include "../include/actc/gates.def"
#undef GATE

static loop *const gates[][LOOP_COUNT] = {
#define GATE(name, parameters, activation, kind, ...) {GATE_LISTED_##kind(name)},
#include "../include/actc/gates.def"
#undef GATE
};
