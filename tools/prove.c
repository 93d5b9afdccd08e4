/* prove.c - a run of float32 inputs through a function, judged against the same function in double.

   What tools/prove.py loads. It brings the library under test as the address of its actc_apply, so that what is proven is
   the very file that users load, and so that tests/test_proof.py can hand in a wrong one.

   The double kernels are the reference, and not beyond doubt: their results are taken to lie within `doubt` of the truth,
   many times what they are ever seen to be off. An ULP of float32 is 2^29 of theirs, so that errors in ULP are right to six
   digits; which inputs are rounded the wrong way is another matter. Where numbers within `doubt` of the reference round to
   different floats, the input is handed back: arbitrary precision decides. */
#include <actc.h>
#include <math.h>
#include <string.h>

enum { BLOCK = 1024, LANES = 64, TIERS = 2 };

typedef int apply(const actc_activation *, enum actc_pass, enum actc_dtype, const void *const *, void *const *, size_t,
                  const double *);

/* An isolated zero: an error within 1/4 of it counts in units of `ulp`, the reference is in doubt by `doubt`. */
typedef struct zero {
    double at, ulp, doubt;
} zero;

typedef struct question {
    apply *apply;
    const actc_activation *row;
    const double *parameters;
    int32_t tiers, passes[TIERS]; /* the pass, for each tier */
    int32_t judge;                /* 0: digests only */
    double bounds[TIERS];         /* errors above are counted */
    double doubt;                 /* of the reference, relative to its value */
    const zero *zeros;
    size_t zero_count;
} question;

typedef struct doubt {
    uint32_t input, results[TIERS];
} doubt;

typedef struct answer {
    double worst[TIERS]; /* the largest error, in ULP; infinity: NaN on one side only */
    uint64_t misrounded[TIERS], above[TIERS], doubtful;
    uint32_t at[TIERS]; /* the bits of the first input with the largest error */
    uint32_t digest[TIERS][LANES];
} answer;

static inline double as_double(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}
static inline uint64_t bits64(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}
/* All NaN are one. */
static inline uint32_t bits32(float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    return (bits & 0x7FFFFFFF) > 0x7F800000 ? 0x7FC00000 : bits;
}

/* The unit in the last place of a float32 in the binade of v is 2^(this - 1023). */
static inline int64_t ulp_exponent(double v)
{
    int64_t e = (int64_t)(bits64(v) >> 52 & 0x7FF);
    e = e < 1023 - 126 ? 1023 - 126 : e;
    return (e > 1023 + 127 ? 1023 + 127 : e) - 23;
}

/* Errors in ULP of what is wanted, infinity standing for 2^128; returns the largest. Of positive doubles the largest has
   the largest bits, a NaN before all: integers, for the compiler turns their maximum into vectors. */
static double errors_of(const float *restrict y, const double *restrict wanted, int n, double *restrict errors)
{
    const double end = 0x1p128;
    int64_t most = 0;
    for (int i = 0; i < n; i++) {
        double want = wanted[i], got = y[i];
        want = want > end ? end : want < -end ? -end : want;
        got = got > end ? end : got < -end ? -end : got;
        const double per_ulp = as_double((uint64_t)(2046 - ulp_exponent(want)) << 52);
        const double error = fabs(got - want) * per_ulp;
        errors[i] = want != want && got != got ? 0 : error;
        const int64_t b = (int64_t)bits64(errors[i]);
        most = b > most ? b : most;
    }
    return as_double((uint64_t)most);
}

/* Both ends of what the reference may mean, as float32; returns how many differ. `absolute` is a doubt beside the relative
   one: multiplied, the sign of a zero stays. */
static int ends_of(const double *restrict wanted, int n, double doubt, double absolute, uint32_t *restrict low,
                   uint32_t *restrict high)
{
    int open = 0;
    for (int i = 0; i < n; i++) {
        double a = wanted[i] * (1 - doubt), b = wanted[i] * (1 + doubt);
        if (absolute > 0) a -= absolute, b += absolute;
        low[i] = bits32((float)a);
        high[i] = bits32((float)b);
        open += low[i] != high[i];
    }
    return open;
}

static int misrounded_of(const float *restrict y, const uint32_t *restrict low, const uint32_t *restrict high, int n)
{
    int count = 0;
    for (int i = 0; i < n; i++) count += (low[i] == high[i]) & (bits32(y[i]) != low[i]);
    return count;
}

/* One 32-bit hash a lane, each step a bijection of it: a single wrong element always shows, whichever bit it is in. */
static void digest(const float *restrict y, int n, uint32_t *restrict lanes)
{
    for (int i = 0; i < n; i += LANES) {
        const int m = n - i < LANES ? n - i : LANES;
        for (int k = 0; k < m; k++) {
            const uint32_t h = (lanes[k] ^ bits32(y[i + k])) * 0x9E3779B1u;
            lanes[k] = h ^ h >> 15;
        }
    }
}

/* Doubt of the reference near zeros, the largest that any input of the block may meet. */
static double absolute_doubt(const question *q, const float *x, int n)
{
    double most = 0;
    const float low = x[0] < x[n - 1] ? x[0] : x[n - 1], high = x[0] < x[n - 1] ? x[n - 1] : x[0];
    const int ordered = signbit(x[0]) == signbit(x[n - 1]) && !isnan(x[n - 1]);
    for (size_t k = 0; k < q->zero_count; k++) {
        const zero *z = &q->zeros[k];
        if ((!ordered || (high >= z->at - 0.25 && low <= z->at + 0.25)) && z->doubt > most) most = z->doubt;
    }
    return most;
}

/* What an error near a zero counts. */
static double by_the_rule(const question *q, float x, double wanted)
{
    const double own = ldexp(1, (int)ulp_exponent(wanted) - 1023);
    double ulp = own;
    for (size_t k = 0; k < q->zero_count; k++)
        if (fabs(x - q->zeros[k].at) <= 0.25 && q->zeros[k].ulp > ulp) ulp = q->zeros[k].ulp;
    return own / ulp;
}

/* The inputs with the bits first, first + step, ..., n of them. Adds to *a; inputs in doubt and their results go to
   `doubts`, as far as there is room. */
void prove(const question *q, uint64_t first, uint64_t step, size_t n, answer *a, doubt *doubts, size_t room)
{
    float x[BLOCK], y[TIERS][BLOCK] = {{0}};
    double wide[BLOCK], wanted[BLOCK], errors[BLOCK];
    uint32_t bits[BLOCK], low[BLOCK], high[BLOCK];
    const void *in[] = {x}, *in_wide[] = {wide};
    void *out_wide[] = {wanted};
    for (size_t at = 0; at < n; at += BLOCK) {
        const int m = n - at < BLOCK ? (int)(n - at) : BLOCK;
        for (int i = 0; i < m; i++) bits[i] = (uint32_t)(first + (at + (size_t)i) * step);
        memcpy(x, bits, (size_t)m * sizeof *x);
        for (int t = 0; t < q->tiers; t++) {
            void *out[] = {y[t]};
            q->apply(q->row, (enum actc_pass)q->passes[t], ACTC_F32, in, out, (size_t)m, q->parameters);
            digest(y[t], m, a->digest[t]);
        }
        if (!q->judge) continue;

        for (int i = 0; i < m; i++) wide[i] = x[i];
        q->apply(q->row, (enum actc_pass)(q->passes[0] & ~ACTC_EXACT), ACTC_F64, in_wide, out_wide, (size_t)m,
                 q->parameters);
        const double absolute = absolute_doubt(q, x, m);
        int open = ends_of(wanted, m, q->doubt, absolute, low, high);
        for (int i = 0; open && i < m; i++)
            if (low[i] != high[i]) {
                if (a->doubtful < room) doubts[a->doubtful] = (doubt){bits[i], {bits32(y[0][i]), bits32(y[1][i])}};
                a->doubtful++, open--;
            }
        for (int t = 0; t < q->tiers; t++) {
            a->misrounded[t] += (uint64_t)misrounded_of(y[t], low, high, m);
            const double seen = a->worst[t] < q->bounds[t] ? a->worst[t] : q->bounds[t];
            if (errors_of(y[t], wanted, m, errors) <= seen) continue;
            const int exact = (q->passes[t] & ACTC_EXACT) != 0;
            for (int i = 0; i < m; i++) {
                if (errors[i] <= seen) continue;
                if (exact && absolute > 0 && low[i] != high[i]) continue; /* for others to say */
                const double e = isnan(errors[i]) ? INFINITY
                                                  : errors[i] * (exact ? 1 : by_the_rule(q, x[i], wanted[i]));
                a->above[t] += e > q->bounds[t];
                if (e > a->worst[t]) a->worst[t] = e, a->at[t] = bits[i];
            }
        }
    }
}
