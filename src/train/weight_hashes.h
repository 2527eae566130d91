// The hashes of the weights that a trajectory records.
#pragma once

#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "attune/tensor/arena.h"
#include "attune/train/trainables.h"
#include "attune/train/trainer.h"

namespace attune::train {

/// tensors_sha256 at recorded steps. What is not trained is read once. On a GPU the loop goes on while a copy of the trained
/// weights is hashed.
class WeightHashes {
 public:
  /// `known`: hashes of frozen parameters that somebody has computed, one a parameter of the model or "", or none at all.
  WeightHashes(const models::Model& model, const Trainables& trained, std::vector<std::string> known);
  ~WeightHashes();
  WeightHashes(const WeightHashes&) = delete;
  WeightHashes& operator=(const WeightHashes&) = delete;

  /// Of the weights as they are now; they belong to the last point of `trajectory`.
  void record(std::vector<TrajectoryPoint>& trajectory);
  /// Fills in what is still being computed. To be called before anyone reads the hashes.
  void finish(std::vector<TrajectoryPoint>& trajectory);

 private:
  std::vector<std::string> hash(const std::vector<at::Tensor>& trained) const;

  const models::Model& model_;
  const Trainables& trained_;
  std::vector<std::int64_t> slices_;  ///< one a parameter of the model: its slice of the arena, -1 where it is not trained
  std::vector<std::string> frozen_;   ///< one a parameter: its hash where it is not trained and was read, else ""
  std::optional<tensor::Arena> copy_;  ///< on the CPU, where the weights are not
  std::size_t pending_point_ = 0;
  std::future<std::vector<std::string>> pending_;
};

}  // namespace attune::train
