// A method: one way to answer the rows of a classification, from the majority class over a prompted model to a tuned
// one. All methods get the same rows, choose among their candidates by the validation rows alone, and answer the test
// rows once. The kinds are one table (src/study/method_kinds.cpp).
#pragma once

#include <cstdint>
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
struct Candidate {
  std::string name;         ///< what tells it from the method's others; "as configured" where there are none
  job::RunOptions options;  ///< output_dir, seeds and resume_from_checkpoint are set when it is carried out
  std::string wording;      ///< kind prompt: which of its prompt set
};

struct Method {
  std::string name;
  std::string kind;                   ///< of method_kinds()
  std::vector<Candidate> candidates;  ///< at least one, at most the selection budget
  bool has_chance = false;            ///< what it answers depends on the seed
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

  std::vector<std::int64_t> gold(const std::vector<data::Example>& rows) const;  ///< ids of their labels
};

/// As `options.data` says. Error{usage} without files of validation and test rows, or where labels are no classes.
MethodRows read_method_rows(const job::RunOptions& options);

/// What methods share.
struct Workbench {
  MethodRows rows;     ///< validation and test rows are answered in this order; numbers of labels are of rows.labels
  job::Shared shared;  ///< prefix cache of the trainings; its test rows are sealed
  bool resumes = false;
  std::shared_ptr<PromptJob> asked;  ///< opened last, with the options that it was opened for
  std::string asked_for;
};

Workbench make_workbench(const job::RunOptions& options);

/// The answers to the rows of a split.
struct Answers {
  std::vector<std::int64_t> predicted;  ///< [rows] labels; labels.names.size() where a text named none
  std::vector<double> probabilities;    ///< [rows × labels]; empty where the method has none
};

/// A candidate that has learned what there is to learn, and answers.
class Fitted {
 public:
  virtual ~Fitted() = default;
  /// `split`: "validation" or "test". Null after a signal.
  virtual std::unique_ptr<Answers> answer(const std::string& split) = 0;
  /// {"tokens": of training, "flops", "trained_parameters"}, as far as the method has them.
  virtual files::Json facts() const = 0;
};

/// What a method made of the rows.
struct Outcome {
  bool stopped = false;               ///< a signal came; nothing else counts then
  std::size_t chosen = 0;             ///< index of the candidate
  files::Json tried;                  ///< [{"name", "accuracy", "loss"}] on the validation rows, means over seeds
  std::vector<std::uint64_t> seeds;   ///< under which it ran; the first alone where it has no chance
  std::vector<Answers> test;          ///< [seeds]
  files::Json cost;                   ///< means over seeds of the chosen candidate: see docs/compare.md
};

/// Carries the method out in `folder`: every candidate under every seed answers the validation rows, the one with the
/// best mean accuracy (of equals the smaller loss, then the first) answers the test rows. With one candidate there is
/// nothing to choose, and the validation rows are not asked. Trainings are ordinary runs in
/// <folder>[/candidate-<n>]/seed-<s>; answers are kept as <folder>[/candidate-<n>]/seed-<s>-<split>.json, and read
/// instead of computed where bench.resumes; predictions of the test rows are <folder>/predictions-seed-<s>.jsonl.
/// `folder` must belong to this very method, data and configuration: whoever calls checks it (identity_of).
Outcome carry_out(const Method& method, const std::vector<std::uint64_t>& seeds, const std::string& folder,
                  Workbench& bench, const report::EventBus& events);

/// What must not have changed for kept answers to count: settings of all candidates, hashes of data, bases and prompt
/// sets.
files::Json identity_of(const std::vector<Method>& methods);

}  // namespace attune::study
