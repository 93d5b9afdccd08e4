/* actc/threads.h - one call shared by several threads. A component of its own: libactc has no threads, libactc_threads
   (actc::threads in CMake) has this header's symbols.

     actc_set_num_threads(2);
     actc_threads_apply(actc_find("gelu"), ACTC_FORWARD, ACTC_F32, in, out, n, NULL);

   The results are those of libactc, bit for bit, with any number of threads. The default is one thread, or what the
   environment variable ACTC_NUM_THREADS says (0: one for each processor that the process may use). No thread exists before a
   call that needs it; threads are kept, asleep between calls, with all signals blocked. The calling thread takes its
   share; where the pool is busy with another thread's call, it does all the work itself and waits for nobody. A child
   process has no threads after fork, and starts its own. Everything here may be called from any thread. */
#ifndef ACTC_THREADS_H
#define ACTC_THREADS_H

#include "../actc.h"

#if defined(_WIN32) && defined(ACTC_BUILD_THREADS)
#define ACTC_THREADS_API __declspec(dllexport)
#elif defined(_WIN32) && defined(ACTC_SHARED)
#define ACTC_THREADS_API __declspec(dllimport)
#elif defined(__GNUC__)
#define ACTC_THREADS_API __attribute__((visibility("default")))
#else
#define ACTC_THREADS_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum { ACTC_MAX_THREADS = 1024 };

/* How many threads a call may take, the calling one included. */
ACTC_THREADS_API int actc_get_num_threads(void);

/* For all threads that have no number of their own; 0: one for each processor. Returns the number before, or -1 for a
   number that is negative or above ACTC_MAX_THREADS. */
ACTC_THREADS_API int actc_set_num_threads(int n);

/* For calls by the calling thread only; 0: again as for all. Returns what it was (0 where it was as for all), or -1. */
ACTC_THREADS_API int actc_set_num_threads_local(int n);

/* Processors that the process may use: those of its affinity mask where the system has one. */
ACTC_THREADS_API int actc_processors(void);

/* Does `task` for [0, n) in pieces: task(context, first, count), from several threads at once, each index in one piece.
   A thread for every `least` indices at most, and only where a first bit shows that to wake them is worth the while
   (60 us of work). Returns how many threads it was offered to: 1 too where a job is going on already, be it another
   thread's or the one whose task asks. */
typedef void actc_task(void *context, size_t first, size_t count);
ACTC_THREADS_API int actc_parallel(actc_task *task, void *context, size_t n, size_t least);

/* As the functions of actc.h without `threads_`, with the same operands, errors and bits. Calls too small to be worth a
   thread, sums (ACTC_PARAMETER_BACKWARD) and operands that overlap other than exactly stay in the calling thread. */
ACTC_THREADS_API int actc_threads_apply(const actc_activation *activation, enum actc_pass pass, enum actc_dtype dtype,
                                        const void *const *in, void *const *out, size_t n, const double *params);
ACTC_THREADS_API int actc_threads_apply_strided(const actc_activation *activation, enum actc_pass pass,
                                                enum actc_dtype dtype, char *const *data, const ptrdiff_t *strides,
                                                size_t n);
ACTC_THREADS_API int actc_threads_gate_apply(const actc_gate *gate, enum actc_pass pass, enum actc_dtype dtype,
                                             const void *const *in, void *const *out, size_t n, const double *params);
ACTC_THREADS_API int actc_threads_gate_apply_strided(const actc_gate *gate, enum actc_pass pass, enum actc_dtype dtype,
                                                     char *const *data, const ptrdiff_t *strides, size_t n);
ACTC_THREADS_API int actc_threads_apply_rows(const actc_row *row, enum actc_pass pass, enum actc_dtype dtype,
                                             char *const *data, const ptrdiff_t *outer, const ptrdiff_t *inner,
                                             size_t rows, size_t length);

#ifdef __cplusplus
}
#endif

#endif
