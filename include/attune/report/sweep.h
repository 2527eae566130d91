// What all points of a sweep cost together.
#pragma once

#include <string>

#include "attune/files/json.h"

namespace attune::report {

/// Of the results of a sweep (job/sweep.h): "4 points: 1.23 TFLOP, 2m 03s, 1.2 Wh, 0.0042 EUR; 0.4 TFLOP of it in
/// frozen layers, which the first point to read a text pays for all".
std::string sweep_cost_text(const files::Json& results);

}  // namespace attune::report
