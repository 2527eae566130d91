// See meta_train.h.
#include "attune/job/meta_train.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "attune/base/clock.h"
#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/job/execution.h"
#include "attune/job/output.h"
#include "attune/report/phase.h"
#include "attune/tensor/weights.h"
#include "job/meta_task.h"

namespace attune::job {

namespace {

namespace fs = std::filesystem;
using files::Json;

[[noreturn]] void refuse(const std::string& what, const std::string& where, const std::string& hint) {
  throw Error(ErrorKind::usage, {.file = "", .what = what, .where = where, .hint = hint});
}

void check_settings(const RunOptions& options, const std::vector<MetaTask>& tasks) {
  if (tasks.size() < 2) {
    refuse("meta-training learns from several data sets, and there is one", "meta.tasks", "name at least one more configuration");
  }
  if (options.seeds.size() > 1) refuse("meta-training has one result and takes one seed", "seeds", "name one, or run it once for each");
  if (options.cross_validation.enabled) refuse("meta-training has no folds", "cross_validation", "leave it out");
  if (options.model.init == "random") refuse("meta-training begins at a checkpoint", "model.init", "leave it out");
  if (options.tuning.self_training.enabled) refuse("meta-training takes no rows without labels", "tuning.self_training", "leave it out");
  if (options.tuning.method == "lora") {
    refuse("an adapter cannot be meta-trained: what is written is a model", "tuning.method", "choose full, head or freeze");
  }
}

std::set<std::string> names_of(const models::LoadedModel& base) {
  std::set<std::string> names;
  for (const models::Parameter& parameter : base.model->parameters()) names.insert(parameter.name);
  return names;
}

/// Where meta-training stands: everything that the next episode depends on.
class State {
 public:
  State(const RunOptions& options, std::vector<MetaLearner>& learners)
      : options_(options), learners_(learners), folder_(options.output_dir + "/checkpoints/meta") {
    common = learners.front().common_values();
    losses.resize(learners.size());
    identity_ = {{"configuration", config::decisive(options)},
                 {"inner_steps", options.meta.inner_steps},
                 {"episodes", options.meta.episodes},
                 {"shots", options.meta.shots},
                 {"step_size", options.meta.step_size},
                 {"tasks", Json::array()}};
    for (const MetaLearner& learner : learners) {
      identity_["tasks"].push_back({{"name", learner.name()}, {"fingerprints", learner.prepared().fingerprints}});
    }
  }

  Values common;
  std::int64_t episode = 0;                 ///< the next one
  std::vector<std::vector<double>> losses;  ///< by task: of the first step of its episodes

  void save() const {
    fs::create_directories(fs::path(folder_).parent_path());
    files::StagedFolder stage(folder_);
    tensor::save_tensors(stage.path() + "/values.safetensors", all_values());
    files::write_json(stage.path() + "/state.json", {{"identity", identity_}, {"episode", episode}, {"losses", losses}});
    stage.commit();
  }

  void load() {
    if (options_.resume_from_checkpoint.empty() || !path_exists(folder_, ErrorKind::resume_refused)) return;
    if (const std::string defect = files::manifest_defect(folder_); !defect.empty()) refuse_to_resume(defect, "begin anew");
    const Json kept = files::read_json(folder_ + "/state.json", {.kind = ErrorKind::resume_refused, .max_bytes = std::size_t{1} << 28});
    if (kept.value("identity", Json()) != identity_) {
      refuse_to_resume("it belongs to other data, settings or another model", "begin anew in another output_dir");
    }
    const auto values = tensor::load_tensors(folder_ + "/values.safetensors");
    for (auto& [name, value] : common) value = values.at("model." + name).clone();
    for (std::size_t i = 0; i < learners_.size(); ++i) {
      Values head = learners_[i].head();
      for (auto& [name, value] : head) value = values.at(concat("head-", i, ".", name)).clone();
      learners_[i].set_head(std::move(head));
    }
    episode = kept["episode"].get<std::int64_t>();
    losses = kept["losses"].get<std::vector<std::vector<double>>>();
  }

  void forget() const { files::remove_folder(options_.output_dir + "/checkpoints"); }

 private:
  Values all_values() const {
    Values values;
    for (const auto& [name, value] : common) values["model." + name] = value;
    for (std::size_t i = 0; i < learners_.size(); ++i) {
      for (const auto& [name, value] : learners_[i].head()) values[concat("head-", i, ".", name)] = value;
    }
    return values;
  }

  [[noreturn]] void refuse_to_resume(const std::string& what, const std::string& hint) const {
    throw Error(ErrorKind::resume_refused, {.file = folder_, .what = what, .where = "", .hint = hint});
  }

  const RunOptions& options_;
  std::vector<MetaLearner>& learners_;
  std::string folder_;
  Json identity_;
};

/// Data sets take turns, in an order of its own in each round.
std::size_t task_of(const RandomKey& key, std::int64_t episode, std::size_t tasks) {
  const auto count = static_cast<std::int64_t>(tasks);
  const RandomKey round = key.with(0).with(static_cast<std::uint64_t>(episode / count));
  return static_cast<std::size_t>(round.permutation(count)[static_cast<std::size_t>(episode % count)]);
}

/// False after a signal, which costs the episode that it meets.
bool run_episodes(const RunOptions& options, std::vector<MetaLearner>& learners, State& state, const report::EventBus& events) {
  constexpr std::int64_t kSaveEpisodes = 50;
  const std::int64_t episodes = options.meta.episodes;
  const RandomKey key(options.seeds.front(), "meta episodes");
  report::Phase training(events, "meta-training", episodes, "episode");
  for (; state.episode < episodes; ++state.episode) {
    training.progress(state.episode);
    if (state.episode > 0 && state.episode % kSaveEpisodes == 0) state.save();
    const std::size_t task = task_of(key, state.episode, learners.size());
    const train::TrainResult result =
        learners[task].train_episode(state.common, key.with(1).with(static_cast<std::uint64_t>(state.episode)));
    if (result.stopped_by == "signal") return false;
    const double share = options.meta.step_size * (1.0 - static_cast<double>(state.episode) / static_cast<double>(episodes));
    learners[task].move(state.common, share);
    state.losses[task].push_back(result.trajectory.front().loss);
    events.emit({{"event", "episode"},
                 {"episode", state.episode + 1},
                 {"episodes", episodes},
                 {"task", learners[task].name()},
                 {"first_loss", result.trajectory.front().loss},
                 {"last_loss", result.trajectory.back().loss}});
  }
  training.end();
  return true;
}

/// Mean of the first or the last quarter of the losses; null without any.
Json mean_of_quarter(const std::vector<double>& losses, bool last) {
  if (losses.empty()) return nullptr;
  const auto count = static_cast<std::ptrdiff_t>((losses.size() + 3) / 4);
  const auto begin = last ? losses.end() - count : losses.begin();
  return std::accumulate(begin, begin + count, 0.0) / static_cast<double>(count);
}

Json describe_task(const MetaLearner& learner, const std::vector<double>& losses) {
  return {{"name", learner.name()},
          {"rows", learner.prepared().train.encoded.size()},
          {"labels", learner.prepared().labels.names.size()},
          {"episodes", losses.size()},
          {"first_loss", mean_of_quarter(losses, false)},
          {"last_loss", mean_of_quarter(losses, true)}};
}

/// The base with the values that were learned, as a model without a head.
void save_common(models::LoadedModel& base, const Values& common, const Prepared& prepared, const std::string& folder) {
  for (models::Parameter& parameter : base.model->parameters()) {
    const auto found = common.find(parameter.name);
    if (found != common.end()) base.model->set_values(parameter, found->second.to(at::kCPU));
  }
  models::save_model(base, prepared.model_folder, folder);
}

std::int64_t size_of(const Values& values) {
  return std::accumulate(values.begin(), values.end(), std::int64_t{0},
                         [](std::int64_t sum, const auto& one) { return sum + one.second.numel(); });
}

}  // namespace

Json meta_train(const RunOptions& given, const std::vector<MetaTask>& tasks, const report::EventBus& events) {
  const Stopwatch watch;
  set_threads(given.threads);
  check_settings(given, tasks);
  check_output_folder(given);
  const RunOptions options = with_precision_decided(given);
  models::LoadedModel base = models::load_model(models::resolve_model_path(options.model.path), {.task = models::Task::base, .dtype = options.model.dtype});
  const std::set<std::string> names = names_of(base);
  std::vector<MetaLearner> learners;
  learners.reserve(tasks.size());
  for (const MetaTask& task : tasks) learners.emplace_back(options, task, names, events);
  const auto lock = claim_output_folder(options);
  install_stop_signals();
  files::write_json(options.output_dir + "/config.resolved.json", config::effective(options));
  State state(options, learners);
  state.load();
  const bool ended = run_episodes(options, learners, state, events);
  Json results = {{"output_dir", options.output_dir},
                  {"episodes", state.episode},
                  {"inner_steps", options.meta.inner_steps},
                  {"trained", size_of(state.common)},
                  {"tasks", Json::array()},
                  {"stopped_by", ended ? "end" : "signal"}};
  for (std::size_t i = 0; i < learners.size(); ++i) results["tasks"].push_back(describe_task(learners[i], state.losses[i]));
  results["seconds"] = watch.seconds();
  if (!ended) {
    state.save();
    return results;
  }
  save_common(base, state.common, learners.front().prepared(), options.output_dir);
  files::write_json(options.output_dir + "/meta_results.json", results);
  state.forget();
  return results;
}

}  // namespace attune::job
