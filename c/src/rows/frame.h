/* frame.h - what every row kernel stands on: rows as vectors, and sums and maxima in one fixed order.

   A kernel is written once and compiled for each way that lanes may lie over rows. Along: a vector holds LANES
   neighbours of one row. Across: rows lie side by side, as the columns of a matrix do, and are taken a run of vectors at a
   time, which holds one element of each of `width` rows; or CHAINS elements, where nothing lies between them and the next
   ("flat"): then few columns fill their vectors, and loops are long.

   Whatever the way and the width of the vector, element j of a row belongs to chain j mod CHAINS; a chain adds up its
   elements in their order, the chains are added by halves: so all ways and all instruction sets give the same bits. */

enum { CHAINS = MAX_LANES };

static const REAL lane_numbers[MAX_LANES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* compile-time facts about the way of a kernel */
typedef struct {
    int along, own;
} mode;

/* Vector v of run r, its first n lanes; which of the numbers that there are for each row are those of its lanes, and where
   to collect what there will be one for each row of. */
typedef struct {
    size_t r, v, n, row, part;
    int is_end; /* the lanes beyond n belong to no row and must not count: see `present` */
    int back;   /* whether runs are visited from the last to the first */
} spot;

/* A number for each row, or part of one, or chain of one. Not a power of two of vectors: where stores to one array and the
   loads that follow from the next agree in the last twelve bits of their address, a processor takes one for the other (a
   vector more than 64: logsumexp of 127 floats 1.2 ns instead of 0.6). */
typedef V each[FLAT * CHAINS + 9];

static INLINE int is_flat(const panel *p, mode way) { return !way.along && p->flat; }
/* vectors of numbers for each row */
static INLINE size_t rows_of(const panel *p, mode way) { return way.along ? 1 : p->rows; }
/* elements of each row in so many runs: factors that the compiler knows, for a division here costs more than the work */
static INLINE size_t elements(const panel *p, mode way, size_t runs) { return is_flat(p, way) ? runs * CHAINS : runs; }
static INLINE size_t runs_of(const panel *p, mode way)
{
    return way.along ? p->length > 0 : is_flat(p, way) ? (p->length + CHAINS - 1) / CHAINS : p->length;
}
/* in run r */
static INLINE size_t lanes_in(const panel *p, mode way, size_t r)
{
    if (way.along) return p->length;
    if (!is_flat(p, way)) return p->width;
    const size_t left = p->length - r * CHAINS;
    return p->width * (left < CHAINS ? left : CHAINS);
}
static INLINE size_t full_vectors(mode way, size_t lanes) { return way.own ? lanes / LANES : 0; }
static INLINE size_t row_of(const panel *p, mode way, size_t v)
{
    return way.along ? 0 : is_flat(p, way) ? v & p->row_mask : v;
}
/* What is collected goes to parts in turn, since each waits for what it was before; to few, for they must be put together. */
enum { PARTS = 4 };
static INLINE size_t part_of(const panel *p, mode way, size_t v)
{
    return way.along ? 0 : is_flat(p, way) ? v & (PARTS * p->row_mask + PARTS - 1) : v;
}
static INLINE spot full_at(const panel *p, mode way, size_t r, size_t v)
{
    const spot i = {r, v, LANES, row_of(p, way, v), part_of(p, way, v), 0, 0};
    return i;
}
static INLINE spot end_at(const panel *p, mode way, size_t r, size_t v, size_t lanes)
{
    const size_t left = lanes - v * LANES, n = left < LANES ? left : LANES;
    const spot i = {r, v, n, row_of(p, way, v), part_of(p, way, v), way.along || is_flat(p, way), 0};
    return i;
}
/* vectors of a run, of which a short one has fewer */
static INLINE size_t used_of(const panel *p, mode way)
{
    return is_flat(p, way) && p->length && p->length < CHAINS ? (p->length * p->width + LANES - 1) / LANES : p->vectors;
}
static INLINE size_t parts_of(const panel *p, mode way)
{
    if (way.along) return 1;
    const size_t used = used_of(p, way);
    return is_flat(p, way) && used > PARTS * p->rows ? PARTS * p->rows : used;
}
/* A loop over all: the statements for each spot i. They are compiled twice, for n is a constant in the first loop. */
#define EACH(i, ...) EACH_FROM(0, i, __VA_ARGS__)
/* The same from the last run to the first, where lanes lie across: what was read last is still in L2. Along, a row is. */
#define EACH_BACK(i, ...) EACH_FROM(!way.along, i, __VA_ARGS__)
#define EACH_FROM(end, i, ...)                                                                                         \
    do {                                                                                                               \
        for (size_t i##_k = 0, i##_runs = runs_of(p, way); i##_k < i##_runs; i##_k++) {                                \
            const size_t i##_r = end ? i##_runs - 1 - i##_k : i##_k, i##_lanes = lanes_in(p, way, i##_r);              \
            const size_t i##_full = full_vectors(way, i##_lanes);                                                      \
            size_t i##_v = 0;                                                                                          \
            for (; i##_v < i##_full; i##_v++) {                                                                        \
                spot i = full_at(p, way, i##_r, i##_v);                                                                \
                i.back = end;                                                                                          \
                __VA_ARGS__                                                                                            \
            }                                                                                                          \
            for (; i##_v * LANES < i##_lanes; i##_v++) {                                                               \
                spot i = end_at(p, way, i##_r, i##_v, i##_lanes);                                                      \
                i.back = end;                                                                                          \
                __VA_ARGS__                                                                                            \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)
/* The statements for the numbers of each row; and for each part of them. */
#define EACH_ROW(v, ...)                                                                                               \
    do {                                                                                                               \
        for (size_t v = 0; v < rows_of(p, way); v++) { __VA_ARGS__ }                                                   \
    } while (0)

#define EACH_PART(c, ...)                                                                                              \
    do {                                                                                                               \
        for (size_t c = 0, c##_end = parts_of(p, way); c < c##_end; c++) { __VA_ARGS__ }                               \
    } while (0)

/* in[] may be read again after a write to out[] of the same vector, never to another */
static INLINE REAL one_of(V v)
{
    REAL all[LANES];
    store(all, v);
    return all[0];
}

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

static INLINE char *address(const panel *p, mode way, memory m, spot i)
{
    return way.along ? m.at + (ptrdiff_t)i.v * m.step
                     : m.at + (ptrdiff_t)elements(p, way, i.r) * m.step + (ptrdiff_t)(i.v * sizeof(V));
}
/* from a spot to what should be on its way here when it is visited: to L2 (the 2 below), for L1 can miss few lines at a time
   (2000 x 2000 floats: hardmax 0.46 to 0.22) */
static INLINE ptrdiff_t ahead_of(const panel *p, memory m, spot i) { return (i.back ? -p->ahead : p->ahead) * m.step; }
/* what an operand has at a spot; 0 in the lanes beyond n */
static INLINE V get(const panel *p, mode way, memory m, spot i)
{
    const char *at = address(p, way, m, i);
    if (!way.own) return read_any(p->dtype, at, m.lane, i.n);
    if (!way.along) PREFETCH(at + ahead_of(p, m, i), 0, 2);
    return i.n < LANES ? load_some((const REAL *)at, i.n) : load((const REAL *)at);
}
static INLINE void put(const panel *p, mode way, memory m, spot i, V v)
{
    char *at = address(p, way, m, i);
    if (way.own && !way.along) PREFETCH(at + ahead_of(p, m, i), 1, 2);
    if (!way.own)
        write_any(p->dtype, at, m.lane, v, i.n);
    else if (i.n < LANES)
        store_some((REAL *)at, v, i.n);
    else
        store((REAL *)at, v);
}
/* v, or `otherwise` in the lanes past the end of a row */
static INLINE V present(spot i, V v, V otherwise)
{
    return i.is_end && i.n < LANES ? sel(lt(load(lane_numbers), B((REAL)i.n)), v, otherwise) : v;
}

/* v, or 0; by a factor, for the halves of a vector have no masks of their own */
static INLINE extended present_extended(spot i, extended v)
{
#if DOUBLE
    const pair r = {present(i, v.h, K(0)), present(i, v.l, K(0))};
    return r;
#else
    return i.is_end && i.n < LANES ? extended_by(v, present(i, K(1), K(0))) : v;
#endif
}

/* reals from the numbers of the rows for one element, or part, to those for the next: in flat runs not a whole vector */
static INLINE size_t apart_of(const panel *p) { return p->flat ? p->width : p->vectors * LANES; }
/* From the first `width` numbers what each of the CHAINS elements of a row sees, where these are not whole vectors. */
static INLINE void repeat(const panel *p, mode way, void *numbers, size_t size)
{
    char *all = numbers;
    for (size_t done = p->width; p->rows == p->vectors && is_flat(p, way) && done < p->width * CHAINS; done *= 2)
        memcpy(all + done * size, all, done * size);
}
/* of an operand with one element a row */
static INLINE void get_ones(const panel *p, mode way, memory m, V *v)
{
    if (way.along) {
        v[0] = B(way.own ? *(const REAL *)m.at : one_of(read_any(p->dtype, m.at, 0, 1)));
        return;
    }
    v[p->rows - 1] = K(0);
    memcpy(v, m.at, p->width * sizeof(REAL));
    repeat(p, way, v, sizeof(REAL));
}
static INLINE void put_ones(const panel *p, mode way, memory m, const V *v)
{
    if (!way.along)
        memcpy(m.at, v, p->width * sizeof(REAL));
    else if (way.own)
        *(REAL *)m.at = one_of(v[0]);
    else
        write_any(p->dtype, m.at, 0, v[0], 1);
}
/* The positions in their row of the lanes of a first run, or vector along; those of others follow. */
static INLINE void positions(const panel *p, mode way, V *v)
{
    if (way.along)
        v[0] = load(lane_numbers);
    else if (!is_flat(p, way))
        for (size_t k = 0; k < p->vectors; k++) v[k] = K(0);
    else
        for (size_t j = 0, k = 0; j < CHAINS; j++)
            for (size_t c = 0; c < p->width; c++, k++) {
                const REAL number = (REAL)j;
                memcpy((char *)v + k * sizeof number, &number, sizeof number);
            }
}
static INLINE V position(const panel *p, mode way, const V *of_first, spot i)
{
    return of_first[way.along ? 0 : i.v] + B((REAL)(way.along ? i.v * LANES : elements(p, way, i.r)));
}

/* ---- sums: in extended numbers, or in pairs, whose chains keep what additions round off ---- */

/* After so many additions to a chain of pairs its low part is folded into the high one, for it is a plain sum of as many
   errors: in a chain of a million equal terms they would add up. Only where all chains have had as many, whatever the way:
   of 1009 to 1023 elements a last run or vector has some. */
enum { RENEWED_AFTER = 64 };

/* A number for each chain of each row while it is added up: a pair, or an extended one, whose doubles stand in the order of
   lanes. Then, in the same place, one for each row. */
enum { MOST_CHAINS = PANEL * CHAINS + 9 };
#define chain_IN_PAIRS pair
#define chain_EXTENDED extended
#define empty_EXTENDED() extend(K(0))
#define chain_of_IN_PAIRS(s, c) pair_of(&(s), c)
#define set_chain_of_IN_PAIRS(s, c, ...) set_pair(&(s), c, __VA_ARGS__)
#if DOUBLE
typedef struct {
    V h[MOST_CHAINS], l[MOST_CHAINS];
} sums;
#define chain_of_EXTENDED chain_of_IN_PAIRS
#define set_chain_of_EXTENDED set_chain_of_IN_PAIRS
#else
typedef union {
    struct {
        V h[MOST_CHAINS], l[MOST_CHAINS];
    };
    extended chains[MOST_CHAINS];
} sums;
#define chain_of_EXTENDED(s, c) (s).chains[c]
#define set_chain_of_EXTENDED(s, c, ...) ((s).chains[c] = __VA_ARGS__)
#endif
/* an extended number for each row */
typedef extended each_extended[sizeof(each) / sizeof(V)];
/* What is kept of one when the room goes to the next: together they would take half of a small thread's stack. */
typedef struct {
    each h, l;
} kept;
#define pair_of(s, v) ((pair){(s)->h[v], (s)->l[v]})
#define set_pair(s, v, ...)                                                                                            \
    do {                                                                                                               \
        const pair r_ = __VA_ARGS__;                                                                                   \
        (s)->h[v] = r_.h, (s)->l[v] = r_.l;                                                                            \
    } while (0)

/* vectors along, or runs, that add to chains of their own */
static INLINE size_t turns_of(const panel *p, mode way)
{
    return way.along ? CHAINS / LANES : is_flat(p, way) ? 1 : CHAINS;
}
/* the vectors of chains that have elements; adding an empty one changes nothing */
static INLINE size_t chains_used(const panel *p, mode way)
{
    const size_t turns = turns_of(p, way);
    if (way.along) return turns;
    if (is_flat(p, way)) return used_of(p, way);
    return (p->length > turns ? turns : p->length ? p->length : 1) * p->vectors;
}

/* Runs that are added up together: eight to a chain, which stays in registers meanwhile (along the first axis log_softmax of
   100 floats 0.73 to 0.60 ns, softmax' of 1000 0.50 to 0.43). From r on, to where; a last run that may be short is by
   itself. */
enum { SHEAF = 8 };
static INLINE size_t end_of_sheaf(const panel *p, mode way, size_t r, size_t runs)
{
    const size_t stop = r + SHEAF * turns_of(p, way);
    if (stop < runs) return stop;
    return is_flat(p, way) && r + 1 < runs ? runs - 1 : runs;
}
/* Of one sum the last is the first: written twice, which costs nothing. */
#define SECOND(count) (HALF * (count - 1))
#define ADD_UP(kind, count, s, i, chain, spot_of_run, ...)                                                             \
    do {                                                                                                               \
        const size_t i##_c = chain;                                                                                    \
        chain_##kind now[count];                                                                                       \
        now[0] = chain_of_##kind(s, i##_c);                                                                            \
        now[count - 1] = chain_of_##kind(s, i##_c + SECOND(count));                                                    \
        for (size_t i##_run = i##_k; i##_run < i##_stop; i##_run += i##_turns) {                                       \
            const spot i = spot_of_run;                                                                                \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
        set_chain_of_##kind(s, i##_c, now[0]);                                                                         \
        set_chain_of_##kind(s, i##_c + SECOND(count), now[count - 1]);                                                 \
    } while (0)
/* A sum over a row: the statements for each spot i call ADD(v) or, for an extended number, ADD_EXTENDED(v). In the order
   of memory, but for sheaves, with the chains in L1 (one chain after the other is slow where rows are columns: a page for
   each access). `total` makes it a pair for each row, `total_extended` leaves it an extended number. */
#define SUM(s, i, ...) SUMS(EXTENDED, 1, s, i, __VA_ARGS__)
/* Two at once, for rows that rows.def gives panels of half the width: the second, by ADD_TO_SECOND, takes the other half of
   the chains, from where SECOND_SUM fetches it once the first has been used. That is as `total_extended` leaves it, for what
   `total` makes of floats would lie there. */
#define SUM_TWICE(s, i, ...) SUMS(EXTENDED, 2, s, i, __VA_ARGS__)
/* The same of pairs, by ADD_PAIR and ADD_PAIR_TO_SECOND, to `total_of_pairs`, for what cancels: 1 + 1e-30 is a pair of floats,
   and no double. */
#define SUM_OF_PAIRS(s, i, ...) SUMS(IN_PAIRS, 1, s, i, __VA_ARGS__)
#define SUM_OF_PAIRS_TWICE(s, i, ...) SUMS(IN_PAIRS, 2, s, i, __VA_ARGS__)
enum { HALF = MOST_CHAINS / 2 };
#define SECOND_SUM(kind, s)                                                                                            \
    do {                                                                                                               \
        for (size_t c_ = 0; c_ < chains_used(p, way); c_++) set_chain_of_##kind(s, c_, chain_of_##kind(s, c_ + HALF)); \
    } while (0)
#define SUMS(kind, count, s, i, ...)                                                                                   \
    do {                                                                                                               \
        const size_t i##_runs = runs_of(p, way), i##_turns = turns_of(p, way);                                         \
        const size_t i##_block = i##_turns * RENEWED_AFTER;                                                            \
        if (!way.along && i##_runs && i##_runs <= i##_turns) { /* one element a chain */                               \
            for (size_t i##_r = 0, i##_c = 0; i##_r < i##_runs; i##_r++) {                                             \
                const size_t i##_lanes = lanes_in(p, way, i##_r);                                                      \
                for (size_t i##_v = 0; i##_v * LANES < i##_lanes; i##_v++, i##_c++) {                                  \
                    enum { is_first = 1 };                                                                             \
                    const spot i = end_at(p, way, i##_r, i##_v, i##_lanes);                                            \
                    chain_##kind now[count];                                                                           \
                    now[0] = empty_##kind();                                                                           \
                    now[count - 1] = empty_##kind();                                                                   \
                    __VA_ARGS__                                                                                        \
                    set_chain_of_##kind(s, i##_c, now[0]);                                                             \
                    set_chain_of_##kind(s, i##_c + SECOND(count), now[count - 1]);                                     \
                }                                                                                                      \
            }                                                                                                          \
            break;                                                                                                     \
        }                                                                                                              \
        for (size_t i##_c = 0; i##_c < chains_used(p, way); i##_c++) {                                                 \
            set_chain_of_##kind(s, i##_c, empty_##kind());                                                             \
            set_chain_of_##kind(s, i##_c + SECOND(count), empty_##kind());                                             \
        }                                                                                                              \
        for (size_t i##_r = 0, i##_stop; i##_r < i##_runs; i##_r = i##_stop) {                                         \
            enum { is_first = 0 };                                                                                     \
            const size_t i##_lanes = lanes_in(p, way, i##_r), i##_full = full_vectors(way, i##_lanes);                 \
            i##_stop = end_of_sheaf(p, way, i##_r, i##_runs);                                                          \
            for (size_t i##_k = i##_r; i##_k < i##_stop && i##_k < i##_r + i##_turns; i##_k++) {                       \
                const size_t i##_first = way.along ? 0 : (i##_k & (i##_turns - 1)) * p->vectors;                       \
                size_t i##_v = 0, i##_to;                                                                              \
                while (i##_v < i##_full) {                                                                             \
                    i##_to = way.along && i##_full - i##_v > i##_block ? i##_v + i##_block : i##_full;                 \
                    for (; i##_v < i##_to; i##_v++)                                                                    \
                        ADD_UP(kind, count, s, i, i##_first + (way.along ? i##_v % i##_turns : i##_v),                 \
                               full_at(p, way, i##_run, i##_v), __VA_ARGS__);                                          \
                    if (way.along && i##_v % i##_block == 0) RENEW(kind, count, s, i##_turns);                         \
                }                                                                                                      \
                for (; i##_v * LANES < i##_lanes; i##_v++) {                                                           \
                    ADD_UP(kind, count, s, i, i##_first + (way.along ? i##_v % i##_turns : i##_v),                     \
                           end_at(p, way, i##_run, i##_v, i##_lanes), __VA_ARGS__);                                    \
                    if (way.along && (i##_v + 1) % i##_block == 0 && (i##_v + 1) * LANES <= i##_lanes)                 \
                        RENEW(kind, count, s, i##_turns);                                                              \
                }                                                                                                      \
            }                                                                                                          \
            if (!way.along && i##_stop % i##_block == 0 && elements(p, way, i##_stop) <= p->length)                    \
                RENEW(kind, count, s, i##_turns * p->vectors);                                                         \
        }                                                                                                              \
    } while (0)
#define RENEW(kind, count, s, n)                                                                                       \
    do {                                                                                                               \
        renew_##kind(&(s), 0, n);                                                                                      \
        if (count > 1) renew_##kind(&(s), HALF, n);                                                                    \
    } while (0)
#define ADD_PAIR(v) now[0] = added(now[0], v, is_first, 1)
#define ADD_PAIR_TO_SECOND(v) now[1] = added(now[1], v, is_first, 1)
#define empty_IN_PAIRS() constant_pair(0, 0)
#define renew_IN_PAIRS renew_pairs
static INLINE void renew_pairs(sums *s, size_t first, size_t chains)
{
    for (size_t c = first; c < first + chains; c++) set_pair(s, c, fast_two_sum(s->h[c], s->l[c]));
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
/* Infinite sums have NaN for a low part: it is dropped. */
static INLINE pair settled(pair r)
{
    const M finite = lt(abs(r.h), K(INFINITE));
    const pair t = fast_two_sum(r.h, sel(finite, r.l, K(0)));
    const pair y = {t.h, sel(finite, t.l, K(0))};
    return y;
}
/* Across, a chain's numbers for all rows are neighbours, and those of the next chain follow, be it within a vector. Out of
   line, and so without the panel, which would else be read again after every store: 6 KB of a wheel. */
static OUT_OF_LINE void add_up_pairs(sums *s, size_t chains, size_t apart, int flat)
{
    REAL *h = (REAL *)s->h, *l = (REAL *)s->l;
    const size_t used = chains * LANES;
    if (flat) s->h[chains] = s->l[chains] = K(0); /* is read, and does not count */
    for (size_t c = CHAINS / 2; c; c /= 2)
        for (size_t k = 0; k < c * apart && k + c * apart < used; k += LANES) {
            const size_t j = k + c * apart;
            const pair a = {load(h + k), load(l + k)}, b = {load(h + j), load(l + j)}, t = sum_of(a, b);
            store(h + k, t.h);
            store(l + k, t.l);
        }
    for (size_t k = 0; k < apart; k += LANES) set_pair(s, k / LANES, settled(pair_of(s, k / LANES)));
}
/* the sums of the rows, from those of their chains */
static INLINE void total_of_pairs(const panel *p, mode way, sums *s)
{
    if (way.along) {
        for (int c = CHAINS / LANES / 2; c; c /= 2)
            for (int k = 0; k < c; k++) set_pair(s, k, sum_of(pair_of(s, k), pair_of(s, k + c)));
        pair r = pair_of(s, 0);
        for (int c = LANES / 2; c; c /= 2) { /* the same in every lane, since addition commutes */
            const pair other = {moved(r.h, c), moved(r.l, c)};
            r = sum_of(r, other);
        }
        set_pair(s, 0, settled(r));
        return;
    }
    add_up_pairs(s, chains_used(p, way), apart_of(p), is_flat(p, way));
    repeat(p, way, s->h, sizeof(REAL));
    repeat(p, way, s->l, sizeof(REAL));
}

#if DOUBLE
#define ADD(v) now[0] = added(now[0], single(v), is_first, 0)
#define ADD_EXTENDED ADD_PAIR
#define ADD_TO_SECOND ADD_PAIR_TO_SECOND
#define renew_EXTENDED renew_pairs
#define total_extended total_of_pairs
#define total total_of_pairs
#else
#define ADD(v) ADD_EXTENDED(extend(v))
#define ADD_EXTENDED(v) now[0] = ((void)is_first, extended_plus(now[0], v))
#define ADD_TO_SECOND(v) now[1] = ((void)is_first, extended_plus(now[1], v))
#define renew_EXTENDED(s, first, chains) ((void)0)

#ifndef ONE_LANE
enum { STEP = LANES / 2 };
/* as add_up_pairs */
static OUT_OF_LINE void add_up_doubles(sums *s, size_t chains, size_t apart, int flat)
{
    double *all = (double *)s->chains;
    const size_t used = chains * LANES;
    if (flat) s->chains[chains] = extend(K(0)); /* is read, and does not count */
    for (size_t c = CHAINS / 2; c; c /= 2)
        for (size_t k = 0; k < c * apart && k + c * apart < used; k += STEP)
            store_doubles(all + k, load_doubles(all + k) + load_doubles(all + k + c * apart));
}
#endif
static INLINE void total_extended(const panel *p, mode way, sums *s)
{
    (void)p, (void)way;
    double *all = (double *)s->chains;
#ifdef ONE_LANE
    for (int c = CHAINS / 2; c; c /= 2)
        for (int k = 0; k < c; k++) all[k] += all[k + c];
#else
    if (way.along) {
        for (int c = CHAINS / 2; c >= STEP; c /= 2)
            for (int k = 0; k < c; k += STEP) store_doubles(all + k, load_doubles(all + k) + load_doubles(all + k + c));
        D r = s->chains[0].lower;
        for (int c = STEP / 2; c; c /= 2)
            r = r + moved_doubles(r, c); /* the same in every lane, since addition commutes */
        s->chains[0].lower = s->chains[0].upper = r;
        return;
    }
    add_up_doubles(s, chains_used(p, way), apart_of(p), is_flat(p, way));
    repeat(p, way, all, sizeof *all);
#endif
}
static INLINE void total(const panel *p, mode way, sums *s)
{
    total_extended(p, way, s);
    EACH_ROW(v, set_pair(s, v, pair_of_extended(s->chains[v])););
}
#endif

/* the means of the rows */
static INLINE void means_of(const panel *p, mode way, sums *s, extended *means)
{
    total_extended(p, way, s);
    EACH_ROW(v, means[v] = extended_over(chain_of_EXTENDED(*s, v), B((REAL)p->length)););
}

/* v - p, to the last bit or two: where the first difference rounds, the low part is nothing beside it, and where that
   matters the difference is exact. */
static INLINE V minus_pair(V v, pair p) { return (v - p.h) - p.l; }

/* ---- what is collected from each vector, for each row: a sum, a minimum or a maximum ---- */

enum collected { PLUS, LEAST, GREATEST };
static INLINE V collect(enum collected how, V a, V b)
{
    return how == PLUS ? a + b : how == LEAST ? min(a, b) : max(a, b);
}
/* numbers for each part to numbers for each row */
static INLINE void over_rows(const panel *p, mode way, enum collected how, V *v)
{
    for (int c = way.along ? LANES / 2 : 0; c; c /= 2) v[0] = collect(how, v[0], moved(v[0], c));
    if (!is_flat(p, way)) return;
    REAL *all = (REAL *)v;
    const size_t parts = parts_of(p, way);
    v[parts] = K(0); /* is read, and does not count */
    for (size_t c = (p->rows < p->vectors ? PARTS : CHAINS) / 2; c; c /= 2)
        for (size_t k = 0, apart = c * p->width; k < apart && k + apart < parts * LANES; k += LANES)
            store(all + k, collect(how, load(all + k), load(all + k + apart)));
    repeat(p, way, v, sizeof(REAL));
}

/* The maxima; NaN is passed over, for the sums that follow find it. Any order does, but for the sign of zero, which callers
   do not use. */
enum { GREATEST_AT_ONCE = 4 };

static INLINE void greatest(const panel *p, mode way, memory m, int negated, V *top)
{
    if (way.along && way.own) {
        V found[GREATEST_AT_ONCE];
        for (int k = 0; k < GREATEST_AT_ONCE; k++) found[k] = K(-INFINITE);
        const size_t full = full_vectors(way, p->length);
        size_t i = 0;
        for (; i + GREATEST_AT_ONCE <= full; i += GREATEST_AT_ONCE)
            for (size_t k = 0; k < GREATEST_AT_ONCE; k++) {
                const V v = get(p, way, m, full_at(p, way, 0, i + k));
                found[k] = max(negated ? -v : v, found[k]);
            }
        for (; i < full; i++) {
            const V v = get(p, way, m, full_at(p, way, 0, i));
            found[0] = max(negated ? -v : v, found[0]);
        }
        if (i * LANES < p->length) {
            const spot end = end_at(p, way, 0, i, p->length);
            const V v = get(p, way, m, end);
            found[0] = max(present(end, negated ? -v : v, K(-INFINITE)), found[0]);
        }
        for (int k = 1; k < GREATEST_AT_ONCE; k++) found[0] = max(found[k], found[0]);
        top[0] = found[0];
    } else {
        EACH_PART(c, top[c] = K(-INFINITE););
        EACH_BACK(i, {
            const V v = get(p, way, m, i);
            top[i.part] = max(present(i, negated ? -v : v, K(-INFINITE)), top[i.part]);
        });
    }
    over_rows(p, way, GREATEST, top);
}
/* whether any row's number is beyond the limit in size */
static INLINE int any_beyond(const panel *p, mode way, const V *v, V limit)
{
    unsigned found = 0;
    EACH_ROW(k, found |= lanes_of(gt(abs(v[k]), limit)););
    return found != 0;
}

/* ---- short rows: LANES of them, contiguous each, as columns of vectors and back ---- */

#if defined(TRANSPOSES) && !defined(__OPTIMIZE_SIZE__) /* 5 KB */
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
/* Rows of 2, 4 or 8 with nothing between them: LANES of them are n vectors, of which each step parts what is at even places
   from what is at odd ones, as often as 2 goes into n; and back. */
#define SIXTEEN(X) X(0), X(1), X(2), X(3), X(4), X(5), X(6), X(7), X(8), X(9), X(10), X(11), X(12), X(13), X(14), X(15)
#define EVEN(k) 2 * (k)
#define ODD_PLACE(k) 2 * (k) + 1
#define FIRST_HALF(k) (k) / 2 + (k) % 2 * LANES
#define SECOND_HALF(k) LANES / 2 + (k) / 2 + (k) % 2 * LANES
static INLINE void part(V *v, int n)
{
    static const BITS even[] = {SIXTEEN(EVEN)}, odd_places[] = {SIXTEEN(ODD_PLACE)};
    for (int left = n; left > 1; left /= 2) {
        V parted[8];
        for (int i = 0; i < n / 2; i++) {
            parted[i] = chosen_lanes(v[2 * i], v[2 * i + 1], even);
            parted[i + n / 2] = chosen_lanes(v[2 * i], v[2 * i + 1], odd_places);
        }
        for (int i = 0; i < n; i++) v[i] = parted[i];
    }
}
static INLINE void join(V *v, int n)
{
    static const BITS first[] = {SIXTEEN(FIRST_HALF)}, second[] = {SIXTEEN(SECOND_HALF)};
    for (int left = n; left > 1; left /= 2) {
        V joined[8];
        for (int i = 0; i < n / 2; i++) {
            joined[2 * i] = chosen_lanes(v[i], v[i + n / 2], first);
            joined[2 * i + 1] = chosen_lanes(v[i], v[i + n / 2], second);
        }
        for (int i = 0; i < n; i++) v[i] = joined[i];
    }
}
static INLINE void dense_columns(const char *rows, size_t width, int n, char *columns, ptrdiff_t step)
{
    V v[8];
    for (size_t r = 0; r < width; r += LANES, rows += n * sizeof(V), columns += sizeof(V)) {
        for (int i = 0; i < n; i++) v[i] = load((const REAL *)rows + i * LANES);
        part(v, n);
        for (int i = 0; i < n; i++) store((REAL *)(columns + i * step), v[i]);
    }
}
static INLINE void dense_rows(const char *columns, ptrdiff_t step, char *rows, size_t width, int n)
{
    V v[8];
    for (size_t r = 0; r < width; r += LANES, rows += n * sizeof(V), columns += sizeof(V)) {
        for (int i = 0; i < n; i++) v[i] = load((const REAL *)(columns + i * step));
        join(v, n);
        for (int i = 0; i < n; i++) store((REAL *)rows + i * LANES, v[i]);
    }
}

/* n elements of each of `width` rows, which lie `outer` bytes apart, to n vectors `step` bytes apart; lanes beyond repeat the
   last row */
static OUT_OF_LINE void columns_of_lanes(const char *rows, ptrdiff_t outer, size_t width, size_t n, char *columns,
                                         ptrdiff_t step)
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
            if (k < m) store((REAL *)(columns + (ptrdiff_t)(j + k) * step), v[k]);
    }
}
static void columns_of_rows(const char *rows, ptrdiff_t outer, size_t width, size_t n, char *columns, ptrdiff_t step)
{
    const size_t dense = outer == (ptrdiff_t)(n * sizeof(REAL)) && width % LANES == 0 ? n : 0;
    if (dense == 2)
        dense_columns(rows, width, 2, columns, step);
    else if (dense == 4)
        dense_columns(rows, width, 4, columns, step);
    else if (dense == 8)
        dense_columns(rows, width, 8, columns, step);
    else
        for (size_t r = 0; r < width; r += LANES, rows += LANES * outer, columns += sizeof(V))
            columns_of_lanes(rows, outer, width - r < LANES ? width - r : LANES, n, columns, step);
}
static OUT_OF_LINE void lanes_of_columns(const char *columns, ptrdiff_t step, char *rows, ptrdiff_t outer, size_t width,
                                         size_t n)
{
    V v[LANES];
    for (size_t j = 0; j < n; j += LANES) {
        const size_t m = n - j < LANES ? n - j : LANES;
        for (size_t k = 0; k < LANES; k++)
            v[k] = k < m ? load((const REAL *)(columns + (ptrdiff_t)(j + k) * step)) : K(0);
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
static void rows_of_columns(const char *columns, ptrdiff_t step, char *rows, ptrdiff_t outer, size_t width, size_t n)
{
    const size_t dense = outer == (ptrdiff_t)(n * sizeof(REAL)) && width % LANES == 0 ? n : 0;
    if (dense == 2)
        dense_rows(columns, step, rows, width, 2);
    else if (dense == 4)
        dense_rows(columns, step, rows, width, 4);
    else if (dense == 8)
        dense_rows(columns, step, rows, width, 8);
    else
        for (size_t r = 0; r < width; r += LANES, rows += LANES * outer, columns += sizeof(V))
            lanes_of_columns(columns, step, rows, outer, width - r < LANES ? width - r : LANES, n);
}
#define COLUMNS_OF_ROWS columns_of_rows
#define ROWS_OF_COLUMNS rows_of_columns
#else
#define COLUMNS_OF_ROWS NULL
#define ROWS_OF_COLUMNS NULL
#endif
