#include "../internal.h"
#if ACTC_HAS_GNU
#define ISA gnu
#define VECTORS "vec/gnu.h"
#define DOUBLE 0
#define PAIRS 0
#include "../unit.h"
#endif
