// First-order meta-training: one encoder from several data sets, from which a few examples of a new one are enough to tune.
//
// Reptile (Nichol, Achiam & Schulman 2018, "On First-Order Meta-Learning Algorithms", algorithm 1), as pseudo-code:
//
//   for episode e of E: task = next data set
//     φ = k optimiser steps from θ on rows of the task           (train::train, the optimiser begins anew)
//     θ ← θ + ε · (1 - e/E) · (φ - θ)
//
// θ is what all data sets have in common: the trained part of the model without its head. Each data set has a head of its own,
// which goes from episode to episode by the same rule and is not saved.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/data/options.h"
#include "attune/files/json.h"
#include "attune/job/options.h"
#include "attune/report/events.h"

namespace attune::job {

/// A data set that episodes are drawn from.
struct MetaTask {
  std::string name;
  data::DataOptions data;
};

/// Trains options.model on `tasks` as options.meta and options.training say, of which the length, schedule, evaluation and
/// saving are the episode's own, and writes into options.output_dir the model without a head (Transformers' AutoModel),
/// config.resolved.json and meta_results.json, which is returned: {"output_dir", "episodes", "inner_steps", "trained":
/// parameters of θ, "tasks": [{"name", "rows", "labels", "episodes", "first_loss", "last_loss": mean loss of the first
/// step of its first and last quarter of episodes, before anything of the episode was learned}], "stopped_by", "seconds"};
/// meta_manifest.json, by which it can be verified; and report.html.
/// Which rows an episode sees is a function of the seed and its number. A signal keeps θ and the heads in
/// output_dir/checkpoints/meta, from which options.resume_from_checkpoint "auto" goes on to the same bits. Error{usage} for
/// fewer than two tasks, several seeds, folds and tasks that are no classification; Error{data} for a class with fewer
/// rows than options.meta.shots; Error{diverged}, Error{resume_refused} and what prepare throws.
files::Json meta_train(const RunOptions& options, const std::vector<MetaTask>& tasks, const report::EventBus& events);

/// The data set of the configuration itself, which `name` names, and those of options.meta.tasks, whose files are read.
std::vector<MetaTask> meta_tasks(const std::string& name, const RunOptions& options);

struct MetaRepetition {
  files::Json inputs;                    ///< of meta_manifest.json
  std::optional<std::int64_t> episodes;  ///< the first so many alone
};

/// Trains once more and writes nothing: {"inputs", "episodes", "values"} as meta_manifest.json has them; "inputs" alone
/// where they are no longer the recorded ones, and after a signal. `options` as config.resolved.json says them. Errors as
/// meta_train.
files::Json repeat_meta_training(const RunOptions& options, const std::vector<MetaTask>& tasks, const MetaRepetition& repetition,
                                 const report::EventBus& events);

}  // namespace attune::job
