/* apply_r.c - libactc for R's .C interface, which passes everything by pointer:
     PKG_CPPFLAGS=$(pkg-config --cflags actc) PKG_LIBS=$(pkg-config --libs actc) R CMD SHLIB apply_r.c */
#include <actc.h>

void value_and_derivative(char **name, const float *x, float *y, float *d, const int *n, int *status)
{
    const actc_activation *row = actc_find(*name);
    const void *in[] = {x};
    void *out[] = {y, d};
    *status = row ? actc_apply(row, ACTC_VALUE_AND_DERIVATIVE | ACTC_EXACT, ACTC_F32, in, out, (size_t)*n, NULL) : -1;
}
