/* extended.h - numbers with twice the bits of the unit's own. Of doubles they are pairs; of floats doubles, which have 53
   bits where a pair of floats has 48, for a third of the operations. But a pair's low part may lie any distance below the
   high one, and 1 + 1e-20 is no double: what may cancel so far stays in pairs. Doubles are multiplied and then added, never
   both at once, for not every processor can. */
/* v - m, where it may be far smaller than both. Renewed, for products drop the square of the low part: 50 ULP where v is
   1000 +- 0.01. */
static INLINE pair pair_deviation(V v, pair m)
{
    const pair d = two_sum(v, -m.h);
    return fast_two_sum(d.h, d.l - m.l);
}
#if DOUBLE
typedef pair extended;
static INLINE extended extend(V v)
{
    const pair r = {v, K(0)};
    return r;
}
#define deviation pair_deviation
#define extended_times(a, b) product(a, b)
#define extended_by(a, b) product_by(a, b)
#define extended_minus(a, b) sum_of(a, neg(b))
#define extended_over(a, b) quotient(a, single(b))
#define extended_plus_double(a, b) add(a, constant_pair(b, 0))
static INLINE V narrowed(extended a) { return a.h + a.l; }
static INLINE extended extended_inverse_root(extended a)
{
    /* the root of a pair: one Newton step from that of its high part */
    const V h = square_root(a.h), l = (fnma(h, h, a.h) + a.l) / (h + h);
    const pair root = {h, sel(gt(h, K(0)), l, K(0))};
    return quotient(single(K(1)), root);
}
#elif defined(ONE_LANE)
typedef double extended;
#define extend(v) ((double)(v))
#define deviation(v, m) ((v) - (m))
#define extended_times(a, b) ((a) * (b))
#define extended_by(a, b) ((a) * (b))
#define extended_minus(a, b) ((a) - (b))
#define extended_plus(a, b) ((a) + (b))
#define extended_over(a, b) ((a) / (b))
#define extended_plus_double(a, b) ((a) + (b))
#define extended_inverse_root(a) (1 / square_root_of_double(a))
#define narrowed(a) ((float)(a))
#else
/* of the lower and the upper half of a vector's lanes */
typedef struct {
    D lower, upper;
} extended;
static INLINE extended extend(V v)
{
    const extended r = {lower_half(v), upper_half(v)};
    return r;
}
#define OPERATION(name, sign)                                                                                          \
    static INLINE extended extended_##name(extended a, extended b)                                                     \
    {                                                                                                                  \
        const extended r = {a.lower sign b.lower, a.upper sign b.upper};                                               \
        return r;                                                                                                      \
    }
OPERATION(plus, +)
OPERATION(minus, -)
OPERATION(times, *)
OPERATION(quotient, /)
#undef OPERATION
static INLINE extended extended_by(extended a, V b) { return extended_times(a, extend(b)); }
static INLINE extended extended_over(extended a, V b) { return extended_quotient(a, extend(b)); }
static INLINE extended deviation(V v, extended m) { return extended_minus(extend(v), m); }
static INLINE extended extended_plus_double(extended a, double b)
{
    const extended r = {a.lower + b, a.upper + b};
    return r;
}
static INLINE extended extended_inverse_root(extended a)
{
    const extended r = {1 / square_root_of_doubles(a.lower), 1 / square_root_of_doubles(a.upper)};
    return r;
}
static INLINE V narrowed(extended a) { return joined_halves(a.lower, a.upper); }
#endif
#if !DOUBLE
static INLINE pair pair_of_extended(extended v)
{
    const V h = narrowed(v);
    const pair r = {h, sel(lt(abs(h), K(INFINITE)), narrowed(extended_minus(v, extend(h))), K(0))};
    return r;
}
#endif
