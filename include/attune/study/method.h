// A method: one way to answer the rows of a classification, from the majority class over a prompted model to a tuned
// one. All methods get the same rows, choose among their candidates by the validation rows alone, and answer the test
// rows once. The kinds are one table (src/study/method_kinds.cpp).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "attune/data/example.h"
#include "attune/data/labels.h"
#include "attune/files/json.h"
#include "attune/job/method_options.h"
#include "attune/job/options.h"
#include "attune/job/run.h"
#include "attune/report/events.h"

namespace attune::study {

struct PromptJob;

/// One way to carry out a method: its settings, with one value of everything that it varies.
struct MethodCandidate {
  std::string name;         ///< what tells it from the method's others; "as configured" where there are none
  job::RunOptions options;  ///< output_dir, seeds and resume_from_checkpoint are set when it is carried out
  std::string wording;      ///< kind prompt: which of its prompt set
};

struct Method {
  std::string name;
  std::string kind;                         ///< of method_kinds()
  std::vector<MethodCandidate> candidates;  ///< at least one, at most the selection budget
  bool has_chance = false;                  ///< what it answers depends on the seed
};

/// The names of the kinds.
std::vector<std::string> method_kinds();

/// Where the settings of all methods begin.
struct MethodSource {
  std::string config;                  ///< file
  std::vector<std::string> overrides;  ///< KEY=VALUE, as --set takes them
};

/// The methods with the configurations of their candidates. Error{usage} for no method or two of a name, a key that
/// must be the same for all (rows, seeds, folders), a method with more candidates than the budget, fewer than three
/// seeds where a method has chance, and configurations that are wrong.
std::vector<Method> read_methods(const MethodSource& source, const std::vector<job::MethodOptions>& methods,
                                 std::int64_t selection_budget);

/// The rows of a comparison as they are read, and what the training rows say of the labels.
struct MethodRows {
  data::LabelMap labels;
  std::vector<data::Example> train, validation, test;

  const std::vector<data::Example>& of(const std::string& split) const;  ///< "validation" or "test"
};

/// As `options.data` says. Error{usage} without files of validation and test rows, or where labels are no classes.
MethodRows read_method_rows(const job::RunOptions& options);

/// The ids of the rows' labels.
std::vector<std::int64_t> gold_of(const data::LabelMap& labels, const std::vector<data::Example>& rows);

/// What methods share.
struct Workbench {
  MethodRows rows;     ///< validation and test rows are answered in this order; label ids are those of rows.labels
  job::Shared shared;  ///< of the trainings: their prefix cache; test rows are sealed
  bool resumes = false;
  std::function<void()> opens_test;  ///< is called before a method answers test rows; may be empty
  std::shared_ptr<PromptJob> asked;  ///< what was asked last, opened for `asked_for`
  std::string asked_for;
};

/// With rows read as the options say; no training has begun.
Workbench make_workbench(const job::RunOptions& options);

/// Forgets what trainings shared up to now, so that the next method's cost is its own.
void clear_shared(Workbench& bench, const job::RunOptions& options);

/// The answers to the rows of a split.
struct Answers {
  std::vector<std::int64_t> predicted;  ///< [rows] label ids; labels.names.size() where a text named none
  std::vector<double> probabilities;    ///< [rows × labels]; empty where the method gives none
};

/// What a method made of the test rows.
struct Outcome {
  bool stopped = false;    ///< a signal came; nothing else counts then
  std::size_t chosen = 0;  ///< index of the candidate
  files::Json tried;       ///< [{"name", "accuracy", "loss"} or {"name", "failed"}] on the validation rows, means over
                           ///< seeds; null where there was nothing to choose
  std::vector<std::uint64_t> seeds;      ///< under which it ran; the first alone where it has no chance
  std::vector<Answers> test;             ///< [seeds]
  std::vector<std::string> predictions;  ///< [seeds] the files that hold them, below `folder`
  files::Json cost;                      ///< see docs/compare.md
  files::Json shown;  ///< of a prompt {"wording", "row", "prompt"}: the first test row as the model reads it; else null
};

/// Carries the method out in `folder`: every candidate under every seed answers the validation rows, the one with the
/// best mean accuracy (of equals the smaller loss, then the first) answers the test rows. With one candidate there is
/// nothing to choose, and the validation rows are not asked. Trainings are ordinary runs in
/// <folder>[/candidate-<n>]/seed-<s>; beside them lie seed-<s>-<split>.jsonl (predictions, as `attune predict` writes
/// them) and seed-<s>-<split>.json (their cost). What lies there is read instead of computed where bench.resumes:
/// whoever calls sees to it that `folder` belongs to this method (identity_of). Error{diverged} where every candidate
/// diverged; what the kinds throw.
Outcome carry_out(const Method& method, const std::vector<std::uint64_t>& seeds, const std::string& folder,
                  Workbench& bench, const report::EventBus& events);

/// Predictions as carry_out writes them. Error{data} for a file that does not fit the rows.
Answers read_answers(const std::string& path, const data::LabelMap& labels, const std::vector<data::Example>& rows);

/// What must not have changed for kept answers to count: settings of all candidates, hashes of rows, bases and prompt
/// sets.
files::Json identity_of(const std::vector<Method>& methods);

}  // namespace attune::study
