// Successive halving (Jamieson & Talwalkar 2016): all variants see a few rows, the best of them more, until one is left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "attune/files/json.h"
#include "attune/report/events.h"
#include "design.h"

namespace attune::study {

/// What a variant makes of the first rows.
struct HalvingQuestion {
  std::size_t number;  ///< of its answers: rounds of points, from 1
  std::string name;
  const Variant& variant;
  std::size_t rows;
};

/// As answers_of() gives them; null after a signal.
using HalvingAnswer = std::function<files::Json(const HalvingQuestion&)>;

/// Of results of prompt_optimise: "candidates", "budget", "questions", "chosen" and "rounds"; null after a signal.
/// `chosen`: index of the point that is left. Error{usage} for a budget that gives candidates less than a row.
files::Json successive_halving(const PromptJob& job, std::span<const DesignPoint> points, const HalvingAnswer& answer,
                               const report::EventBus& events, std::size_t& chosen);

}  // namespace attune::study
