/* test_signal.c - a signal handler computes while it interrupts the same computation: hundreds of times, at whatever
   instruction the timer finds. Both must have the bits of the quiet run, and errno and the status flags must survive. */
#define _XOPEN_SOURCE 700
#include "actc.h"
#include <errno.h>
#include <fenv.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

enum { N = 3000, PASS = ACTC_VALUE_AND_DERIVATIVE | ACTC_EXACT };
static const actc_activation *rows[3];
static float x[N], quiet[3][2 * N], inside[2 * N], outside[2 * N];
static volatile sig_atomic_t calls, differences;

static void compute(int which, float *both)
{
    const void *in[] = {x};
    void *out[] = {both, both + N};
    actc_apply(rows[which], (enum actc_pass)PASS, ACTC_F32, in, out, N, NULL);
}

static void handler(int signal)
{
    const int which = (int)(calls % 3);
    (void)signal;
    compute(which, inside);
    differences += memcmp(inside, quiet[which], sizeof inside) != 0;
    calls++;
}

int main(void)
{
    const char *names[] = {"gelu", "elu", "mish"};
    for (int i = 0; i < N; i++) x[i] = (float)(i - N / 2) / 100;
    for (int i = 0; i < 3; i++) {
        rows[i] = actc_find(names[i]);
        if (!rows[i]) return puts("no such function"), 2;
        compute(i, quiet[i]);
    }
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    sigaction(SIGALRM, &action, NULL);
    feclearexcept(FE_ALL_EXCEPT);
    errno = 77;
    int wrong = 0;
    long runs = 0;
    for (; calls < 300; runs++) {
        const struct itimerval soon = {{0, 0}, {0, 20 + 37 * (runs % 11)}}; /* once: the handler may take longer */
        setitimer(ITIMER_REAL, &soon, NULL);
        compute((int)(runs % 3), outside);
        wrong += memcmp(outside, quiet[runs % 3], sizeof outside) != 0;
    }
    const int flags = fetestexcept(FE_ALL_EXCEPT), error = errno;
    signal(SIGALRM, SIG_IGN);
    printf("%s: %d interruptions of %ld runs, %d and %d differences, errno %d, flags %d\n", actc_isa(), (int)calls,
           runs, wrong, (int)differences, error, flags);
    return wrong || differences || error != 77 || flags;
}
