// The answers of methods as predictions.jsonl has them, and what follows from them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "attune/study/method.h"

namespace attune::study {

/// A line a row: {"id", "label", "score", "scores", "gold"}, without scores where there are no probabilities.
std::string answer_lines(const Answers& answers, const data::LabelMap& labels, const std::vector<data::Example>& rows);

/// [rows] -log p of the right label, p at least the smallest normal double, 2⁻¹⁰²²; empty without probabilities. Not
/// cut at 2⁻⁵² as the metric log_loss is: methods that were sure of the wrong label differ by how sure they were.
std::vector<double> losses_of(const Answers& answers, const std::vector<std::int64_t>& gold, std::size_t labels);

}  // namespace attune::study
