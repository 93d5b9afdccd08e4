/* reference.c - formulas of the table in wide arithmetic that carries a bound of its own error.

   A ball is a value and a bound of its distance from the exact one, grown by every operation (running error analysis).
   So cancellation is seen, not feared: where the bound is too wide to judge a result, the caller turns to the wider
   type and then to mpmath. oracle.py translates each row's formula to one function of balls, puts this text before
   them and compiles twice, with long double and with __float128; nothing here knows an activation. */
#include <float.h>
#include <math.h>
#include <stddef.h>

#if QUAD
#include <quadmath.h>
typedef __float128 real;
#define M(name) name##q
#define LITERAL(text) text##Q
#define BITS 113
#else
typedef long double real;
#define M(name) name##l
#define LITERAL(text) text##L
#define BITS LDBL_MANT_DIG
#endif

typedef struct {
    real v, e;
} ball;

static const real unit = (real)0x1p-53 / ((real)1 * ((long long)1 << (BITS > 100 ? 60 : BITS - 53)));
#define TINY LITERAL(0x1p-16300) /* what underflow may lose */
#define FAR 3000                 /* e^3000 is beyond any product of doubles, and its cube still finite here */

static real size(real a) { return M(fabs)(a); }
static ball with(real v, real e, int ulps)
{
    return (ball){v, e * (1 + 8 * unit) + (real)ulps * size(v) * unit + TINY};
}
static ball exactly(real v) { return (ball){v, 0}; }
static ball literal(real v) { return with(v, 0, 1); }
static ball neg(ball a) { return (ball){-a.v, a.e}; }
static ball add(ball a, ball b) { return with(a.v + b.v, a.e + b.e, 1); }
static ball sub(ball a, ball b) { return with(a.v - b.v, a.e + b.e, 1); }
/* A product of exact numbers with half of our digits each is exact, and so may be a tie: those are common. */
#if QUAD
#define HALF double
#else
#define HALF float
#endif
static int exact_product(ball a, ball b) { return a.e == 0 && b.e == 0 && (HALF)a.v == a.v && (HALF)b.v == b.v; }
static ball mul(ball a, ball b)
{
    if (exact_product(a, b)) return exactly(a.v * b.v);
    return with(a.v * b.v, size(a.v) * b.e + size(b.v) * a.e + a.e * b.e, 1);
}
static ball divide(ball a, ball b)
{
    real v = a.v / b.v, room = size(b.v) - b.e;
    return with(v, room > 0 ? (a.e + size(v) * b.e) / room : (real)INFINITY, 1);
}
static ball power(ball a, int n) { return n == 1 ? a : mul(power(a, n - 1), a); }
/* Whether a comparison of the two could go either way; if so, the reference has no opinion. */
static int unsure(ball a, ball b) { return a.e + b.e > 0 && size(a.v - b.v) <= a.e + b.e; }
static const ball nothing = {0, (real)INFINITY};

/* Slopes below are bounds of |f'| over the ball, written with f's own value so that they cost nothing; they hold while
   the ball is small. */
static real small(real e) { return e < (real)1 / 64 ? e + e * e : (real)INFINITY; }

/* Beyond e^FAR the bound says nothing: that such a factor drowns or saturates everything else is a claim about the
   formula, which the tests check against mpmath. */
static real near_zero(real v) { return v > FAR ? FAR : v < -FAR ? -FAR : v; }
static real near_error(ball a) { return size(a.v) > FAR ? 0 : small(a.e); }
static ball b_exp(ball a)
{
    real v = M(exp)(near_zero(a.v));
    return with(v, a.v < -FAR ? v : v * near_error(a), 16);
}
static ball b_expm1(ball a)
{
    real v = M(expm1)(near_zero(a.v));
    return with(v, (v + 1) * near_error(a), 16);
}
static ball b_cosh(ball a)
{
    real v = M(cosh)(near_zero(a.v));
    return with(v, v * near_error(a), 16);
}
static ball b_sinh(ball a)
{
    real v = M(sinh)(near_zero(a.v));
    return with(v, (size(v) + 1) * near_error(a), 16);
}
static ball b_log1p(ball a)
{
    real room = 1 + a.v - a.e;
    return with(M(log1p)(a.v), room > 0 ? a.e / room : (real)INFINITY, 16);
}
static ball b_log(ball a)
{
    real room = a.v - a.e;
    return with(M(log)(a.v), room > 0 ? a.e / room : (real)INFINITY, 16);
}
static ball b_sqrt(ball a)
{
    real v = M(sqrt)(a.v), room = a.v - a.e;
    return with(v, room > 0 ? a.e / M(sqrt)(room) : M(sqrt)(a.v + a.e), 1);
}
/* log(1 + e^u), which neither overflows nor is 0 where e^u is far away; its slope is below its value and below 1 */
static ball b_log1p_exp(ball a)
{
    real v = (a.v > 0 ? a.v : 0) + M(log1p)(M(exp)(-size(a.v)));
    return with(v, a.v + a.e < -11400 ? 0 : v < 1 ? v * small(a.e) : a.e, 24);
}
static ball b_tanh(ball a)
{
    real v = M(tanh)(a.v);
    return with(v, size(a.v) - a.e > 50 ? 0 : a.e * (1 - v * v + 2 * a.e + 64 * unit), 16);
}
static ball b_erf(ball a) { return with(M(erf)(a.v), size(a.v) - a.e > 200 ? 0 : a.e * LITERAL(1.1284), 32); }
/* e^(-z^2) 2/sqrt(pi) < erfc(z) (z + sqrt(z^2 + 2)); twice that over the ball */
static ball b_erfc(ball a)
{
    real v = M(erfc)(a.v);
    return with(v, size(a.v) - a.e > 200 ? 0 : a.v > 0 ? v * small(a.e * (4 * a.v + 3)) : a.e * LITERAL(1.1284), 64);
}
static ball b_atan(ball a) { return with(M(atan)(a.v), a.e, 16); }
static ball b_asinh(ball a) { return with(M(asinh)(a.v), a.e, 16); }
static ball b_sin(ball a) { return with(M(sin)(a.v), a.e, 16); }
static ball b_cos(ball a) { return with(M(cos)(a.v), a.e, 16); }
/* t of tanh(a) = a/(1 + t), or of tan(a) = a/(1 - t): Lambert's continued fraction, for |a| <= 1 */
static ball fraction(ball a, int is_tanh)
{
    ball square = mul(a, a), t = exactly(0);
    for (int k = 41; k > 1; k -= 2) t = divide(square, is_tanh ? add(exactly(k), t) : sub(exactly(k), t));
    return t;
}
/* a - tanh(a) and a cos(a) - sin(a), of which little is left near 0 */
static ball b_x_minus_tanh(ball a)
{
    if (size(a.v) > 1) return sub(a, b_tanh(a));
    ball t = fraction(a, 1);
    return mul(a, divide(t, add(exactly(1), t)));
}
static ball b_x_cos_minus_sin(ball a)
{
    if (size(a.v) > 1) return sub(mul(a, b_cos(a)), b_sin(a));
    ball t = fraction(a, 0);
    return neg(mul(b_cos(a), mul(a, divide(t, sub(exactly(1), t)))));
}
static ball b_abs(ball a) { return (ball){size(a.v), a.e}; }
static ball b_pi(void) { return literal(LITERAL(3.14159265358979323846264338327950288419716939937510)); }

typedef ball formula(double x, const double *p);
static formula *const formulas[];

/* values as sums of three doubles, with their bounds: how the tests compare this file with mpmath */
void evaluate(int which, const double *x, const double *p, size_t n, double *parts, double *bound)
{
    for (size_t i = 0; i < n; i++) {
        ball b = formulas[which](x[i], p);
        for (int k = 0; k < 3; k++) {
            parts[3 * i + k] = (double)b.v;
            b.v -= parts[3 * i + k];
        }
        bound[i] = (double)b.e;
    }
}

/* 1 unit in the last place of a format with `digits` digits and smallest normal exponent `least`, in v's binade */
static int exponent_of(real v, int digits, int least, int most)
{
    int e = v == 0 ? least : M(ilogb)(v);
    return (e < least ? least : e > most ? most : e) - (digits - 1);
}

/* Errors of `count` sets of results y of g f(x) (g NULL: 1), in ULP, how uncertain they are, and the value as a double.
   A value beyond the format counts as 2^(most + 1), which is what its infinity stands for. */
void judge(int which, const double *x, const double *g, const double *p, size_t n, int count, const double *const *y,
           int digits, int least, int most, double *const *errors, double *uncertainty, double *value)
{
    const real end = M(ldexp)(1, most + 1);
    for (size_t i = 0; i < n; i++) {
        ball b = formulas[which](x[i], p);
        if (g) b = mul(exactly(g[i]), b);
        if (size(b.v) - b.e > end) b.e = 0; /* infinite for certain */
        if (size(b.v) > end) b.v = b.v > 0 ? end : -end, b.e = b.e < end ? b.e : end;
        int ulp = exponent_of(b.v, digits, least, most);
        for (int k = 0; k < count; k++) {
            real result = y[k][i];
            if (result - result != 0 && result == result) result = result > 0 ? end : -end;
            real error = M(ldexp)(size(result - b.v), -ulp);
            double e = error == error ? (double)error : (double)INFINITY;
            /* a tie is right if it went to even; what is wrong must not look like 1/2 for being short of digits */
            int odd = b.e == 0 && error == (real)0.5 && M(fmod)(M(ldexp)(result, -ulp), 2) != 0;
            errors[k][i] = odd || (error > (real)0.5 && e <= 0.5) ? 0x1.0000000000001p-1 : e;
        }
        real doubt = M(ldexp)(b.e, -ulp);
        uncertainty[i] = doubt == doubt && b.v == b.v ? (double)doubt : (double)INFINITY;
        value[i] = (double)b.v;
    }
}
