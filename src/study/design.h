// The variants of a study: every combination of wording, choice and order of examples, seed and label words.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "attune/study/prompting.h"

namespace attune::study {

/// A variant with its place in the design.
struct DesignPoint {
  Variant variant;
  std::map<std::string, std::string> levels;
  std::string name;
};

/// Error{usage} where the variants are to be chosen by the test rows, or by texts.
void check_study(const job::RunOptions& options);

/// Fully crossed, in a fixed order. Error{usage} where nothing varies, or what varies is not used.
std::vector<DesignPoint> design(const PromptJob& job);

}  // namespace attune::study
