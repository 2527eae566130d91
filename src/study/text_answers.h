// What a variant wrote, as studies of variants keep and compare it.
#pragma once

#include <span>

#include "attune/study/prompting.h"

namespace attune::study {

/// The metric of texts that are only held to assertions: the share that keeps all of them.
inline constexpr const char* kAllAssertions = "all_assertions";

/// answers_of() of texts, of the first rows: {"metrics": numbers (where rows have texts of their own those of the
/// texts, where there are assertions kAllAssertions), "texts", "scores": PromptJob::metric of each row's text alone,
/// "passed": 1 or 0, whether the text keeps all assertions, where there are some}.
files::Json text_answers_of(const PromptJob& job, std::span<const task::Prediction> predictions);

/// The same of all rows, with "intervals", "assertions" and "samples" as WordingResults::results() has them.
files::Json reported_text_answers_of(const PromptJob& job, std::span<const task::Prediction> predictions);

}  // namespace attune::study
