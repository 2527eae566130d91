// See kept_answers.h.
#include "kept_answers.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/clock.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/files/storage.h"
#include "predictions.h"

namespace attune::study {

using files::Json;

namespace {

std::string kept_file(const std::string& folder, std::size_t number) {
  return concat(folder, "/", number, ".json");
}

}  // namespace

KeptAnswers::KeptAnswers(std::string folder, bool resumes, Json identity)
    : folder_(std::move(folder)), resumes_(resumes), identity_(std::move(identity)) {
  std::filesystem::create_directories(folder_);
}

KeptAnswers::KeptAnswers(const PromptJob& job, std::string folder)
    : KeptAnswers(std::move(folder), !job.options.resume_from_checkpoint.empty(), identity_of(job)) {}

KeptAnswers KeptAnswers::in(std::string folder) const {
  return {std::move(folder), resumes_, identity_};
}

Json KeptAnswers::find(std::size_t number, const std::string& name) const {
  if (!resumes_) return nullptr;
  const Json stored = read_kept(folder_, number, ErrorKind::resume_refused);
  if (stored.is_null()) return nullptr;
  if (stored["identity"] == identity_ && stored["name"] == name) return stored["answers"];
  throw Error(ErrorKind::resume_refused,
              {.file = kept_file(folder_, number),
               .what = "it holds answers to other prompts, rows or settings, or of another model",
               .where = "",
               .hint = "begin anew in another output_dir"});
}

void KeptAnswers::keep(std::size_t number, const std::string& name, const Json& answers) const {
  files::write_json(kept_file(folder_, number), {{"identity", identity_}, {"name", name}, {"answers", answers}});
}

Json kept_or_asked(const PromptJob& job, const KeptAnswers& kept, const VariantQuestion& question) {
  Json answers = kept.find(question.number, question.name);
  if (!answers.is_null()) return answers;
  const Stopwatch clock;
  const Asked asked = ask(job, question.variant, question.rows);
  if (asked.stopped) return nullptr;
  answers = question.is_reported ? reported_answers_of(job, asked.predictions) : answers_of(job, asked.predictions);
  answers["seconds"] = clock.seconds();
  kept.keep(question.number, question.name, answers);
  return answers;
}

Json read_kept(const std::string& folder, std::size_t number, ErrorKind kind) {
  const std::string path = kept_file(folder, number);
  if (!path_exists(path, kind)) return nullptr;
  Json stored = files::read_json(path, {.kind = kind, .max_bytes = std::size_t{1} << 28});
  const bool is_whole = stored.is_object() && stored.contains("identity") && stored.contains("name") &&
                        stored.value("answers", Json()).is_object();
  if (is_whole) return stored;
  throw Error(kind, {.file = path,
                     .what = "this is no file of answers, or it is damaged",
                     .where = "",
                     .hint = "remove it, and go on with --resume: what it held is asked again"});
}

}  // namespace attune::study
