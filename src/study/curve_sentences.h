// What learning curves say, in plain words.
#pragma once

#include <string>
#include <vector>

#include "curve_statistics.h"

namespace attune::study {

/// What a decision needs, at most eight sentences however many methods there are: which method is ahead, where curves
/// cross whatever the seeds, what more labels bring the best two that learn, and what is unsure. `told`: "methods" and
/// "crossings" of curve_statistics().
std::vector<std::string> curve_sentences(const files::Json& told, const CurveFacts& facts);

}  // namespace attune::study
