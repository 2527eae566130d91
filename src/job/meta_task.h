// A data set that meta-training draws episodes from: its rows, and the model with its own head.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "attune/base/random.h"
#include "attune/job/meta_train.h"
#include "attune/job/prepare.h"
#include "attune/train/trainer.h"

namespace attune::job {

/// Values by name: of the part that all data sets have in common by its name in the model without a head, of heads by
/// that in their model.
using Values = std::map<std::string, at::Tensor>;

class MetaLearner {
 public:
  /// `common`: the parameters of the model without a head.
  MetaLearner(const RunOptions& options, const MetaTask& task, const std::set<std::string>& common,
              const report::EventBus& events);

  const std::string& name() const { return name_; }
  const Prepared& prepared() const { return prepared_; }
  /// Copies of what trains and all data sets have in common.
  Values common_values() const;
  const Values& head() const { return head_; }
  void set_head(Values head) { head_ = std::move(head); }

  /// Trains from `common` and the kept head on rows that `key` draws.
  train::TrainResult train_episode(const Values& common, const RandomKey& key);
  /// θ + share · (φ - θ) of what the episode made of them, in `common` and in the kept head.
  void move(Values& common, double share);

 private:
  std::string name_of_common(const models::Parameter& parameter) const;
  void group_rows();
  std::vector<task::Encoded> draw(const RandomKey& key) const;

  std::string name_;
  const std::set<std::string>& common_;
  Prepared prepared_;
  models::LoadedModel loaded_;
  std::unique_ptr<task::Task> task_;
  std::vector<bool> trainable_;
  std::vector<std::vector<std::size_t>> rows_by_label_;  ///< indices into the encoded rows
  Values head_;
};

}  // namespace attune::job
