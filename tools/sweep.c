/* sweep.c - every float32 input (or every STEP-th bit pattern) of every function: the largest error in ULP and the
   input that gives it, for f and f', against the library's own `exact` float64 kernels (error below 1 ULP of float64,
   checked against arbitrary precision by the tests).

     cc -O2 -Ic/include -o sweep tools/sweep.c $(find c/src -name '*.c') -lm -lpthread
     ./sweep [STEP [default|exact [NAME]]]                     all 2^32 patterns take minutes a function and core

   Prints one line per function and pass: name pass ULP input misrounded. */
#include <actc.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 4096, MAX_THREADS = 64 };

typedef struct job {
    const actc_activation *row;
    int pass, tier;
    uint64_t from, to, step;
    double zero, scale; /* near an isolated zero of f' errors are relative to f' one away from it */
    double worst;
    float at;
    uint64_t misrounded;
} job;

static double ulp(double v)
{
    int e;
    v = fabs(v);
    if (v < 0x1p-126) return 0x1p-149;
    frexp(v, &e);
    return ldexp(1, e - 24);
}

static double error(double got, double want, double unit)
{
    if (isnan(got) || isnan(want)) return isnan(got) && isnan(want) ? 0 : INFINITY;
    if ((float)want == got) return isinf(got) ? 0 : fabs(got - want) / unit;
    return isinf(got) || isinf(want) ? INFINITY : fabs(got - want) / unit;
}

static void *sweep(void *argument)
{
    job *j = argument;
    float x[CHUNK], y[CHUNK];
    double wide[CHUNK], want[CHUNK];
    const void *in[] = {x}, *in_wide[] = {wide};
    void *out[] = {y}, *out_wide[] = {want};
    for (uint64_t b = j->from; b < j->to;) {
        int n = 0;
        for (; n < CHUNK && b < j->to; n++, b += j->step) {
            const uint32_t bits = (uint32_t)b;
            memcpy(&x[n], &bits, sizeof bits);
            wide[n] = x[n];
        }
        actc_apply(j->row, (enum actc_pass)(j->pass | j->tier), ACTC_F32, in, out, (size_t)n, NULL);
        actc_apply(j->row, (enum actc_pass)(j->pass | ACTC_EXACT), ACTC_F64, in_wide, out_wide, (size_t)n, NULL);
        for (int i = 0; i < n; i++) {
            const double unit = j->scale > 0 && fabs(x[i] - j->zero) <= 0.25 ? j->scale : ulp(want[i]);
            const double e = error(y[i], want[i], unit);
            if (e > j->worst) j->worst = e, j->at = x[i];
            j->misrounded += !isnan(want[i]) && (float)want[i] != y[i];
        }
    }
    return NULL;
}

int main(int count, char **arguments)
{
    const uint64_t step = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
    const int tier = count > 2 && !strcmp(arguments[2], "exact") ? ACTC_EXACT : 0;
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const int threads = cores < 1 ? 1 : cores > MAX_THREADS ? MAX_THREADS : (int)cores;
    for (size_t i = 0; i < actc_count(); i++) {
        const actc_activation *row = actc_at(i);
        if (count > 3 && strcmp(arguments[3], row->name)) continue;
        for (int pass = ACTC_FORWARD; pass <= ACTC_DERIVATIVE; pass++) {
            job jobs[MAX_THREADS], all = {.row = row, .pass = pass, .tier = tier, .step = step ? step : 1};
            pthread_t running[MAX_THREADS];
            if (pass == ACTC_DERIVATIVE && row->zeros[0]) {
                double near[2], d[2];
                const void *in[] = {near};
                void *out[] = {d};
                all.zero = strtod(row->zeros, NULL);
                near[0] = all.zero - 1, near[1] = all.zero + 1;
                actc_apply(row, ACTC_DERIVATIVE, ACTC_F64, in, out, 2, NULL);
                all.scale = ulp(fmax(fabs(d[0]), fabs(d[1])));
            }
            for (int t = 0; t < threads; t++) {
                const uint64_t share = ((uint64_t)1 << 32) / (uint64_t)threads / all.step * all.step;
                jobs[t] = all;
                jobs[t].from = (uint64_t)t * share;
                jobs[t].to = t + 1 < threads ? (uint64_t)(t + 1) * share : (uint64_t)1 << 32;
                pthread_create(&running[t], NULL, sweep, &jobs[t]);
            }
            for (int t = 0; t < threads; t++) {
                pthread_join(running[t], NULL);
                if (jobs[t].worst > all.worst) all.worst = jobs[t].worst, all.at = jobs[t].at;
                all.misrounded += jobs[t].misrounded;
            }
            printf("%-12s %-2s %.4f at %a (%.9g), %llu misrounded\n", row->name, pass ? "f'" : "f", all.worst, all.at,
                   all.at, (unsigned long long)all.misrounded);
            fflush(stdout);
        }
    }
    return 0;
}
