#include "../internal.h"
#if ACTC_HAS_SCALAR
#define ISA scalar
#define VECTORS "vec/scalar.h"
#define DOUBLE 1
#define COMPACT 1
#define PAIRS 1
#include "../unit.h"
#endif
