// See flops.h.
#include "attune/models/flops.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

namespace attune::models {

std::int64_t PassSize::tokens() const {
  return std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
}

/// Goes through the layers of a model once. The gradient of what a layer reads is needed where anything that trains was
/// registered before the layer, in its stage or in one below.
class FlopCounter {
 public:
  FlopCounter(const Model& model, const std::vector<bool>& trainable)
      : model_(model), trainable_(trainable), lowest_(model.depth() + 2) {
    for (std::size_t i = 0; i < trainable.size(); ++i) {
      if (!trainable[i]) continue;
      lowest_ = std::min(lowest_, parameters()[i].stages.front());
      trained_.insert(parameters()[i].tensor.unsafeGetTensorImpl());
    }
    for (std::size_t i = 0; i < parameters().size(); ++i) {
      index_.emplace(parameters()[i].tensor.unsafeGetTensorImpl(), i);
    }
  }

  std::vector<FlopCount::Stage> count() {
    const int head = model_.depth() + 1;
    stages_.resize(head + 1);
    for (int stage = 0; stage <= head; ++stage) stages_[stage].rows = rows_of(stage);
    for (int stage = 0; stage <= head; ++stage) count_layers(stage);
    for (int block = 0; block < model_.depth(); ++block) count_attention(block);
    count_vocabulary(head);
    return std::move(stages_);
  }

 private:
  using Rows = FlopCount::Rows;

  const std::vector<Parameter>& parameters() const { return model_.parameters(); }
  bool trains(const at::Tensor& tensor) const {
    return tensor.defined() && trained_.contains(tensor.unsafeGetTensorImpl());
  }

  Rows rows_of(int stage) const {
    const Task task = model_.spec().task;
    if (stage >= model_.depth() && task == Task::sequence_classification) return Rows::one_a_text;
    return stage > model_.depth() && models_language(task) ? Rows::wanted : Rows::all;
  }

  /// Whether a parameter of the stage that was registered before parameter `end` trains.
  bool trains_before(int stage, std::size_t end) const {
    for (std::size_t i = 0; i < end; ++i) {
      const bool reads = std::ranges::find(parameters()[i].stages, stage) != parameters()[i].stages.end();
      if (reads && trainable_.size() > i && trainable_[i]) return true;
    }
    return false;
  }

  bool virtual_keys_train(int stage) const {
    const auto& tokens = model_.virtual_tokens();
    if (!tokens || tokens->place != VirtualTokens::Place::keys) return false;
    for (std::size_t i = 0; i < trainable_.size(); ++i) {
      const Parameter& parameter = parameters()[i];
      const bool reads = std::ranges::find(parameter.stages, stage) != parameter.stages.end();
      if (trainable_[i] && reads && parameter.kind == ParameterKind::adapter) return true;
    }
    return false;
  }

  void count_layers(int stage) {
    bool adapted = false, needs_input = false;  // adapters are registered behind everything
    for (const AdaptableLayer& layer : model_.adaptable_layers()) {
      if (layer.stage != stage) continue;
      if (!layer.reads.beside) {
        // Behind the layers that attention reads lie its virtual keys and values.
        adapted = adapted || (!groups_[stage].empty() && virtual_keys_train(stage));
        needs_input = stage > lowest_ || adapted || trains_before(stage, index_.at(layer.weight.unsafeGetTensorImpl()));
        groups_[stage].push_back(needs_input);
      }
      const bool change_trains = *layer.change && (trains(layer.change->a) || trains(layer.change->gain));
      adapted = adapted || change_trains;
      FlopCount::Stage& counted = stages_[stage];
      const auto add = [&](FlopCount::Rates& rates, double flops) {
        (layer.reads.every_row ? rates.every_row : rates.row) += flops;
      };
      add(counted.forward, forward_of(layer));
      add(counted.backward, backward_of(layer, needs_input, change_trains));
    }
  }

  static double base_product(const AdaptableLayer& layer) {
    return layer.kind == LayerKind::embedding ? 0.0 : 2.0 * static_cast<double>(layer.in) * static_cast<double>(layer.out);
  }
  /// x · Aᵀ, and that times Bᵀ. (Of an embedding the first is a look-up.)
  static std::pair<double, double> change_products(const AdaptableLayer& layer) {
    if (!layer.change->a.defined()) return {0.0, 0.0};
    const auto rank = static_cast<double>(layer.change->b.size(1));
    const double first = layer.kind == LayerKind::embedding ? 0.0 : 2.0 * rank * static_cast<double>(layer.in);
    return {first, 2.0 * rank * static_cast<double>(layer.out)};
  }

  static double forward_of(const AdaptableLayer& layer) {
    const auto [first, second] = change_products(layer);
    return base_product(layer) + first + second;
  }

  /// A product has two gradients, each as dear as itself: of what it reads, and of its weight.
  double backward_of(const AdaptableLayer& layer, bool needs_input, bool change_trains) const {
    const auto [first, second] = change_products(layer);
    // A gain of the input has its gradient from that of the product.
    const bool is_read = needs_input || (change_trains && layer.change->gain_of_input);
    const double of_input = is_read ? base_product(layer) + first : 0.0;
    const double of_weight = trains(layer.weight) ? base_product(layer) : 0.0;
    const double between = needs_input || change_trains ? second : 0.0;
    return of_input + of_weight + between + (change_trains ? first + second : 0.0);
  }

  void count_attention(int block) {
    const int stage = block + 1;
    const ModelSpec& spec = model_.spec();
    FlopCount::Stage& counted = stages_[stage];
    counted.causal = !spec.decoder.layers.empty();
    if (counted.causal) counted.window = spec.decoder.layers[block].window;
    const std::int64_t width =
        counted.causal ? spec.num_attention_heads * spec.decoder.head_dim : spec.hidden_size;
    counted.forward.pair = 4.0 * static_cast<double>(width);  // scores, and their sum of values
    // The layers behind the first, or the first side by side, read what attention gave. Where their gradient is needed, that
    // of queries, keys and values is counted as a whole.
    const std::vector<bool>& groups = groups_[stage];
    const bool needs = groups.size() > 1 ? groups[1] : stage > lowest_;
    counted.backward.pair = needs ? 2.0 * counted.forward.pair : 0.0;
  }

  /// A language head multiplies with a matrix that is no layer of its own where it is tied to the embeddings.
  void count_vocabulary(int head) {
    for (std::size_t i = 0; i < parameters().size(); ++i) {
      const Parameter& parameter = parameters()[i];
      const bool is_table = parameter.kind == ParameterKind::matrix || parameter.kind == ParameterKind::embedding;
      if (!is_table || parameter.stages.back() != head || is_product(parameter.tensor)) continue;
      const double product = 2.0 * static_cast<double>(parameter.tensor.numel());
      const bool trained = trains(parameter.tensor);
      const bool needs_input = head > lowest_ || trains_before(head, i) || (!trained && trains_before(head, parameters().size()));
      stages_[head].forward.row += product;
      stages_[head].backward.row += (needs_input ? product : 0.0) + (trained ? product : 0.0);
    }
  }

  bool is_product(const at::Tensor& weight) const {
    return std::ranges::any_of(model_.adaptable_layers(), [&](const AdaptableLayer& layer) {
      return layer.kind != LayerKind::embedding && layer.weight.is_same(weight);
    });
  }

  const Model& model_;
  const std::vector<bool>& trainable_;
  int lowest_;
  std::set<const at::TensorImpl*> trained_;
  std::map<const at::TensorImpl*, std::size_t> index_;
  std::map<int, std::vector<bool>> groups_;  ///< of each stage: whether the gradient is needed of what layers side by side read
  std::vector<FlopCount::Stage> stages_;
};

FlopCount::FlopCount(const Model& model, const std::vector<bool>& trainable)
    : stages_(FlopCounter(model, trainable).count()) {
  if (!model.virtual_tokens()) return;
  const bool as_keys = model.virtual_tokens()->place == VirtualTokens::Place::keys;
  (as_keys ? keys_before_ : rows_before_) = model.virtual_tokens()->count;
}

double FlopCount::pairs_before(const Stage& stage, std::int64_t length, std::int64_t before) {
  if (stage.window == 0) return static_cast<double>(length * before);
  double pairs = 0;  // the token at place i sees i of its own kind before it, and itself
  for (std::int64_t i = 0; i < std::min(length, stage.window); ++i)
    pairs += static_cast<double>(std::min(before, stage.window - i - 1));
  return pairs;
}

double FlopCount::pairs(const Stage& stage, const PassSize& size) const {
  double pairs = 0;
  for (std::size_t i = 0; i < size.lengths.size(); ++i) {
    const std::int64_t length = size.lengths[i];
    const auto asking = static_cast<double>(stage.rows == Rows::one_a_text && !stage.causal ? 1 : length);
    pairs += asking * static_cast<double>(keys_before_);
    const auto tokens = static_cast<double>(length);
    const double seen = stage.window > 0 ? std::min(tokens, static_cast<double>(stage.window)) : tokens;
    if (stage.causal) {
      pairs += seen * (seen + 1) / 2 + (tokens - seen) * seen;
      if (!size.before.empty()) pairs += pairs_before(stage, length, size.before[i]);
    } else {
      pairs += stage.rows == Rows::one_a_text ? tokens : tokens * tokens;
    }
  }
  return pairs;
}

double FlopCount::flops(const Stage& stage, const Rates& rates, const PassSize& size) const {
  const auto tokens = static_cast<double>(size.tokens());
  const double rows = stage.rows == Rows::all          ? tokens
                      : stage.rows == Rows::one_a_text ? static_cast<double>(size.lengths.size())
                                                       : static_cast<double>(size.wanted);
  const double paired = rates.pair > 0 ? rates.pair * pairs(stage, size) : 0.0;
  return rates.every_row * tokens + rates.row * rows + paired;
}

PassSize FlopCount::in_the_network(PassSize size) const {
  for (std::int64_t& length : size.lengths) length += rows_before_;
  return size;
}

double FlopCount::forward(const PassSize& size, int first, int end) const {
  const PassSize whole = in_the_network(size);
  double sum = 0;
  for (int stage = first; stage < end; ++stage) sum += flops(stages_[stage], stages_[stage].forward, whole);
  return sum;
}

double FlopCount::backward(const PassSize& size) const {
  const PassSize whole = in_the_network(size);
  double sum = 0;
  for (const Stage& stage : stages_) sum += flops(stage, stage.backward, whole);
  return sum;
}

}  // namespace attune::models
