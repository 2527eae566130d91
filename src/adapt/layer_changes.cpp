// The changes of layers: what LoRA and IA3 put on a model. See attach.h.
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "adapt/attach.h"

namespace attune::adapt {

namespace {

using models::AdaptableLayer;
using models::LayerKind;

constexpr int kFirstSite = 1 << 20;  // of dropout: behind all sites that a network numbers itself

/// Attaches the change of one layer.
class LoraAttachment {
 public:
  LoraAttachment(models::Model& model, const ChangedLayer& target, const files::LoraSettings& settings)
      : model_(model), layer_(model.adaptable_layers()[target.layer]), target_(target), settings_(settings) {}

  void attach(std::uint64_t seed) {
    const bool embedding = layer_.kind == LayerKind::embedding;
    models::LayerChange change{.a = {}, .b = {}, .magnitude = {}, .gain = {}};
    change.scale = target_.scale;
    change.dropout = embedding ? 0.0 : settings_.lora_dropout;
    change.site = kFirstSite + static_cast<int>(target_.layer);
    const std::string a = layer_.path + (embedding ? ".lora_embedding_A" : ".lora_A.weight");
    const std::string b = layer_.path + (embedding ? ".lora_embedding_B" : ".lora_B.weight");
    change.a = add(a, initial_a(initial_key(seed, a)));
    change.b = add(b, initial_b(initial_key(seed, b)));
    *layer_.change = change;
    // After A and B: with B = 0 the norms are those of the weight itself.
    if (settings_.use_dora) {
      layer_.change->magnitude = add(layer_.path + ".lora_magnitude_vector", models::output_norms(layer_));
    }
  }

 private:
  at::Tensor add(const std::string& name, const at::Tensor& value) {
    return add_parameter(model_, name, value, {layer_.stage});
  }

  /// As torch starts a linear layer, or N(0, 1/r²).
  at::Tensor initial_a(const RandomKey& key) const {
    const std::vector<std::int64_t> shape{target_.rank, layer_.in};
    if (layer_.kind == LayerKind::embedding) return at::zeros(shape, at::kFloat);
    if (settings_.init_lora_weights == "gaussian")
      return normal_start(shape, 1.0 / static_cast<double>(target_.rank), key);
    return uniform_start(shape, layer_.in, key);
  }

  at::Tensor initial_b(const RandomKey& key) const {
    const std::vector<std::int64_t> shape{layer_.out, target_.rank};
    return layer_.kind == LayerKind::embedding ? normal_start(shape, 1.0, key) : at::zeros(shape, at::kFloat);
  }

  models::Model& model_;
  const AdaptableLayer& layer_;
  const ChangedLayer& target_;
  const files::LoraSettings& settings_;
};

}  // namespace

void attach_lora(models::Model& model, const AdapterPlan& plan, std::uint64_t seed) {
  for (const ChangedLayer& target : plan.targets) {
    LoraAttachment(model, target, std::get<files::LoraSettings>(plan.settings)).attach(seed);
  }
}

void attach_ia3(models::Model& model, const AdapterPlan& plan, std::uint64_t seed) {
  const bool neutral = std::get<files::Ia3Settings>(plan.settings).init_ia3_weights;
  for (const ChangedLayer& target : plan.targets) {
    const AdaptableLayer& layer = model.adaptable_layers()[target.layer];
    const std::string name = layer.path + ".ia3_l";
    const std::vector<std::int64_t> shape =
        target.scales_input ? std::vector<std::int64_t>{1, layer.in} : std::vector<std::int64_t>{layer.out, 1};
    const at::Tensor start = neutral ? at::ones(shape, at::kFloat) : normal_start(shape, 1.0, initial_key(seed, name));
    layer.change->gain = add_parameter(model, name, start, {layer.stage});
    layer.change->gain_of_input = target.scales_input;
  }
}

}  // namespace attune::adapt
