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

/// Error{usage} where the variants are to be chosen by the test rows.
void check_study(const job::RunOptions& options);

/// Fully crossed, in a fixed order. Error{usage} where nothing varies, what varies is not used, or texts have nothing
/// that they could be compared by; Error{data} for a row without a text of its own where it is needed for that.
std::vector<DesignPoint> design(const PromptJob& job);

/// Those of them that ask in different ways: under one seed where no other changes anything.
std::vector<DesignPoint> different_points(const PromptJob& job);

}  // namespace attune::study
