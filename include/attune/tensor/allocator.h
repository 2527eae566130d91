// Memory of tensors on the CPU.
#pragma once

namespace attune::tensor {

/// Has LibTorch take the memory of tensors on the CPU from malloc and align it itself, to 64 bytes; from now on, once a process.
///
/// LibTorch asks for aligned blocks, and glibc before 2.38 cannot give a freed one out again for the same request: it looks
/// for a block with room for the alignment (its bug 14581). Activations of one step then do not fit into the holes that
/// those of the last one left, and the process takes half as much memory again as its tensors do.
void align_by_hand();

}  // namespace attune::tensor
