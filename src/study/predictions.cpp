// See predictions.h.
#include "predictions.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/files/storage.h"

namespace attune::study {

namespace {

using files::Json;

constexpr float kImpossible = -std::numeric_limits<float>::infinity();

[[noreturn]] void refuse_line(const std::string& file, std::size_t line, const std::string& what) {
  throw Error(ErrorKind::data,
              {.file = concat(file, ":", line), .what = what, .where = "", .hint = "the file is damaged or another's"});
}

const std::string& row_id(const PromptJob& job, const task::Prediction& prediction) {
  return job.rows[static_cast<std::size_t>(prediction.encoded->example)].id;
}

/// `names`: of the labels, and of what names none.
std::vector<float> log_p_of(const Json& scores, const std::vector<std::string>& names, const std::string& file,
                            std::size_t line) {
  std::vector<float> log_p;
  for (const std::string& name : names) {
    const bool is_there = scores.is_object() && scores.contains(name) && scores[name].is_number();
    if (!is_there) refuse_line(file, line, concat("there is no score of the label '", name, "'"));
    log_p.push_back(static_cast<float>(std::log(scores[name].get<double>())));
  }
  return log_p;
}

std::vector<std::string> answer_names(const PromptJob& job) {
  std::vector<std::string> names = job.labels.names;
  if (job.options.prompting.answer == "generation") names.emplace_back(kNoAnswer);
  return names;
}

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

std::string lines_file(const std::string& folder, std::size_t number, const job::RunOptions& options,
                       std::uint64_t seed) {
  return seed == options.seeds.front() ? concat(folder, "/", number, ".jsonl")
                                       : concat(folder, "/", number, ".seed-", seed, ".jsonl");
}

std::vector<task::Prediction> read_lines(const PromptJob& job, const std::string& file) {
  const std::vector<std::string> lines = split(files::read_file(file, ErrorKind::data), '\n');
  const std::vector<std::string> names = answer_names(job);
  std::vector<task::Prediction> predictions;
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {  // (behind the last line end there is nothing)
    const Json line = Json::parse(lines[i], nullptr, /*allow_exceptions=*/false);
    if (i >= job.targets.size()) refuse_line(file, i + 1, concat("there are only ", job.targets.size(), " rows"));
    if (!line.is_object() || !line.contains("scores")) refuse_line(file, i + 1, "this is no prediction");
    predictions.push_back(prediction_of(job.targets[i], log_p_of(line["scores"], names, file, i + 1)));
    if (line.contains("generated")) predictions.back().generated = line["generated"].get<std::string>();
    if (line.value("id", Json()) != row_id(job, predictions.back())) {
      refuse_line(file, i + 1, concat("it is of row ", line.value("id", Json()).dump(), ", the ", i + 1, ". row is '",
                                      row_id(job, predictions.back()), "'"));
    }
  }
  if (predictions.size() < job.targets.size()) {
    refuse_line(file, predictions.size() + 1, concat("there are ", predictions.size(), " lines for ", job.targets.size(), " rows"));
  }
  return predictions;
}

Json answers_of(const PromptJob& job, std::span<const task::Prediction> predictions) {
  Json labels = Json::array(), log_p = Json::array(), metrics = Json::object();
  for (const task::Prediction& prediction : predictions) {
    const float gold = prediction.logits[static_cast<std::size_t>(prediction.encoded->label)];
    labels.push_back(label_of(prediction));
    log_p.push_back(gold > kImpossible ? Json(gold) : Json());
  }
  const Json all = job.task->scores(predictions, job.rows)->metrics();
  for (const auto& [name, value] : all.items()) {
    if (!value.is_structured()) metrics[name] = value;
  }
  return {{"metrics", std::move(metrics)}, {"labels", std::move(labels)}, {"log_p", std::move(log_p)}};
}

Json reported_answers_of(const PromptJob& job, std::span<const task::Prediction> predictions) {
  const auto scores = job.task->scores(predictions, job.rows);
  Json answers = answers_of(job, predictions);
  answers["metrics"] = scores->metrics();
  answers["intervals"] = scores->intervals();
  return answers;
}

}  // namespace attune::study
