#include "../internal.h"
#if ACTC_HAS_SCALAR
#define ISA scalar
#define VECTORS "vec/scalar.h"
#define DOUBLE 0
#define COMPACT 1
#define PAIRS 0
#include "../unit.h"
#endif
