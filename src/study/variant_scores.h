// What studies of variants have in common, whatever is asked for: scores side by side, what they depend on, gates.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attune/files/json.h"
#include "design.h"

namespace attune::study {

/// [points] What variants are compared by: PromptJob::metric of their answers.
std::vector<double> main_scores(const PromptJob& job, std::span<const files::Json> answers);

/// NaN of none.
double mean_of(const std::vector<double>& values);

/// "variants", "spread" and "shares" of the results of prompt_stability. `answers` [points] as answers_of() gives them,
/// `scores` theirs.
files::Json compared_variants(std::span<const DesignPoint> points, std::span<const files::Json> answers,
                              const std::vector<double>& scores);

/// {"name", "header", the metric: the mean of its variants' scores, "lowest", "highest"}; `own` are its variants,
/// indices into `scores`.
files::Json described_wording(const PromptJob& job, const prompt::Wording& wording, const std::vector<double>& scores,
                              const std::vector<std::size_t>& own);

/// The points that ask in the wording.
std::vector<std::size_t> points_of(const prompt::Wording& wording, std::span<const DesignPoint> points);

/// The name of the wording whose number is the largest, or the smallest; of equals the first.
std::string extreme_wording(const files::Json& wordings, const std::string& number, bool greatest);

/// prompting.stability.max_flip_rate as a gate: `what` flips, "label".
files::Json flip_gate(double flip_rate, const std::optional<double>& most, const std::string& what);

/// The rows with the largest numbers, the worst first; as many as results show, and none whose number is 0.
std::vector<std::size_t> most_fragile(const std::vector<double>& by_row);

}  // namespace attune::study
