// Gemma (Gemma Team 2024), and what its successors share with it.
#include "gemma.h"

#include <cmath>

namespace attune::models {

namespace {

constexpr DecoderNames kGemmaNames = gemma_names(kLlamaLayer);

void read_gemma1(const ConfigReader& reader, ModelSpec& spec) {
  read_gemma(reader, 16, spec);
  read_shared_rotary(reader, spec);
  // The first releases say "gelu" and mean its tanh form.
  if (spec.hidden_act == "gelu") spec.hidden_act = "gelu_pytorch_tanh";
  if (reader.text("hidden_activation", spec.hidden_act) != spec.hidden_act) {
    reader.fail("hidden_activation", "it differs from hidden_act, which the network computes with");
  }
}

}  // namespace

constinit const Family kGemma{
    .model_type = "gemma",
    .classes = {.base = "GemmaModel",
                .sequence_classification = "GemmaForSequenceClassification",
                .token_classification = "GemmaForTokenClassification",
                .masked_lm = "",
                .causal_lm = "GemmaForCausalLM",
                .question_answering = ""},
    .prefix = "model",
    .question_prefix = "",
    .layers_path = kGemmaNames.layers,
    .keys = kLlamaKeys,
    .defaults = kGemmaDefaults,
    .read = read_gemma1,
    .make = [](const ModelSpec& spec) { return make_decoder(spec, kGemmaNames); },
};

void read_gemma(const ConfigReader& reader, std::int64_t key_heads, ModelSpec& spec) {
  refuse_if_true(reader, "use_bidirectional_attention");
  read_heads(reader, spec, {.num_key_value_heads = key_heads, .head_dim = 256});
  read_attention_bias(reader, false, spec);
  spec.decoder.embedding_scale = std::sqrt(static_cast<double>(spec.hidden_size));
}

void read_gemma2_attention(const ConfigReader& reader, const std::vector<bool>& sliding, ModelSpec& spec) {
  set_attention_scale(1.0 / std::sqrt(reader.number("query_pre_attn_scalar", 1e-6, 1e12, 256.0)), spec);
  set_windows(reader, sliding, read_window(reader, 4096), spec);
}

}  // namespace attune::models
