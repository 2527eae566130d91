// Predictions of a model that is asked: made from log probabilities, written as lines, kept.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "attune/study/prompting.h"

namespace attune::study {

/// `log_p` [labels]: where the right label has none (−∞), the row has no loss.
task::Prediction prediction_of(const task::Encoded& target, std::vector<float> log_p);

/// Of a label that was read from a generated text: its loss is NaN, for nobody knows its probability. `label`: `labels` - 1
/// where the text names none.
task::Prediction written_prediction(const task::Encoded& target, std::size_t label, std::size_t labels, std::string text);

/// The label with the largest probability; of equals the first.
std::int64_t label_of(const task::Prediction& prediction);

/// The lines of predictions.jsonl, with the text of those that were generated.
std::string lines_of(const PromptJob& job, std::span<const task::Prediction> predictions);

/// What a variant made of the first rows, as it is kept: {"metrics": numbers, "labels": ids, "log_p": of the right
/// label, null where it has none or a text was read}; of texts text_answers_of().
files::Json answers_of(const PromptJob& job, std::span<const task::Prediction> predictions);

/// The same of rows that are reported: "metrics" whole, and "intervals"; of texts reported_text_answers_of().
files::Json reported_answers_of(const PromptJob& job, std::span<const task::Prediction> predictions);

/// What results say of these.
files::Json told_of(const files::Json& reported_answers);

}  // namespace attune::study
