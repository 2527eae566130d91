// Texts generated in evaluation: from the weights as they are, so that a model is scored by what it would write.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attune/infer/options.h"
#include "attune/models/model.h"
#include "attune/task/task.h"
#include "attune/text/tokenizer.h"

namespace attune::train {

struct TextGeneration {
  const text::Tokenizer* tokenizer = nullptr;  ///< must outlive whoever generates
  infer::GenerationOptions options;
};

/// What was generated for a row.
struct RowText {
  std::optional<std::string> text;  ///< Prediction::generated
  bool to_limit = false;            ///< Prediction::generated_to_limit
};

std::vector<RowText> texts_of(std::span<const task::Prediction> predictions);
/// Gives each row the text that the same weights wrote for it earlier.
void set_texts(std::span<const RowText> texts, std::span<task::Prediction> predictions);

/// How many of the rows ask for a text.
std::int64_t count_prompts(std::span<const task::Prediction> predictions);

/// Sets Prediction::generated of the rows that have a prompt. `stop` is told after each pass through the network how many
/// texts are complete; false when it said yes, the predictions are then of no use. Reads no random stream of training.
bool generate_texts(const models::Model& model, const TextGeneration& generation, std::span<task::Prediction> predictions,
                    const std::function<bool(std::int64_t complete)>& stop);

}  // namespace attune::train
