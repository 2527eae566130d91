// See predictions.h.
#include "predictions.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "text_answers.h"

namespace attune::study {

namespace {

using files::Json;

constexpr float kImpossible = -std::numeric_limits<float>::infinity();

}  // namespace

task::Prediction prediction_of(const task::Encoded& target, std::vector<float> log_p) {
  task::Prediction prediction;
  prediction.encoded = &target;
  const float gold = log_p[static_cast<std::size_t>(target.label)];
  prediction.logits = std::move(log_p);
  if (gold > kImpossible) {
    prediction.loss_weight = target.weight;
    prediction.loss_sum = -prediction.loss_weight * gold;
  }
  return prediction;
}

task::Prediction written_prediction(const task::Encoded& target, std::size_t label, std::size_t labels, std::string text) {
  task::Prediction prediction;
  prediction.encoded = &target;
  prediction.logits.assign(labels, kImpossible);
  prediction.logits.at(label) = 0;
  prediction.loss_weight = target.weight;
  prediction.loss_sum = std::numeric_limits<double>::quiet_NaN();
  prediction.generated = std::move(text);
  return prediction;
}

std::int64_t label_of(const task::Prediction& prediction) {
  return std::ranges::max_element(prediction.logits) - prediction.logits.begin();
}

std::string lines_of(const PromptJob& job, std::span<const task::Prediction> predictions) {
  std::string lines;
  for (const task::Prediction& prediction : predictions) {
    Json line =
        job.task->describe({&prediction, 1}, job.rows[static_cast<std::size_t>(prediction.encoded->example)], false);
    if (prediction.generated) line["generated"] = *prediction.generated;
    lines += files::json_text(line, -1) + "\n";
  }
  return lines;
}

Json answers_of(const PromptJob& job, std::span<const task::Prediction> predictions) {
  if (job.asks_texts()) return text_answers_of(job, predictions);
  Json labels = Json::array(), log_p = Json::array(), metrics = Json::object();
  for (const task::Prediction& prediction : predictions) {
    const float gold = prediction.logits[static_cast<std::size_t>(prediction.encoded->label)];
    labels.push_back(label_of(prediction));
    log_p.push_back(gold > kImpossible && !prediction.generated ? Json(gold) : Json());
  }
  const Json all = job.task->scores(predictions, job.rows)->metrics();
  for (const auto& [name, value] : all.items()) {
    if (!value.is_structured()) metrics[name] = value;
  }
  return {{"metrics", std::move(metrics)}, {"labels", std::move(labels)}, {"log_p", std::move(log_p)}};
}

Json reported_answers_of(const PromptJob& job, std::span<const task::Prediction> predictions) {
  if (job.asks_texts()) return reported_text_answers_of(job, predictions);
  const auto scores = job.task->scores(predictions, job.rows);
  Json answers = answers_of(job, predictions);
  answers["metrics"] = scores->metrics();
  answers["intervals"] = scores->intervals();
  return answers;
}

Json told_of(const Json& reported_answers) {
  Json told = Json::object();
  for (const char* key : {"metrics", "intervals", "assertions", "samples"}) {
    if (reported_answers.contains(key)) told[key] = reported_answers[key];
  }
  return told;
}

}  // namespace attune::study
