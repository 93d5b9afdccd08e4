/* test_pool.c - the pool of c/threads: every index once, whoever calls and whatever happens meanwhile; calls in pieces have
   the bits of calls alone. Made for the thread sanitizer too. POSIX threads. */
#define _DEFAULT_SOURCE
#include "../../c/include/actc/threads.h"
#include "operations.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N = 100003, CALLERS = 4, LONG = 150000 };

typedef struct tally {
    unsigned char seen[N];
    size_t calls, nested;
} tally;

static void count(void *context, size_t first, size_t n)
{
    tally *t = (tally *)context;
    if (!__atomic_fetch_add(&t->calls, 1, __ATOMIC_RELAXED)) usleep(200); /* work that is worth waking others for */
    for (size_t i = first; i < first + n; i++) t->seen[i]++;              /* its own indices */
}
static size_t wrong_indices(const tally *t)
{
    size_t wrong = 0;
    for (size_t i = 0; i < N; i++) wrong += t->seen[i] != 1;
    return wrong;
}
static tally *new_tally(void)
{
    tally *t = (tally *)calloc(1, sizeof *t);
    if (!t) abort();
    return t;
}

static void every_index_once(void)
{
    for (int threads = 1; threads <= 9; threads++)
        for (size_t least = 1; least < 2 * N; least *= 17) {
            tally *t = new_tally();
            actc_set_num_threads(threads);
            const int offered = actc_parallel(count, t, N, least);
            const size_t most = N / least;
            expect(!wrong_indices(t), NULL, "%d threads, least %zu: an index not once", threads, least);
            expect(offered == (most < 2 || threads < 2  ? 1
                               : most < (size_t)threads ? (int)most
                                                        : threads),
                   NULL, "%d threads, least %zu: offered to %d", threads, least, offered);
            expect((offered > 1) == (t->calls > 1), NULL, "%zu pieces for %d", t->calls, offered);
            free(t);
        }
    actc_set_num_threads(3);
    tally *t = new_tally();
    expect(actc_parallel(count, t, 0, 1) == 1 && !t->calls, NULL, "nothing to do");
    expect(actc_parallel(count, t, N, 0) == 3 && !wrong_indices(t), NULL, "least 0 is 1");
#ifndef ACTC_WORTH_WAKING
    int alone = 0; /* an emulator translates at first, and a busy machine takes its time */
    for (int i = 0; i < 100 && !alone; i++) {
        t->calls = 1;
        alone = actc_parallel(count, t, 64, 1) == 1 && t->calls < 4;
    }
    expect(alone, NULL, "others were woken for nothing");
#endif
    free(t);
}

static void numbers(void)
{
    expect(actc_processors() >= 1, NULL, "processors");
    expect(actc_set_num_threads(5) == 3 && actc_get_num_threads() == 5, NULL, "set");
    expect(actc_set_num_threads(-1) == -1 && actc_set_num_threads(ACTC_MAX_THREADS + 1) == -1, NULL, "refused");
    expect(actc_get_num_threads() == 5, NULL, "what is refused changes nothing");
    expect(actc_set_num_threads_local(2) == 0 && actc_get_num_threads() == 2, NULL, "local");
    expect(actc_set_num_threads_local(-1) == -1 && actc_set_num_threads_local(0) == 2, NULL, "local again");
    expect(actc_get_num_threads() == 5, NULL, "as for all again");
    expect(actc_set_num_threads(0) == 5 && actc_get_num_threads() == actc_processors(), NULL, "0 is all");
    actc_set_num_threads(3);
}

/* The thread sanitizer ends children that start threads; this one it should let be. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) { return "die_after_fork=0"; }

/* a task that calls the pool again, which is at work then, unless the task is done by its caller alone */
static void nested(void *context, size_t first, size_t n)
{
    tally *t = (tally *)context, *own = new_tally();
    count(t, first, n);
    const int offered = actc_parallel(count, own, N, 1);
    if ((n < N && offered != 1) || wrong_indices(own)) __atomic_fetch_add(&t->nested, 1, __ATOMIC_RELAXED);
    free(own);
}
static void *call_often(void *unused)
{
    size_t wrong = 0;
    for (int round = 0; round < 200; round++) {
        tally *t = new_tally();
        actc_parallel(round % 10 ? count : nested, t, N, 1);
        wrong += wrong_indices(t) + t->nested;
        free(t);
    }
    (void)unused;
    return (void *)(uintptr_t)wrong;
}
static void several_callers(void)
{
    pthread_t threads[CALLERS];
    void *wrong;
    for (int i = 0; i < CALLERS; i++)
        if (pthread_create(&threads[i], NULL, call_often, NULL)) abort();
    for (int round = 0; round < 500; round++) actc_set_num_threads(1 + round % 7);
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], &wrong);
        expect(!wrong, NULL, "caller %d: %lu wrong", i, (unsigned long)(uintptr_t)wrong);
    }
    actc_set_num_threads(3);
}

/* A child has no threads, starts its own, and its parent's go on; also where it forks while a job is going on. */
static int child_counts(void)
{
    tally *t = new_tally();
    const pid_t child = fork();
    if (!child) {
        alarm(20); /* a pool that waits for threads that are not there */
        const int offered = actc_parallel(count, t, N, 1);
        _exit(offered == actc_get_num_threads() && !wrong_indices(t) ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    free(t);
    return status == 0;
}
static void forks(void)
{
    pthread_t busy;
    expect(child_counts(), NULL, "a child after jobs");
    if (pthread_create(&busy, NULL, call_often, NULL)) abort();
    int good = 0;
    for (int i = 0; i < 20; i++) good += child_counts();
    pthread_join(busy, NULL);
    expect(good == 20, NULL, "%d of 20 children during jobs", good);
    tally *t = new_tally();
    expect(actc_parallel(count, t, N, 1) == 3 && !wrong_indices(t), NULL, "the parent afterwards");
    free(t);
}

/* Signals go to the threads of the program. */
static pthread_t signalled;
static void note_thread(int unused)
{
    (void)unused;
    signalled = pthread_self();
}
static void signals(void)
{
    sigset_t set;
    const pthread_t self = pthread_self();
    signal(SIGUSR1, note_thread);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGUSR1); /* any thread that does not block it takes it */
    usleep(1000);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    expect(pthread_equal(signalled, self), NULL, "a worker took a signal");
}

/* ---- calls ---- */

static void perform_both(const char *name, int pass, int dtype, int which, const void *entry, ptrdiff_t step, size_t n,
                         size_t length, int is_shifted)
{
    static char in[3][LONG * 8 + 64], out[2][2][2 * LONG * 8 + 64];
    static const size_t sizes[] = {2, 2, 4, 8};
    const ptrdiff_t size = (ptrdiff_t)sizes[dtype];
    double parameters[4] = {0.75, 0.5, 0.25, 1.5};
    const int backward = (pass & ~ACTC_EXACT) == ACTC_BACKWARD,
              both = (pass & ~ACTC_EXACT) == ACTC_VALUE_AND_DERIVATIVE;
    const actc_activation *a = (const actc_activation *)entry;
    const actc_gate *g = (const actc_gate *)entry;
    const actc_row *r = (const actc_row *)entry;
    const int inputs = (backward ? 2 : 1) + (which == 1), outputs = both || (which == 1 && backward) ? 2 : 1;
    const int parameter_count = (int)(which == 0   ? a->parameter_count
                                      : which == 1 ? g->parameter_count
                                                   : r->parameter_count);
    int status[2];
    memset(out, 0xA5, sizeof out);
    for (int i = 0; i < 3; i++)
        for (size_t e = 0; e < LONG; e++)
            set_bits_at((enum actc_dtype)dtype, in[i], e,
                        input((enum actc_dtype)dtype, hash(7 + (uint64_t)i, e) % (DIRECTED + 300)));
    for (int threaded = 0; threaded < 2; threaded++) {
        char *data[12];
        ptrdiff_t strides[12], inner[12];
        int k = 0;
        for (int i = 0; i < inputs; i++, k++)
            data[k] = in[i], strides[k] = step * size * (ptrdiff_t)(which == 2 ? length : 1);
        for (int i = 0; i < parameter_count; i++, k++) data[k] = (char *)&parameters[i], strides[k] = 0;
        for (int i = 0; i < outputs; i++, k++)
            data[k] = out[threaded][i], strides[k] = step * size * (ptrdiff_t)(which == 2 ? length : 1);
        for (int i = 0; i < 12; i++) inner[i] = size;
        if (which == 2 && r->shape == ACTC_REDUCE) strides[backward ? 0 : k - 1] = size;
        if (which == 2 && r->shape == ACTC_DOUBLED)
            for (int i = 0; i < k; i++)
                if (backward ? i == 0 : i >= inputs + parameter_count) strides[i] *= 2;
        if (is_shifted) { /* the output begins before the input that it overlaps */
            memcpy(out[threaded][0], in[inputs - 1], LONG * sizes[dtype]);
            data[inputs - 1] = out[threaded][0] + 3 * size;
        }
        const enum actc_pass p = (enum actc_pass)pass;
        const enum actc_dtype d = (enum actc_dtype)dtype;
        status[threaded] =
            which == 0 ? (threaded ? actc_threads_apply_strided : actc_apply_strided)(a, p, d, data, strides, n)
            : which == 1
                ? (threaded ? actc_threads_gate_apply_strided : actc_gate_apply_strided)(g, p, d, data, strides, n)
                : (threaded ? actc_threads_apply_rows : actc_apply_rows)(r, p, d, data, strides, inner, n, length);
    }
    expect(status[0] == status[1], NULL, "%s: returns %d, alone %d", name, status[1], status[0]);
    size_t wrong = 0; /* any NaN is as good as another */
    for (int i = 0; i < outputs; i++)
        for (size_t e = 0; e < sizeof out[0][0] / sizes[dtype]; e++)
            wrong += !same_bits((enum actc_dtype)dtype, bits_at((enum actc_dtype)dtype, out[0][i], e),
                                bits_at((enum actc_dtype)dtype, out[1][i], e));
    expect(!wrong, NULL, "%s: pass %d, dtype %d: %zu elements have not the bits of one thread", name, pass, dtype,
           wrong);
}
static void same_bits_in_pieces(void)
{
    for (size_t i = 0; i < actc_count(); i += is_full() ? 1 : 7)
        for (int dtype = 0; dtype < 4; dtype++)
            for (int pass = 0; pass <= ACTC_PASS_COUNT; pass++) {
                if (pass == ACTC_PARAMETER_BACKWARD) continue;
                perform_both(actc_at(i)->name, pass, dtype, 0, actc_at(i), 1, LONG - 70, 1, 0);
            }
    for (size_t i = 0; i < actc_count(); i += is_full() ? 5 : 19) {
        perform_both(actc_at(i)->name, ACTC_FORWARD, ACTC_F32, 0, actc_at(i), 1, LONG - 70, 1, 1);
        perform_both(actc_at(i)->name, ACTC_FORWARD | ACTC_EXACT, ACTC_F16, 0, actc_at(i), 2, LONG / 2, 1, 0);
    }
    for (size_t i = 0; i < actc_gate_count(); i++)
        for (int pass = 0; pass <= ACTC_BACKWARD; pass++)
            perform_both(actc_gate_at(i)->name, pass, ACTC_F32, 1, actc_gate_at(i), 1, LONG - 70, 1, 0);
    for (size_t i = 0; i < actc_row_count(); i++)
        for (int pass = 0; pass <= ACTC_BACKWARD; pass++)
            for (size_t length = 7; length < LONG; length *= 140)
                perform_both(actc_row_at(i)->name, pass, ACTC_F32, 2, actc_row_at(i), 1, LONG / length, length, 0);
}

static void contiguous(void)
{
    static float x[LONG], y[2][LONG], d[2][LONG];
    const void *in[] = {x, x, x};
    for (size_t e = 0; e < LONG; e++) x[e] = (float)e / 7000 - 10;
    for (int threaded = 0; threaded < 2; threaded++) {
        void *out[] = {y[threaded], d[threaded]};
        expect((threaded ? actc_threads_apply : actc_apply)(actc_find("elu"), ACTC_VALUE_AND_DERIVATIVE, ACTC_F32, in,
                                                            out, LONG, NULL) == 0,
               NULL, "apply");
    }
    expect(!memcmp(y[0], y[1], sizeof y[0]) && !memcmp(d[0], d[1], sizeof d[0]), NULL, "elu");
    for (int threaded = 0; threaded < 2; threaded++) {
        void *out[] = {y[threaded], d[threaded]};
        expect((threaded ? actc_threads_gate_apply : actc_gate_apply)(actc_gate_at(0), ACTC_BACKWARD, ACTC_F32, in, out,
                                                                      LONG, NULL) == 0,
               NULL, "gate");
    }
    expect(!memcmp(y[0], y[1], sizeof y[0]) && !memcmp(d[0], d[1], sizeof d[0]), NULL, "gate");
    void *out[] = {y[0], d[0]};
    expect(actc_threads_apply(actc_find("elu"), (enum actc_pass)77, ACTC_F32, in, out, LONG, NULL) == -1, NULL,
           "no such pass");
    expect(actc_threads_apply(actc_find("elu"), ACTC_FORWARD, (enum actc_dtype)9, in, out, LONG, NULL) == -1, NULL,
           "no such dtype");
}

int main(void)
{
    begin_check();
    every_index_once();
    numbers();
    several_callers();
    signals();
    forks();
    same_bits_in_pieces();
    contiguous();
    return summary("test_pool");
}
