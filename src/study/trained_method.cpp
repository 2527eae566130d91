// A method that is tuned: an ordinary run in a folder of its own, which never opens the test rows; its model is opened
// again to answer.
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/config/prompt_set.h"
#include "attune/job/run.h"
#include "attune/job/tuned.h"
#include "attune/metrics/probabilities.h"
#include "attune/models/flops.h"
#include "attune/prompt/wordings.h"
#include "method_kinds.h"

namespace attune::study {

namespace {

using files::Json;

Json number_at(const Json& object, std::initializer_list<const char*> path) {
  const Json* at = &object;
  for (const char* key : path) {
    if (!at->is_object() || !at->contains(key)) return nullptr;
    at = &(*at)[key];
  }
  return *at;
}

class Trained : public Fitted {
 public:
  Trained(const MethodTask& task, Json learned)
      : tuned_(job::open_tuned(task.candidate.options.output_dir, {})),
        data_(task.candidate.options.data),
        rows_(task.bench.rows),
        facts_(std::move(learned)) {}

  std::unique_ptr<Answers> answer(const std::string& split, const report::EventBus& events) override {
    const job::Rows rows = job::read_rows(tuned_, split == "test" ? data_.test : data_.validation, true);
    const std::vector<task::Prediction> predictions = job::predict_rows(tuned_, rows, events);
    if (predictions.size() != rows_.of(split).size()) {
      throw Error(ErrorKind::data,
                  {.file = "",
                   .what = concat(predictions.size(), " of ", rows_.of(split).size(), " ", split,
                                  " rows could be read by the tuned model; methods are compared on the same rows"),
                   .where = concat("data.", split),
                   .hint = "correct or remove the rows that are passed over (data.on_bad_row)"});
    }
    count_work(rows);
    auto answers = std::make_unique<Answers>();
    const std::vector<std::size_t> places = places_of_labels();
    for (const task::Prediction& prediction : predictions) {
      const std::vector<double> scores = metrics::softmax_rows(prediction.logits, prediction.logits.size());
      for (const std::size_t place : places) answers->probabilities.push_back(scores[place]);
    }
    answers->predicted = metrics::argmax_rows(answers->probabilities, places.size());
    return answers;
  }

  Json facts() const override { return facts_; }

 private:
  void count_work(const job::Rows& rows) {
    models::PassSize size;
    for (const task::Encoded& row : rows.encoded) size.lengths.push_back(static_cast<std::int64_t>(row.ids.size()));
    const models::Model& model = *tuned_.loaded.model;
    facts_["answered"] = {{"tokens", size.tokens()},
                          {"flops", models::FlopCount(model).forward(size, 0, model.depth() + 2)}};
  }

  /// [labels] Where the label with the comparison's id stands among those of the model.
  std::vector<std::size_t> places_of_labels() const {
    std::vector<std::size_t> places;
    for (const std::string& name : rows_.labels.names) {
      places.push_back(static_cast<std::size_t>(tuned_.labels.find(name).value()));
    }
    return places;
  }

  job::Tuned tuned_;
  const data::DataOptions& data_;
  const MethodRows& rows_;
  Json facts_;
};

/// The tuned model of a candidate that says labels in words, asked behind the wording that it was tuned behind.
MethodCandidate asked_of(const MethodCandidate& trained) {
  MethodCandidate asked = trained;
  job::RunOptions& options = asked.options;
  options.model.path = options.output_dir;
  options.model.init = job::RunOptions().model.init;
  options.tuning = {};
  options.prompting.prompts = options.data.prompts;
  asked.wording = options.data.wording;
  if (asked.wording.empty()) {  // (the training took the only one)
    asked.wording = prompt::wordings(config::load_prompt_set(options.data.prompts)).front().name;
  }
  options.data.prompts.clear();
  options.data.wording.clear();
  return asked;
}

/// A model that was tuned behind a wording answers as `attune prompt run` asks its folder.
class TrainedInWords : public Fitted {
 public:
  TrainedInWords(const MethodTask& task, Json learned) : learned_(std::move(learned)) {
    const MethodCandidate asked = asked_of(task.candidate);
    asked_ = fit_prompt({.candidate = asked, .seed = task.seed, .has_learned = true, .bench = task.bench, .events = task.events});
  }

  std::unique_ptr<Answers> answer(const std::string& split, const report::EventBus& events) override {
    return asked_->answer(split, events);
  }

  Json facts() const override {
    Json facts = asked_->facts();
    facts.update(learned_);
    return facts;
  }

 private:
  Json learned_;
  std::unique_ptr<Fitted> asked_;
};

}  // namespace

std::unique_ptr<Fitted> fit_trained(const MethodTask& task) {
  Json learned = Json::object();
  if (!task.has_learned) {
    job::RunOptions options = task.candidate.options;
    const bool goes_on = task.bench.resumes && path_exists(options.output_dir, ErrorKind::storage);
    options.resume_from_checkpoint = goes_on ? "auto" : "";
    const Json results = job::run(options, task.events, task.bench.shared);
    if (results["stopped_by"] == "signal") return nullptr;
    learned = {{"trained_parameters", number_at(results, {"model", "trained"})},
               {"parameters", number_at(results, {"model", "parameters"})},
               {"tokens", number_at(results, {"cost", "training", "tokens"})},
               {"flops", number_at(results, {"cost", "run", "flops"})}};
  }
  if (job::asks_labels(task.candidate.options)) return std::make_unique<TrainedInWords>(task, std::move(learned));
  return std::make_unique<Trained>(task, std::move(learned));
}

}  // namespace attune::study
