// How the numbers of a metric are to be read. Each stands as its reference prints it: ROUGE from 0 to 1 (rouge-score), BLEU
// and chrF from 0 to 100 (sacrebleu), exact match and F1 of answers and texts in percent (the SQuAD script).
#pragma once

#include <string>

#include "attune/files/json.h"

namespace attune::report {

/// "%", "0–1" or "0–100" for the metrics above, else "". `metrics`: those that stand beside it; F1 is that of texts where exact
/// match is among them, else that of classes or entities.
std::string metric_unit(const std::string& name, const files::Json& metrics);

/// `label` with the unit of `name` behind it: "rougeL, 0–1".
std::string with_unit(const std::string& label, const std::string& name, const files::Json& metrics);

}  // namespace attune::report
