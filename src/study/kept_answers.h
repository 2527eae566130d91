// Answers that were written down, so that a stopped run goes on where it was.
#pragma once

#include <cstddef>
#include <string>

#include "attune/files/json.h"
#include "attune/study/prompting.h"

namespace attune::study {

class KeptAnswers {
 public:
  /// Makes the folder. Computes identity_of(job).
  KeptAnswers(const PromptJob& job, std::string folder);

  /// What was kept under the number; null where nothing was, or the run does not resume. Error{resume_refused} for
  /// answers to something else.
  files::Json find(std::size_t number, const std::string& name) const;
  void keep(std::size_t number, const std::string& name, const files::Json& answers) const;

 private:
  std::string path_of(std::size_t number) const;

  std::string folder_;
  bool resumes_;
  files::Json identity_;
};

}  // namespace attune::study
