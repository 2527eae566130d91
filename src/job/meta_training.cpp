// See meta_training.h.
#include "job/meta_training.h"

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/report/phase.h"
#include "attune/tensor/weights.h"

namespace attune::job {

namespace {

namespace fs = std::filesystem;
using files::Json;

[[noreturn]] void refuse_meta(const std::string& what, const std::string& where, const std::string& hint) {
  throw Error(ErrorKind::usage, {.file = "", .what = what, .where = where, .hint = hint});
}

std::set<std::string> names_in(const models::LoadedModel& base) {
  std::set<std::string> names;
  for (const models::Parameter& parameter : base.model->parameters()) names.insert(parameter.name);
  return names;
}

/// Data sets take turns, in an order of its own in each round.
std::size_t task_of(const RandomKey& key, std::int64_t episode, std::size_t tasks) {
  const auto count = static_cast<std::int64_t>(tasks);
  const RandomKey round = key.with(0).with(static_cast<std::uint64_t>(episode / count));
  return static_cast<std::size_t>(round.permutation(count)[static_cast<std::size_t>(episode % count)]);
}

std::vector<Episode> episodes_from(const Json& told) {
  std::vector<Episode> episodes;
  for (const Json& one : told) {
    episodes.push_back({.task = one["task"].get<std::size_t>(),
                        .first_loss = one["first_loss"].get<double>(),
                        .last_loss = one["last_loss"].get<double>()});
  }
  return episodes;
}

}  // namespace

Json episodes_json(const std::vector<Episode>& episodes) {
  Json told = Json::array();
  for (const Episode& one : episodes) {
    told.push_back({{"task", one.task}, {"first_loss", one.first_loss}, {"last_loss", one.last_loss}});
  }
  return told;
}

MetaTraining::MetaTraining(const RunOptions& options, const std::vector<MetaTask>& tasks,
                           const report::EventBus& events)
    : options_(options), folder_(options.output_dir + "/checkpoints/meta") {
  check_settings(tasks.size());
  base_ = models::load_model(models::resolve_model_path(options_.model.path),
                             {.task = models::Task::base, .dtype = options_.model.dtype});
  names_ = names_in(base_);
  learners_.reserve(tasks.size());
  for (const MetaTask& task : tasks) learners_.emplace_back(options_, task, names_, events);
  common_ = learners_.front().common_values();
}

void MetaTraining::check_settings(std::size_t tasks) const {
  if (tasks < 2) {
    refuse_meta("meta-training learns from several data sets, and there is one", "meta.tasks",
                "name at least one more configuration");
  }
  if (options_.seeds.size() > 1)
    refuse_meta("meta-training has one result and takes one seed", "seeds", "name one, or run it once for each");
  if (options_.cross_validation.enabled) refuse_meta("meta-training has no folds", "cross_validation", "leave it out");
  if (options_.model.init == "random")
    refuse_meta("meta-training begins at a checkpoint", "model.init", "leave it out");
  if (options_.tuning.self_training.enabled)
    refuse_meta("meta-training takes no rows without labels", "tuning.self_training", "leave it out");
  const std::set<std::string> methods = {"full", "head", "freeze"};
  if (!methods.contains(options_.tuning.method)) {
    refuse_meta(concat("a model is meta-trained by gradient steps on its own weights, and the method is ",
                       options_.tuning.method),
                "tuning.method", "choose full, head or freeze");
  }
}

Json MetaTraining::identity() const {
  Json identity = {{"configuration", config::decisive(options_)}, {"inner_steps", options_.meta.inner_steps},
                   {"episodes", options_.meta.episodes},          {"shots", options_.meta.shots},
                   {"step_size", options_.meta.step_size},        {"tasks", Json::array()}};
  for (const MetaLearner& learner : learners_) {
    identity["tasks"].push_back({{"name", learner.name()}, {"fingerprints", learner.prepared().fingerprints}});
  }
  return identity;
}

void MetaTraining::save() const {
  fs::create_directories(fs::path(folder_).parent_path());
  files::StagedFolder stage(folder_);
  tensor::save_tensors(stage.path() + "/values.safetensors", all_values());
  files::write_json(stage.path() + "/state.json", {{"identity", identity()}, {"episodes", episodes_json(episodes_)}});
  stage.commit();
}

void MetaTraining::resume() {
  if (options_.resume_from_checkpoint.empty() || !path_exists(folder_, ErrorKind::resume_refused)) return;
  if (const std::string defect = files::manifest_defect(folder_); !defect.empty())
    refuse_to_resume(defect, "begin anew");
  const Json kept =
      files::read_json(folder_ + "/state.json", {.kind = ErrorKind::resume_refused, .max_bytes = std::size_t{1} << 28});
  if (kept.value("identity", Json()) != identity() || !kept.contains("episodes")) {
    refuse_to_resume("it belongs to other data, settings or another model", "begin anew in another output_dir");
  }
  const auto values = tensor::load_tensors(folder_ + "/values.safetensors");
  for (auto& [name, value] : common_) value = values.at("model." + name).clone();
  for (std::size_t i = 0; i < learners_.size(); ++i) {
    Values head = learners_[i].head();
    for (auto& [name, value] : head) value = values.at(concat("head-", i, ".", name)).clone();
    learners_[i].set_head(std::move(head));
  }
  episodes_ = episodes_from(kept["episodes"]);
}

bool MetaTraining::run(std::int64_t episodes, bool saves, const report::EventBus& events) {
  constexpr std::int64_t kSaveEpisodes = 50;
  const auto whole = static_cast<double>(options_.meta.episodes);
  const RandomKey key(options_.seeds.front(), "meta episodes");
  report::Phase training(events, "meta-training", episodes, "episode");
  for (auto episode = static_cast<std::int64_t>(episodes_.size()); episode < episodes; ++episode) {
    training.progress(episode);
    if (saves && episode > 0 && episode % kSaveEpisodes == 0) save();
    const std::size_t task = task_of(key, episode, learners_.size());
    const train::TrainResult result =
        learners_[task].train_episode(common_, key.with(1).with(static_cast<std::uint64_t>(episode)));
    if (result.stopped_by == "signal") return false;
    learners_[task].move(common_, options_.meta.step_size * (1.0 - static_cast<double>(episode) / whole));
    const double first = result.trajectory.front().loss, last = result.trajectory.back().loss;
    episodes_.push_back({.task = task, .first_loss = first, .last_loss = last});
    events.emit({{"event", "episode"},
                 {"episode", episode + 1},
                 {"episodes", options_.meta.episodes},
                 {"task", learners_[task].name()},
                 {"first_loss", first},
                 {"last_loss", last}});
  }
  training.end();
  return true;
}

void MetaTraining::forget() const {
  files::remove_folder(options_.output_dir + "/checkpoints");
}

void MetaTraining::save_model(const std::string& folder) {
  for (models::Parameter& parameter : base_.model->parameters()) {
    const auto found = common_.find(parameter.name);
    if (found != common_.end()) base_.model->set_values(parameter, found->second.to(at::kCPU));
  }
  models::save_model(base_, learners_.front().prepared().model_folder, folder);
}

Values MetaTraining::all_values() const {
  Values values;
  for (const auto& [name, value] : common_) values["model." + name] = value;
  for (std::size_t i = 0; i < learners_.size(); ++i) {
    for (const auto& [name, value] : learners_[i].head()) values[concat("head-", i, ".", name)] = value;
  }
  return values;
}

void MetaTraining::refuse_to_resume(const std::string& what, const std::string& hint) const {
  throw Error(ErrorKind::resume_refused, {.file = folder_, .what = what, .where = "", .hint = hint});
}

}  // namespace attune::job
