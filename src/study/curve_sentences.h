// What learning curves say, in plain words.
#pragma once

#include <string>
#include <vector>

#include "curve_statistics.h"

namespace attune::study {

/// `told`: "methods" and "crossings" of curve_statistics(). Something of every method and of every pair of curves.
std::vector<std::string> curve_sentences(const files::Json& told, const CurveFacts& facts);

/// What a decision needs, at most eight sentences however many methods there are: which method is ahead, where curves
/// cross whatever the seeds, what more labels bring the best two that learn, and what is unsure.
std::vector<std::string> decision_sentences(const files::Json& told, const CurveFacts& facts);

}  // namespace attune::study
