// Flat memory for what is trained: one buffer with a 64-byte aligned slice a tensor, in a fixed order. Optimiser,
// clipping, gradient exchange and checkpoints walk the buffer; the modules see their slices. Frozen weights never enter
// an arena. On the CPU pages that nobody writes to take no memory: of a table few of whose rows are trained, gradients and
// moments are as large as those rows.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
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

/// A part of a slice: elements of the flat buffers.
struct Piece {
  std::size_t slice;
  std::int64_t begin;
  std::int64_t count;
};

/// body(index of the piece) for all pieces, on all threads, to each about as many elements.
void for_each_piece(const std::vector<Piece>& pieces, const std::function<void(std::size_t)>& body);

/// Rows of a table, ascending, each once.
using TableRows = std::vector<std::int64_t>;

/// Moves parameters into one arena, as float32 whatever they were before (small updates vanish in bfloat16), and gives
/// them the slices of a second one as gradients: backward then adds in place. While it lives, the parameters require a
/// gradient and `.grad` is zeroed, never undefined. Afterwards they hold their values (still in the arena's memory) and
/// neither gradient nor the wish for one.
class ParameterArena {
 public:
  /// All parameters on one device. `rows`: of some parameters [rows, …], by their index, those that can have a gradient;
  /// whoever trains answers for the others.
  /// `copies`: handles of the bfloat16 copies of parameters, undefined where there is none. They get memory beside the
  /// values and follow them.
  explicit ParameterArena(std::vector<at::Tensor> parameters, const std::map<std::size_t, TableRows>& rows = {},
                          std::vector<at::Tensor> copies = {});
  ~ParameterArena();
  ParameterArena(const ParameterArena&) = delete;
  ParameterArena& operator=(const ParameterArena&) = delete;

  std::size_t size() const { return parameters_.size(); }
  const Arena& values() const { return values_; }
  const Arena& gradients() const { return gradients_; }
  /// Has the copies follow values that others than an optimiser have changed.
  void round_values() const;
  /// Whether a slice has a copy.
  bool has_copy(std::size_t slice) const { return slice < copies_.size() && copies_[slice].defined(); }
  /// The buffer of the copies, laid out as the values; undefined without any.
  const at::Tensor& rounded() const { return rounded_; }
  /// A third arena of the same layout, for moments.
  Arena zeros_like() const;
  void zero_gradients();
  /// Where gradients and moments can be other than zero, in order, none longer than 65,536 elements. On the CPU only.
  const std::vector<Piece>& live() const { return live_; }
  /// The rest of the slices: values there change by decay alone.
  const std::vector<Piece>& dead() const { return dead_; }

 private:
  void cut(const std::map<std::size_t, TableRows>& rows);

  std::vector<at::Tensor> parameters_;
  std::vector<Piece> live_, dead_;
  Arena values_;
  Arena gradients_;
  std::vector<at::Tensor> copies_;
  at::Tensor rounded_;
};

}  // namespace attune::tensor
