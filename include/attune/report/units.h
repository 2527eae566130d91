// Numbers with their units. Those of metrics are written as their references print them: ROUGE from 0 to 1 (rouge-score),
// BLEU and chrF from 0 to 100 (sacrebleu), exact match and F1 of answers and texts in percent (the SQuAD script).
#pragma once

#include <string>

#include "attune/files/json.h"

namespace attune::report {

/// "%", "0–1" or "0–100" for the metrics above, else "". `metrics`: those that stand beside it; F1 is that of texts where exact
/// match is among them, else that of classes or entities.
std::string metric_unit(const std::string& name, const files::Json& metrics);

/// `label` with the unit of `name` behind it: "rougeL, 0–1".
std::string with_unit(const std::string& label, const std::string& name, const files::Json& metrics);

/// Whether it is an interval with two ends that differ by more than rounding. One without width is not shown: resamples
/// or folds that all gave the same do not mean that nothing else is possible.
bool has_width(const files::Json& interval);

/// With three digits and the prefix that suits it: 1.234e12, "FLOP" → "1.23 TFLOP".
std::string scaled(double value, const std::string& unit);

/// Joules as "12.3 Wh", "1.23 kWh".
std::string energy_text(double joules);

/// "12.34 EUR"; of less than one unit two digits: "0.0042 EUR".
std::string money_text(double money, const std::string& currency);

/// What contrastive training draws (`pairs` of the event `data`): "6400 pairs an epoch (3200 of one class from 1360, 3200
/// of two from 11520), 400 steps".
std::string pairs_text(const files::Json& pairs);

/// What a round of self-training found (the event `round_end`): "wordings agree on 312 of 608 unlabelled rows, 300 are taken; on
/// 102 of 160 validation rows, 91 % of these rightly".
std::string round_text(const files::Json& round);

}  // namespace attune::report
