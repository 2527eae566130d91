// How often generated texts keep the assertions of a prompt set, and what fails them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "attune/files/json.h"
#include "attune/prompt/assertions.h"
#include "attune/study/prompting.h"

namespace attune::study {

class AssertionCounts {
 public:
  /// Of a job with assertions, which must outlive it.
  explicit AssertionCounts(const PromptJob& job) : job_(job) {}

  /// Checks the texts of all rows, written under one seed.
  void add(std::vector<std::string> texts);

  /// What the text of a row fails under the first seed: [{"name", "why"}].
  files::Json failures_of(std::size_t row) const;
  /// [{"name", "rate": share of the texts that pass, "interval": Wilson's, of as many texts as there are rows, since
  /// the texts of a row under several seeds are no independent ones, "failed": texts, "first": [{"id", "text", "why"},
  /// at most 5]}], in the order of the prompt set.
  files::Json assertions() const;
  /// The share of the texts that pass all of them.
  double rate_of_all() const;

 private:
  using Failures = std::vector<prompt::FailedAssertion>;

  const PromptJob& job_;
  std::vector<std::vector<Failures>> failures_;  ///< [seeds][rows]
  std::vector<std::vector<std::string>> texts_;  ///< [seeds][rows]
};

}  // namespace attune::study
