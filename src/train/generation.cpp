// See generation.h.
#include "attune/train/generation.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "attune/base/error.h"
#include "attune/infer/generate.h"
#include "attune/infer/text.h"

namespace attune::train {

std::vector<RowText> texts_of(std::span<const task::Prediction> predictions) {
  std::vector<RowText> texts;
  for (const task::Prediction& prediction : predictions) texts.push_back({prediction.generated, prediction.generated_to_limit});
  return texts;
}

void set_texts(std::span<const RowText> texts, std::span<task::Prediction> predictions) {
  if (texts.size() != predictions.size()) internal_error("each row needs the text that was generated for it");
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    predictions[i].generated = texts[i].text;
    predictions[i].generated_to_limit = texts[i].to_limit;
  }
}

std::int64_t count_prompts(std::span<const task::Prediction> predictions) {
  return std::count_if(predictions.begin(), predictions.end(),
                       [](const task::Prediction& prediction) { return !prediction.encoded->prompt.empty(); });
}

bool generate_texts(const models::Model& model, const TextGeneration& generation, std::span<task::Prediction> predictions,
                    const std::function<bool(std::int64_t complete)>& stop) {
  infer::Generator generator(model);
  std::int64_t before = 0;
  for (const auto beginning : {infer::Beginning::continuation, infer::Beginning::answer}) {
    std::vector<task::Prediction*> chosen;
    std::vector<std::vector<std::int32_t>> prompts;
    for (task::Prediction& prediction : predictions) {
      const auto& prompt = prediction.encoded->prompt;
      if (prompt.empty() || prompt->is_chat != (beginning == infer::Beginning::answer)) continue;
      chosen.push_back(&prediction);
      prompts.push_back(prompt->ids);
    }
    bool stopped = false;
    const auto stops_all = [&](std::size_t complete) {
      stopped = stop(before + static_cast<std::int64_t>(complete));
      return stopped;
    };
    auto texts = infer::generate_texts(generator, *generation.tokenizer, prompts, generation.options, beginning,
                                       {.on_text = {}, .stops_all = stops_all});
    if (stopped) return false;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      chosen[i]->generated = std::move(texts[i].text);
      chosen[i]->generated_to_limit = texts[i].tokens.reason == infer::FinishReason::length;
    }
    before += static_cast<std::int64_t>(chosen.size());
  }
  return true;
}

}  // namespace attune::train
