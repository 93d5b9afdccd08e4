/* frame.h - what every row kernel stands on: rows as vectors, and sums and maxima in one fixed order.

   A kernel is written once and compiled for each way that lanes may lie over rows. Along: a vector holds LANES
   neighbours of one row. Across: it holds one element of each of up to LANES rows. Whatever the way and the width of the
   vector, element j of a row belongs to chain j mod CHAINS; a chain adds up its elements in their order, the
   chains are added by halves: so all ways and all instruction sets give the same bits. */

enum { CHAINS = MAX_LANES };

/* compile-time facts about the way of a kernel */
typedef struct {
    int along, own;
} mode;

static const REAL lane_numbers[MAX_LANES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static INLINE size_t vectors(const panel *p, mode way)
{
    return way.along ? (p->length + LANES - 1) / LANES : p->length;
}
/* vectors that are alike: all but the last along, none of ANY operands */
static INLINE size_t full_vectors(const panel *p, mode way)
{
    return !way.own ? 0 : way.along ? p->length / LANES : p->length;
}
static INLINE size_t full_lanes(const panel *p, mode way) { return way.along ? LANES : p->width; }
/* lanes that vector i has */
static INLINE size_t lanes_at(const panel *p, mode way, size_t i)
{
    if (!way.along) return p->width;
    return p->length - i * LANES < LANES ? p->length - i * LANES : LANES;
}
/* A loop over a row: the statements for each vector i and its n lanes. They are compiled twice, for along n is a constant
   in the first loop; the second takes at most one vector, or all for ANY operands. */
#define EACH(i, n, ...)                                                                                                \
    do {                                                                                                               \
        const size_t i##_full = full_vectors(p, way), i##_end = way.own && !way.along ? i##_full : vectors(p, way);    \
        for (size_t i = 0; i < i##_full; i++) {                                                                        \
            const size_t n = full_lanes(p, way);                                                                       \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
        for (size_t i = i##_full; i < i##_end; i++) {                                                                  \
            const size_t n = lanes_at(p, way, i);                                                                      \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    } while (0)

/* in[] may be read again after a write to out[] of the same vector, never to another */
static INLINE REAL one_of(V v)
{
    REAL all[LANES];
    store(all, v);
    return all[0];
}
#define NOT_A_NUMBER C(as_float(0x7FC00000), as_double(0x7FF8000000000000))

static V read_any(enum actc_dtype dtype, const char *at, ptrdiff_t lane, size_t n)
{
    REAL v[LANES] = {0};
#ifdef PICKS_LANES
    if (n == LANES && dtype == (DOUBLE ? ACTC_F64 : ACTC_F32)) return load_lanes(at, lane);
#endif
#if !DOUBLE /* rows of halves that are too long to stage */
    if (n == LANES && lane == 2 && dtype == ACTC_F16) return load_f16((const uint16_t *)at);
    if (n == LANES && lane == 2 && dtype == ACTC_BF16) return load_bf16((const uint16_t *)at);
#endif
    switch (dtype) {
    case ACTC_F16: read_f16(at, lane, v, n); break;
    case ACTC_BF16: read_bf16(at, lane, v, n); break;
    case ACTC_F32: read_f32(at, lane, v, n); break;
    default:
#if DOUBLE
        read_f64(at, lane, v, n);
#endif
        break;
    }
    return load(v);
}
static void write_any(enum actc_dtype dtype, char *at, ptrdiff_t lane, V x, size_t n)
{
    REAL v[LANES];
#if !DOUBLE
    if (n == LANES && lane == 2 && dtype == ACTC_F16) {
        store_f16((uint16_t *)at, rounded_f16(x));
        return;
    }
    if (n == LANES && lane == 2 && dtype == ACTC_BF16) {
        store_bf16((uint16_t *)at, rounded_bf16(x));
        return;
    }
#endif
    store(v, x);
    if (n > LANES) return; /* it is not, and the compiler should know */
    switch (dtype) {
    case ACTC_F16: write_f16(v, at, lane, n); break;
    case ACTC_BF16: write_bf16(v, at, lane, n); break;
    case ACTC_F32: write_f32(v, at, lane, n); break;
    default:
#if DOUBLE
        write_f64(v, at, lane, n);
#endif
        break;
    }
}

/* Rows that are columns of memory: each vector is a line of its own, in a page of its own, which no processor foresees.
   So many ahead (12 and 48 did as well): 1000 x 1000 doubles 1.5 ns an element instead of 5. */
enum { AHEAD = 24 };

/* vector i of an operand, with its n lanes; those that it does not have are 0 */
static INLINE V get(const panel *p, mode way, memory m, size_t i, size_t n)
{
    const char *at = m.at + (ptrdiff_t)i * m.step;
    if (!way.own) return read_any(p->dtype, at, m.lane, n);
    if (!way.along) PREFETCH(at + AHEAD * m.step);
    return n < LANES ? load_some((const REAL *)at, n) : load((const REAL *)at);
}
static INLINE void put(const panel *p, mode way, memory m, size_t i, size_t n, V v)
{
    char *at = m.at + (ptrdiff_t)i * m.step;
    if (way.own && !way.along) PREFETCH(at + AHEAD * m.step, 1);
    if (!way.own)
        write_any(p->dtype, at, m.lane, v, n);
    else if (n < LANES)
        store_some((REAL *)at, v, n);
    else
        store((REAL *)at, v);
}
/* the one element that a row of this operand has, in every lane of the row */
static INLINE V get_one(const panel *p, mode way, memory m)
{
    if (!way.along) return get(p, way, m, 0, p->width);
    return B(way.own ? *(const REAL *)m.at : one_of(read_any(p->dtype, m.at, 0, 1)));
}
static INLINE void put_one(const panel *p, mode way, memory m, V v)
{
    if (!way.along)
        put(p, way, m, 0, p->width, v);
    else if (way.own)
        *(REAL *)m.at = one_of(v);
    else
        write_any(p->dtype, m.at, 0, v, 1);
}
/* v, or `otherwise` in the lanes past the end of a row */
static INLINE V present(mode way, size_t n, V v, V otherwise)
{
    return way.along && n < LANES ? sel(lt(load(lane_numbers), B((REAL)n)), v, otherwise) : v;
}
/* the position in their row of the lanes of vector i */
static INLINE V index_of(mode way, size_t i)
{
    return way.along ? load(lane_numbers) + B((REAL)(i * LANES)) : B((REAL)i);
}
#define CHAIN_COUNT (way.along ? CHAINS / LANES : CHAINS)

/* chains that have elements; adding an empty one changes nothing. Along, all: the count is a constant then. */
static INLINE int chains_used(const panel *p, mode way)
{
    return way.along || p->length >= CHAINS ? CHAIN_COUNT : p->length ? (int)p->length : 1;
}

/* ---- sums: a chain keeps what its additions round off ---- */

/* After so many additions to a chain its low part is folded into the high one, for it is a plain sum of as many errors: in
   a chain of a million equal terms they would add up. */
enum { RENEWED_AFTER = 64 };

typedef struct {
    V h[CHAINS], l[CHAINS];
} sums;

/* A sum over a row: the statements for each vector i and its n lanes call ADD(v) or, for a pair, ADD_PAIR(v) once. In the
   order of memory, each chain's state kept in L1 (one chain after the other is slow where rows are columns: a page for
   each access). */
#define SUM(s, i, n, ...)                                                                                              \
    do {                                                                                                               \
        const size_t i##_full = full_vectors(p, way), i##_end = way.own && !way.along ? i##_full : vectors(p, way);    \
        const size_t i##_chains = (size_t)CHAIN_COUNT, i##_block = i##_chains * RENEWED_AFTER;                         \
        const int i##_short = !way.along && p->length && p->length <= CHAINS; /* one element a chain */                \
        for (int chain = 0; chain < chains_used(p, way); chain++) (s).h[chain] = (s).l[chain] = K(0);                  \
        for (size_t i = 0; i##_short && i < i##_full; i++) {                                                           \
            enum { is_first = 1 };                                                                                     \
            const size_t n = full_lanes(p, way);                                                                       \
            pair now = {K(0), K(0)};                                                                                   \
            __VA_ARGS__(s).h[i] = now.h, (s).l[i] = now.l;                                                             \
        }                                                                                                              \
        for (size_t i = 0, i##_stop; !i##_short && i < i##_full;) {                                                    \
            i##_stop = i##_full - i < i##_block ? i##_full : i + i##_block;                                            \
            for (; i < i##_stop; i++) {                                                                                \
                enum { is_first = 0 };                                                                                 \
                const size_t n = full_lanes(p, way);                                                                   \
                pair now = {(s).h[i % i##_chains], (s).l[i % i##_chains]};                                             \
                __VA_ARGS__(s).h[i % i##_chains] = now.h, (s).l[i % i##_chains] = now.l;                               \
            }                                                                                                          \
            if (i % i##_block == 0) renew(&(s), i##_chains);                                                           \
        }                                                                                                              \
        for (size_t i = i##_full; i < i##_end; i++) {                                                                  \
            enum { is_first = 0 };                                                                                     \
            const size_t n = lanes_at(p, way, i);                                                                      \
            pair now = {(s).h[i % i##_chains], (s).l[i % i##_chains]};                                                 \
            __VA_ARGS__(s).h[i % i##_chains] = now.h, (s).l[i % i##_chains] = now.l;                                   \
            if ((i + 1) % i##_block == 0 && (!way.along || n == LANES)) renew(&(s), i##_chains);                       \
        }                                                                                                              \
    } while (0)
#define ADD(v) now = added(now, single(v), is_first, 0)
#define ADD_PAIR(v) now = added(now, v, is_first, 1)

static INLINE void renew(sums *s, size_t chains)
{
    for (size_t c = 0; c < chains; c++) {
        const pair t = fast_two_sum(s->h[c], s->l[c]);
        s->h[c] = t.h, s->l[c] = t.l;
    }
}
static INLINE pair added(pair now, pair v, int is_first, int has_low)
{
    if (is_first) {
        v.h = v.h + K(0); /* +0 for -0, as below */
        return v;
    }
    const pair t = two_sum(now.h, v.h);
    now.h = t.h;
    now.l = now.l + (has_low ? v.l + t.l : t.l);
    return now;
}
/* the sum of the row, in every lane of the row. Infinite sums have NaN for a low part: it is dropped. */
static INLINE pair total(const panel *p, mode way, sums *s)
{
    const int used = chains_used(p, way);
    int c = CHAIN_COUNT;
    for (c /= 2; c; c /= 2)
        for (int k = 0; k < c && k + c < used; k++) {
            const pair t = two_sum(s->h[k], s->h[k + c]);
            s->h[k] = t.h;
            s->l[k] = (s->l[k] + s->l[k + c]) + t.l;
        }
    pair r = {s->h[0], s->l[0]};
    for (c = way.along ? LANES / 2 : 0; c; c /= 2) { /* the same in every lane, since addition commutes */
        const pair t = two_sum(r.h, moved(r.h, c));
        r.l = (r.l + moved(r.l, c)) + t.l;
        r.h = t.h;
    }
    const M finite = lt(abs(r.h), K(INFINITE));
    const pair t = fast_two_sum(r.h, sel(finite, r.l, K(0)));
    r.h = t.h, r.l = sel(finite, t.l, K(0));
    return r;
}

/* v - p, to the last bit or two: where the first difference rounds, the low part is nothing beside it, and where that
   matters the difference is exact. */
static INLINE V minus_pair(V v, pair p) { return (v - p.h) - p.l; }

/* the sum of the lanes, in each */
static INLINE V over_lanes(mode way, V v)
{
    for (int c = way.along ? LANES / 2 : 0; c; c /= 2) v = v + moved(v, c);
    return v;
}

/* ---- maxima: NaN is passed over, for the sums that follow find it ---- */

/* Any order does, but for the sign of zero, which callers do not use. */
enum { GREATEST_AT_ONCE = 4 };

static INLINE V greatest(const panel *p, mode way, memory m, int negated)
{
    V found[GREATEST_AT_ONCE];
    for (int k = 0; k < GREATEST_AT_ONCE; k++) found[k] = K(-INFINITE);
    const size_t full = full_vectors(p, way), count = way.own && !way.along ? full : vectors(p, way);
    size_t i = 0;
    for (; i + GREATEST_AT_ONCE <= full; i += GREATEST_AT_ONCE)
        for (size_t k = 0; k < GREATEST_AT_ONCE; k++) {
            const V v = get(p, way, m, i + k, full_lanes(p, way));
            found[k] = max(negated ? -v : v, found[k]);
        }
    for (; i < full; i++) {
        const V v = get(p, way, m, i, full_lanes(p, way));
        found[0] = max(negated ? -v : v, found[0]);
    }
    for (; i < count; i++) {
        const size_t n = lanes_at(p, way, i);
        const V v = get(p, way, m, i, n);
        found[0] = max(present(way, n, negated ? -v : v, K(-INFINITE)), found[0]);
    }
    for (int k = 1; k < GREATEST_AT_ONCE; k++) found[0] = max(found[k], found[0]);
    for (int c = way.along ? LANES / 2 : 0; c; c /= 2) found[0] = max(moved(found[0], c), found[0]);
    return found[0];
}

/* ---- short rows: LANES of them, contiguous each, as columns of vectors and back ---- */

#ifdef TRANSPOSES
#define INDEX_(k, s, first) ((k) & (s) ? LANES + (k) - (first ? (s) : 0) : (k) + (first ? 0 : (s)))
#define INDICES_(s, first)                                                                                             \
    {                                                                                                                  \
        INDEX_(0, s, first), INDEX_(1, s, first), INDEX_(2, s, first), INDEX_(3, s, first), INDEX_(4, s, first),       \
            INDEX_(5, s, first), INDEX_(6, s, first), INDEX_(7, s, first), INDEX_(8, s, first), INDEX_(9, s, first),   \
            INDEX_(10, s, first), INDEX_(11, s, first), INDEX_(12, s, first), INDEX_(13, s, first),                    \
            INDEX_(14, s, first), INDEX_(15, s, first)                                                                 \
    }
/* Blocks of s by s change places across the diagonal, for s = 1, 2, 4 ..: so lane j of v[i] becomes lane i of v[j]. */
static INLINE void transpose(V v[LANES])
{
    static const BITS indices[4][2][MAX_LANES] = {{INDICES_(1, 1), INDICES_(1, 0)},
                                                  {INDICES_(2, 1), INDICES_(2, 0)},
                                                  {INDICES_(4, 1), INDICES_(4, 0)},
                                                  {INDICES_(8, 1), INDICES_(8, 0)}};
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC unroll 4
#endif
    for (int step = 0; 1 << step < LANES; step++) {
        const int s = 1 << step;
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC unroll 16
#endif
        for (int i = 0; i < LANES; i++) {
            if (i & s) continue;
            const V a = v[i], b = v[i + s];
            v[i] = chosen_lanes(a, b, indices[step][0]);
            v[i + s] = chosen_lanes(a, b, indices[step][1]);
        }
    }
}
/* n elements of each of `width` rows, which lie `outer` bytes apart, to n vectors; lanes beyond repeat the last row */
static void columns_of_rows(const char *rows, ptrdiff_t outer, size_t width, size_t n, void *columns)
{
    V v[LANES];
    for (size_t j = 0; j < n; j += LANES) {
        const size_t m = n - j < LANES ? n - j : LANES;
        for (size_t r = 0; r < LANES; r++) {
            const REAL *at = (const REAL *)(rows + (ptrdiff_t)(r < width ? r : width - 1) * outer) + j;
            v[r] = m < LANES ? load_some(at, m) : load(at);
        }
        transpose(v);
        for (size_t k = 0; k < LANES; k++) /* unrolled; up to m, the compiler would call memcpy */
            if (k < m) store((REAL *)columns + (j + k) * LANES, v[k]);
    }
}
static void rows_of_columns(const void *columns, char *rows, ptrdiff_t outer, size_t width, size_t n)
{
    V v[LANES];
    for (size_t j = 0; j < n; j += LANES) {
        const size_t m = n - j < LANES ? n - j : LANES;
        for (size_t k = 0; k < LANES; k++) v[k] = k < m ? load((const REAL *)columns + (j + k) * LANES) : K(0);
        transpose(v);
        for (size_t r = 0; r < width; r++) {
            REAL *at = (REAL *)(rows + (ptrdiff_t)r * outer) + j;
            if (m < LANES)
                store_some(at, v[r], m);
            else
                store(at, v[r]);
        }
    }
}
#define COLUMNS_OF_ROWS columns_of_rows
#define ROWS_OF_COLUMNS rows_of_columns
#else
#define COLUMNS_OF_ROWS NULL
#define ROWS_OF_COLUMNS NULL
#endif
