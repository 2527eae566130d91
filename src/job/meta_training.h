// Meta-training as it goes on: the base, the data sets, and everything that the next episode depends on.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "attune/files/json.h"
#include "job/meta_task.h"

namespace attune::job {

/// What an episode showed.
struct Episode {
  std::size_t task = 0;                  ///< index of its data set
  double first_loss = 0, last_loss = 0;  ///< of its first and last step, each before that step
};

class MetaTraining {
 public:
  /// Opens base and data sets; writes nothing. Errors of meta_train() but those of the output folder.
  MetaTraining(const RunOptions& options, const std::vector<MetaTask>& tasks, const report::EventBus& events);
  MetaTraining(const MetaTraining&) = delete;
  MetaTraining& operator=(const MetaTraining&) = delete;

  const RunOptions& options() const { return options_; }
  const std::vector<MetaLearner>& learners() const { return learners_; }
  /// θ.
  const Values& common() const { return common_; }
  /// Those that are done.
  const std::vector<Episode>& episodes() const { return episodes_; }
  /// Under options().resume_from_checkpoint goes on from what was saved, where something was. Error{resume_refused}.
  void resume();
  /// Trains until `episodes` are done, and saves now and then where `saves`; false after a signal, which costs the
  /// episode that it meets.
  bool run(std::int64_t episodes, bool saves, const report::EventBus& events);
  void save() const;
  /// Removes what was saved.
  void forget() const;
  /// Writes the base with θ, as a model without a head.
  void save_model(const std::string& folder);

 private:
  void check_settings(std::size_t tasks) const;
  files::Json identity() const;
  Values all_values() const;
  [[noreturn]] void refuse_to_resume(const std::string& what, const std::string& hint) const;

  RunOptions options_;
  models::LoadedModel base_;
  std::set<std::string> names_;  ///< of the base's parameters
  std::vector<MetaLearner> learners_;
  std::string folder_;  ///< of what is saved
  Values common_;
  std::vector<Episode> episodes_;
};

/// [{"task", "first_loss", "last_loss"}].
files::Json episodes_json(const std::vector<Episode>& episodes);

}  // namespace attune::job
