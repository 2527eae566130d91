// Everything a training run consists of. The loop (trainer.cpp) and what hangs on it (step_events.cpp) work on one Run.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "attune/base/clock.h"
#include "attune/optim/optimizer.h"
#include "attune/optim/schedule.h"
#include "attune/report/phase.h"
#include "attune/models/flops.h"
#include "attune/train/checkpoint.h"
#include "attune/train/cost.h"
#include "attune/train/early_stopping.h"
#include "attune/train/plan.h"
#include "attune/train/state.h"
#include "attune/train/trainables.h"
#include "attune/train/trainer.h"
#include "loss_watch.h"
#include "weight_hashes.h"

namespace attune::train {

struct Run {
  /// Checks the settings that belong together, moves the trained parameters into arenas, restores the checkpoint to
  /// resume.
  explicit Run(const TrainJob& job);

  const TrainJob& job;
  const TrainingOptions& options;
  Stopwatch clock;
  Plan plan;
  optim::Schedule schedule;
  WatchedMetric best_metric;     ///< chooses the best model
  WatchedMetric watched_metric;  ///< early stopping looks at it
  TrainState state;
  Trainables trained;
  WeightHashes hashes;  ///< of the points of state.trajectory
  models::FlopCount flops;
  Cost cost;  ///< of the steps that this process has done
  LossWatch watch;  ///< over their losses
  std::unique_ptr<optim::Optimizer> optimizer;
  std::optional<tensor::Arena> best;       ///< trained weights of the best evaluation, where they will be wanted
  std::optional<Checkpoints> checkpoints;  ///< where there is a folder for them

  /// What an evaluation generated, with its step. Empty where nothing is generated.
  struct StepTexts {
    std::int64_t step = -1;
    std::vector<RowText> texts;
  };
  StepTexts latest_texts, best_texts;  ///< of the latest evaluation; of the best where its weights are kept

  bool evaluates() const { return job.validation && options.eval_strategy != "no"; }
  bool keeps_best() const { return evaluates() && options.load_best_model_at_end; }
  double epoch() const { return plan.epoch_after(state.step); }
  double seconds() const { return seconds_before_ + clock.seconds(); }
  /// {"event": name, "step", "epoch"} and `fields`, to every observer.
  void emit(const std::string& name, const files::Json& fields) const;
  /// A phase whose events carry step and epoch too. The run must outlive it.
  report::Phase phase(const std::string& name, std::int64_t total = 0) const;
  /// Writes checkpoint-<step> and rotates. Throws Error{storage}.
  void save();

 private:
  void resume(const std::string& folder);

  double seconds_before_ = 0;  ///< of the runs that this one goes on with
  std::int64_t saved_step_ = -1;
};

}  // namespace attune::train
