// See wording_results.h.
#include "wording_results.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "predictions.h"
#include "prompt_run_parts.h"

namespace attune::study {

using files::Json;

std::vector<task::Prediction> predictions_of(const PromptJob& job, std::span<const std::string> texts) {
  std::vector<task::Prediction> predictions(texts.size());
  for (std::size_t row = 0; row < texts.size(); ++row) {
    predictions[row].encoded = &job.targets.at(row);
    predictions[row].generated = texts[row];
  }
  return predictions;
}

std::vector<std::string> texts_of(std::span<const task::Prediction> predictions) {
  std::vector<std::string> texts;
  for (const task::Prediction& prediction : predictions) texts.push_back(*prediction.generated);
  return texts;
}

WordingResults::WordingResults(const PromptJob& job) : job_(job) {
  if (job.assertions) assertions_.emplace(job);
}

void WordingResults::add(std::uint64_t seed, std::span<const task::Prediction> predictions) {
  seeds_.push_back(seed);
  predictions_.push_back(predictions);
  if (assertions_) assertions_->add(texts_of(predictions));
}

Json WordingResults::results() const {
  Json results = Json::object();
  if (!job_.asks_texts() || job_.has_references()) {
    std::vector<std::unique_ptr<task::Scores>> scores;
    Json seeds = Json::array();
    for (std::size_t i = 0; i < seeds_.size(); ++i) {
      scores.push_back(job_.task->scores(predictions_[i], job_.rows));
      seeds.push_back({{"seed", seeds_[i]}, {"metrics", scores.back()->metrics()}});
    }
    results["intervals"] = task::intervals_over_seeds(scores, job_.rows);
    results["metrics"] = mean_metrics(seeds);
    if (seeds.size() > 1) results["seeds"] = std::move(seeds);
    Json samples = scores.front()->samples(job_.metric);
    if (!samples.is_null()) results["samples"] = std::move(samples);
  }
  if (assertions_) {
    results["assertions"] = assertions_->assertions();
    results["all_assertions"] = assertions_->rate_of_all();
  }
  return results;
}

std::string WordingResults::lines() const {
  if (!assertions_) return lines_of(job_, predictions_.front());
  std::string lines;
  for (std::size_t row = 0; row < predictions_.front().size(); ++row) {
    Json line = job_.task->describe(predictions_.front().subspan(row, 1), job_.rows[row], false);
    line["failed"] = assertions_->failures_of(row);
    lines += files::json_text(line, -1) + "\n";
  }
  return lines;
}

}  // namespace attune::study
