// Studies of prompts, gone over again: metrics from the labels that were kept, results from those, and some rows are
// asked once more. See verify.h.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

#include "attune/base/counted.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/job/environment.h"
#include "attune/job/execution.h"
#include "attune/metrics/classification.h"
#include "attune/report/phase.h"
#include "attune/study/prompting.h"
#include "design.h"
#include "halving.h"
#include "kept_answers.h"
#include "predictions.h"
#include "prompt_run_parts.h"
#include "stability_statistics.h"
#include "verifiers.h"
#include "wording_results.h"

namespace attune::study {

namespace {

using files::Json;

constexpr double kOfSums = 1e-6;         ///< the same numbers, added up again
constexpr double kOfLikelihoods = 1e-4;  ///< the same text, scored among others
constexpr std::size_t kFewestAsked = 8;

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

/// A study of prompts, opened anew.
class PromptCheck {
 public:
  PromptCheck(const VerifyOptions& options, const report::EventBus& events, Findings& findings)
      : options_(options), findings_(findings), job_(open(options, events)) {
    identity_ = identity_of(job_);
  }

  PromptJob& job() { return job_; }
  Findings& findings() { return findings_; }

  /// What is kept under the number in a folder of the study; null, which is then told, where nothing is, or answers to
  /// something else.
  Json kept(const std::string& folder, std::size_t number, const std::string& name) {
    const Json stored = read_kept(concat(options_.folder, "/", folder), number, ErrorKind::data);
    const std::string path = concat(folder, "/", number, ".json");
    if (stored.is_null() || stored["name"] != name) {
      findings_.differ(
          concat(path, ": the answers to '", name, stored.is_null() ? "' are missing" : "' are another's"));
      return nullptr;
    }
    if (stored["identity"] != identity_) {
      if (!std::exchange(has_other_identity_, true)) findings_.compare(stored["identity"], identity_, "asked", 0);
      return nullptr;
    }
    return stored["answers"];
  }

  /// Metrics, and some rows once more.
  void check(const std::string& name, const Json& answers, const Variant& variant) {
    if (job_.asks_texts()) return check_written(name, answers, variant);
    const Json now = metrics_of(job_, answers);
    for (const auto& [metric, value] : answers.at("metrics").items()) {
      if (now.contains(metric)) findings_.compare(value, now[metric], concat(name, ": ", metric), kOfSums);
    }
    ask_again(name, answers, variant);
    ++variants_;
  }

  /// Some texts once more.
  void write_again(const std::string& name, std::span<const std::string> texts, const Variant& variant) {
    const std::size_t rows = rows_again(texts.size());
    const std::vector<std::string> now = texts_of(ask(job_, variant, rows).predictions);
    for (std::size_t i = 0; i < now.size(); ++i) {
      if (now[i] != texts[i])
        findings_.differ(concat(name, ", row '", job_.rows[i].id, "': another text is written now"));
    }
    questions_ += now.size();
    ++variants_;
  }

  void tell() {
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

 private:
  static PromptJob open(const VerifyOptions& options, const report::EventBus& events) {
    job::RunOptions run = config::load(options.folder + "/config.resolved.json", {}, job::machine());
    run.output_dir = options.folder;
    job::set_threads(run.threads);
    return open_prompt_job(run, events);
  }

  std::size_t rows_again(std::size_t answered) const {
    const std::size_t wanted =
        options_.rows ? static_cast<std::size_t>(*options_.rows) : std::max(kFewestAsked, answered / 10);
    return std::min(wanted, answered);
  }

  /// What follows from the texts that a variant of a study wrote, and some texts once more.
  void check_written(const std::string& name, const Json& answers, const Variant& variant) {
    const auto texts = answers.at("texts").get<std::vector<std::string>>();
    const std::vector<task::Prediction> predictions = predictions_of(job_, texts);
    const Json now =
        answers.contains("intervals") ? reported_answers_of(job_, predictions) : answers_of(job_, predictions);
    for (const auto& [key, value] : now.items())
      findings_.compare(answers.at(key), value, concat(name, ": ", key), kOfSums);
    write_again(name, texts, variant);
  }

  void ask_again(const std::string& name, const Json& answers, const Variant& variant) {
    const std::size_t rows = rows_again(answers.at("labels").size());
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

  std::string name_of(std::int64_t label) const {
    return concat("'", job_.answer_name(static_cast<std::size_t>(label)), "'");
  }

  const VerifyOptions& options_;
  Findings& findings_;
  PromptJob job_;
  Json identity_;
  bool has_other_identity_ = false;
  std::size_t variants_ = 0, questions_ = 0;
};

/// The labels in the lines of predictions are those that were kept.
void check_lines(PromptCheck& check, const std::string& file, const std::string& name, const Json& labels) {
  std::istringstream lines(files::read_file(file, ErrorKind::data));
  std::size_t row = 0;
  for (std::string text; std::getline(lines, text); ++row) {
    const Json line = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    const std::size_t label = row < labels.size() ? labels[row].get<std::size_t>() : 0;
    const std::vector<std::string>& names = check.job().labels.names;
    const Json expected = {{"id", row < labels.size() ? Json(check.job().rows[row].id) : Json()},
                           {"label", label < names.size() ? names[label] : kNoAnswer}};
    if (line.is_object() && line.value("id", Json()) == expected["id"] &&
        line.value("label", Json()) == expected["label"])
      continue;
    check.findings().differ(concat(name, ": line ", row + 1, " of its predictions is not what was kept"));
    return;
  }
  if (row != labels.size())
    check.findings().differ(concat(name, ": there are ", row, " predictions of ", labels.size(), " rows"));
}

/// One wording of `attune prompt run` where texts are asked for: scores and assertions follow from the texts that were
/// kept.
void check_texts(PromptCheck& check, const VerifyOptions& options, const prompt::Wording& wording, std::size_t number,
                 const Json& results) {
  Json kept = check.kept("wordings", number, wording.name);
  if (kept.is_null()) return;
  const PromptJob& job = check.job();
  const std::vector<std::uint64_t> seeds = seeds_of(job);
  std::vector<std::vector<task::Prediction>> predictions;
  WordingResults now(job);
  predictions.reserve(seeds.size());
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    const auto texts = kept.at("asked").at(i).at("texts").get<std::vector<std::string>>();
    predictions.push_back(predictions_of(job, texts));
    now.add(seeds[i], predictions.back());
    const std::string name = seeds.size() > 1 ? concat(wording.name, ", seed ", seeds[i]) : wording.name;
    check.write_again(name, texts, variant_of(job, wording, seeds[i]));
  }
  if (files::read_file(concat(options.folder, "/wordings/", number, ".jsonl"), ErrorKind::data) != now.lines())
    check.findings().differ(concat(wording.name, ": the lines of its predictions are not what was kept"));
  const Json found = now.results();
  for (const auto& [key, value] : found.items())
    check.findings().compare(kept.at(key), value, concat(wording.name, ": ", key), kOfSums);
  kept.erase("asked");
  check.findings().compare(results, kept, "wordings." + wording.name, 0);
}

/// One wording of `attune prompt run`.
void check_wording(PromptCheck& check, const VerifyOptions& options, const prompt::Wording& wording, std::size_t number,
                   const Json& results) {
  Json kept = check.kept("wordings", number, wording.name);
  if (kept.is_null()) return;
  const Json asked = kept.at("asked");
  const PromptJob& job = check.job();
  const std::vector<std::uint64_t> seeds = seeds_of(job);
  Json means = Json::array();
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    const std::string name = seeds.size() > 1 ? concat(wording.name, ", seed ", seeds[i]) : wording.name;
    check.check(name, asked.at(i), variant_of(job, wording, seeds[i]));
    means.push_back({{"metrics", asked[i].at("metrics")}});
  }
  check_lines(check, concat(options.folder, "/wordings/", number, ".jsonl"), wording.name, asked.at(0).at("labels"));
  check.findings().compare(kept.at("metrics"), mean_metrics(means), wording.name + ": metrics", kOfSums);
  kept.erase("asked");
  check.findings().compare(results, kept, "wordings." + wording.name, 0);
}

/// The entry of results.test under `name`, and its answers.
void check_test(PromptCheck& check, const Json& reported, std::size_t number, const std::string& name,
                const Variant& variant) {
  const Json kept = check.kept("test_answers", number, name);
  if (kept.is_null()) return;
  check.check("test, " + name, kept, variant);
  for (const auto& [key, value] : reported.items())
    check.findings().compare(value, kept.at(key), concat("test, ", name, ": ", key), 0);
}

/// Those keys of `results` that were computed again.
void compare_results(Findings& findings, const Json& results, const Json& now) {
  for (const auto& [key, value] : now.items())
    findings.compare(results.contains(key) ? results[key] : Json(), value, key, kOfSums);
}

}  // namespace

void verify_prompt_run(const VerifyOptions& options, const Json& results, const report::EventBus& events,
                       Findings& findings) {
  PromptCheck check(options, events, findings);
  compare_results(findings, results, rows_told(check.job()));
  report::Phase asking(events, "asking again", static_cast<std::int64_t>(results.at("wordings").size()), "wording");
  for (std::size_t i = 0; i < results["wordings"].size(); ++i) {
    const prompt::Wording& wording = check.job().wordings.at(i);
    if (check.job().asks_texts()) {
      check_texts(check, options, wording, i + 1, results["wordings"][i]);
    } else {
      check_wording(check, options, wording, i + 1, results["wordings"][i]);
    }
    asking.progress(static_cast<std::int64_t>(i) + 1);
  }
  asking.end();
  check.tell();
}

void verify_stability(const VerifyOptions& options, const Json& results, const report::EventBus& events,
                      Findings& findings) {
  PromptCheck check(options, events, findings);
  compare_results(findings, results, rows_told(check.job()));
  const std::vector<DesignPoint> points = design(check.job());
  report::Phase asking(events, "asking again", static_cast<std::int64_t>(points.size()), "variant");
  std::vector<Json> answers;
  for (std::size_t i = 0; i < points.size(); ++i) {
    Json kept = check.kept("variants", i + 1, points[i].name);
    if (kept.is_null()) continue;
    check.check(points[i].name, kept, points[i].variant);
    answers.push_back(std::move(kept));
    asking.progress(static_cast<std::int64_t>(i) + 1);
  }
  asking.end();
  if (answers.size() == points.size())
    compare_results(findings, results, stability_statistics(check.job(), points, answers));
  if (results.contains("test")) {
    PromptJob& job = check.job();
    read_split(job, "test");
    const std::uint64_t seed = job.options.seeds.front();
    for (std::size_t i = 0; i < job.wordings.size(); ++i) {
      const prompt::Wording& wording = job.wordings[i];
      if (results["test"].contains(wording.name))
        check_test(check, results["test"][wording.name], i + 1, wording.name, variant_of(job, wording, seed));
    }
  }
  check.tell();
}

void verify_optimise(const VerifyOptions& options, const Json& results, const report::EventBus& events,
                     Findings& findings) {
  PromptCheck check(options, events, findings);
  compare_results(findings, results, rows_told(check.job()));
  shuffle_rows(check.job(), check.job().options.seeds.front());
  const std::vector<DesignPoint> points = design(check.job());
  std::size_t chosen = 0;
  const auto answer = [&](const VariantQuestion& question) {
    Json kept = check.kept("answers", question.number, question.name);
    if (!kept.is_null()) check.check(question.name, kept, question.variant);
    return kept;
  };
  const Json found = successive_halving(check.job(), points, answer, events, chosen);
  if (!found.is_null()) compare_results(findings, results, found);
  if (!found.is_null() && results.contains("test")) {
    read_split(check.job(), "test");
    check_test(check, results["test"], 1, points[chosen].name, points[chosen].variant);
  }
  check.tell();
}

}  // namespace attune::study
