/* storage.h - how memory becomes reals and back. Kernels see one real type; the other dtypes are staged through blocks
   of it, and every result is rounded once. Plain loops: compilers vectorise them, and a missed one costs only time. */

static INLINE REAL from_f32(float v) { return v; }
static INLINE float to_f32(REAL v) { return (float)v; }

/* the contiguous case apart, for the compiler to vectorise */
#define STRIDED(dtype, type)                                                                                           \
    static void read_##dtype(const char *from, ptrdiff_t stride, void *reals, size_t n)                                \
    {                                                                                                                  \
        REAL *to = reals;                                                                                              \
        const type *all = (const type *)from;                                                                          \
        if (stride == (ptrdiff_t)sizeof(type))                                                                         \
            for (size_t i = 0; i < n; i++) to[i] = from_##dtype(all[i]);                                               \
        else                                                                                                           \
            for (size_t i = 0; i < n; i++) to[i] = from_##dtype(*(const type *)(from + (ptrdiff_t)i * stride));        \
    }                                                                                                                  \
    static void write_##dtype(const void *reals, char *to, ptrdiff_t stride, size_t n)                                 \
    {                                                                                                                  \
        const REAL *from = reals;                                                                                      \
        type *all = (type *)to;                                                                                        \
        if (stride == (ptrdiff_t)sizeof(type))                                                                         \
            for (size_t i = 0; i < n; i++) all[i] = to_##dtype(from[i]);                                               \
        else                                                                                                           \
            for (size_t i = 0; i < n; i++) *(type *)(to + (ptrdiff_t)i * stride) = to_##dtype(from[i]);                \
    }

STRIDED(f32, float)

static void split(const char *doubles, ptrdiff_t stride, void *high, void *low, size_t n)
{
    REAL *h = high, *l = low;
    for (size_t i = 0; i < n; i++) {
        double v = *(const double *)(doubles + (ptrdiff_t)i * stride);
        h[i] = (REAL)v;
        l[i] = (REAL)(v - h[i]);
    }
}

#if DOUBLE
static INLINE double from_f64(double v) { return v; }
static INLINE double to_f64(double v) { return v; }
STRIDED(f64, double)

/* ---- rounding to a narrower type, as doubles still ---- */

/* A type of `bits` significant bits whose subnormals are multiples of `least`. */
typedef struct {
    int bits;
    double least;
} format;
static const format format_f16 = {11, 0x1p-24}, format_bf16 = {8, 0x1p-133}, format_f32 = {24, 0x1p-149};

/* the unit in the last place of v; meaningless for v not finite, which the callers sort out */
static INLINE V unit_of(V v, format to)
{
    return max(B(to.least), binade(v) * B(as_double((uint64_t)(1024 - to.bits) << 52)));
}

/* Adding and subtracting 1.5 2^52 units makes the processor's own rounding do it, to nearest even. */
static INLINE V rounded(V v, format to)
{
    V magic = unit_of(v, to) * K(0x1.8p52), r = (v + magic) - magic;
    return sel(lt(abs(v), K(0x1p200)), copysign(r, v), v);
}

/* Whether a double lies so near to the middle of two neighbours that its own error might hide on which side the true
   value lies. 2^-48 of it is generous; near a zero of f' the error is no longer relative but `absolute`, though not
   below 2^-32: no float32 comes so near to a zero, and what is smaller is the tail. */
static INLINE int doubtful(const double *v, size_t n, double absolute, format to)
{
    V found = K(0);
    for (size_t i = 0; i < n; i += LANES) {
        V x = n - i < LANES ? load_some(v + i, n - i) : load(v + i);
        V off = abs(abs(x - rounded(x, to)) - K(0.5) * unit_of(x, to));
        V error = fma(abs(x), K(0x1p-48), sel(gt(abs(x), K(0x1p-32)), B(absolute), K(0)));
        found = max(found, sel(lt(off, error), K(1), K(0)));
    }
    double any[LANES];
    store(any, found);
    for (int i = 1; i < LANES; i++) any[0] += any[i];
    return any[0] > 0;
}
#define DOUBTFUL(dtype)                                                                                                \
    static int doubtful_##dtype(const void *reals, size_t n, double absolute)                                          \
    {                                                                                                                  \
        return doubtful(reals, n, absolute, format_##dtype);                                                           \
    }
DOUBTFUL(f16)
DOUBTFUL(bf16)
DOUBTFUL(f32)

/* ---- halves, a vector at a time; a vector header with conversion instructions defines its own ---- */

#ifndef load_f16
/* The exponent and fraction of a binary16 become a double's; scaling by 2^1008 corrects the bias, subnormals too. */
static INLINE double from_f16(uint16_t h)
{
    uint64_t magnitude = h & 0x7FFF, sign = (uint64_t)(h & 0x8000) << 48;
    double v = as_double(magnitude << 42) * 0x1p1008;
    uint64_t b = magnitude >= 0x7C00 ? 0x7FF0000000000000 | magnitude << 42 : as_bits(v);
    return as_double(b | sign);
}
static INLINE double from_bf16(uint16_t h)
{
    union {
        uint32_t b;
        float v;
    } w = {(uint32_t)h << 16};
    return w.v;
}
/* v is a value of the type already, or too large for it */
static INLINE uint16_t to_f16(double v)
{
    uint64_t b = as_bits(v), magnitude = b & ~SIGN;
    double r = as_double(magnitude);
    uint64_t h = as_bits((r < 0x1p16 ? r : 0x1p16) * 0x1p-1008) >> 42;
    h = magnitude > 0x7FF0000000000000 ? 0x7E00 | (magnitude >> 42 & 0x1FF) : h;
    return (uint16_t)(h | b >> 63 << 15);
}
static INLINE uint16_t to_bf16(double v)
{
    union {
        float v;
        uint32_t b;
    } w = {(float)v};
    return (uint16_t)(w.b >> 16 | (v == v ? 0 : 0x40));
}
#define BY_LANES(dtype)                                                                                                \
    static INLINE V load_##dtype(const uint16_t *p)                                                                    \
    {                                                                                                                  \
        double v[LANES];                                                                                               \
        for (int i = 0; i < LANES; i++) v[i] = from_##dtype(p[i]);                                                     \
        return load(v);                                                                                                \
    }                                                                                                                  \
    static INLINE void store_##dtype(uint16_t *p, V x)                                                                 \
    {                                                                                                                  \
        double v[LANES];                                                                                               \
        store(v, x);                                                                                                   \
        for (int i = 0; i < LANES; i++) p[i] = to_##dtype(v[i]);                                                       \
    }
BY_LANES(f16)
BY_LANES(bf16)
#endif

#define HALVES(dtype)                                                                                                  \
    static void read_##dtype(const char *from, ptrdiff_t stride, void *reals, size_t n)                                \
    {                                                                                                                  \
        double *to = reals;                                                                                            \
        for (size_t i = 0; i < n; i += LANES) {                                                                        \
            const size_t m = n - i < LANES ? n - i : LANES;                                                            \
            uint16_t h[LANES] = {0};                                                                                   \
            const char *p = from + (ptrdiff_t)i * stride;                                                              \
            if (m == LANES && stride == 2)                                                                             \
                store(to + i, load_##dtype((const uint16_t *)p));                                                      \
            else {                                                                                                     \
                for (size_t k = 0; k < m; k++) h[k] = *(const uint16_t *)(p + (ptrdiff_t)k * stride);                  \
                store_some(to + i, load_##dtype(h), m < LANES ? m : LANES);                                            \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    static void write_##dtype(const void *reals, char *to, ptrdiff_t stride, size_t n)                                 \
    {                                                                                                                  \
        const double *from = reals;                                                                                    \
        for (size_t i = 0; i < n; i += LANES) {                                                                        \
            const size_t m = n - i < LANES ? n - i : LANES;                                                            \
            uint16_t h[LANES];                                                                                         \
            char *p = to + (ptrdiff_t)i * stride;                                                                      \
            V v = rounded(m < LANES ? load_some(from + i, m) : load(from + i), format_##dtype);                        \
            if (m == LANES && stride == 2)                                                                             \
                store_##dtype((uint16_t *)p, v);                                                                       \
            else {                                                                                                     \
                store_##dtype(h, v);                                                                                   \
                for (size_t k = 0; k < m; k++) *(uint16_t *)(p + (ptrdiff_t)k * stride) = h[k];                        \
            }                                                                                                          \
        }                                                                                                              \
    }
HALVES(f16)
HALVES(bf16)
#endif
