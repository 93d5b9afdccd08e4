/* test_threads.c - calls from several threads at once while another one switches the instruction set: every result has
   the bits of a call alone. Made for the thread sanitizer. POSIX threads. */
#define _DEFAULT_SOURCE
#include "operations.h"

#include <pthread.h>

enum { THREADS = 4, LENGTH = 700, JOBS_MAX = 4096 };

/* An operation with its inputs and the results of scalar; threads write to memory of their own. */
typedef struct job {
    operation o;
    char *plain[ALL_MAX];
} job;
static job jobs[JOBS_MAX];
static size_t job_count;
static pthread_barrier_t start;
static unsigned long wrong[THREADS];
static int stop;

/* One of each function, the other choices at random. */
static void prepare(void)
{
    for (int f = 0; f < FAMILIES; f++)
        for (size_t i = 0; i < 2 * family_count((enum family)f) && job_count < JOBS_MAX; i++) {
            const uint64_t h = hash(30 + (uint64_t)f, i);
            job *j = &jobs[job_count];
            operation *o = &j->o;
            o->family = (enum family)f, o->index = i / 2;
            o->pass = (int)(h % ACTC_PASS_COUNT), o->tier = (int)(h >> 8 & 1), o->dtype = (int)(h >> 9 & 3);
            o->rows = f == ROWS ? 5 : 1, o->channels = 4, o->run = 7, o->hinges = 3, o->varies = (int)(h >> 11 & 1);
            o->length = f == CHANNELS ? 20 * 28 : f == ROWS ? 90 : h >> 12 & 1 ? LENGTH : 9;
            o->lower = 0.125, o->upper = 0.375, o->key = h;
            if (!describe(o)) continue;
            for (int k = 0; k < o->count; k++) {
                operand *a = &o->all[k];
                j->plain[k] = calloc(elements_of(a) + 1, 8);
                if (!j->plain[k]) abort();
                set_contiguous(a, j->plain[k]);
                for (size_t e = 0; e < elements_of(a) && !a->is_output; e++)
                    set_bits_at(a->dtype, j->plain[k], e,
                                k < o->inputs ? input(a->dtype, hash(h + (uint64_t)k, e) % (DIRECTED + 300))
                                              : double_bits(other_parameter(1 + e % 9, (uint64_t)k)));
            }
            expect(perform(o, 0, o->length) == 0, NULL, "refused: %s %s", family_name[f], operation_name(o));
            job_count++;
        }
}

static void *work(void *which)
{
    const size_t thread = (size_t)(uintptr_t)which;
    pthread_barrier_wait(&start);
    const char *first = actc_isa(); /* the first call of all, in every thread at once */
    pthread_barrier_wait(&start);   /* meanwhile main prepares */
    pthread_barrier_wait(&start);
    if (!first) wrong[thread]++;
    for (size_t round = 0; round < (is_full() ? 200 : 20) * job_count; round++) {
        const job *j = &jobs[hash(40 + thread, round) % job_count];
        operation own = j->o;
        for (int k = 0; k < own.count; k++)
            if (own.all[k].is_output) {
                own.all[k].at = malloc(elements_of(&own.all[k]) * 8 + 8);
                if (!own.all[k].at) abort();
            }
        perform(&own, 0, own.length);
        for (int k = 0; k < own.count; k++) {
            if (!own.all[k].is_output) continue;
            for (size_t e = 0; e < elements_of(&own.all[k]); e++)
                wrong[thread] += !same_bits(own.all[k].dtype, bits_at(own.all[k].dtype, j->plain[k], e),
                                            bits_at(own.all[k].dtype, own.all[k].at, e));
            free(own.all[k].at);
        }
    }
    return NULL;
}

static void *switch_sets(void *nothing)
{
    size_t i = 0;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        if (!actc_isa_at(i)) i = 0;
        actc_use_isa(actc_isa_at(i++));
    }
    return nothing;
}

int main(void)
{
    pthread_t threads[THREADS], switcher;
    (void)is_full(); /* it remembers */
    if (pthread_barrier_init(&start, NULL, THREADS + 1)) abort();
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i)) abort();
    pthread_barrier_wait(&start);
    pthread_barrier_wait(&start);
    begin_check();
    actc_use_isa("scalar");
    prepare();
    if (pthread_create(&switcher, NULL, switch_sets, NULL)) abort();
    pthread_barrier_wait(&start);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        expect(!wrong[i], NULL, "thread %lu: %lu elements not as alone", (unsigned long)i, wrong[i]);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    pthread_join(switcher, NULL);
    printf("%lu calls to choose from\n", (unsigned long)job_count);
    return summary("test_threads");
}
