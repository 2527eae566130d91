// See weight_hashes.h; also the hash functions of trainer.h.
#include "weight_hashes.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <functional>
#include <map>
#include <utility>

#include "attune/base/sha256.h"
#include "attune/base/strings.h"

namespace attune::train {

namespace {

/// Copies from a GPU are fastest into memory that the system may not move; of that there should not be too much.
constexpr std::int64_t kMostPinnedBytes = std::int64_t{2} << 30;

std::string tensor_sha256(const std::string& name, const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().cpu().contiguous();
  Sha256 hash;
  hash.update(concat(name, " ", c10::toString(values.scalar_type())));
  for (const std::int64_t size : values.sizes()) hash.update(concat(" ", size));
  hash.update(std::string_view("\n", 1));
  hash.update({static_cast<const char*>(values.const_data_ptr()), static_cast<std::size_t>(values.nbytes())});
  return hash.hex();
}

/// Of one that does not train.
std::string parameter_sha256(const models::Parameter& parameter) {
  std::string hash = tensor_sha256(parameter.name, parameter.tensor);
  models::release_pages(parameter);
  return hash;
}

void in_parallel(std::size_t count, const std::function<void(std::size_t)>& body) {
  at::parallel_for(0, static_cast<std::int64_t>(count), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) body(static_cast<std::size_t>(i));
  });
}

}  // namespace

std::vector<std::string> tensors_sha256(const models::Model& model, std::vector<std::string> hashes) {
  const std::vector<models::Parameter>& parameters = model.parameters();
  hashes.resize(parameters.size());
  in_parallel(hashes.size(), [&](std::size_t i) {
    if (hashes[i].empty()) hashes[i] = parameter_sha256(parameters[i]);
  });
  return hashes;
}

std::vector<std::string> tensors_sha256_below(const models::Model& model, int stages, std::vector<std::string> known) {
  const std::vector<models::Parameter>& parameters = model.parameters();
  known.resize(parameters.size());
  in_parallel(known.size(), [&](std::size_t i) {
    if (parameters[i].stages.front() >= stages) {
      known[i].clear();
    } else if (known[i].empty()) {
      known[i] = tensor_sha256(parameters[i].name, parameters[i].tensor);
    }
  });
  return known;
}

std::string combined_sha256(const std::vector<std::string>& tensor_hashes) {
  return sha256_hex(join(tensor_hashes, "\n"));
}

std::string weights_sha256(const models::Model& model) {
  return combined_sha256(tensors_sha256(model));
}

WeightHashes::WeightHashes(const models::Model& model, const Trainables& trained, std::vector<std::string> known)
    : model_(model), trained_(trained), frozen_(std::move(known)) {
  std::map<std::string, std::int64_t> slices;
  for (const std::string& name : trained.names()) slices.emplace(name, static_cast<std::int64_t>(slices.size()));
  for (const models::Parameter& parameter : model.parameters()) {
    const auto found = slices.find(parameter.name);
    slices_.push_back(found == slices.end() ? -1 : found->second);
  }
  frozen_.resize(slices_.size());
}

WeightHashes::~WeightHashes() {
  if (pending_.valid()) pending_.wait();
}

std::vector<std::string> WeightHashes::hash(const std::vector<at::Tensor>& trained) const {
  std::vector<std::string> hashes = frozen_;
  in_parallel(hashes.size(), [&](std::size_t i) {
    if (slices_[i] >= 0) hashes[i] = tensor_sha256(model_.parameters()[i].name, trained[static_cast<std::size_t>(slices_[i])]);
  });
  return hashes;
}

void WeightHashes::record(std::vector<TrajectoryPoint>& trajectory) {
  finish(trajectory);
  in_parallel(slices_.size(), [&](std::size_t i) {
    if (slices_[i] < 0 && frozen_[i].empty()) frozen_[i] = parameter_sha256(model_.parameters()[i]);
  });
  pending_point_ = trajectory.size() - 1;
  const tensor::Arena& values = trained_.arena().values();
  if (values.flat().is_cpu()) {
    trajectory.back().tensors_sha256 = hash(values.slices());
    trajectory.back().weights_sha256 = combined_sha256(trajectory.back().tensors_sha256);
    return;
  }
  const at::NoGradGuard no_grad;
  if (!copy_) {
    std::vector<std::vector<std::int64_t>> shapes;
    for (const at::Tensor& slice : values.slices()) shapes.push_back(slice.sizes().vec());
    const bool pinned = static_cast<std::int64_t>(values.flat().nbytes()) <= kMostPinnedBytes;
    copy_.emplace(shapes, at::TensorOptions().dtype(values.flat().scalar_type()).pinned_memory(pinned));
  }
  copy_->flat().copy_(values.flat());
  pending_ = std::async(std::launch::async, [this] { return hash(copy_->slices()); });
}

void WeightHashes::finish(std::vector<TrajectoryPoint>& trajectory) {
  if (!pending_.valid()) return;
  TrajectoryPoint& point = trajectory[pending_point_];
  point.tensors_sha256 = pending_.get();
  point.weights_sha256 = combined_sha256(point.tensors_sha256);
}

}  // namespace attune::train
