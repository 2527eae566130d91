// Flat memory for what is trained: one buffer with a 64-byte aligned slice a tensor, in a fixed order. Optimiser,
// clipping, gradient exchange and checkpoints walk the buffer; the modules see their slices. Frozen weights never enter
// an arena.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace attune::tensor {

/// Zero-filled. Two arenas over the same shapes have the same layout; the gaps between slices stay zero.
class Arena {
 public:
  Arena(const std::vector<std::vector<std::int64_t>>& shapes, const at::TensorOptions& options);

  std::size_t size() const { return slices_.size(); }
  const std::vector<at::Tensor>& slices() const { return slices_; }
  /// The whole buffer [elements], gaps included.
  const at::Tensor& flat() const { return flat_; }

 private:
  at::Tensor flat_;
  std::vector<at::Tensor> slices_;
};

/// Moves parameters into one arena, as float32 whatever they were before (small updates vanish in bfloat16), and gives
/// them the slices of a second one as gradients: backward then adds in place. While it lives, the parameters require a
/// gradient and `.grad` is zeroed, never undefined. Afterwards they hold their values (still in the arena's memory) and
/// neither gradient nor the wish for one.
class ParameterArena {
 public:
  /// All parameters on one device.
  explicit ParameterArena(std::vector<at::Tensor> parameters);
  ~ParameterArena();
  ParameterArena(const ParameterArena&) = delete;
  ParameterArena& operator=(const ParameterArena&) = delete;

  std::size_t size() const { return parameters_.size(); }
  const Arena& values() const { return values_; }
  const Arena& gradients() const { return gradients_; }
  /// A third arena of the same layout, for moments.
  Arena zeros_like() const;
  void zero_gradients();

 private:
  std::vector<at::Tensor> parameters_;
  Arena values_;
  Arena gradients_;
};

}  // namespace attune::tensor
