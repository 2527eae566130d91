// See text_answers.h.
#include "text_answers.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "assertion_counts.h"
#include "attune/metrics/intervals.h"
#include "wording_results.h"

namespace attune::study {

namespace {

using files::Json;

bool can_be_scored(const task::Prediction& prediction) {
  return prediction.encoded->prompt->reference.has_value();
}

/// Of each text alone.
Json scores_of_rows(const PromptJob& job, std::span<const task::Prediction> predictions) {
  Json scores = Json::array();
  for (std::size_t row = 0; row < predictions.size(); ++row) {
    const Json metrics = job.task->scores(predictions.subspan(row, 1), job.rows)->metrics();
    scores.push_back(metrics.at(job.metric));
  }
  return scores;
}

}  // namespace

Json text_answers_of(const PromptJob& job, std::span<const task::Prediction> predictions) {
  const std::vector<std::string> texts = texts_of(predictions);
  Json metrics = Json::object(), answers = {{"texts", texts}};
  if (std::ranges::any_of(predictions, can_be_scored)) {
    const Json all = job.task->scores(predictions, job.rows)->metrics();
    for (const auto& [name, value] : all.items()) {
      if (!value.is_structured()) metrics[name] = value;
    }
  }
  if (job.assertions) {
    AssertionCounts counts(job);
    counts.add(texts);
    metrics[kAllAssertions] = counts.rate_of_all();
    for (std::size_t row = 0; row < texts.size(); ++row)
      answers["passed"].push_back(counts.failures_of(row).empty() ? 1 : 0);
  }
  answers["scores"] = job.metric == kAllAssertions ? answers.at("passed") : scores_of_rows(job, predictions);
  answers["metrics"] = std::move(metrics);
  return answers;
}

Json reported_text_answers_of(const PromptJob& job, std::span<const task::Prediction> predictions) {
  Json answers = text_answers_of(job, predictions);
  WordingResults scored(job);
  scored.add(job.options.seeds.front(), predictions);
  const Json results = scored.results();
  answers["intervals"] = results.value("intervals", Json::object());
  for (const char* key : {"assertions", "samples"}) {
    if (results.contains(key)) answers[key] = results[key];
  }
  if (job.assertions) {
    const auto rows = static_cast<double>(predictions.size());
    const double passed = answers["metrics"][kAllAssertions].get<double>() * rows;
    const metrics::Interval interval = metrics::wilson_interval(passed, rows);
    answers["intervals"][kAllAssertions] = {interval.low, interval.high};
  }
  return answers;
}

}  // namespace attune::study
