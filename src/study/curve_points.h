// The points of learning curves: scored, written down, read again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/data/example.h"
#include "attune/data/options.h"
#include "attune/study/method.h"
#include "curve_statistics.h"

namespace attune::study {

/// The part of the training rows that a point learns from. `size`: of each class where `per_class`, else in all.
data::SubsetOptions part_of_curve(bool per_class, std::int64_t size, std::uint64_t seed);
std::vector<data::Example> rows_of_part(const std::vector<data::Example>& rows, const data::SubsetOptions& part);

/// {"accuracy", "f1": macro, "loss": null without probabilities} on the test rows.
files::Json scores_of_point(const Answers& answers, const MethodRows& rows);

/// As results tell it.
CurvePoint curve_point(const files::Json& told);

/// What was written down of a point. Error{resume_refused} for a file that is none.
files::Json finished_point(const std::string& file);

/// Removes the weights of the trainings in `folder`.
void forget_weights(const std::string& folder);

/// Of results of learning_curve().
CurveFacts facts_of_curve(const files::Json& results);

}  // namespace attune::study
