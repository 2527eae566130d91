// Studies of prompts, gone over again: metrics from the labels that were kept, results from those, and some rows are
// asked once more. See verify.h.
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>
#include <vector>

#include "attune/base/strings.h"
#include "attune/files/storage.h"
#include "attune/report/phase.h"
#include "attune/study/prompting.h"
#include "design.h"
#include "halving.h"
#include "predictions.h"
#include "prompt_check.h"
#include "prompt_run_parts.h"
#include "shown_prompts.h"
#include "stability_statistics.h"
#include "verifiers.h"
#include "wording_results.h"

namespace attune::study {

namespace {

using files::Json;

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
  if (answers.size() == points.size()) {
    Json now = stability_statistics(check.job(), points, answers);
    now["shown"] = shown_wording(check.job(), now["best"].get<std::string>());
    compare_results(findings, results, now);
  }
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
  const std::vector<DesignPoint> points = different_points(check.job());
  std::size_t chosen = 0;
  const auto answer = [&](const VariantQuestion& question) {
    Json kept = check.kept("answers", question.number, question.name);
    if (!kept.is_null()) check.check(question.name, kept, question.variant);
    return kept;
  };
  Json found = successive_halving(check.job(), points, answer, events, chosen);
  if (!found.is_null()) {
    found["shown"] = shown_prompt(check.job(), points[chosen].variant, points[chosen].name);
    compare_results(findings, results, found);
  }
  if (!found.is_null() && results.contains("test")) {
    read_split(check.job(), "test");
    check_test(check, results["test"], 1, points[chosen].name, points[chosen].variant);
  }
  check.tell();
}

}  // namespace attune::study
