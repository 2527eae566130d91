// What answers to the same rows say of the methods that gave them, as compare_results.json has it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/files/json.h"
#include "attune/study/method.h"

namespace attune::study {

/// One method of a comparison.
struct ComparedMethod {
  std::string name, kind;
  std::vector<Answers> answers;  ///< [seeds] to the test rows
  double cost = 0;               ///< of training once and answering `ComparisonOptions::predictions` rows
};

struct ComparisonOptions {
  std::int64_t predictions = 1000;
  std::string cost_unit = "s";  ///< of ComparedMethod::cost: "s", or a currency
};

/// {"methods": [{"accuracy", "f1_macro", "loss": {"value", "interval"}, "seed_accuracies", "alone": {"rows", "ids"}}],
/// "pairs": [{"first", "second": names, "accuracy", "f1_macro", "loss": {"difference", "interval"}, "only_first",
/// "only_second", "test", "statistic", "p", "p_holm", "disagreement", "detectable"}], "recommendation": {…}}: a
/// function of its arguments alone. See metrics/method_comparison.h.
files::Json comparison_of(const MethodRows& rows, const std::vector<ComparedMethod>& methods,
                          const ComparisonOptions& options);

}  // namespace attune::study
