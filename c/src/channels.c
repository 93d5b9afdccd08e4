/* channels.c - parameters of their own for each channel of an array: of shape (outer, channels, inner), as the layers of
   neural networks have it. On the strided entry alone. */
#include "environment.h"
#include "internal.h"
#include "pairwise.h"

enum { LONG_RUN = 64, PATTERN = 1024, MOST = 2 + 2 * MAX_PARAMETERS };

/* Channels of few neighbours: the parameters of up to PATTERN elements are written out, as an array beside x. */
static OWN_FRAME void short_runs(const actc_activation *f, enum actc_pass pass, enum actc_dtype dtype,
                                 char *const *arrays, int inputs, int outputs, size_t n, const double *params,
                                 size_t channels, size_t inner)
{
    const size_t size = item_size[dtype], period = channels * inner;
    double values[MAX_PARAMETERS][PATTERN];
    const int count = (int)f->parameter_count;
    char *data[MOST];
    ptrdiff_t strides[MOST];
    /* whole periods, so that one pattern serves all blocks but the last; or, of a long period, whatever fits */
    const size_t block = period <= PATTERN ? PATTERN / period * period : PATTERN;
    for (size_t at = 0, m; at < n; at += m) {
        m = n - at < block ? n - at : block;
        if (!at || period > PATTERN)
            for (int j = 0; j < count; j++)
                for (size_t k = 0; k < m; k++)
                    values[j][k] = params[(size_t)j * channels + (at + k) / inner % channels];
        int k = 0;
        for (int i = 0; i < inputs; i++, k++) data[k] = arrays[i] + at * size, strides[k] = (ptrdiff_t)size;
        for (int j = 0; j < count; j++, k++) data[k] = (char *)values[j], strides[k] = sizeof(double);
        for (int i = 0; i < outputs; i++, k++) data[k] = arrays[inputs + i] + at * size, strides[k] = (ptrdiff_t)size;
        actc_apply_strided(f, pass, dtype, data, strides, m);
    }
}

static void long_runs(const actc_activation *f, enum actc_pass pass, enum actc_dtype dtype, char *const *arrays,
                      int inputs, int outputs, size_t n, const double *params, size_t channels, size_t inner)
{
    const size_t size = item_size[dtype];
    for (size_t run = 0, at = 0; at < n; run++, at += inner) {
        double values[MAX_PARAMETERS];
        const void *in[2];
        void *out[2];
        for (size_t j = 0; j < f->parameter_count; j++) values[j] = params[j * channels + run % channels];
        for (int i = 0; i < inputs; i++) in[i] = arrays[i] + at * size;
        for (int i = 0; i < outputs; i++) out[i] = arrays[inputs + i] + at * size;
        actc_apply(f, pass, dtype, in, out, inner, values);
    }
}

/* The sums of one channel: neighbours first, then its runs, both by halves. */
static void sums_of_channel(const actc_activation *f, enum actc_pass pass, enum actc_dtype dtype, char *const *arrays,
                            size_t n, const double *params, size_t channels, size_t inner, size_t channel)
{
    const ptrdiff_t size = (ptrdiff_t)item_size[dtype];
    const size_t period = channels * inner, runs = n / period, parameters = f->parameter_count;
    /* of one element each, they are one run with a stride */
    const size_t length = inner == 1 ? runs : inner, step = inner == 1 ? period : 1, count = inner == 1 ? 1 : runs;
    double values[MAX_PARAMETERS], sums[MAX_PARAMETERS][SUM_BLOCK];
    pairwise total[MAX_PARAMETERS];
    char *data[MOST];
    ptrdiff_t strides[MOST] = {(ptrdiff_t)step * size, (ptrdiff_t)step * size};
    for (size_t j = 0; j < parameters; j++) {
        values[j] = params[j * channels + channel];
        data[2 + j] = (char *)&values[j];
        total[j].blocks = 0;
    }
    for (size_t run = 0; run < count; run++) {
        const size_t at = run * period + channel * inner, k = run % SUM_BLOCK;
        for (int i = 0; i < 2; i++) data[i] = arrays[i] + at * (size_t)size;
        for (size_t j = 0; j < parameters; j++) data[2 + parameters + j] = (char *)&sums[j][k];
        actc_apply_strided(f, pass, dtype, data, strides, length);
        if (k == SUM_BLOCK - 1 || run == count - 1)
            for (size_t j = 0; j < parameters; j++) add_block(&total[j], sums[j], k + 1);
    }
    for (size_t j = 0; j < parameters; j++) ((double *)arrays[2 + j])[channel] = total_of(&total[j]);
}

int actc_apply_channels(const actc_activation *f, enum actc_pass pass, enum actc_dtype dtype, const void *const *in,
                        void *const *out, size_t n, const double *params, size_t channels, size_t inner)
{
    const int kind = pass & ~ACTC_EXACT, outputs = kind == ACTC_VALUE_AND_DERIVATIVE ? 2 : 1;
    const int inputs = kind == ACTC_BACKWARD || kind == ACTC_PARAMETER_BACKWARD ? 2 : 1;
    char *arrays[MOST];
    if ((unsigned)kind >= ACTC_PASS_COUNT || (unsigned)dtype >= ACTC_DTYPE_COUNT || !f->parameter_count) return -1;
    if (!channels || !inner || n % inner || n / inner % channels) return -1;
    for (int i = 0; i < inputs; i++) arrays[i] = (char *)(uintptr_t)in[i];
    for (int i = 0; i < (kind == ACTC_PARAMETER_BACKWARD ? (int)f->parameter_count : outputs); i++)
        arrays[inputs + i] = out[i];
    const environment before = enter(); /* the sums over runs are added up here */
    if (kind == ACTC_PARAMETER_BACKWARD)
        for (size_t c = 0; c < channels; c++) sums_of_channel(f, pass, dtype, arrays, n, params, channels, inner, c);
    else
        (inner < LONG_RUN ? short_runs : long_runs)(f, pass, dtype, arrays, inputs, outputs, n, params, channels,
                                                    inner);
    leave(before);
    return 0;
}
