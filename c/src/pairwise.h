/* pairwise.h - sums by halves: 256 neighbours, then the blocks' sums, so that the order depends on n alone and the error
   grows with log n. */
#ifndef ACTC_PAIRWISE_H
#define ACTC_PAIRWISE_H

#include "internal.h"

typedef struct pairwise {
    double partial[64]; /* partial[j] sums 2^j blocks, as in a binary counter */
    uint64_t blocks;
} pairwise;

/* Adds n <= SUM_BLOCK values, which are lost; v has room for SUM_BLOCK. Only the last block may be shorter. */
static inline void add_block(pairwise *s, double *v, size_t n)
{
    for (size_t i = n; i < SUM_BLOCK; i++) v[i] = 0;
    for (size_t width = SUM_BLOCK / 2; width; width /= 2)
        for (size_t i = 0; i < width; i++) v[i] += v[i + width];
    double sum = v[0];
    int level = 0;
    for (uint64_t b = s->blocks++; b & 1; b >>= 1) sum += s->partial[level++];
    s->partial[level] = sum;
}
static inline double total_of(const pairwise *s)
{
    double sum = 0;
    for (int level = 0; level < 64; level++)
        if (s->blocks >> level & 1) sum += s->partial[level];
    return sum;
}

#endif
