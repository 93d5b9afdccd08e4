/* hard_cases.c - float32 inputs at which the double kernel leaves in doubt how `exact` float32 rounds: those whose double
   lies within five units in its last place of the middle between two floats. Prints: name pass input, bits in hexadecimal.

     cc -O2 -Ic/include -o hard_cases tools/hard_cases.c $(find c/src -name '*.c') -lpthread
     ./hard_cases [FIRST_ROW] | python tools/hard_cases.py > c/src/hard_cases.def */
#include <actc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 4096, THREADS = 2 };

typedef struct job {
    const actc_activation *row;
    int pass;
    uint64_t from, to;
} job;

static int in_doubt(double v)
{
    uint64_t b;
    if (v < 0) v = -v;
    if (v < 0x1p-126) v += 0x1p-126;
    memcpy(&b, &v, sizeof b);
    return ((b + 5 - ((uint64_t)1 << 28)) & (((uint64_t)1 << 29) - 1)) <= 10;
}

static void *search(void *argument)
{
    const job *j = argument;
    float x[CHUNK];
    double wide[CHUNK], d[CHUNK];
    const void *in[] = {wide};
    void *out[] = {d};
    for (uint64_t b = j->from; b < j->to; b += CHUNK) {
        for (int i = 0; i < CHUNK; i++) {
            const uint32_t bits = (uint32_t)(b + (uint64_t)i);
            memcpy(&x[i], &bits, sizeof bits);
            wide[i] = x[i];
        }
        actc_apply(j->row, (enum actc_pass)j->pass, ACTC_F64, in, out, CHUNK, NULL);
        int found = 0;
        for (int i = 0; i < CHUNK; i++) found += in_doubt(d[i]);
        /* where the kernel knows of a stretch of ties and nudges its result, or subnormals tie: a sample of them */
        const int few = found < CHUNK / 64 && !(wide[0] < 0x1p-126 && wide[0] > -0x1p-126);
        for (int i = 0; i < CHUNK; i++)
            if (in_doubt(d[i]) && (few || i % 1021 == 5)) {
                uint32_t a;
                memcpy(&a, &x[i], sizeof a);
                printf("%s %d %08x\n", j->row->name, j->pass, a);
            }
    }
    return NULL;
}

int main(int count, char **arguments)
{
    for (size_t i = count > 1 ? strtoull(arguments[1], NULL, 10) : 0; i < actc_count(); i++) {
        const actc_activation *row = actc_at(i);
        if (row->parameter_count || row->exact_f64_is_paired) continue;
        for (int pass = 0; pass < 2; pass++) {
            pthread_t running[THREADS];
            job jobs[THREADS];
            for (int t = 0; t < THREADS; t++) {
                const uint64_t share = ((uint64_t)1 << 32) / THREADS;
                jobs[t] = (job){row, pass, (uint64_t)t * share, (uint64_t)(t + 1) * share};
                pthread_create(&running[t], NULL, search, &jobs[t]);
            }
            for (int t = 0; t < THREADS; t++) pthread_join(running[t], NULL);
            fprintf(stderr, "%s %d\n", row->name, pass);
        }
    }
    return 0;
}
