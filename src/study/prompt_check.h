// A study of prompts that is gone over again: opened anew, its answers recomputed and asked once more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "attune/study/prompting.h"
#include "attune/study/verify.h"
#include "findings.h"

namespace attune::study {

inline constexpr double kOfSums = 1e-6;  ///< the same numbers, added up again

class PromptCheck {
 public:
  /// `options` and `findings` must outlive it. Errors as open_prompt_job.
  PromptCheck(const VerifyOptions& options, const report::EventBus& events, Findings& findings);

  PromptJob& job() { return job_; }
  Findings& findings() { return findings_; }

  /// What is kept under the number in a folder of the study; null, which is then told, where nothing is, or answers to
  /// something else.
  files::Json kept(const std::string& folder, std::size_t number, const std::string& name);

  /// Metrics, and some rows once more.
  void check(const std::string& name, const files::Json& answers, const Variant& variant);

  /// Some texts once more.
  void write_again(const std::string& name, std::span<const std::string> texts, const Variant& variant);

  void tell();

 private:
  /// What follows from the texts that a variant of a study wrote, and some texts once more.
  void check_written(const std::string& name, const files::Json& answers, const Variant& variant);
  void ask_again(const std::string& name, const files::Json& answers, const Variant& variant);
  std::string name_of(std::int64_t label) const;

  const VerifyOptions& options_;
  Findings& findings_;
  PromptJob job_;
  files::Json identity_;
  bool has_other_identity_ = false;
  std::size_t variants_ = 0, questions_ = 0;
};

}  // namespace attune::study
