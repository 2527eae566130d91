// Methods whose answers were kept, carried out once more: some trainings in a temporary folder, and of prompts a share
// of the rows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/data/options.h"
#include "attune/files/json.h"
#include "attune/job/options.h"
#include "attune/report/events.h"
#include "attune/study/verify.h"
#include "findings.h"

namespace attune::study {

/// A method under one seed, on all training rows or a part of them.
struct KeptRun {
  std::string name;       ///< "LoRA, seed 2"
  std::string kind;       ///< of method_kinds()
  files::Json candidate;  ///< that answered the test rows, as identity_of() tells it
  std::uint64_t seed = 0;
  std::string predictions;                       ///< file of its answers to the test rows
  std::optional<data::SubsetOptions> part = {};  ///< of the training rows
};

/// The candidate of an entry of identity_of()["methods"]; std::out_of_range where there is none of this name.
const files::Json& candidate_named(const files::Json& method, const std::string& name);

/// Repeats as `options` says and tells what was equal, what not, and what was left out. Trainings answer all test rows,
/// to the bit; prompts the first rows, up to the rounding of other neighbours. `run`: the configuration of the study.
void repeat_runs(const VerifyOptions& options, const job::RunOptions& run, const std::vector<KeptRun>& runs,
                 const report::EventBus& events, Findings& findings);

}  // namespace attune::study
