// A method that is tuned: an ordinary run in a folder of its own, which never opens the test rows; its model is opened
// again to answer.
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/job/output.h"
#include "attune/job/run.h"
#include "attune/job/tuned.h"
#include "attune/metrics/probabilities.h"
#include "attune/infer/answers.h"
#include "attune/models/flops.h"
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

/// The scores of a split's rows, and what answering them takes.
struct Scored {
  std::vector<task::Prediction> predictions;
  models::PassSize size;  ///< of the texts that went through the model
};

/// A model that takes rows as they are, opened as `attune predict` opens it.
class OpenedTuned {
 public:
  explicit OpenedTuned(const MethodTask& task)
      : tuned_(job::open_tuned(task.candidate.options.output_dir, {})), data_(task.candidate.options.data) {}

  Scored score(const std::string& split, const report::EventBus& events) const {
    const job::Rows rows = job::read_rows(tuned_, split == "test" ? data_.test : data_.validation, true);
    Scored scored{.predictions = job::predict_rows(tuned_, rows, events), .size = {}};
    for (task::Prediction& prediction : scored.predictions) prediction.encoded = nullptr;  // the rows go
    for (const task::Encoded& row : rows.encoded)
      scored.size.lengths.push_back(static_cast<std::int64_t>(row.ids.size()));
    return scored;
  }
  const models::Model& model() const { return *tuned_.loaded.model; }
  const data::LabelMap& labels() const { return tuned_.labels; }

 private:
  job::Tuned tuned_;
  const data::DataOptions& data_;
};

/// A model that was tuned behind a wording: the run's own rows are asked in it.
class OpenedWording {
 public:
  explicit OpenedWording(const MethodTask& task)
      : run_(job::reopen_run(task.candidate.options, task.bench.shared.prefix_cache)) {}

  Scored score(const std::string& split, const report::EventBus& events) const {
    const job::Rows& rows = split == "test" ? run_.prepared->test : run_.prepared->validation;
    job::FitRequest request;
    request.prepared = run_.prepared.get();
    request.events = &events;
    Scored scored{.predictions = job::predict_rows(run_.fit, {rows.encoded.values(), rows.examples.values()}, request),
                  .size = {}};
    std::vector<const task::AnswerTexts*> prompts;
    for (const task::Encoded& row : rows.encoded) prompts.push_back(&*row.answers);
    scored.size = infer::size_of_answers(model(), prompts);
    return scored;
  }
  const models::Model& model() const { return *run_.fit.loaded.model; }
  const data::LabelMap& labels() const { return run_.prepared->labels; }

 private:
  job::ReopenedRun run_;
};

template <class Opened>
class Trained : public Fitted {
 public:
  Trained(const MethodTask& task, Json learned) : opened_(task), rows_(task.bench.rows), facts_(std::move(learned)) {}

  std::unique_ptr<Answers> answer(const std::string& split, const report::EventBus& events) override {
    const Scored scored = opened_.score(split, events);
    if (scored.predictions.size() != rows_.of(split).size()) {
      throw Error(ErrorKind::data,
                  {.file = "",
                   .what = concat(scored.predictions.size(), " of ", rows_.of(split).size(), " ", split,
                                  " rows could be read by the tuned model; methods are compared on the same rows"),
                   .where = concat("data.", split),
                   .hint = "correct or remove the rows that are passed over (data.on_bad_row)"});
    }
    count_work(scored.size);
    auto answers = std::make_unique<Answers>();
    const std::vector<std::size_t> places = places_of_labels();
    for (const task::Prediction& prediction : scored.predictions) {
      const std::vector<double> scores = metrics::softmax_rows(prediction.logits, prediction.logits.size());
      for (const std::size_t place : places) answers->probabilities.push_back(scores[place]);
    }
    answers->predicted = metrics::argmax_rows(answers->probabilities, places.size());
    return answers;
  }

  Json facts() const override { return facts_; }

 private:
  void count_work(const models::PassSize& size) {
    const models::Model& model = opened_.model();
    facts_["answered"] = {{"tokens", size.tokens()},
                          {"flops", models::FlopCount(model).forward(size, 0, model.depth() + 2)}};
  }

  /// [labels] Where the label with the comparison's id stands among those of the model.
  std::vector<std::size_t> places_of_labels() const {
    std::vector<std::size_t> places;
    for (const std::string& name : rows_.labels.names) {
      places.push_back(static_cast<std::size_t>(opened_.labels().find(name).value()));
    }
    return places;
  }

  Opened opened_;
  const MethodRows& rows_;
  Json facts_;
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
  if (job::asks_labels(task.candidate.options))
    return std::make_unique<Trained<OpenedWording>>(task, std::move(learned));
  return std::make_unique<Trained<OpenedTuned>>(task, std::move(learned));
}

}  // namespace attune::study
