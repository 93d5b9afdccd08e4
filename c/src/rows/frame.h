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
/* lanes that vector i has */
static INLINE size_t lanes_at(const panel *p, mode way, size_t i)
{
    if (!way.along) return p->width;
    return p->length - i * LANES < LANES ? p->length - i * LANES : LANES;
}

static INLINE REAL one_of(V v)
{
    REAL all[LANES];
    store(all, v);
    return all[0];
}
#define NOT_A_NUMBER C(as_float(0x7FC00000), as_double(0x7FF8000000000000))

/* in[] may be read again after a write to out[] of the same vector, never to another */
static V read_any(enum actc_dtype dtype, const char *at, ptrdiff_t lane, size_t n)
{
    REAL v[LANES] = {0};
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

/* vector i of an operand; lanes that it does not have are 0 */
static INLINE V get(const panel *p, mode way, memory m, size_t i)
{
    const size_t n = lanes_at(p, way, i);
    const char *at = m.at + (ptrdiff_t)i * m.step;
    if (!way.own) return read_any(p->dtype, at, m.lane, n);
    return n < LANES ? load_some((const REAL *)at, n) : load((const REAL *)at);
}
static INLINE void put(const panel *p, mode way, memory m, size_t i, V v)
{
    const size_t n = lanes_at(p, way, i);
    char *at = m.at + (ptrdiff_t)i * m.step;
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
    if (!way.along) return get(p, way, m, 0);
    return B(way.own ? *(const REAL *)m.at : one_of(read_any(p->dtype, m.at, 0, 1)));
}
static INLINE void put_one(const panel *p, mode way, memory m, V v)
{
    if (!way.along)
        put(p, way, m, 0, v);
    else if (way.own)
        *(REAL *)m.at = one_of(v);
    else
        write_any(p->dtype, m.at, 0, v, 1);
}
/* v, or `otherwise` in the lanes past the end of a row */
static INLINE V present(const panel *p, mode way, size_t i, V v, V otherwise)
{
    const size_t n = lanes_at(p, way, i);
    return way.along && n < LANES ? sel(lt(load(lane_numbers), B((REAL)n)), v, otherwise) : v;
}
/* the position in their row of the lanes of vector i */
static INLINE V index_of(mode way, size_t i)
{
    return way.along ? load(lane_numbers) + B((REAL)(i * LANES)) : B((REAL)i);
}
/* The loop over a row, with `i` and the vector's chain; the index of the chain is a constant where there is only one. */
#define EACH(i) for (size_t i = 0, i##_end = vectors(p, way); i < i##_end; i++)
#define CHAIN_COUNT (way.along ? CHAINS / LANES : CHAINS)
#define CHAIN(i) ((i) & (size_t)(CHAIN_COUNT - 1))

/* chains that have elements; adding an empty one changes nothing. Along, all: the count is a constant then. */
static INLINE int chains_used(const panel *p, mode way)
{
    return way.along || p->length >= CHAINS ? CHAIN_COUNT : p->length ? (int)p->length : 1;
}

/* ---- sums: a chain keeps what its additions round off ---- */

typedef struct {
    V h[CHAINS], l[CHAINS];
} sums;

static INLINE void start(const panel *p, mode way, sums *s)
{
    for (int c = 0; c < chains_used(p, way); c++) s->h[c] = s->l[c] = K(0);
}
static INLINE void add_to(sums *s, mode way, size_t i, V v)
{
    const pair t = two_sum(s->h[CHAIN(i)], v);
    s->h[CHAIN(i)] = t.h;
    s->l[CHAIN(i)] = s->l[CHAIN(i)] + t.l;
}
static INLINE void add_product_to(sums *s, mode way, size_t i, V a, V b)
{
    const pair product = two_product(a, b);
    add_to(s, way, i, product.h);
    s->l[CHAIN(i)] = s->l[CHAIN(i)] + product.l;
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
    if (way.along && LANES > 1) {
        REAL h[LANES], l[LANES];
        store(h, r.h);
        store(l, r.l);
        for (c = LANES / 2; c; c /= 2)
            for (int k = 0; k < c; k++) {
                const REAL a = h[k], b = h[k + c], t = a + b, z = t - a;
                l[k] = (l[k] + l[k + c]) + ((a - (t - z)) + (b - z));
                h[k] = t;
            }
        r.h = B(h[0]), r.l = B(l[0]);
    }
    const M finite = lt(abs(r.h), K(INFINITE));
    const pair t = fast_two_sum(r.h, sel(finite, r.l, K(0)));
    r.h = t.h, r.l = sel(finite, t.l, K(0));
    return r;
}

/* ---- maxima: NaN is passed over, for the sums that follow find it ---- */

typedef struct {
    V v[CHAINS];
} maxima;

static INLINE V greatest(const panel *p, mode way, memory m, int negated)
{
    maxima s;
    const int used = chains_used(p, way);
    for (int c = 0; c < used; c++) s.v[c] = K(-INFINITE);
    EACH(i)
    s.v[CHAIN(i)] =
        max(present(p, way, i, negated ? -get(p, way, m, i) : get(p, way, m, i), K(-INFINITE)), s.v[CHAIN(i)]);
    for (int c = CHAIN_COUNT / 2; c; c /= 2)
        for (int k = 0; k < c && k + c < used; k++) s.v[k] = max(s.v[k], s.v[k + c]);
    if (!way.along || LANES == 1) return s.v[0];
    REAL all[LANES];
    store(all, s.v[0]);
    for (int c = LANES / 2; c; c /= 2)
        for (int k = 0; k < c; k++) all[k] = all[k] < all[k + c] ? all[k + c] : all[k];
    return B(all[0]);
}
