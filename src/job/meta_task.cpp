// See meta_task.h.
#include "job/meta_task.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/adapt/freeze.h"
#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::job {

namespace {

/// Episodes look at all rows at once.
constexpr std::int64_t kAllInMemoryMib = std::int64_t{1} << 30;

/// The job of a data set: its training rows alone.
RunOptions options_of(const RunOptions& options, const MetaTask& task) {
  RunOptions own = options;
  own.data = task.data;
  own.data.validation.clear();
  own.data.test.clear();
  own.data.rows_in_memory_mib = kAllInMemoryMib;
  own.early_stopping.enabled = false;
  train::TrainingOptions& training = own.training;
  training.max_steps = options.meta.inner_steps;
  training.lr_scheduler_type = "constant";
  training.lr_scheduler_kwargs.clear();
  training.warmup_steps = 0;
  training.eval_strategy = "no";
  training.eval_on_start = false;
  training.save_strategy = "no";
  training.load_best_model_at_end = false;
  training.metric_for_best_model.reset();
  training.prefix_cache_mib = 0;
  return own;
}

void check_is_classification(const Prepared& prepared, const std::string& name) {
  if (prepared.kind == models::Task::sequence_classification && prepared.labels.kind == data::TargetKind::single) return;
  throw Error(ErrorKind::usage, {.file = name,
                                 .what = "the data set is no classification with one label a row",
                                 .where = "meta.tasks",
                                 .hint = "meta-training takes such data sets alone"});
}

}  // namespace

MetaLearner::MetaLearner(const RunOptions& options, const MetaTask& task, const std::set<std::string>& common,
                         const report::EventBus& events)
    : name_(task.name), common_(common), prepared_(prepare(options_of(options, task), events)) {
  check_is_classification(prepared_, name_);
  loaded_ = open_base(prepared_, prepared_.options.seeds.front());
  task_ = make_fitted_task(prepared_, class_weights(prepared_, prepared_.train.encoded));
  trainable_ = adapt::trainable_parameters(*loaded_.model, prepared_.options.tuning);
  group_rows();
  for (std::size_t i = 0; i < trainable_.size(); ++i) {
    const models::Parameter& parameter = loaded_.model->parameters()[i];
    if (trainable_[i] && name_of_common(parameter).empty()) head_[parameter.name] = parameter.tensor.detach().clone();
  }
}

/// "" for those of the head. A model with a head has the model without one under a name of its own ("bert.").
std::string MetaLearner::name_of_common(const models::Parameter& parameter) const {
  const std::string name = parameter.name.substr(parameter.name.find('.') + 1);
  return common_.contains(name) ? name : "";
}

void MetaLearner::group_rows() {
  rows_by_label_.resize(prepared_.labels.names.size());
  const std::vector<task::Encoded>& rows = prepared_.train.encoded.values();
  for (std::size_t i = 0; i < rows.size(); ++i) rows_by_label_[static_cast<std::size_t>(rows[i].label)].push_back(i);
  const auto shots = static_cast<std::size_t>(prepared_.options.meta.shots);
  for (std::size_t label = 0; label < rows_by_label_.size(); ++label) {
    if (rows_by_label_[label].size() >= shots) continue;
    throw Error(ErrorKind::data, {.file = name_,
                                  .what = concat("the class '", prepared_.labels.names[label], "' has ",
                                                 rows_by_label_[label].size(), " training rows, an episode takes ", shots),
                                  .where = "meta.shots",
                                  .hint = "lower it, or leave the class out"});
  }
}

Values MetaLearner::common_values() const {
  Values values;
  for (std::size_t i = 0; i < trainable_.size(); ++i) {
    const models::Parameter& parameter = loaded_.model->parameters()[i];
    const std::string name = name_of_common(parameter);
    if (trainable_[i] && !name.empty()) values[name] = parameter.tensor.detach().clone();
  }
  return values;
}

std::vector<task::Encoded> MetaLearner::draw(const RandomKey& key) const {
  const std::vector<task::Encoded>& all = prepared_.train.encoded.values();
  const MetaOptions& meta = prepared_.options.meta;
  std::vector<task::Encoded> drawn;
  if (meta.shots == 0) {
    const auto wanted = static_cast<std::size_t>(meta.inner_steps * prepared_.options.training.gradient_accumulation_steps *
                                                 prepared_.options.training.per_device_train_batch_size);
    const std::vector<std::int64_t> order = key.permutation(static_cast<std::int64_t>(all.size()));
    for (std::size_t i = 0; i < std::min(wanted, all.size()); ++i) drawn.push_back(all[static_cast<std::size_t>(order[i])]);
    return drawn;
  }
  for (std::size_t label = 0; label < rows_by_label_.size(); ++label) {
    const std::vector<std::size_t>& rows = rows_by_label_[label];
    const auto order = key.with(label).permutation(static_cast<std::int64_t>(rows.size()));
    for (std::int64_t i = 0; i < meta.shots; ++i) drawn.push_back(all[rows[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]]);
  }
  return drawn;
}

train::TrainResult MetaLearner::train_episode(const Values& common, const RandomKey& key) {
  models::Model& model = *loaded_.model;
  for (models::Parameter& parameter : model.parameters()) {
    const std::string name = name_of_common(parameter);
    const Values& values = name.empty() ? head_ : common;
    const auto found = values.find(name.empty() ? parameter.name : name);
    if (found != values.end()) model.set_values(parameter, found->second.clone());
  }
  const std::vector<task::Encoded> rows = draw(key);
  const report::EventBus silent;
  train::TrainJob job;
  job.model = &model;
  job.task = task_.get();
  job.trainable = trainable_;
  job.train = {rows, prepared_.train.examples};
  job.options = prepared_.options.training;
  job.seed = key.value();
  job.options.seed = key.value();
  job.job_fingerprint = "{}";
  job.events = &silent;
  return train::train(job);
}

void MetaLearner::move(Values& common, double share) {
  const at::NoGradGuard no_grad;
  for (const models::Parameter& parameter : loaded_.model->parameters()) {
    const std::string name = name_of_common(parameter);
    Values& values = name.empty() ? head_ : common;
    const auto found = values.find(name.empty() ? parameter.name : name);
    if (found != values.end()) found->second.lerp_(parameter.tensor.detach(), share);
  }
}

}  // namespace attune::job
