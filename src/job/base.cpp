// See base.h.
#include "job/base.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "attune/adapt/adapter.h"
#include "attune/adapt/freeze.h"
#include "attune/adapt/peft.h"
#include "attune/base/log.h"
#include "attune/base/strings.h"
#include "attune/job/execution.h"
#include "attune/report/phase.h"
#include "job/kept_layers.h"

namespace attune::job {

bool starts_random(const RunOptions& options) { return options.model.init == "random"; }

models::Task loaded_task(const Prepared& prepared) {
  return adapt::has_vector_head(prepared.options.tuning) ? models::Task::base : prepared.kind;
}

namespace {

/// Task, labels, dropout overrides, head seed.
models::LoadOptions load_options(const Prepared& prepared, std::uint64_t seed) {
  const models::ModelOptions& model = prepared.options.model;
  models::LoadOptions options;
  options.task = loaded_task(prepared);
  const bool has_labels = options.task != models::Task::base && !prepared.asks_labels();  // else none, or they are said in words
  if (has_labels) options.labels = prepared.labels.names;
  options.seed = seed;
  options.dtype = model.dtype;
  options.new_head = model.new_head;
  options.random_weights = starts_random(prepared.options);
  options.hidden_dropout = model.hidden_dropout_prob;
  options.attention_dropout = model.attention_probs_dropout_prob;
  options.classifier_dropout = model.classifier_dropout;
  if (options.task == models::Task::sequence_classification) {
    switch (prepared.labels.kind) {
      case data::TargetKind::multi: options.problem_type = "multi_label_classification"; break;
      case data::TargetKind::value:
        options.problem_type = "regression";
        options.labels = {"LABEL_0"};
        break;
      default: options.problem_type = "single_label_classification";
    }
  }
  return options;
}

models::LoadedModel load_base(const Prepared& prepared, std::uint64_t seed) {
  models::LoadedModel loaded = models::load_model(prepared.model_folder, load_options(prepared, seed));
  if (const auto adapter = adapt::adapter_options(prepared.options.tuning)) adapt::start_adapter(loaded, *adapter, seed);
  loaded.model->set_execution(execution_of(prepared.options));
  return loaded;
}

std::optional<models::LoadedModel> taken_base(OpenedBase& base, std::uint64_t seed) {
  const std::lock_guard lock(base.mutex);
  if (!base.loaded || base.seed != seed) return std::nullopt;
  return std::exchange(base.loaded, std::nullopt);
}

}  // namespace

models::LoadedModel open_base(const Prepared& prepared, std::uint64_t seed) {
  if (std::optional<models::LoadedModel> taken = taken_base(*prepared.base, seed)) return std::move(*taken);
  return load_base(prepared, seed);
}

void give_back_base(const Prepared& prepared, std::uint64_t seed, models::LoadedModel loaded) {
  const std::lock_guard lock(prepared.base->mutex);
  prepared.base->seed = seed;
  prepared.base->loaded = std::move(loaded);
}

namespace {

using files::Json;

/// What is loaded and what of it trains. Throws for layers and patterns that do not exist.
Json summarise_model(const Prepared& prepared, models::LoadedModel& loaded) {
  const std::vector<bool> trainable = adapt::trainable_parameters(*loaded.model, prepared.options.tuning);
  const std::vector<adapt::TrainablePart> parts = adapt::trainable_parts(*loaded.model, trainable);
  Json summary = {{"path", prepared.options.model.path},
                  {"model_type", loaded.model->spec().model_type},
                  {"description", adapt::describe_trainable(parts)},
                  {"parameters", 0},
                  {"trained", 0},
                  {"parts", Json::array()},
                  {"newly_initialised", loaded.report.newly_initialised},
                  {"unused", loaded.report.unused}};
  std::int64_t parameters = 0, trained = 0;
  for (const adapt::TrainablePart& part : parts) {
    parameters += part.parameters;
    trained += part.trained;
    summary["parts"].push_back({{"name", part.name}, {"parameters", part.parameters}, {"trained", part.trained}});
  }
  summary["parameters"] = parameters;
  summary["trained"] = trained;
  return summary;
}

void warn_of_shared_targets(const models::Model& model, const adapt::TuningOptions& tuning) {
  for (const std::string& path : adapt::shared_targets(model)) {
    log::warning(concat("tuning.", tuning.method, ".target_modules: '", path, "' shares its weight with another layer, so that the adapter cannot be "
                        "merged into one model; leave it out if you want to"));
  }
}

}  // namespace

void load_first_base(Prepared& prepared, const report::EventBus& events) {
  report::Phase loading(events, "loading");
  prepared.base->seed = prepared.options.seeds.front();
  prepared.base->loaded = load_base(prepared, prepared.base->seed);
  models::Model& model = *prepared.base->loaded->model;
  prepared.kept_stages = kept_stages(model, adapt::trainable_parameters(model, prepared.options.tuning), prepared.options.training);
  prepared.model_summary = summarise_model(prepared, *prepared.base->loaded);
  loading.end();
  warn_of_shared_targets(model, prepared.options.tuning);
  warn_of_idle_prefix_cache(prepared, model);
  for (const std::string& note : prepared.base->loaded->report.notes) log::info(note);
}

}  // namespace attune::job
