// `attune learning-curve`: how the scores of methods grow with the number of labels. Every method learns from nested
// parts of the training rows, under several seeds, and answers the same test rows.
#pragma once

#include <string>
#include <vector>

#include "attune/files/json.h"
#include "attune/job/options.h"
#include "attune/report/events.h"
#include "attune/study/method.h"

namespace attune::study {

/// One method on one part of the training rows.
struct CurveTask {
  std::size_t method = 0;  ///< index of the method
  std::int64_t size = 0;   ///< 0: it looks at no training rows
  std::uint64_t seed = 0;  ///< of the part, of the examples and of the training
};

/// Methods and what they are to be carried out on, in this order.
struct CurvePlan {
  std::vector<Method> methods;
  std::vector<std::int64_t> sizes;  ///< ascending
  std::vector<CurveTask> tasks = {};
};

/// Reads and checks; writes nothing. Error{usage} for fewer than three sizes or seeds, two equal sizes, together with
/// data.subset or cross_validation, and as read_methods.
CurvePlan plan_learning_curve(const job::RunOptions& options, const MethodSource& source);

/// Writes into options.output_dir methods/<name>/size-<n>/… (as carry_out; point-seed-<s>.json is the finished point,
/// method.json what the points are of), report.html and learning_curve_results.json, which is returned:
/// {"output_dir", "per_class", "sizes", "seeds", "more", "labels": classes, "train_rows", "validation_rows",
/// "test_rows", "majority", "opening": as in a comparison, "methods": [{"name", "kind", "learns", "points": [{"size",
/// "seed", "accuracy", "f1", "loss", "seconds", "predictions"} or {"size", "seed", "failed"}], "by_size": [{"size",
/// "seeds", "accuracy", "f1", "loss", "seconds": {"mean", "sd"}}], "curve": [{"labels", "value", "interval"}], "law":
/// {"asymptote", "gap", "exponent"}, "gain": {"from", "more", "value", "interval"}}], "crossings": [{"first", "second",
/// "ahead": at the smallest size, "labels", "interval", "share"}], "sentences", "stopped_by"}. `size` is rows of each
/// class where per_class, else rows; intervals are over resampled seeds (metrics/learning_curve.h). Of a method that
/// looks at no training rows, such as a prompt without examples, size is null and there is no law. With
/// options.resume_from_checkpoint "auto" finished points are read. Error{data} where a class has fewer rows than the
/// largest size, Error{resume_refused} for points of other settings or rows; what methods throw, but a training that
/// diverges is a point that failed.
files::Json learning_curve(const job::RunOptions& options, const CurvePlan& plan, const report::EventBus& events);

}  // namespace attune::study
