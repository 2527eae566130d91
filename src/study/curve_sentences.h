// What learning curves say, in plain words.
#pragma once

#include <string>
#include <vector>

#include "curve_statistics.h"

namespace attune::study {

/// `told`: "methods" and "crossings" of curve_statistics().
std::vector<std::string> curve_sentences(const files::Json& told, const CurveFacts& facts);

}  // namespace attune::study
