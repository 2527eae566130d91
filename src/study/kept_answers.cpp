// See kept_answers.h.
#include "kept_answers.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/files/storage.h"

namespace attune::study {

using files::Json;

KeptAnswers::KeptAnswers(const PromptJob& job, std::string folder)
    : folder_(std::move(folder)), resumes_(!job.options.resume_from_checkpoint.empty()), identity_(identity_of(job)) {
  std::filesystem::create_directories(folder_);
}

std::string KeptAnswers::path_of(std::size_t number) const {
  return concat(folder_, "/", number, ".json");
}

Json KeptAnswers::find(std::size_t number, const std::string& name) const {
  const std::string path = path_of(number);
  if (!resumes_ || !path_exists(path, ErrorKind::resume_refused)) return nullptr;
  Json stored = files::read_json(path, {.kind = ErrorKind::resume_refused, .max_bytes = std::size_t{1} << 28});
  const bool is_ours =
      stored.is_object() && stored.value("identity", Json()) == identity_ && stored.value("name", Json()) == name;
  if (is_ours && stored.value("answers", Json()).is_object()) return stored["answers"];
  throw Error(ErrorKind::resume_refused,
              {.file = path,
               .what = "it holds answers to other prompts, rows or settings, or of another model",
               .where = "",
               .hint = "begin anew in another output_dir"});
}

void KeptAnswers::keep(std::size_t number, const std::string& name, const Json& answers) const {
  files::write_json(path_of(number), {{"identity", identity_}, {"name", name}, {"answers", answers}});
}

}  // namespace attune::study
