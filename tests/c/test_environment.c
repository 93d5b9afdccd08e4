/* test_environment.c - a caller may live in another floating-point environment: results are those of the default one,
   and the environment is as it was. Rounding modes through <fenv.h>, flush-to-zero through the control registers. */
#include "cases.h"

#include <fenv.h>

#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>
enum { FLUSH = 0x8040, MASK = 0xE040 }; /* FTZ and DAZ; with the rounding mode */
static uint64_t control(void) { return _mm_getcsr(); }
static void set_control(uint64_t word) { _mm_setcsr((unsigned)word); }
#elif defined(__aarch64__) && defined(__GNUC__)
enum { FLUSH = 1 << 24, MASK = 1 << 24 | 3 << 22 };
static uint64_t control(void)
{
    uint64_t word;
    __asm__ volatile("mrs %0, fpcr" : "=r"(word));
    return word;
}
static void set_control(uint64_t word) { __asm__ volatile("msr fpcr, %0" : : "r"(word)); }
#else
enum { FLUSH = 0, MASK = 0 };
static uint64_t control(void) { return 0; }
static void set_control(uint64_t word) { (void)word; }
#endif

enum { N = DIRECTED + 60 };

static const struct {
    int mode;
    const char *name;
} modes[] = {
    {FE_TONEAREST, "to nearest"},
#ifdef FE_UPWARD
    {FE_UPWARD, "upward"},
#endif
#ifdef FE_DOWNWARD
    {FE_DOWNWARD, "downward"},
#endif
#ifdef FE_TOWARDZERO
    {FE_TOWARDZERO, "toward zero"},
#endif
};
enum { MODES = sizeof modes / sizeof modes[0] };

static char x[N * 8], g[N * 8], buffers[4][N * 8];

static void try_all(test_case *c)
{
    const void *in[2];
    void *want[2] = {buffers[0], buffers[1]}, *got[2] = {buffers[2], buffers[3]};
    double want_sums[PARAMETERS_MAX], got_sums[PARAMETERS_MAX];
    size_t n = N;
    for (size_t i = 0; i < N; i++) {
        /* sums over everything are NaN and prove nothing */
        uint64_t v = c->outputs ? input(c->dtype, i) : encode(c->dtype, uniform(hash(11, i), 4));
        set_bits_at(c->dtype, x, i, v);
        set_bits_at(c->dtype, g, i, c->outputs ? gradient(c->dtype, i) : encode(c->dtype, uniform(hash(12, i), 4)));
    }
    in[0] = c->inputs == 2 ? g : x, in[1] = x;
    apply(c, in, want, n, want_sums);
    for (int flush = 0; flush < (FLUSH ? 2 : 1); flush++)
        for (int m = 0; m < MODES; m++) {
            char check[64];
            int status, rounding;
            uint64_t before, after;
            sprintf(check, "rounding %s%s", modes[m].name, flush ? ", flush to zero" : "");
            begin_check();
            fesetround(modes[m].mode);
            if (flush) set_control(control() | FLUSH);
            before = control();
            status = apply(c, in, got, n, got_sums);
            after = control();
            rounding = fegetround();
            set_control(control() & ~(uint64_t)FLUSH);
            fesetround(FE_TONEAREST);
            expect(status == 0 && rounding == modes[m].mode && (before & MASK) == (after & MASK), c,
                   "%s: environment 0x%lx, rounding %d became 0x%lx, %d", check, (unsigned long)before, modes[m].mode,
                   (unsigned long)after, rounding);
            for (int o = 0; o < c->outputs; o++)
                expect_same(check, c, o, want[o], got[o], n, c->inputs == 2 ? g : NULL, x);
            if (!c->outputs) expect_same_sums(check, c, want_sums, got_sums, n, g, x);
        }
}

int main(void)
{
    const char *wish = getenv("ACTC_ISA");
    test_case c;
    for (size_t k = 0; actc_isa_at(k); k++) {
        if (wish && strcmp(wish, actc_isa_at(k))) continue;
        actc_use_isa(actc_isa_at(k));
        for_each_case(c)
        {
            c.isa = actc_isa();
            try_all(&c);
            if (set_parameters(&c, 16)) try_all(&c); /* out of float's range: another path */
        }
    }
    return summary("test_environment");
}
