// What scores at several numbers of labels say: a law for each method, what more labels would bring, where methods
// cross.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/files/json.h"

namespace attune::study {

/// A method at one number of labels under one seed.
struct CurvePoint {
  std::int64_t size = 0;
  std::uint64_t seed = 0;
  std::optional<double> accuracy = {};  ///< nothing where the training diverged
  files::Json told = {};                ///< the point in the results
};

struct MethodCurve {
  std::string name, kind;
  bool learns = true;  ///< false: it looks at no training rows, and its one point has size 0
  std::vector<CurvePoint> points = {};
};

struct CurveFacts {
  std::vector<std::int64_t> sizes;  ///< ascending
  bool per_class = true;
  std::int64_t more = 100;
  std::int64_t test_rows = 0, validation_rows = 0;
};

/// Of the results of learning_curve(): "methods", "crossings" and "sentences". A crossing's "ahead" is the method that
/// is ahead at the smallest number of labels at which the two curves differ; null where they nowhere do.
files::Json curve_statistics(const std::vector<MethodCurve>& methods, const CurveFacts& facts);

}  // namespace attune::study
