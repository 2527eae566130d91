// report.html: one self-contained page about a run. No script and no external resource; light, dark and print.
#pragma once

#include <span>
#include <string>

#include "attune/report/events.h"

namespace attune::report {

/// `summary` is what the job knows at the end; every part may be missing and is then left out:
///   about, output_dir, base_model, stopped_by, seconds, phases {name: seconds} · settings {effective configuration} ·
///   environment {…} · data {splits {name: {rows}}, labels {name: rows}, subset {rows, of, seed, per_class,
///   short_classes}, tokens {…}, duplicates [{between, rows, examples}]} · majority {split: rate} · validation, test {metrics {name: value, per_class, confusion_matrix,
///   reliability, thresholds}, intervals {name: [low, high]}} · cross_validation {folds [{repeat, fold, rows,
///   best_epoch, metrics}], mean, sd, interval, interval_method, pooled {metrics, intervals}} · seeds [{seed, results
///   {validation, test}}], kept_seed · train {train_runtime, …} · reopened {…} · cost {…, as job/cost.h}, gpu_memory_peak ·
///   opening {…, as job/openings.h} · sweep {…, as job/sweep.h}
/// `events` give the curves and, by the `model` event, what is trained.
std::string html_report(const files::Json& summary, std::span<const Event> events);

/// With the events of a file; without curves where there is none.
std::string html_report(const files::Json& summary, const std::string& events_path);

}  // namespace attune::report
