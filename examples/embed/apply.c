/* apply.c - a function chosen by name, over a file of raw float32: first f, then f', correctly rounded.
     cc apply.c $(pkg-config --cflags --libs actc) -o apply && ./apply gelu input.f32 output.f32 */
#include <actc.h>
#include <stdio.h>
#include <stdlib.h>

static float *read_floats(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    float *x = NULL;
    if (file && !fseek(file, 0, SEEK_END)) {
        *n = (size_t)ftell(file) / sizeof(float);
        rewind(file);
        x = malloc(*n * sizeof(float) + 1);
        if (x && fread(x, sizeof(float), *n, file) != *n) free(x), x = NULL;
    }
    if (file) fclose(file);
    return x;
}

int main(int argc, char **argv)
{
    if (argc != 4) return fprintf(stderr, "usage: apply NAME INPUT OUTPUT\n"), 2;
    const actc_activation *row = actc_find(argv[1]);
    if (!row) return fprintf(stderr, "%s: no such function\n", argv[1]), 2;

    size_t n = 0;
    float *x = read_floats(argv[2], &n), *both = malloc(2 * n * sizeof(float) + 1);
    if (!x || !both) return perror(argv[2]), 1;

    const void *in[] = {x};
    void *out[] = {both, both + n};
    actc_apply(row, ACTC_VALUE_AND_DERIVATIVE | ACTC_EXACT, ACTC_F32, in, out, n, NULL); /* default parameters */

    FILE *file = fopen(argv[3], "wb");
    if (!file || fwrite(both, sizeof(float), 2 * n, file) != 2 * n || fclose(file)) return perror(argv[3]), 1;
    free(x), free(both);
    return 0;
}
