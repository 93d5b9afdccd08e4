/* half_loops.h - contiguous halves in one pass: EXACT rows, in the float unit of instruction sets that convert halves.

   What takes longer than a conversion is better off in blocks: so many instructions in one loop fill the scheduler (tanh
   on AVX-512: bf16 0.71 ns an element instead of 0.52). */
#if !DOUBLE && defined(HALVES_ROUND)
#define RUN_HALVES(dtype)                                                                                              \
    static INLINE void run_##dtype(body *f, int pass, const uint16_t *const *in, uint16_t *out, size_t n)              \
    {                                                                                                                  \
        const uint16_t *g = in[0], *x = in[pass == ACTC_BACKWARD];                                                     \
        const size_t last = n - LANES;                                                                                 \
        const parameter none[1][MAX_PARAMETERS] = {0};                                                                 \
        const V x_last = load_##dtype(x + last), g_last = load_##dtype(g + last);                                      \
        for (size_t i = 0;; i += LANES) {                                                                              \
            const int at_end = i >= last;                                                                              \
            inputs v = {at_end ? g_last : load_##dtype(g + i), at_end ? x_last : load_##dtype(x + i)};                 \
            results y;                                                                                                 \
            evaluate(f, pass, 0, 1, (const inputs *)&v, none, &y);                                                     \
            store_##dtype(out + (at_end ? last : i), rounded_##dtype(y[0]));                                           \
            if (at_end) return;                                                                                        \
        }                                                                                                              \
    }
RUN_HALVES(f16)
RUN_HALVES(bf16)

#define HALVES_LOOP(name, suffix, pass, dtype)                                                                         \
    static void name##_##suffix##_##dtype(const uint16_t *const *in, uint16_t *out, size_t n)                          \
    {                                                                                                                  \
        run_##dtype(name##_body, pass, in, out, n);                                                                    \
    }
#define HALVES_LOOPS(name, dtype)                                                                                      \
    HALVES_LOOP(name, forward, ACTC_FORWARD, dtype)                                                                    \
    HALVES_LOOP(name, derivative, ACTC_DERIVATIVE, dtype)                                                              \
    HALVES_LOOP(name, backward, ACTC_BACKWARD, dtype)
#define HALVES_EXACT(name) HALVES_LOOPS(name, f16) HALVES_LOOPS(name, bf16)
#define HALVES_LISTED_EXACT(name)                                                                                      \
    {name##_forward_f16, name##_derivative_f16, name##_backward_f16},                                                  \
    {                                                                                                                  \
        name##_forward_bf16, name##_derivative_bf16, name##_backward_bf16                                              \
    }
#define HALVES_ROUNDED(name)
#define HALVES_LISTED_ROUNDED(name)                                                                                    \
    {                                                                                                                  \
        NULL                                                                                                           \
    }
#define HALVES_PAIRED HALVES_ROUNDED
#define HALVES_LISTED_PAIRED HALVES_LISTED_ROUNDED
#define HALVES_WIDE HALVES_ROUNDED
#define HALVES_LISTED_WIDE HALVES_LISTED_ROUNDED
#define HALVES_NARROWED HALVES_ROUNDED
#define HALVES_LISTED_NARROWED HALVES_LISTED_ROUNDED

#define ROW(name, parameters, kind, ...) HALVES_##kind(name)
#include "../include/actc/activations.def"
#undef ROW

static halves_loop *const halves[][2][ACTC_BACKWARD + 1] = {
#define ROW(name, parameters, kind, ...) {HALVES_LISTED_##kind(name)},
#include "../include/actc/activations.def"
#undef ROW
};
#define HALVES_TABLE halves
#else
#define HALVES_TABLE NULL
#endif
