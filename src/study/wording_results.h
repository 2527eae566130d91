// What the answers of one wording under all seeds come to.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "assertion_counts.h"
#include "attune/study/prompting.h"

namespace attune::study {

/// Predictions that are texts and nothing else, one a row of the job.
std::vector<task::Prediction> predictions_of(const PromptJob& job, std::span<const std::string> texts);

/// The texts of predictions.
std::vector<std::string> texts_of(std::span<const task::Prediction> predictions);

/// The predictions under each of the seeds that a wording was asked under, scored. They must outlive it.
class WordingResults {
 public:
  explicit WordingResults(const PromptJob& job);

  void add(std::uint64_t seed, std::span<const task::Prediction> predictions);

  /// {"metrics", "intervals", "seeds" of several, "samples" of texts}, where rows have labels or texts of their own;
  /// "assertions" and "all_assertions" where there are some.
  files::Json results() const;
  /// Lines of the first seed's predictions, of texts with the assertions that each "failed".
  std::string lines() const;

 private:
  const PromptJob& job_;
  std::vector<std::uint64_t> seeds_;
  std::vector<std::span<const task::Prediction>> predictions_;
  std::optional<AssertionCounts> assertions_;
};

}  // namespace attune::study
