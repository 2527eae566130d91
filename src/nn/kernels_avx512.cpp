// The fused kernels for x86-64 with AVX-512 (F, DQ, BW, VL). CMakeLists.txt gives this file its own flags.
#ifdef __AVX512F__
#define ATTUNE_ISA avx512
#define ATTUNE_LANES 16
#include "kernels/all.h"
#endif
