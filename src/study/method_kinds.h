// The kinds of methods: a row each, so that another way to answer is one file and one row.
#pragma once

#include <memory>
#include <string>

#include "attune/files/json.h"
#include "attune/study/method.h"

namespace attune::study {

/// A candidate under one seed that is to learn and to answer.
struct MethodTask {
  const MethodCandidate& candidate;  ///< its options with the run's own folder and this seed
  std::uint64_t seed = 0;
  bool has_learned = false;  ///< an earlier call has: what lies in the options' output_dir is whole
  Workbench& bench;
  report::EventBus& events;
  std::size_t rows_asked = static_cast<std::size_t>(-1);  ///< of a split, where it is asked: the first so many
};

/// What has learned what there is to learn.
class Fitted {
 public:
  virtual ~Fitted() = default;
  /// The answers to the rows of a split ("validation", "test"); null after a signal.
  virtual std::unique_ptr<Answers> answer(const std::string& split, const report::EventBus& events) = 0;
  /// What is known beside time and memory: of learning {"trained_parameters", "tokens", "flops"}, and what the last
  /// answer() took {"answered": {"tokens", "flops"}}; of a prompt {"shown": of the first row, as shown_prompt()}.
  virtual files::Json facts() const { return files::Json::object(); }
};

struct MethodKind {
  const char* name;
  bool has_model;  ///< the base counts
  bool is_asked;   ///< with the wordings of a prompt set
  bool (*has_chance)(const job::RunOptions& options);
  /// Null after a signal.
  std::unique_ptr<Fitted> (*fit)(const MethodTask& task);
};

/// Error{internal} for a name that no row has: the reader of the configuration knows the same ones.
const MethodKind& method_kind(const std::string& name);

// The rows of the table, a file each.
std::unique_ptr<Fitted> fit_majority(const MethodTask& task);
std::unique_ptr<Fitted> fit_words(const MethodTask& task);
std::unique_ptr<Fitted> fit_prompt(const MethodTask& task);
std::unique_ptr<Fitted> fit_trained(const MethodTask& task);
bool prompt_has_chance(const job::RunOptions& options);

}  // namespace attune::study
