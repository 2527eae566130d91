// The whole configuration of a run: the blocks of the modules and what belongs to none of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/adapt/options.h"
#include "attune/data/options.h"
#include "attune/models/options.h"
#include "attune/train/options.h"

namespace attune::job {

struct CrossValidationOptions {
  bool enabled = false;  ///< set by the presence of the block
  std::int64_t folds = 5;
  std::int64_t repeats = 1;
  bool stratify = true;
  std::optional<std::string> group_column;
  double inner_validation = 0.1;  ///< share of the training folds that early stopping and best-model choice see
  bool refit = false;
  std::optional<std::uint64_t> seed;
};

struct RunOptions {
  std::int64_t config_version = 1;
  std::string about;
  models::ModelOptions model;
  data::DataOptions data;
  adapt::TuningOptions tuning;
  train::TrainingOptions training;
  train::EarlyStoppingOptions early_stopping;
  CrossValidationOptions cross_validation;
  std::vector<std::uint64_t> seeds = {42};
  std::string output_dir;
  std::string device = "auto";  ///< auto, cpu, cuda, cuda:i
  std::int64_t threads = 0;     ///< 0 = all cores
  std::string resume_from_checkpoint;  ///< "", "auto" or a checkpoint folder
  bool overwrite_output_dir = false;
};

}  // namespace attune::job
