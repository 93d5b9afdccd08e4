/* rows.h - from the table rows.def, the kernels of every row function. */
#ifdef SHARES_ROWS /* with the scalar unit: where fma is emulated, vectors are a fifth faster (softmax 52 ns, 62) and 350 kB */
#define row_kernels NULL
#define COLUMNS_OF_ROWS NULL
#define ROWS_OF_COLUMNS NULL
#else
#include "extended.h"
#include "frame.h"
#include "softmax.h"
#include "choices.h"
#include "projections.h"
#include "standardize.h"

/* One body, compiled for each way that lanes can lie; where there is one lane, across is along. The panel is copied, for else
   each store might change it, and the loops would read it again after each. For size: rows of ANY operands are slow by what
   they are (38 KB of a wheel), and two copies of each loop across gain a twentieth (43 KB). */
#define FOR_along
#define FOR_across UNSWITCHED
#define FOR_any RARE
#define IN_WAY(name, pass, suffix, ...)                                                                                \
    FOR_##suffix static int name##_##pass##_##suffix(const panel *given)                                               \
    {                                                                                                                  \
        const panel p = *given;                                                                                        \
        return name##_##pass(&p, (mode){__VA_ARGS__});                                                                 \
    }
#ifdef ONE_LANE
#define KERNEL(name, pass) IN_WAY(name, pass, along, 1, 1) IN_WAY(name, pass, any, 1, 0)
#define WAYS(name, pass)                                                                                               \
    {                                                                                                                  \
        name##_##pass##_along, name##_##pass##_along, name##_##pass##_any                                              \
    }
#else
#define KERNEL(name, pass)                                                                                             \
    IN_WAY(name, pass, along, 1, 1) IN_WAY(name, pass, across, 0, 1) IN_WAY(name, pass, any, 1, 0)
#define WAYS(name, pass)                                                                                               \
    {                                                                                                                  \
        name##_##pass##_along, name##_##pass##_across, name##_##pass##_any                                             \
    }
#endif

#define KERNELS_MAP(name) KERNEL(name, forward) KERNEL(name, backward)
#define KERNELS_REDUCE KERNELS_MAP
#define KERNELS_DOUBLED(name)                                                                                          \
    KERNELS_MAP(name)                                                                                                  \
    KERNEL(name, derivative) KERNEL(name, second_derivative) KERNEL(name, value_and_derivative)
#define LISTED_KERNELS_MAP(name) [ACTC_FORWARD] = WAYS(name, forward), [ACTC_BACKWARD] = WAYS(name, backward)
#define LISTED_KERNELS_REDUCE LISTED_KERNELS_MAP
#define LISTED_KERNELS_DOUBLED(name)                                                                                   \
    LISTED_KERNELS_MAP(name), [ACTC_DERIVATIVE] = WAYS(name, derivative),                                              \
                              [ACTC_SECOND_DERIVATIVE] = WAYS(name, second_derivative),                                \
                              [ACTC_VALUE_AND_DERIVATIVE] = WAYS(name, value_and_derivative)

#define ROW(name, parameters, kind, shape, ...) KERNELS_##shape(name)
#include "../../include/actc/rows.def"
#undef ROW

static row_kernel *const row_kernels[][ACTC_PASS_COUNT][WAY_COUNT] = {
#define ROW(name, parameters, kind, shape, ...) {LISTED_KERNELS_##shape(name)},
#include "../../include/actc/rows.def"
#undef ROW
    {{NULL}} /* of a library without rows too something is left, as C wants it */
};
#endif
