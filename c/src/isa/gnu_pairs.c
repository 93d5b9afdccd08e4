#include "../internal.h"
#if ACTC_HAS_GNU
#define ISA gnu
#define VECTORS "vec/gnu.h"
#define DOUBLE 1
#define PAIRS 1
#include "../unit.h"
#endif
