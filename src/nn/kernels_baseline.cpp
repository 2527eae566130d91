// The fused kernels for whatever the compiler targets by default (SSE2, NEON).
#define ATTUNE_ISA baseline
#define ATTUNE_LANES 4
#include "kernels/all.h"
