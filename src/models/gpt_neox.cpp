// GPT-NeoX and Pythia (Black et al. 2022): rotary positions on a share of each head, LayerNorm, attention and
// feed-forward side by side, queries, keys and values of a head together in one layer.
#include "decoder.h"
#include "decoder_config.h"

namespace attune::models {

namespace {

constexpr DecoderNames kGptNeoXNames{
    .embeddings = "embed_in",
    .positions = "",
    .layers = "layers",
    .final_norm = "final_layer_norm",
    .layer = {.attention_norm = "input_layernorm",
              .query_key_value = "attention.query_key_value",
              .attention_output = "attention.dense",
              .feed_forward_norm = "post_attention_layernorm",
              .up = "mlp.dense_h_to_4h",
              .down = "mlp.dense_4h_to_h"},
    .token_classifier = "classifier",
    .layer_norm = true,
    .heads_together = true,
    .padding_is_constant = false,
};

void read_gpt_neox(const ConfigReader& reader, ModelSpec& spec) {
  set_equal_heads(reader, spec);
  read_attention_bias(reader, true, spec);
  spec.decoder.mlp_bias = true;
  spec.decoder.parallel_residual = reader.boolean("use_parallel_residual", true);
  read_shared_rotary(
      reader, spec, {.theta_key = "rotary_emb_base", .share_key = "rotary_pct", .share = 0.25, .may_turn_share = true});
}

}  // namespace

constinit const Family kGptNeoX{
    .model_type = "gpt_neox",
    .classes = {.base = "GPTNeoXModel",
                .sequence_classification = "GPTNeoXForSequenceClassification",
                .token_classification = "GPTNeoXForTokenClassification",
                .masked_lm = "",
                .causal_lm = "GPTNeoXForCausalLM",
                .question_answering = "GPTNeoXForQuestionAnswering"},
    .prefix = "gpt_neox",
    .question_prefix = "",
    .layers_path = kGptNeoXNames.layers,
    .lm_head_in_files = "embed_out",
    .keys = {.hidden_dropout = "hidden_dropout",
             .attention_dropout = "attention_dropout",
             .embedding_dropout = "hidden_dropout",
             .sequence_dropout = "",
             .token_dropout = "classifier_dropout",
             .question_dropout = ""},
    .defaults = {.layer_norm_eps = 1e-5, .dropout = 0.0, .head_dropout = 0.1, .tie_word_embeddings = false},
    .read = read_gpt_neox,
    .make = [](const ModelSpec& spec) { return make_decoder(spec, kGptNeoXNames); },
};

}  // namespace attune::models
