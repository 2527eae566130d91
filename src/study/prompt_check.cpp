// See prompt_check.h.
#include "prompt_check.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include "attune/base/counted.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/job/environment.h"
#include "attune/job/execution.h"
#include "attune/metrics/classification.h"
#include "kept_answers.h"
#include "predictions.h"
#include "wording_results.h"

namespace attune::study {

namespace {

using files::Json;

constexpr double kOfLikelihoods = 1e-4;  ///< the same text, scored among others

/// The metrics that follow from labels and from how likely the right ones were.
Json metrics_of(const PromptJob& job, const Json& answers) {
  const auto predicted = answers.at("labels").get<std::vector<std::int64_t>>();
  std::vector<std::string> names = job.labels.names;
  if (job.options.prompting.answer == "generation") names.emplace_back(kNoAnswer);
  std::vector<std::int64_t> gold;
  for (const std::int64_t label : predicted) {
    gold.push_back(job.targets.at(gold.size()).label);
    if (label < 0 || label >= static_cast<std::int64_t>(names.size())) throw std::out_of_range("labels");
  }
  Json metrics =
      metrics::to_json(metrics::ClassificationScorer({.gold = gold, .predicted = predicted, .labels = names}).values());
  double loss = 0, weights = 0;
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const Json& log_p = answers.at("log_p").at(i);
    if (!log_p.is_number()) continue;
    loss -= job.targets[i].weight * log_p.get<double>();
    weights += job.targets[i].weight;
  }
  if (weights > 0) metrics["loss"] = loss / weights;
  return metrics;
}

PromptJob open_again(const VerifyOptions& options, const report::EventBus& events) {
  job::RunOptions run = config::load(options.folder + "/config.resolved.json", {}, job::machine());
  run.output_dir = options.folder;
  job::set_threads(run.threads);
  return open_prompt_job(run, events);
}

}  // namespace

PromptCheck::PromptCheck(const VerifyOptions& options, const report::EventBus& events, Findings& findings)
    : options_(options), findings_(findings), job_(open_again(options, events)), identity_(identity_of(job_)) {}

Json PromptCheck::kept(const std::string& folder, std::size_t number, const std::string& name) {
  const Json stored = read_kept(concat(options_.folder, "/", folder), number, ErrorKind::data);
  const std::string path = concat(folder, "/", number, ".json");
  if (stored.is_null() || stored["name"] != name) {
    findings_.differ(concat(path, ": the answers to '", name, stored.is_null() ? "' are missing" : "' are another's"));
    return nullptr;
  }
  if (stored["identity"] != identity_) {
    if (!std::exchange(has_other_identity_, true)) findings_.compare(stored["identity"], identity_, "asked", 0);
    return nullptr;
  }
  return stored["answers"];
}

void PromptCheck::check(const std::string& name, const Json& answers, const Variant& variant) {
  if (job_.asks_texts()) return check_written(name, answers, variant);
  const Json now = metrics_of(job_, answers);
  for (const auto& [metric, value] : answers.at("metrics").items()) {
    if (now.contains(metric)) findings_.compare(value, now[metric], concat(name, ": ", metric), kOfSums);
  }
  ask_again(name, answers, variant);
  ++variants_;
}

void PromptCheck::write_again(const std::string& name, std::span<const std::string> texts, const Variant& variant) {
  const std::size_t rows = rows_asked_again(options_, texts.size());
  const std::vector<std::string> now = texts_of(ask(job_, variant, rows).predictions);
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (now[i] != texts[i])
      findings_.differ(concat(name, ", row '", job_.rows[i].id, "': another text is written now"));
  }
  questions_ += now.size();
  ++variants_;
}

void PromptCheck::tell() {
  if (has_other_identity_) findings_.leave_out("answers: what they were asked with has changed");
  if (variants_ == 0) return;
  findings_.check(concat(counted(static_cast<std::int64_t>(variants_), "variant"),
                         job_.asks_texts() ? ": scores and assertions follow from the texts that were kept, "
                                           : ": metrics follow from the labels that were kept, ",
                         counted(static_cast<std::int64_t>(questions_), "row"), " asked again"));
  findings_.leave_out(job_.asks_texts()
                          ? "the rows that were not asked again"
                          : "metrics of probabilities other than the loss, and the rows that were not asked again");
}

void PromptCheck::check_written(const std::string& name, const Json& answers, const Variant& variant) {
  const auto texts = answers.at("texts").get<std::vector<std::string>>();
  const std::vector<task::Prediction> predictions = predictions_of(job_, texts);
  const Json now =
      answers.contains("intervals") ? reported_answers_of(job_, predictions) : answers_of(job_, predictions);
  for (const auto& [key, value] : now.items())
    findings_.compare(answers.at(key), value, concat(name, ": ", key), kOfSums);
  write_again(name, texts, variant);
}

void PromptCheck::ask_again(const std::string& name, const Json& answers, const Variant& variant) {
  const std::size_t rows = rows_asked_again(options_, answers.at("labels").size());
  const Asked asked = ask(job_, variant, rows);
  questions_ += rows;
  const Json now = answers_of(job_, asked.predictions);
  for (std::size_t i = 0; i < rows; ++i) {
    const std::string row = concat(name, ", row '", job_.rows[i].id, "'");
    findings_.compare(answers.at("log_p").at(i), now["log_p"][i], row + ": log p of the right label", kOfLikelihoods);
    const auto before = answers["labels"][i].get<std::int64_t>(), after = now["labels"][i].get<std::int64_t>();
    const std::vector<float>& log_p = asked.predictions[i].logits;
    const bool are_even = before == after || std::abs(log_p.at(static_cast<std::size_t>(before)) -
                                                      log_p.at(static_cast<std::size_t>(after))) <= kOfLikelihoods;
    if (!are_even) findings_.differ(concat(row, ": recorded label ", name_of(before), ", now ", name_of(after)));
  }
}

std::string PromptCheck::name_of(std::int64_t label) const {
  return concat("'", job_.answer_name(static_cast<std::size_t>(label)), "'");
}

}  // namespace attune::study
