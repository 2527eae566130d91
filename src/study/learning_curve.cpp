// See learning_curve.h.
#include "attune/study/learning_curve.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "attune/base/clock.h"
#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/paths.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/data/subset.h"
#include "attune/files/storage.h"
#include "attune/job/openings.h"
#include "attune/job/output.h"
#include "attune/job/run.h"
#include "attune/report/learning_curve_html.h"
#include "curve_points.h"
#include "curve_statistics.h"

namespace attune::study {

namespace {

using files::Json;

constexpr std::size_t kFewestSizes = 3, kFewestCurveSeeds = 3;

[[noreturn]] void refuse_curve(const MethodSource& source, const std::string& what, const std::string& where,
                               const std::string& hint) {
  throw Error(ErrorKind::usage, {.file = source.config, .what = what, .where = where, .hint = hint});
}

std::vector<std::int64_t> checked_sizes(const job::RunOptions& options, const MethodSource& source) {
  std::vector<std::int64_t> sizes = options.learning_curve.sizes;
  std::sort(sizes.begin(), sizes.end());
  const auto twice = std::adjacent_find(sizes.begin(), sizes.end());
  if (twice != sizes.end())
    refuse_curve(source, concat(*twice, " stands there twice"), "learning_curve.sizes", "name each number once");
  if (sizes.size() < kFewestSizes) {
    refuse_curve(source, concat("a curve needs at least ", kFewestSizes, " numbers of labels, found ", sizes.size()),
                 "learning_curve.sizes", "name more: \"sizes\": [8, 16, 32]");
  }
  return sizes;
}

void check_curve(const job::RunOptions& options, const MethodSource& source) {
  if (options.data.subset.enabled) {
    refuse_curve(source, "learning-curve chooses parts of the training rows itself", "data.subset",
                 "remove it; learning_curve.sizes says how large they are");
  }
  if (options.cross_validation.enabled) {
    refuse_curve(source, "all methods answer the same test rows, and folds have others each", "cross_validation",
                 "remove it");
  }
  if (options.seeds.size() >= kFewestCurveSeeds) return;
  refuse_curve(
      source,
      concat("which rows are chosen is chance, and ", options.seeds.size(), " seeds cannot show how much it matters"),
      "seeds", concat("give at least ", kFewestCurveSeeds, ": \"seeds\": [1, 2, 3]"));
}

/// Whether what the method answers depends on the training rows.
bool learns(const Method& method) {
  const auto has_examples = [](const MethodCandidate& candidate) { return candidate.options.prompting.examples.k > 0; };
  return method.kind != "prompt" || std::ranges::any_of(method.candidates, has_examples);
}

data::SubsetOptions subset_of(const job::RunOptions& options, const CurveTask& task) {
  return part_of_curve(options.learning_curve.per_class, task.size, task.seed);
}

std::string task_name(const job::RunOptions& options, const Method& method, const CurveTask& task) {
  if (task.size == 0) return concat(method.name, ", seed ", task.seed);
  return concat(method.name, ", ", task.size, options.learning_curve.per_class ? " per class" : " rows", ", seed ",
                task.seed);
}

std::string folder_of_method(const job::RunOptions& options, const Method& method) {
  return concat(options.output_dir, "/methods/", method.name);
}

/// What must not have changed for what lies in the method's folder to count; which other seeds and sizes there are does
/// not matter.
Json identity_of_curve(const job::RunOptions& options, Method method) {
  for (MethodCandidate& candidate : method.candidates) candidate.options.seeds = {0};
  Json identity = identity_of({method});
  identity["per_class"] = options.learning_curve.per_class;
  return identity;
}

/// Only the same method goes on in its folder.
void write_or_check_method(const job::RunOptions& options, const Method& method, bool resumes) {
  const std::string folder = folder_of_method(options, method), file = concat(folder, "/method.json");
  const Json identity = identity_of_curve(options, method);
  if (resumes && path_exists(file, ErrorKind::resume_refused)) {
    if (files::read_json(file, {.kind = ErrorKind::resume_refused}) == identity) return;
    throw Error(
        ErrorKind::resume_refused,
        {.file = file,
         .what = concat("the curve of '", method.name, "' in this folder is of other settings, rows, base or prompts"),
         .where = "",
         .hint = "resume it with what it was begun with, or choose another output_dir"});
  }
  std::filesystem::create_directories(folder);
  files::write_json(file, identity);
}

/// The points of all methods, one after another.
class CurveRuns {
 public:
  CurveRuns(const job::RunOptions& options, const CurvePlan& plan, Workbench bench, const report::EventBus& events)
      : options_(options), plan_(plan), bench_(std::move(bench)), all_rows_(bench_.rows.train), events_(events) {
    for (const Method& method : plan.methods) {
      curves_.push_back({.name = method.name, .kind = method.kind, .learns = learns(method)});
      write_or_check_method(options, method, bench_.resumes);
    }
  }

  /// False after a signal.
  bool run() {
    for (std::size_t i = 0; i < plan_.tasks.size(); ++i) {
      if (stop_signal() != 0) return false;
      const CurveTask& task = plan_.tasks[i];
      const std::string name = task_name(options_, plan_.methods[task.method], task);
      events_.emit({{"event", "point_begin"},
                    {"name", name},
                    {"index", i + 1},
                    {"points", plan_.tasks.size()},
                    {"settings", {name}}});
      Json told = point(task);
      if (told.is_null()) return false;
      curves_[task.method].points.push_back(curve_point(told));
    }
    return true;
  }

  const std::vector<MethodCurve>& curves() const { return curves_; }

 private:
  /// What is known of it; null after a signal.
  Json point(const CurveTask& task) {
    const std::string folder = folder_of(task), file = concat(folder, "/point-seed-", task.seed, ".json");
    if (bench_.resumes && path_exists(file, ErrorKind::resume_refused)) return finished_point(file);
    std::filesystem::create_directories(folder);
    Json told = carried_out(task, folder);
    if (told.is_null()) return told;
    files::write_json(file, told);
    if (!options_.learning_curve.keep_models) forget_weights(folder);
    return told;
  }

  std::string folder_of(const CurveTask& task) const {
    return concat(folder_of_method(options_, plan_.methods[task.method]),
                  task.size == 0 ? std::string("/all") : concat("/size-", task.size));
  }

  Json carried_out(const CurveTask& task, const std::string& folder) {
    Method method = plan_.methods[task.method];
    if (task.size > 0) {
      const data::SubsetOptions subset = subset_of(options_, task);
      for (MethodCandidate& candidate : method.candidates) candidate.options.data.subset = subset;
      bench_.rows.train = rows_of_part(all_rows_, subset);
    } else {
      bench_.rows.train = all_rows_;
    }
    Json told = {{"size", task.size > 0 ? Json(task.size) : Json()}, {"seed", task.seed}};
    const Stopwatch clock;
    try {
      const Outcome outcome = carry_out(method, {task.seed}, folder, bench_, events_);
      if (outcome.stopped) return nullptr;
      told.update(scores_of_point(outcome.test.front(), bench_.rows));
      told["seconds"] = clock.seconds();
      if (method.candidates.size() > 1) told["candidate"] = method.candidates[outcome.chosen].name;
      told["predictions"] =
          std::filesystem::path(outcome.predictions.front()).lexically_relative(options_.output_dir).string();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::diverged) throw;
      log::warning(concat(task_name(options_, method, task), ": ", error.what()));
      told["failed"] = error.text().what;
    }
    return told;
  }

  const job::RunOptions& options_;
  const CurvePlan& plan_;
  Workbench bench_;
  std::vector<data::Example> all_rows_;
  const report::EventBus& events_;
  std::vector<MethodCurve> curves_;  ///< [methods]
};

/// Whether there are rows for the largest part. In the words of the key that says how large it is.
void check_largest_part(const job::RunOptions& options, const CurvePlan& plan,
                        const std::vector<data::Example>& train) {
  try {
    data::choose_subset(train, subset_of(options, {.size = plan.sizes.back(), .seed = options.seeds.front()}));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::data) throw;
    throw Error(error.kind(), {.file = error.text().file,
                               .what = error.text().what,
                               .where = "learning_curve.sizes",
                               .hint = "name smaller numbers, or give more training rows"});
  }
}

/// What results say of the rows.
Json curve_head(const job::RunOptions& options, const CurvePlan& plan, const MethodRows& rows) {
  return {{"output_dir", options.output_dir},
          {"per_class", options.learning_curve.per_class},
          {"sizes", plan.sizes},
          {"seeds", options.seeds},
          {"more", options.learning_curve.more_labels},
          {"labels", rows.labels.names.size()},
          {"train_rows", rows.train.size()},
          {"validation_rows", rows.validation.size()},
          {"test_rows", rows.test.size()},
          {"majority", job::majority_rate(rows.labels, rows.train, rows.test)}};
}

}  // namespace

CurvePlan plan_learning_curve(const job::RunOptions& options, const MethodSource& source) {
  check_curve(options, source);
  CurvePlan plan{
      .methods = read_methods(source, options.learning_curve.methods, options.learning_curve.selection_budget),
      .sizes = checked_sizes(options, source)};
  for (std::size_t method = 0; method < plan.methods.size(); ++method) {
    const bool has_sizes = learns(plan.methods[method]);
    for (const std::int64_t size : has_sizes ? plan.sizes : std::vector<std::int64_t>{0}) {
      for (const std::uint64_t seed : options.seeds) {
        plan.tasks.push_back({.method = method, .size = size, .seed = seed});
        if (!has_sizes && !plan.methods[method].has_chance) break;
      }
    }
  }
  return plan;
}

Json learning_curve(const job::RunOptions& options, const CurvePlan& plan, const report::EventBus& events) {
  job::check_output_folder(options);
  Workbench bench = make_workbench(options);
  check_largest_part(options, plan, bench.rows.train);
  const auto lock = job::claim_output_folder(options);
  files::write_json(options.output_dir + "/config.resolved.json", config::effective(options));
  Json results = curve_head(options, plan, bench.rows);
  bench.opens_test = [&] {
    if (!results.contains("opening")) results["opening"] = job::note_opening(options, "attune learning-curve");
  };
  const auto opens_test = bench.opens_test;
  CurveRuns runs(options, plan, std::move(bench), events);
  results["stopped_by"] = runs.run() ? "end" : "signal";
  if (results["stopped_by"] == "signal") return results;
  opens_test();  // (where all points were there)
  results.update(curve_statistics(runs.curves(), facts_of_curve(results)));
  files::write_json(options.output_dir + "/learning_curve_results.json", results);
  files::write_file_atomically(options.output_dir + "/report.html", report::learning_curve_page(results));
  return results;
}

}  // namespace attune::study
