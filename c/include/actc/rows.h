/* actc/rows.h - functions of whole rows: softmax and its kin. Included by actc.h.

   Every function of rows.def is a set of exported symbols. For `softmax` (shape MAP) and float:

     void actc_softmax_f32(const float *x, float *y, size_t rows, size_t length, double temperature);
     void actc_softmax_backward_f32(const float *g, const float *y, float *gx, size_t rows, size_t length,
                                    double temperature);

   x, y and gx hold `rows` rows of `length` elements one after the other; for shape REDUCE y and g hold one element a
   row, for DOUBLED rows of 2 length. backward takes y or x after g, as the row of the table says; DOUBLED functions
   have derivative, second_derivative (x, d) and value_and_derivative (x, y, d) too. Types, the exact tier, in-place
   calls, NaN and the environment are as for the elementwise functions. The bits of a row's result depend on nothing
   but the row: sums run in one fixed order whatever the instruction set, the strides or the other rows are. */
#ifndef ACTC_ROWS_H
#define ACTC_ROWS_H

#include "../actc.h"

#ifdef __cplusplus
extern "C" {
#endif

enum actc_shape { ACTC_MAP = 0, ACTC_REDUCE = 1, ACTC_DOUBLED = 2 };

/* One row of the table; grows only at its end, as struct actc_activation does. */
typedef struct actc_row {
    size_t struct_size;
    const char *name;
    size_t index;
    size_t parameter_count;
    const actc_parameter *parameters;
    enum actc_shape shape;
    const char *formula;
    const char *backward;
    const char *from; /* "x" or "y": what backward takes after g */
    const char *limits;
    const char *masked; /* what a left-out element counts as, and what a row of nothing else becomes; "": neither */
    const char *empty;
    int grouped; /* rows are groups of neighbouring elements */
    const char *reference;
    const char *elsewhere;
    const actc_activation *about; /* what activations.def says of its functions, of a DOUBLED row's two halves; NULL of
                                     others. In no table: actc_apply refuses it */
} actc_row;

ACTC_API size_t actc_row_count(void);
ACTC_API const actc_row *actc_row_at(size_t index);       /* NULL past the last */
ACTC_API const actc_row *actc_row_find(const char *name); /* NULL if there is none */

/* Any row function over strided memory. data holds the inputs, one double for each parameter, then the outputs; from row
   to row an operand advances by outer[k] bytes and within a row by inner[k] (of no meaning for parameters and for the
   one element of REDUCE). Passes are those of actc_apply but ACTC_PARAMETER_BACKWARD. An output may be an input
   with the same strides; operands must be aligned. Returns 0, or -1 for a pass or dtype that there is not. */
ACTC_API int actc_apply_rows(const actc_row *row, enum actc_pass pass, enum actc_dtype dtype, char *const *data,
                             const ptrdiff_t *outer, const ptrdiff_t *inner, size_t rows, size_t length);

#define ACTC_ROW_PASSES_DOUBLED(name, parameters, dtype, real)                                                         \
    ACTC_API void name##_derivative_##dtype(const real *x, real *d, size_t rows,                                       \
                                            size_t length ACTC_DOUBLES_##parameters);                                  \
    ACTC_API void name##_second_derivative_##dtype(const real *x, real *d2, size_t rows,                               \
                                                   size_t length ACTC_DOUBLES_##parameters);                           \
    ACTC_API void name##_value_and_derivative_##dtype(const real *x, real *y, real *d, size_t rows,                    \
                                                      size_t length ACTC_DOUBLES_##parameters);
#define ACTC_ROW_PASSES_MAP(name, parameters, dtype, real)
#define ACTC_ROW_PASSES_REDUCE(name, parameters, dtype, real)

/* ACTC_TYPES hands the shape on where the elementwise table has the name of the row */
#define ACTC_DECLARE_ROW(name, shape, tier, parameters, dtype, real)                                                   \
    ACTC_API void name##_##dtype(const real *x, real *y, size_t rows, size_t length ACTC_DOUBLES_##parameters);        \
    ACTC_API void name##_backward_##dtype(const real *g, const real *from, real *gx, size_t rows,                      \
                                          size_t length ACTC_DOUBLES_##parameters);                                    \
    ACTC_ROW_PASSES_##shape(name, parameters, dtype, real)

#define ROW(name, parameters, kind, shape, ...)                                                                        \
    ACTC_TYPES(ACTC_DECLARE_ROW, actc_##name, shape, 0, parameters)                                                    \
    ACTC_TYPES(ACTC_DECLARE_ROW, actc_exact_##name, shape, ACTC_EXACT, parameters)
#include "rows.def"
#undef ROW

#ifdef __cplusplus
}
#endif
#endif
