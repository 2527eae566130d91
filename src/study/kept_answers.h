// Answers that were written down, so that a stopped run goes on where it was, and can be verified.
#pragma once

#include <cstddef>
#include <string>

#include "attune/base/error.h"
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

  /// The same job's in another folder.
  KeptAnswers in(std::string folder) const;

 private:
  KeptAnswers(std::string folder, bool resumes, files::Json identity);

  std::string folder_;
  bool resumes_;
  files::Json identity_;
};

/// What was kept under the number in `folder`: {"identity", "name", "answers"}; null where nothing is. Error{kind} for a
/// file that is something else.
files::Json read_kept(const std::string& folder, std::size_t number, ErrorKind kind);

}  // namespace attune::study
