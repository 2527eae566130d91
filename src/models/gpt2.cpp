// GPT-2 (Radford et al. 2019): learnt positions, LayerNorm, Conv1D layers, queries, keys and values in one of them.
#include "decoder.h"
#include "decoder_config.h"

namespace attune::models {

namespace {

constexpr DecoderNames kGpt2Names{
    .embeddings = "wte",
    .positions = "wpe",
    .layers = "h",
    .final_norm = "ln_f",
    .layer = {.attention_norm = "ln_1",
              .query_key_value = "attn.c_attn",
              .attention_output = "attn.c_proj",
              .feed_forward_norm = "ln_2",
              .up = "mlp.c_fc",
              .down = "mlp.c_proj"},
    .token_classifier = "classifier",
    .layer_norm = true,
    .conv1d = true,
    .padding_is_constant = false,
    .scaled_residual = true,
};

void read_gpt2(const ConfigReader& reader, ModelSpec& spec) {
  refuse_if_true(reader, "add_cross_attention");
  spec.intermediate_size = reader.whole("n_inner", 1, kMaxWidth, 4 * spec.hidden_size);
  set_equal_heads(reader, spec);
  DecoderSpec& decoder = spec.decoder;
  decoder.query_key_value_bias = decoder.attention_output_bias = decoder.mlp_bias = true;
  if (!reader.boolean("scale_attn_weights", true)) set_attention_scale(1.0, spec);
  if (reader.boolean("scale_attn_by_inverse_layer_idx", false)) {
    double number = 1.0;
    for (DecoderLayer& layer : decoder.layers) layer.attention_scale /= number++;
  }
}

}  // namespace

constinit const Family kGpt2{
    .model_type = "gpt2",
    .classes = {.base = "GPT2Model",
                .sequence_classification = "GPT2ForSequenceClassification",
                .token_classification = "GPT2ForTokenClassification",
                .masked_lm = "",
                .causal_lm = "GPT2LMHeadModel",
                .question_answering = "GPT2ForQuestionAnswering"},
    .prefix = "transformer",
    .question_prefix = "",
    .layers_path = kGpt2Names.layers,
    .keys = {.hidden_size = "n_embd",
             .num_hidden_layers = "n_layer",
             .num_attention_heads = "n_head",
             .intermediate_size = "",
             .max_position_embeddings = "n_positions",
             .hidden_act = "activation_function",
             .layer_norm_eps = "layer_norm_epsilon",
             .hidden_dropout = "resid_pdrop",
             .attention_dropout = "attn_pdrop",
             .embedding_dropout = "embd_pdrop",
             .sequence_dropout = "",
             .token_dropout = "classifier_dropout",
             .question_dropout = ""},
    .defaults = {.hidden_act = "gelu_new", .layer_norm_eps = 1e-5, .head_dropout = 0.1},
    .read = read_gpt2,
    .make = [](const ModelSpec& spec) { return make_decoder(spec, kGpt2Names); },
};

}  // namespace attune::models
