// Checkpoints of a run: <run folder>/checkpoints/checkpoint-<step>/, each complete in itself and checked by its
// manifest. They appear whole or not at all, and are removed only after a newer one was read back.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace attune::train {

using TensorMap = std::map<std::string, at::Tensor>;

struct CheckpointData {
  TensorMap weights;  ///< trained parameters
  TensorMap moments;  ///< "<moment>.<parameter>"
  TensorMap best;     ///< trained parameters of the best evaluation; empty when that is this step, or there is none
  nlohmann::ordered_json state;
};

class Checkpoints {
 public:
  /// `fingerprint`: what must not change between a checkpoint and its resumption; JSON objects are compared key by key.
  /// Touches nothing.
  Checkpoints(const std::string& run_folder, std::string fingerprint);

  /// Removes what a process that died while saving left behind. Only while the run's folder is locked.
  void remove_litter() const;

  std::string folder(std::int64_t step) const;
  std::vector<std::int64_t> steps() const;  ///< ascending, whole or not
  /// The newest one whose manifest verifies; warns about each newer one that does not. "" when there is none.
  std::string newest_whole() const;

  /// Writes, reads back against the manifest, and only then returns. Throws Error{storage}.
  void save(std::int64_t step, const CheckpointData& data) const;
  /// Throws Error{usage} when `folder` is no checkpoint, Error{resume_refused} when it is damaged or of another job.
  CheckpointData load(const std::string& folder) const;
  /// Removes all but the `keep` newest up to `newest`, `newest` itself (just saved) and `best`; keep 0 keeps all.
  void rotate(std::int64_t keep, std::int64_t newest, std::optional<std::int64_t> best) const;

 private:
  std::string root_;
  std::string fingerprint_;
};

/// Error{usage} when `folder` is no folder, Error{resume_refused} when its manifest finds damage.
void check_whole(const std::string& folder);

/// The fingerprint that the checkpoint in `folder` was made with; nothing where it has none.
std::optional<std::string> fingerprint_of(const std::string& folder);

/// Error{resume_refused} when `difference` (of fingerprint_difference) is not empty.
void refuse_other_job(const std::string& folder, const std::string& difference);

/// What differs between two fingerprints, as "key: old → new" lines joined by "; "; "" when they are equal.
std::string fingerprint_difference(const std::string& saved, const std::string& current);

}  // namespace attune::train
