/* philox.h - Philox 4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw 2011 (Parallel random numbers:
   as easy as 1, 2, 3): four words of 32 bits are a function of a counter and a key alone. Plain loops over several
   counters at a time, which compilers vectorise for the instruction set of the unit. */

enum { COUNTERS = 64 }; /* at a time: 0.73 ns a word with AVX-512, 0.88 with 32; gcc does not vectorise 16 (3.8) */

/* The words of `count` <= COUNTERS consecutive counters of 128 bits, least significant word first */
static void philox(const uint32_t *counter, const uint32_t *key, uint32_t *words, size_t count)
{
    uint32_t c[4][COUNTERS], k0 = key[0], k1 = key[1];
    const uint64_t low = counter[0] | (uint64_t)counter[1] << 32, high = counter[2] | (uint64_t)counter[3] << 32;
    for (int j = 0; j < COUNTERS; j++) {
        const uint64_t l = low + (uint64_t)j, h = high + (l < low);
        c[0][j] = (uint32_t)l, c[1][j] = (uint32_t)(l >> 32), c[2][j] = (uint32_t)h, c[3][j] = (uint32_t)(h >> 32);
    }
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B9, k1 += 0xBB67AE85)
        for (int j = 0; j < COUNTERS; j++) {
            const uint64_t p = (uint64_t)0xD2511F53 * c[0][j], q = (uint64_t)0xCD9E8D57 * c[2][j];
            c[0][j] = (uint32_t)(q >> 32) ^ c[1][j] ^ k0, c[1][j] = (uint32_t)q;
            c[2][j] = (uint32_t)(p >> 32) ^ c[3][j] ^ k1, c[3][j] = (uint32_t)p;
        }
    for (size_t j = 0; j < count; j++)
        for (int i = 0; i < 4; i++) words[4 * j + (size_t)i] = c[i][j];
}

/* lower + (upper - lower) u for the elements [first, first + n) of the stream: u of element i is word i % 4 of counter i / 4, in
   units of 2^-32 */
static void uniform(uint64_t key, uint64_t first, double lower, double upper, double *values, size_t n)
{
    const double width = upper - lower; /* not the caller's: a compiler moves it before enter() */
    uint32_t words[4 * COUNTERS];
    const uint32_t k[2] = {(uint32_t)key, (uint32_t)(key >> 32)};
    uint64_t block = first / 4;
    for (size_t at = 0, skip = first % 4, m; at < n; at += m, skip = 0, block += COUNTERS) {
        const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), 0, 0};
        m = n - at < 4 * COUNTERS - skip ? n - at : 4 * COUNTERS - skip;
        philox(counter, k, words, COUNTERS);
        for (size_t i = 0; i < m; i++) values[at + i] = lower + width * ((double)words[skip + i] * 0x1p-32);
    }
}
