/* gate_values.h - y = a f(b) and its gradients, f being the body of an activation.

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

/* a f(b) where a part 2^w would overflow on the way, and where b may be subnormal. One copy for all that a gate has. */
static OUT_OF_LINE V far_part(body *f, V y, V a, V b, const parameter *p, M far)
{
    result o;
    M tiny = lt(abs(b), K(C(0x1p-100f, 0x1p-900))) & gt(abs(b), K(0)); /* f is linear there */
    M plain = eq(b, K(0)) | gt(abs(b), K(LARGEST)) | gt(abs(a), K(LARGEST));
    f(sel(tiny, b * K(C(0x1p70f, 0x1p800)), b), p, &o);
    V product = far_product(a, K(1), sel(tiny, o.y, o.part), sel(tiny, K(C(-70, -800)), o.part_w.k));
    return sel(far, sel(plain, a * sel(gt(abs(b), K(LARGEST)), o.y, o.part), product), y);
}
/* b = 0 is not, or padding would be slow; the part of the smallest b is 0 too */
static INLINE M part_is_far(V a, V b, const result *o)
{
    M tiny = lt(abs(o->part), K(C(0x1p-100f, 0x1p-960))) & gt(abs(b), K(0));
    return tiny | gt(abs(a * o->part), K(C(0x1p126f, 0x1p1022)));
}
static INLINE V times_part(V a, const result *o)
{
    V y = a * o->part;
    if (!DOUBLE) {
        V rest = a * o->rest;
        y = sel(gt(abs(rest), K(0)), fma(a, o->part, rest), y); /* -0 + 0 would be 0 */
    }
    return scaled(y, o->part_w);
}

static OUT_OF_LINE V far_logistic(V a, V factor, V b, V m, V m_rest, V two_k, V k, M below)
{
    M plain = gt(abs(b), K(LARGEST)) | gt(abs(a), K(LARGEST));
    V low = K(1) / m;
    low = fnma(low, low * m_rest, low);
    V sigma = sel(below, low, fnma(low, two_k, K(1)));
    V limit = sel(below & gt(abs(b), K(LARGEST)), copysign(K(0), factor), factor);
    return sel(plain, a * (limit * sigma), far_product(a, factor, sigma, sel(below, k, K(0))));
}
static INLINE M logistic_is_far(V a, const result *o)
{
    return gt(abs(o->factor_is_one ? a : a * o->factor), K(C(0x1p126f, 0x1p1022)));
}
/* With a in the numerator one division serves, as in silu. What the product a b loses and what m does go back in by the
   remainder; a alone leaves room for an ULP. */
static INLINE V times_logistic(V a, const V *a_rest, const result *o)
{
    pair n = o->factor_is_one ? single(a) : two_product(a, o->factor);
    V y;
    if (o->factor_is_one) {
        V q = n.h / o->m;
        y = sel(o->below, scaled(q, o->m_w), fnma(q, o->two_k, n.h));
    } else {
        V inverse = K(1) / o->m, q = n.h * inverse, more = a_rest ? fma(*a_rest, o->factor, n.l) : n.l;
        V rest = inverse * fnma(q, o->m_rest, fnma(q, o->m, n.h) + more);
        V above = fnma(q, o->two_k, n.h) + fnma(rest, o->two_k, more);
        y = sel(o->below, scaled(q + rest, o->m_w), above);
    }
    return copysign(y, n.h); /* -0 + 0 would be 0 */
}

/* a f(b) where nothing overflows on the way; and where it might */
static INLINE V times_value(V a, const V *a_rest, const result *o)
{
    return o->has_logistic ? times_logistic(a, a_rest, o) : o->has_part ? times_part(a, o) : a * o->y;
}
static INLINE unsigned value_is_far(V a, V b, const result *o)
{
    return o->has_logistic ? lanes_of(logistic_is_far(a, o)) : o->has_part ? lanes_of(part_is_far(a, b, o)) : 0;
}
static INLINE V far_times_value(V y, V a, V b, body *f, const parameter *p, const result *o)
{
    if (o->has_part) return far_part(f, y, a, b, p, part_is_far(a, b, o));
    if (!o->has_logistic) return y;
    V far = far_logistic(a, o->factor, b, o->m, o->m_rest, o->two_k, o->m_w.k, o->below);
    return sel(logistic_is_far(a, o), far, y);
}
/* f' is at most a little above 1: only a product g a that is too large needs care. */
static INLINE M slope_is_far(V g, V a) { return gt(abs(g * a), K(C(0x1p100f, 0x1p900))); }
static OUT_OF_LINE V far_slope(V y, V g, V a, V m, V k)
{
    M far = slope_is_far(g, a) & lt(abs(g), K(INFINITE)) & lt(abs(a), K(INFINITE));
    return lanes_of(far) ? sel(far, far_product(g, a, m, k), y) : y;
}
static INLINE V far_times_slope(V g, V a, V b, const result *o)
{
    V ga = g * a, y = o->has_scale || o->d_is_half ? backward(ga, b, o) : ga * o->d;
    return far_slope(y, g, a, o->d, o->has_scale ? o->w.k : K(0));
}
#endif

enum gate { NO_GATE, GATED, CLAMPED };

/* As `evaluate`, for inputs g, a, b or a, b: the tests for what is far are made once for all vectors. */
static INLINE void evaluate_gate(body *f, int pass, enum gate gate, int count, int width, const inputs *x,
                                 const parameter (*p)[MAX_PARAMETERS], results *out)
{
    const int first = pass == ACTC_BACKWARD, clamped = gate == CLAMPED;
    gate_operands in[AT_ONCE];
    EACH_VECTOR(in[w] = gate_operands_of(x[w][first], x[w][first + 1], clamped, clamped ? p[w][count - 1].high : K(0)));
#if PAIRS
    EACH_VECTOR(out[w][0] = odd_product(f, in[w], p[w], count));
#else
    result o[AT_ONCE];
    V a[AT_ONCE], d[AT_ONCE];
    unsigned far = 0;
    EACH_VECTOR({
        apply_body(f, in[w].b, p[w], &o[w]);
        a[w] = pass == ACTC_BACKWARD ? x[w][0] * in[w].slope_a : in[w].a;
        out[w][0] = times_value(a[w], clamped && pass == ACTC_FORWARD ? &in[w].rest : NULL, &o[w]);
        far |= value_is_far(a[w], in[w].b, &o[w]);
    });
    if (far) EACH_VECTOR(out[w][0] = far_times_value(out[w][0], a[w], in[w].b, f, p[w], &o[w]));
    if (pass != ACTC_BACKWARD) return;

    int products = 1;
    far = 0;
    EACH_VECTOR({
        a[w] = x[w][0] * in[w].slope_b;
        products &= is_product(&o[w], &d[w]);
        far |= lanes_of(slope_is_far(a[w], in[w].a));
    });
    if (products && !far)
        EACH_VECTOR(out[w][1] = a[w] * in[w].a * d[w]);
    else
        EACH_VECTOR(out[w][1] = far_times_slope(a[w], in[w].a, in[w].b, &o[w]));
#endif
}
