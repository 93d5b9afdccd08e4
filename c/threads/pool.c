/* pool.c - threads that sleep between jobs, and one job at a time. */
#if !defined(_GNU_SOURCE) && defined(__linux__)
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include "../include/actc/threads.h"

#include <stdlib.h>

#ifdef _WIN32
#include <windows.h>
typedef SRWLOCK lock;
typedef CONDITION_VARIABLE condition;
#define UNLOCKED SRWLOCK_INIT
#define UNSIGNALLED CONDITION_VARIABLE_INIT
#ifdef __MINGW32__
#define LOCAL __thread
#else
#define LOCAL __declspec(thread)
#endif
#define acquire AcquireSRWLockExclusive
#define try_acquire TryAcquireSRWLockExclusive
#define release ReleaseSRWLockExclusive
#define wake_all WakeAllConditionVariable
static void wait_for(condition *c, lock *l) { SleepConditionVariableSRW(c, l, INFINITE, 0); }
static double now(void) /* microseconds */
{
    LARGE_INTEGER ticks, in_a_second;
    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&in_a_second);
    return 1e6 * (double)ticks.QuadPart / (double)in_a_second.QuadPart;
}
#else
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#endif
typedef pthread_mutex_t lock;
typedef pthread_cond_t condition;
#define UNLOCKED PTHREAD_MUTEX_INITIALIZER
#define UNSIGNALLED PTHREAD_COND_INITIALIZER
#define LOCAL __thread
#define acquire pthread_mutex_lock
#define release pthread_mutex_unlock
#define wake_all pthread_cond_broadcast
#define wait_for pthread_cond_wait
static int try_acquire(lock *l) { return !pthread_mutex_trylock(l); }
static double now(void) /* microseconds */
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}
#endif

/* Microseconds of work in which the others are worth waking, which takes 5 to 20. What is left is estimated from a first
   bit, for relu and an exact double differ by a factor of a thousand, and so do tasks of others. */
#ifndef ACTC_WORTH_WAKING
#define ACTC_WORTH_WAKING 60
#endif
enum {
    PIECES = 8,         /* a thread: where another process has one of the processors, the others finish its share */
    PROBE = 4,          /* what is done alone is so much less than a piece */
    STACK = 1024 * 1024 /* bytes; rows take up to a sixth of it */
};

typedef struct job {
    actc_task *task;
    void *context;
    size_t n, piece;
} job;

#define IDLE                                                                                                           \
    {                                                                                                                  \
        UNLOCKED, UNLOCKED, UNSIGNALLED, UNSIGNALLED, 0, 0, 0, {0, 0, 0, 0}, 0                                         \
    }
static struct pool {
    lock turn;  /* whose job it is; only tried, never waited for */
    lock state; /* all that follows */
    condition work, done;
    int workers; /* threads that exist besides the callers */
    int places;  /* how many more of them the job takes */
    int busy;    /* how many are at it */
    job current;
    size_t next; /* the first index that nobody has taken */
} pool = IDLE;

/* Pieces until there are none. A lock for each, where atomics would do, is nothing beside the least of pieces. */
static void take_pieces(const job *j)
{
    for (;;) {
        acquire(&pool.state);
        const size_t first = pool.next, count = j->n - first < j->piece ? j->n - first : j->piece;
        pool.next = first + count;
        release(&pool.state);
        if (!count) return;
        j->task(j->context, first, count);
    }
}

static void work(void)
{
    acquire(&pool.state);
    for (;;) {
        while (!pool.places) wait_for(&pool.work, &pool.state);
        pool.places--;
        pool.busy++;
        const job j = pool.current;
        release(&pool.state);
        take_pieces(&j);
        acquire(&pool.state);
        if (!--pool.busy) wake_all(&pool.done);
    }
}

#ifdef _WIN32
static DWORD WINAPI begin(void *unused)
{
    (void)unused;
    work();
    return 0;
}
static int start_one(void)
{
    const HANDLE thread = CreateThread(NULL, STACK, begin, NULL, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
    return thread && CloseHandle(thread);
}
int actc_processors(void)
{
    DWORD_PTR process, system;
    int count = 0;
    if (GetProcessAffinityMask(GetCurrentProcess(), &process, &system))
        for (; process; process &= process - 1) count++;
    return count ? count : 1;
}
#else
static void *begin(void *unused)
{
    (void)unused;
    work();
    return NULL;
}
/* The child of a fork has none of the threads, and locks as they happened to be. */
static void forget(void)
{
    const struct pool fresh = IDLE;
    pool = fresh;
}
static void remember_forks(void) { pthread_atfork(NULL, NULL, forget); }
/* 0 where the system has no more threads. Signals are for the threads that the program knows. */
static int start_one(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    pthread_once(&once, remember_forks);
    if (pthread_attr_init(&attributes)) return 0;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failed = pthread_create(&thread, &attributes, begin, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return !failed;
}
int actc_processors(void)
{
#ifdef __linux__
    cpu_set_t mask;
    if (!sched_getaffinity(0, sizeof mask, &mask)) return CPU_COUNT(&mask);
#endif
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}
#endif

/* ---- how many ---- */

static int for_all = -1; /* -1: as the environment says */
static LOCAL int for_this;

#if defined(__GNUC__)
#define get_for_all() __atomic_load_n(&for_all, __ATOMIC_RELAXED)
#define set_for_all(n) __atomic_exchange_n(&for_all, n, __ATOMIC_RELAXED)
#else
#define get_for_all() InterlockedCompareExchange((volatile LONG *)&for_all, 0, 0)
#define set_for_all(n) InterlockedExchange((volatile LONG *)&for_all, n)
#endif

static int checked(int n)
{
    if (n < 0 || n > ACTC_MAX_THREADS) return -1;
    const int processors = n ? n : actc_processors();
    return processors < ACTC_MAX_THREADS ? processors : ACTC_MAX_THREADS;
}
/* what cannot be understood is 1 */
static int from_environment(void)
{
    const char *text = getenv("ACTC_NUM_THREADS");
    char *end;
    if (!text || *text < '0' || *text > '9') return 1;
    const long n = strtol(text, &end, 10);
    return *end || n > ACTC_MAX_THREADS ? 1 : checked((int)n);
}

int actc_get_num_threads(void)
{
    if (for_this) return for_this;
    if (get_for_all() < 0) set_for_all(from_environment());
    return get_for_all();
}
int actc_set_num_threads(int n)
{
    const int wanted = checked(n);
    if (wanted < 0) return -1;
    const int before = set_for_all(wanted);
    return before < 0 ? from_environment() : before;
}
int actc_set_num_threads_local(int n)
{
    if (n < 0 || n > ACTC_MAX_THREADS) return -1;
    const int before = for_this;
    for_this = n;
    return before;
}

/* ---- a job ---- */

int actc_parallel(actc_task *task, void *context, size_t n, size_t least)
{
    const size_t most = n / (least ? least : 1);
    int threads = actc_get_num_threads();
    if (most < (size_t)threads) threads = (int)most;
    if (threads < 2 || !try_acquire(&pool.turn)) {
        if (n) task(context, 0, n);
        return 1;
    }
    const size_t pieces = (size_t)threads * PIECES;
    const job j = {task, context, n, (n + pieces - 1) / pieces};

    const size_t first = (j.piece + PROBE - 1) / PROBE, left = n - first;
    const double begun = now();
    task(context, 0, first);
    if ((now() - begun) * (double)left < ACTC_WORTH_WAKING * (double)first) {
        release(&pool.turn);
        if (left) task(context, first, left);
        return 1;
    }

    acquire(&pool.state);
    while (pool.workers < threads - 1 && start_one()) pool.workers++;
    if (pool.workers < threads - 1) threads = pool.workers + 1;
    pool.current = j;
    pool.next = first;
    pool.places = threads - 1;
    wake_all(&pool.work);
    release(&pool.state);

    take_pieces(&j);

    acquire(&pool.state);
    pool.places = 0; /* who has not woken by now need not */
    while (pool.busy) wait_for(&pool.done, &pool.state);
    release(&pool.state);
    release(&pool.turn);
    return threads;
}
