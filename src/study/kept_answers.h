// Answers that were written down, so that a stopped run goes on where it was, and can be verified.
#pragma once

#include <cstddef>
#include <string>

#include "attune/base/error.h"
#include "attune/files/json.h"
#include "attune/study/prompting.h"

namespace attune::study {

/// A variant put to the first rows.
struct VariantQuestion {
  std::size_t number;  ///< under which its answers are kept
  std::string name;
  const Variant& variant;
  std::size_t rows = static_cast<std::size_t>(-1);  ///< all where there are no more
  bool is_reported = false;                         ///< whether reported_answers_of() them is kept
};

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

/// What was kept of the question or, where nothing was, is asked and kept now: answers_of() with "seconds"; null after a
/// signal.
files::Json kept_or_asked(const PromptJob& job, const KeptAnswers& kept, const VariantQuestion& question);

/// What was kept under the number in `folder`: {"identity", "name", "answers"}; null where nothing is. Error{kind} for a
/// file that is something else.
files::Json read_kept(const std::string& folder, std::size_t number, ErrorKind kind);

}  // namespace attune::study
