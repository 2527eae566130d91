// The tensors of a checkpoint by name, over mapped files: nothing is copied or allocated until a tensor is asked for.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "attune/files/safetensors.h"

namespace attune::tensor {

/// Error{model} for dtypes that nothing here computes with (F4, F8, unsigned above 8 bits, complex); `name` is the
/// tensor's.
at::ScalarType scalar_type(files::Dtype dtype, const std::string& name);
files::Dtype file_dtype(at::ScalarType type);

class Weights {
 public:
  explicit Weights(std::vector<files::SafetensorsFile> shards);

  std::vector<std::string> names() const;
  bool contains(const std::string& name) const;
  /// A name that is not there is an internal error: ask contains() first.
  const files::TensorInfo& info(const std::string& name) const;
  /// A view of the mapped file (read-only memory: writing into it is a fault); the mapping lives as long as the tensor.
  /// Copied only where the file's offset is not aligned for the dtype.
  at::Tensor tensor(const std::string& name) const;

 private:
  struct Place;
  const Place& place(const std::string& name) const;
  std::map<std::string, std::shared_ptr<const Place>> places_;
};

/// Gives back the memory of a tensor that Weights::tensor() made a view of a mapped file; whoever reads it again finds the
/// file's values. Nothing happens to other tensors.
void release_pages(const at::Tensor& tensor);

/// How many elements are NaN or infinite; 0 for integers.
std::int64_t non_finite_count(const at::Tensor& tensor);

/// Writes `tensors` (made contiguous, moved to the CPU) as the reference writer does; metadata {"format": "pt"}.
void save_tensors(const std::string& path, const std::map<std::string, at::Tensor>& tensors);
/// All tensors of one file, as views.
std::map<std::string, at::Tensor> load_tensors(const std::string& path);

}  // namespace attune::tensor
