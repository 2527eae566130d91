// See repeat_runs.h.
#include "repeat_runs.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "attune/base/counted.h"
#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/random.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/job/execution.h"
#include "attune/report/forward.h"
#include "attune/study/method.h"
#include "causes.h"
#include "curve_points.h"
#include "method_kinds.h"

namespace attune::study {

namespace {

using files::Json;

constexpr double kOfAskedAgain = 1e-4;  ///< of log p: the same text, scored among others

/// The value at a dotted path, made where it is missing.
Json& value_at_path(Json& root, const std::string& path) {
  Json* value = &root;
  for (const std::string& key : split(path, '.')) value = &(*value)[key];
  return *value;
}

/// What was written down of the training whose answers these are; null where nothing was.
Json manifest_beside(const std::string& predictions) {
  const std::string path = predictions.substr(0, predictions.rfind("-test.jsonl")) + "/run_manifest.json";
  if (!path_exists(path, ErrorKind::usage)) return nullptr;
  return files::read_json(path, {.kind = ErrorKind::usage, .max_bytes = std::size_t{1} << 28});
}

/// Log probabilities that differ by no more than rounding.
bool are_near(double before, double now) {
  if (before == now) return true;
  const double size = std::abs(std::log(before));
  return std::isfinite(size) && std::abs(std::log(before) - std::log(now)) <= kOfAskedAgain * std::max(1.0, size);
}

bool is_prompted(const KeptRun& kept) {
  return method_kind(kept.kind).is_asked;
}

/// In the order in which they are repeated: drawn under the seed, methods without a model last, which show little.
std::vector<const KeptRun*> drawn_trainings(const std::vector<KeptRun>& runs, std::uint64_t seed) {
  std::vector<const KeptRun*> trainings, drawn;
  for (const KeptRun& kept : runs) {
    if (!is_prompted(kept)) trainings.push_back(&kept);
  }
  for (const std::int64_t i :
       RandomKey(seed, "runs to repeat").permutation(static_cast<std::int64_t>(trainings.size())))
    drawn.push_back(trainings[static_cast<std::size_t>(i)]);
  std::ranges::stable_partition(drawn, [](const KeptRun* kept) { return method_kind(kept->kind).has_model; });
  return drawn;
}

class RunRepeater {
 public:
  RunRepeater(const VerifyOptions& options, job::RunOptions run, const report::EventBus& events, Findings& findings)
      : options_(options), run_(std::move(run)), events_(events), findings_(findings) {
    run_.resume_from_checkpoint.clear();
    run_.compare = {};
    run_.learning_curve = {};
    bench_ = make_workbench(run_);
    all_rows_ = bench_.rows.train;
  }

  /// Those that the draw chooses; false after a signal.
  bool train(const std::vector<KeptRun>& runs) {
    const std::vector<const KeptRun*> trainings = drawn_trainings(runs, run_.seeds.front());
    const std::size_t wanted = std::min(static_cast<std::size_t>(options_.runs.value_or(1)), trainings.size());
    std::vector<std::string> equal;
    std::size_t done = 0;
    for (; done < wanted && stop_signal() == 0; ++done) {
      const std::optional<bool> is_equal = train_again(*trainings[done]);
      if (!is_equal) break;
      if (*is_equal) equal.push_back(trainings[done]->name);
    }
    if (!equal.empty()) {
      findings_.check(concat(counted(static_cast<std::int64_t>(equal.size()), "training"), " of ", trainings.size(),
                             " repeated, with the same answers to all test rows to the bit: ", join(equal, "; ")));
    }
    if (done < trainings.size())
      findings_.leave_out(concat("the other ", counted(static_cast<std::int64_t>(trainings.size() - done), "training"),
                                 ": --runs N repeats N of them"));
    return done == wanted;
  }

  /// The first rows of every prompt; false after a signal.
  bool ask(const std::vector<KeptRun>& runs) {
    std::size_t asked = 0, rows = 0;
    for (const KeptRun& kept : runs) {
      if (!is_prompted(kept)) continue;
      if (stop_signal() != 0) return false;
      const std::size_t of_this = rows_asked_again(options_, bench_.rows.test.size());
      const std::unique_ptr<Answers> now = answers_again(kept, options_.folder, of_this);
      if (now == nullptr) return false;
      compare_asked(kept, *now);
      rows += of_this;
      ++asked;
    }
    if (asked == 0) return true;
    findings_.check(concat(counted(static_cast<std::int64_t>(rows), "row"), " of ",
                           counted(static_cast<std::int64_t>(asked), "asked method"), " asked again"));
    findings_.leave_out("the rows that were not asked again");
    return true;
  }

 private:
  /// Whether all answers are the same; nothing after a signal.
  std::optional<bool> train_again(const KeptRun& kept) {
    const files::StagedFolder scratch(
        (std::filesystem::temp_directory_path() / concat("attune-verify-", ::getpid())).string());  // (never committed)
    try {
      const std::unique_ptr<Answers> now = answers_again(kept, scratch.path() + "/run", static_cast<std::size_t>(-1));
      if (now == nullptr) return std::nullopt;
      return is_the_same(kept, *now);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::diverged) throw;
      findings_.differ(concat(kept.name, ": repeated, it diverges"));
      return false;
    }
  }

  /// Null after a signal.
  std::unique_ptr<Answers> answers_again(const KeptRun& kept, const std::string& folder, std::size_t rows) {
    MethodCandidate candidate{.name = kept.candidate.at("name").get<std::string>(),
                              .options = options_again(kept),
                              .wording = kept.candidate.at("wording").get<std::string>()};
    candidate.options.output_dir = folder;
    candidate.options.seeds = {kept.seed};
    candidate.options.training.seed = kept.seed;
    if (kept.part) candidate.options.data.subset = *kept.part;
    bench_.rows.train = kept.part ? rows_of_part(all_rows_, *kept.part) : all_rows_;
    report::EventBus own;
    own.add(std::make_shared<report::Forward>(events_));
    const std::unique_ptr<Fitted> fitted = method_kind(kept.kind).fit(
        {.candidate = candidate, .seed = kept.seed, .bench = bench_, .events = own, .rows_asked = rows});
    return fitted == nullptr || stop_signal() != 0 ? nullptr : fitted->answer("test", own);
  }

  /// What the study says of the candidate, over the study's own; the precision that a training decided.
  job::RunOptions options_again(const KeptRun& kept) const {
    Json all = config::effective(run_);
    for (const auto& [path, value] : kept.candidate.at("configuration").items()) value_at_path(all, path) = value;
    for (const char* block : {"prompting", "generation"}) all[block] = kept.candidate.at(block);
    const Json manifest = manifest_beside(kept.predictions);
    if (manifest.is_object())
      value_at_path(all, "training.bf16") = manifest.at("configuration").at("training").at("bf16");
    return config::parse(all.dump(), kept.name, {}, job::machine()).options;
  }

  bool is_the_same(const KeptRun& kept, const Answers& now) {
    const Answers before = read_answers(kept.predictions, bench_.rows.labels, bench_.rows.test);
    std::vector<std::size_t> others;
    for (std::size_t row = 0; row < before.predicted.size(); ++row) {
      if (!is_row_equal(before, now, row)) others.push_back(row);
    }
    if (others.empty()) return true;
    const Json manifest = manifest_beside(kept.predictions);
    findings_.differ(concat(
        kept.name, ": repeated, it answers ", others.size(), " of ",
        counted(static_cast<std::int64_t>(before.predicted.size()), "test row"), " in another way, the first is '",
        bench_.rows.test[others.front()].id, "'",
        manifest.is_null() ? ""
                           : cause_of_difference(manifest, job::describe(job::execution_of(options_again(kept))))));
    return false;
  }

  /// Label and probabilities, to the bit.
  bool is_row_equal(const Answers& before, const Answers& now, std::size_t row) const {
    if (before.predicted[row] != now.predicted[row] || before.probabilities.empty() != now.probabilities.empty())
      return false;
    if (before.probabilities.empty()) return true;
    const std::size_t labels = bench_.rows.labels.names.size();
    const auto begin = static_cast<std::ptrdiff_t>(row * labels), end = static_cast<std::ptrdiff_t>((row + 1) * labels);
    return std::equal(before.probabilities.begin() + begin, before.probabilities.begin() + end,
                      now.probabilities.begin() + begin);
  }

  void compare_asked(const KeptRun& kept, const Answers& now) {
    const Answers before = read_answers(kept.predictions, bench_.rows.labels, bench_.rows.test);
    for (std::size_t row = 0; row < now.predicted.size(); ++row) {
      if (is_row_equal(before, now, row)) continue;
      if (is_row_near(before, now, row)) {
        findings_.round();
        continue;
      }
      findings_.differ(concat(kept.name, ", row '", bench_.rows.test[row].id, "': another answer is given now"));
    }
  }

  /// The same probabilities but for rounding, and a label that one of them could have chosen.
  bool is_row_near(const Answers& before, const Answers& now, std::size_t row) const {
    if (before.probabilities.empty() || now.probabilities.empty()) return false;
    const std::size_t labels = bench_.rows.labels.names.size(), first = row * labels;
    for (std::size_t i = first; i < first + labels; ++i) {
      if (!are_near(before.probabilities[i], now.probabilities[i])) return false;
    }
    return are_near(before.probabilities[first + static_cast<std::size_t>(before.predicted[row])],
                    before.probabilities[first + static_cast<std::size_t>(now.predicted[row])]);
  }

  const VerifyOptions& options_;
  job::RunOptions run_;
  const report::EventBus& events_;
  Findings& findings_;
  Workbench bench_;
  std::vector<data::Example> all_rows_;
};

}  // namespace

const Json& candidate_named(const Json& method, const std::string& name) {
  for (const Json& candidate : method.at("candidates")) {
    if (candidate.at("name") == name) return candidate;
  }
  throw std::out_of_range(name);
}

void repeat_runs(const VerifyOptions& options, const job::RunOptions& run, const std::vector<KeptRun>& runs,
                 const report::EventBus& events, Findings& findings) {
  if (options.runs == 0) {
    findings.leave_out("trainings and prompts: none was repeated (--runs 0)");
    return;
  }
  RunRepeater repeater(options, run, events, findings);
  if (repeater.ask(runs) && repeater.train(runs)) return;
  findings.leave_out("what a signal kept from being repeated");
}

}  // namespace attune::study
