// A method that asks: a language model as it is, with one wording of a prompt set.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/prompt/examples.h"
#include "attune/study/prompting.h"
#include "method_kinds.h"
#include "shown_prompts.h"

namespace attune::study {

namespace {

/// The model of the options with their rows; what was opened before, where that is the same.
std::shared_ptr<PromptJob> opened_job(const MethodTask& task) {
  job::RunOptions options = task.candidate.options;
  options.prompting.split = "validation";  // (which rows are asked is said later)
  files::Json settings = config::effective(options);
  for (const char* own : {"output_dir", "seeds", "resume_from_checkpoint"}) settings.erase(own);
  std::string wanted = settings.dump();
  if (task.bench.asked == nullptr || task.bench.asked_for != wanted) {
    task.bench.asked = std::make_shared<PromptJob>(open_prompt_job(options, task.events));
    task.bench.asked_for = std::move(wanted);
  }
  return task.bench.asked;
}

class Prompted : public Fitted {
 public:
  explicit Prompted(const MethodTask& task)
      : job_(opened_job(task)), labels_(task.bench.rows.labels), variant_(variant_of(*job_, task)), rows_(task.rows_asked) {
    job_->generation.seed = task.seed;
  }

  std::unique_ptr<Answers> answer(const std::string& split, const report::EventBus&) override {
    read_split(*job_, split);
    asked_ = ask(*job_, variant_, rows_);
    if (asked_.stopped) return nullptr;
    auto answers = std::make_unique<Answers>();
    const std::vector<std::size_t> places = places_of_labels();
    const bool writes = job_->options.prompting.answer == "generation";
    for (const task::Prediction& prediction : asked_.predictions) add(prediction, places, writes, *answers);
    return answers;
  }

  files::Json facts() const override {
    return {{"answered", {{"tokens", asked_.computed_tokens}}},
            {"without_answer", asked_.without_answer},
            {"dropped_examples", asked_.dropped_examples},
            {"shown", shown_prompt(*job_, variant_, variant_.wording.name)}};
  }

 private:
  static Variant variant_of(const PromptJob& job, const MethodTask& task) {
    const auto wording = std::ranges::find(job.wordings, task.candidate.wording, &prompt::Wording::name);
    if (wording == job.wordings.end()) {
      throw Error(ErrorKind::usage, {.file = job.set.file,
                                     .what = concat("there is no wording '", task.candidate.wording, "' any more"),
                                     .where = "",
                                     .hint = "leave the prompt set as it is while methods are compared"});
    }
    Variant variant{.wording = *wording, .examples = job.options.prompting.examples};
    variant.examples.seed = task.seed;
    return variant;
  }

  /// [labels] Where the label with the comparison's id stands among those of the job.
  std::vector<std::size_t> places_of_labels() const {
    std::vector<std::size_t> places;
    for (const std::string& name : labels_.names)
      places.push_back(static_cast<std::size_t>(job_->labels.find(name).value()));
    return places;
  }

  /// Of a text that was written, there are no probabilities.
  static void add(const task::Prediction& prediction, const std::vector<std::size_t>& places, bool writes,
                  Answers& answers) {
    const auto score = [&](std::size_t label) { return prediction.logits[places[label]]; };
    std::size_t best = 0;
    for (std::size_t label = 1; label < places.size(); ++label) {
      if (score(label) > score(best)) best = label;
    }
    if (writes && prediction.logits.back() == 0) best = places.size();  // it named none
    answers.predicted.push_back(static_cast<std::int64_t>(best));
    if (writes) return;
    for (std::size_t label = 0; label < places.size(); ++label) {
      answers.probabilities.push_back(std::exp(static_cast<double>(score(label))));
    }
  }

  std::shared_ptr<PromptJob> job_;
  const data::LabelMap& labels_;
  Variant variant_;
  std::size_t rows_;  ///< of a split
  Asked asked_;
};

}  // namespace

bool prompt_has_chance(const job::RunOptions& options) {
  const bool draws_texts = options.prompting.answer == "generation" && options.generation.values.do_sample;
  return prompt::draws_examples(options.prompting.examples) || draws_texts;
}

std::unique_ptr<Fitted> fit_prompt(const MethodTask& task) {
  return std::make_unique<Prompted>(task);
}

}  // namespace attune::study
