// Successive halving (Jamieson & Talwalkar 2016): all variants see a few rows, the best of them more, until one is
// left.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "attune/files/json.h"
#include "attune/report/events.h"
#include "design.h"
#include "kept_answers.h"

namespace attune::study {

/// As answers_of() gives them; null after a signal. Questions are numbered rounds of points, from 1.
using HalvingAnswer = std::function<files::Json(const VariantQuestion&)>;

/// Of results of prompt_optimise: "metric", "candidates", "budget", "questions", "chosen" and "rounds"; null after a
/// signal. `chosen`: index of the point that is left. Error{usage} for a budget that gives candidates less than a row.
files::Json successive_halving(const PromptJob& job, std::span<const DesignPoint> points, const HalvingAnswer& answer,
                               const report::EventBus& events, std::size_t& chosen);

}  // namespace attune::study
