// See cost.h.
#include "attune/train/cost.h"

#include <nlohmann/json.hpp>

#include "attune/infer/answers.h"
#include "attune/nn/losses.h"

namespace attune::train {

void Cost::add(const Cost& other) {
  tokens += other.tokens;
  supervised += other.supervised;
  forward += other.forward;
  backward += other.backward;
  recomputed += other.recomputed;
  frozen += other.frozen;
  seconds += other.seconds;
}

files::Json training_cost(const Cost& cost) {
  return {{"work", "training"},
          {"tokens", cost.tokens},
          {"supervised", cost.supervised},
          {"flops_forward", cost.forward},
          {"flops_backward", cost.backward},
          {"flops_recomputed", cost.recomputed},
          {"flops_frozen", cost.frozen},
          {"step_seconds", cost.seconds}};
}

files::Json evaluation_cost(const Cost& cost) {
  return {{"work", "evaluation"},
          {"tokens", cost.tokens},
          {"flops_forward", cost.forward},
          {"flops_frozen", cost.frozen}};
}

models::PassSize size_of(const task::Batch& batch) {
  models::PassSize size;
  const nn::Layout& layout = batch.input.layout;
  for (std::int64_t i = 0; i < layout.sequences(); ++i) size.lengths.push_back(layout.length(i));
  if (batch.input.wanted.defined()) size.wanted = batch.input.wanted.numel();
  return size;
}

std::int64_t supervised(const task::Batch& batch) {
  if (!batch.labels.defined()) return static_cast<std::int64_t>(batch.rows.size());
  const at::Tensor labels = batch.labels.contiguous();
  const std::int64_t columns = labels.dim() == 2 ? labels.size(1) : 1;  // start and end of one answer
  const auto* label = labels.const_data_ptr<std::int64_t>();
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < labels.numel(); i += columns) count += label[i] == nn::kIgnoreIndex ? 0 : 1;
  return count;
}

FrozenMeter::FrozenMeter(const FrozenPrefix* prefix) : prefix_(prefix), before_(prefix == nullptr ? 0.0 : prefix->flops()) {}

namespace {

models::PassSize size_of(const models::Model& model, std::span<const task::Prediction> predictions) {
  std::vector<const task::AnswerTexts*> asked;
  for (const task::Prediction& prediction : predictions) {
    if (prediction.encoded->answers) asked.push_back(&*prediction.encoded->answers);
  }
  if (!asked.empty()) return infer::size_of_answers(model, asked);
  const bool has_vocabulary = models::models_language(model.spec().task);
  models::PassSize size;
  for (const task::Prediction& prediction : predictions) {
    size.lengths.push_back(static_cast<std::int64_t>(prediction.encoded->ids.size()));
    if (has_vocabulary) size.wanted += static_cast<std::int64_t>(prediction.logits.size() + prediction.fills.size());
  }
  return size;
}

}  // namespace

Cost cost_of(const models::Model& model, std::span<const task::Prediction> predictions, const FrozenMeter& frozen) {
  const models::PassSize size = size_of(model, predictions);
  Cost cost;
  cost.tokens = size.tokens();
  cost.forward = models::FlopCount(model).forward(size, frozen.stages(), model.depth() + 2);
  cost.frozen = frozen.flops();
  return cost;
}

}  // namespace attune::train
