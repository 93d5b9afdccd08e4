#define INFINITY __builtin_inff()
#define sqrt __builtin_sqrt
#define sqrtf __builtin_sqrtf
