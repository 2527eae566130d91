// What the answers of all variants say together: how far scores spread, what that comes from, which rows change.
#pragma once

#include <span>

#include "attune/files/json.h"
#include "design.h"

namespace attune::study {

/// `answers` [points], each as answers_of() gives it. → of the results of prompt_stability: "metric", "variants",
/// "spread", "shares", "flip_rate", "fragile", "wordings", "gate", "best" and "steadiest"; of texts "differing_texts"
/// and "row_sd" too.
files::Json stability_statistics(const PromptJob& job, std::span<const DesignPoint> points,
                                 std::span<const files::Json> answers);

/// The same where texts are asked for.
files::Json text_stability_statistics(const PromptJob& job, std::span<const DesignPoint> points,
                                      std::span<const files::Json> answers);

}  // namespace attune::study
