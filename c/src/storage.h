/* storage.h - how memory becomes reals and back. Kernels see one real type; the other dtypes are staged through blocks
   of it, and every result is rounded once. Plain loops: compilers vectorise them, and a missed one costs only time. */

static INLINE REAL from_f32(float v) { return v; }
static INLINE float to_f32(REAL v) { return (float)v; }

/* Strided elements one after the other, and back. Four at a time from one pointer: 0.14 ns an element, where a product for
   each address takes 0.27; gathers take 0.37. */
#define PICK(name, from_type, to_type, convert)                                                                        \
    static INLINE void name(const char *from, ptrdiff_t stride, to_type *to, size_t n)                                 \
    {                                                                                                                  \
        size_t i = 0;                                                                                                  \
        for (; i + 4 <= n; i += 4, from += 4 * stride) {                                                               \
            const from_type v[] = {*(const from_type *)from, *(const from_type *)(from + stride),                      \
                                   *(const from_type *)(from + 2 * stride), *(const from_type *)(from + 3 * stride)};  \
            for (int k = 0; k < 4; k++) to[i + (size_t)k] = convert(v[k]);                                             \
        }                                                                                                              \
        for (; i < n; i++, from += stride) to[i] = convert(*(const from_type *)from);                                  \
    }
#define SPREAD(name, from_type, to_type, convert)                                                                      \
    static INLINE void name(const from_type *from, char *to, ptrdiff_t stride, size_t n)                               \
    {                                                                                                                  \
        size_t i = 0;                                                                                                  \
        for (; i + 4 <= n; i += 4, to += 4 * stride) {                                                                 \
            const from_type a = from[i], b = from[i + 1], c = from[i + 2], d = from[i + 3];                            \
            *(to_type *)to = convert(a), *(to_type *)(to + stride) = convert(b);                                       \
            *(to_type *)(to + 2 * stride) = convert(c), *(to_type *)(to + 3 * stride) = convert(d);                    \
        }                                                                                                              \
        for (; i < n; i++, to += stride) *(to_type *)to = convert(from[i]);                                            \
    }

/* The contiguous case apart, for the compiler to vectorise, and every second element, as of complex numbers and pairs:
   two loads and a permutation. Stores cannot, for what lies between is not theirs. */
#define STRIDED(dtype, type)                                                                                           \
    PICK(pick_##dtype, type, REAL, from_##dtype)                                                                       \
    SPREAD(spread_##dtype, REAL, type, to_##dtype)                                                                     \
    static void read_##dtype(const char *from, ptrdiff_t stride, void *reals, size_t n)                                \
    {                                                                                                                  \
        REAL *to = reals;                                                                                              \
        const type *all = (const type *)from;                                                                          \
        if (stride == (ptrdiff_t)sizeof(type))                                                                         \
            for (size_t i = 0; i < n; i++) to[i] = from_##dtype(all[i]);                                               \
        else if (stride == 2 * (ptrdiff_t)sizeof(type))                                                                \
            for (size_t i = 0; i < n; i++) to[i] = from_##dtype(all[2 * i]);                                           \
        else                                                                                                           \
            pick_##dtype(from, stride, to, n);                                                                         \
    }                                                                                                                  \
    static void write_##dtype(const void *reals, char *to, ptrdiff_t stride, size_t n)                                 \
    {                                                                                                                  \
        const REAL *from = reals;                                                                                      \
        type *all = (type *)to;                                                                                        \
        if (stride == (ptrdiff_t)sizeof(type))                                                                         \
            for (size_t i = 0; i < n; i++) all[i] = to_##dtype(from[i]);                                               \
        else                                                                                                           \
            spread_##dtype(from, to, stride, n);                                                                       \
    }

STRIDED(f32, float)

static void split(const char *doubles, ptrdiff_t stride, void *reals, size_t apart, size_t n)
{
    REAL *high = reals;
#if DOUBLE
    (void)apart;
    for (size_t i = 0; i < n; i++) high[i] = *(const double *)(doubles + (ptrdiff_t)i * stride);
#else
    REAL *low = high + apart, *least = low + apart;
    for (size_t i = 0; i < n; i++) {
        const double v = *(const double *)(doubles + (ptrdiff_t)i * stride), rest = v - (REAL)v;
        high[i] = (REAL)v;
        low[i] = (REAL)rest;
        least[i] = (REAL)(rest - low[i]);
    }
#endif
}

#if DOUBLE
static INLINE double from_f64(double v) { return v; }
static INLINE double to_f64(double v) { return v; }
STRIDED(f64, double)
#endif

/* ---- rounding to a narrower type, as reals still ---- */

/* A type of `bits` significant bits; `normal` is its smallest normal number. */
typedef struct {
    int bits;
    double normal;
} format;
static const format format_f16 = {11, 0x1p-14}, format_bf16 = {8, 0x1p-126};
#if DOUBLE
static const format format_f32 = {24, 0x1p-126};
#endif

/* Adding and subtracting 1.5 2^MANTISSA units in the last place makes the processor's own rounding do it, to nearest
   even. */
static INLINE V rounded(V v, format to)
{
    V unit = max(K(to.normal), binade(v)) * K(to.bits == 11 ? 0x1p-10 : to.bits == 8 ? 0x1p-7 : 0x1p-23);
    V magic = unit * K(MAGIC), r = (v + magic) - magic;
    return sel(lt(abs(v), K(C(0x1p100f, 0x1p200))), copysign(r, v), v);
}

/* The middle between two neighbours of the narrower type has a 1 and then zeros in the bits that it drops. A real lies too
   near to it for its own error, 4 units in the last place of a float and 32 of a double (both generous), if these bits
   are nearly those. Subnormal numbers of the type are as far apart as the smallest normal ones: adding that number makes
   normal ones of them. */
static INLINE M near_middle(V v, BITS error, format to)
{
    const V a = abs(v), normal = B((REAL)to.normal);
    return bits_near(sel(lt(a, normal), a + normal, a), MANTISSA + 1 - to.bits, error);
}
/* Near a zero of f' the error of a derivative is no longer relative. Then what is small is doubtful at first sight, and of
   the rest the `near_zero` units; but not the tail, and no float32 (half) comes so near to a zero as the tail begins. A
   second look asks whether the absolute error decides (silu' in binary16: 1.2 ns an element instead of 1.5, gelu' 2.4 instead of 4.8). */
static INLINE M in_doubt(V v, int near_zero, format to)
{
    V a = abs(v);
    M doubt = near_middle(v, near_zero ? (DOUBLE ? (BITS)1 << 19 : 128) : DOUBLE ? 32 : 2, to);
    if (near_zero) doubt = doubt | (lt(a, K(C(0x1p-6f, 0x1p-18))) & gt(a, K(C(0x1p-16f, 0x1p-32))));
    return doubt;
}
/* Whether v, its error taken away and added, rounds to different numbers. */
static INLINE M is_open(V v, format to)
{
    const V error = fma(abs(v), K(C(0x1p-22f, 0x1p-47)), K(C(0x1p-22f, 0x1p-51)));
    return lt(rounded(v - error, to), rounded(v + error, to));
}
static INLINE size_t doubtful(const REAL *v, size_t n, int near_zero, format to, uint16_t *which)
{
    enum { AHEAD = 4 * LANES }; /* doubt is rare */
    size_t count = 0;
    for (size_t i = 0; i < n; i += AHEAD) {
        if (!FOR_SIZE && i + AHEAD <= n) {
            M any = in_doubt(load(v + i), near_zero, to);
            for (int j = 1; j < 4; j++) any = any | in_doubt(load(v + i + j * LANES), near_zero, to);
            if (!lanes_of(any)) continue;
        }
        for (size_t j = i; j < i + AHEAD && j < n; j += LANES) {
            const size_t m = n - j;
            const V some = m < LANES ? load_some(v + j, m) : load(v + j);
            M doubt = in_doubt(some, near_zero, to);
            if (near_zero) doubt = doubt & is_open(some, to);
            unsigned lanes = lanes_of(doubt);
            for (size_t k = j; lanes && k < n; k++, lanes >>= 1)
                if (lanes & 1) which[count++] = (uint16_t)k;
        }
    }
    return count;
}
#define DOUBTFUL(dtype)                                                                                                \
    static size_t doubtful_##dtype(const void *reals, size_t n, int near_zero, uint16_t *which)                        \
    {                                                                                                                  \
        if (FOR_SIZE) return doubtful(reals, n, near_zero, format_##dtype, which);                                     \
        return near_zero ? doubtful(reals, n, 1, format_##dtype, which)                                                \
                         : doubtful(reals, n, 0, format_##dtype, which);                                               \
    }
DOUBTFUL(f16)
DOUBTFUL(bf16)
#if DOUBLE
DOUBTFUL(f32)
#endif

/* ---- halves, a vector at a time; a vector header with conversion instructions defines its own ---- */

#ifndef load_f16
/* The exponent and fraction of a binary16 become a float's; scaling by 2^112 corrects the bias, subnormals too. */
static INLINE REAL from_f16(uint16_t h)
{
    uint32_t magnitude = h & 0x7FFF, sign = (uint32_t)(h & 0x8000) << 16;
    float v = as_float(magnitude << 13) * 0x1p112f;
    uint32_t b = magnitude >= 0x7C00 ? 0x7F800000 | magnitude << 13 : float_bits(v);
    return as_float(b | sign);
}
static INLINE REAL from_bf16(uint16_t h) { return as_float((uint32_t)h << 16); }
/* v is a value of the type already, or too large for it */
static INLINE uint16_t to_f16(REAL v)
{
    uint32_t b = float_bits((float)v), magnitude = b & 0x7FFFFFFF;
    float r = as_float(magnitude);
    uint32_t h = float_bits((r < 0x1p16f ? r : 0x1p16f) * 0x1p-112f) >> 13;
    h = magnitude > 0x7F800000 ? 0x7E00 | (magnitude >> 13 & 0x1FF) : h;
    return (uint16_t)(h | b >> 31 << 15);
}
static INLINE uint16_t to_bf16(REAL v) { return (uint16_t)(float_bits((float)v) >> 16 | (v == v ? 0 : 0x40)); }
#define BY_LANES(dtype)                                                                                                \
    static INLINE V load_##dtype(const uint16_t *p)                                                                    \
    {                                                                                                                  \
        REAL v[LANES];                                                                                                 \
        for (int i = 0; i < LANES; i++) v[i] = from_##dtype(p[i]);                                                     \
        return load(v);                                                                                                \
    }                                                                                                                  \
    static INLINE void store_##dtype(uint16_t *p, V x)                                                                 \
    {                                                                                                                  \
        REAL v[LANES];                                                                                                 \
        store(v, x);                                                                                                   \
        for (int i = 0; i < LANES; i++) p[i] = to_##dtype(v[i]);                                                       \
    }
BY_LANES(f16)
BY_LANES(bf16)
#endif

/* Strided halves go through a few vectors' worth: what is stored must have left for the cache when it is loaded again, for
   the stores' own bypass does not join several. */
enum { HALVES_AT_ONCE = 8 * MAX_LANES };
#define SAME(v) (v)
PICK(pick_halves, uint16_t, uint16_t, SAME)
SPREAD(spread_halves, uint16_t, uint16_t, SAME)

#define HALVES(dtype)                                                                                                  \
    static void read_##dtype(const char *from, ptrdiff_t stride, void *reals, size_t n)                                \
    {                                                                                                                  \
        REAL *to = reals;                                                                                              \
        size_t i = 0;                                                                                                  \
        for (; stride == 2 && i + LANES <= n; i += LANES) store(to + i, load_##dtype((const uint16_t *)from + i));     \
        for (size_t m; i < n; i += m) {                                                                                \
            uint16_t h[HALVES_AT_ONCE];                                                                                \
            m = n - i < HALVES_AT_ONCE ? n - i : HALVES_AT_ONCE;                                                       \
            pick_halves(from + (ptrdiff_t)i * stride, stride, h, m);                                                   \
            size_t k = m;                                                                                              \
            for (; k % LANES; k++) h[k] = 0;                                                                           \
            for (k = 0; k + LANES <= m; k += LANES) store(to + i + k, load_##dtype(h + k));                            \
            if (k < m) store_some(to + i + k, load_##dtype(h + k), m - k);                                             \
        }                                                                                                              \
    }                                                                                                                  \
    static void write_##dtype(const void *reals, char *to, ptrdiff_t stride, size_t n)                                 \
    {                                                                                                                  \
        const REAL *from = reals;                                                                                      \
        size_t i = 0;                                                                                                  \
        for (; stride == 2 && i + LANES <= n; i += LANES)                                                              \
            store_##dtype((uint16_t *)to + i, rounded_##dtype(load(from + i)));                                        \
        for (; i < n; i += LANES) {                                                                                    \
            const size_t m = n - i < LANES ? n - i : LANES;                                                            \
            uint16_t h[LANES];                                                                                         \
            store_##dtype(h, rounded_##dtype(m < LANES ? load_some(from + i, m) : load(from + i)));                    \
            spread_halves(h, to + (ptrdiff_t)i * stride, stride, m);                                                   \
        }                                                                                                              \
    }
#ifdef HALVES_ROUND /* the conversion does */
static INLINE V rounded_f16(V v) { return v; }
#else
static INLINE V rounded_f16(V v) { return rounded(v, format_f16); }
#endif
#if DOUBLE
static INLINE V rounded_bf16(V v) { return rounded(v, format_bf16); }
#else
static INLINE V rounded_bf16(V v) { return nearest_bf16(v); }
#endif
HALVES(f16)
HALVES(bf16)
