// ELECTRA (Clark et al. 2020): BERT's layers; embeddings may be narrower than the hidden states; heads of its own.
#include "encoder.h"
#include "zoo.h"

namespace attune::models {

namespace {

constexpr EncoderNames kNames{
    .prefix = "electra",
    .layers = "encoder.layer",
    .layer = {.query = "attention.self.query",
              .key = "attention.self.key",
              .value = "attention.self.value",
              .attention_output = "attention.output.dense",
              .attention_norm = "attention.output.LayerNorm",
              .intermediate = "intermediate.dense",
              .output = "output.dense",
              .output_norm = "output.LayerNorm",
              .dropout_after_attention = true},
    .classifier = {.dense = "classifier.dense",
                   .out = "classifier.out_proj",
                   .activation = nn::Activation::gelu,
                   .dense_in_body = false,
                   .dropout_before_dense = true},
    .decoder = {.dense = "generator_predictions.dense",
                .norm = "generator_predictions.LayerNorm",
                .decoder = "generator_lm_head",
                .bias = "",
                .gelu = true},
};

}  // namespace

constinit const Family kElectra{
    .model_type = "electra",
    .class_stem = "Electra",
    .prefix = kNames.prefix,
    .layers_path = kNames.layers,
    .keys = {.hidden_size = "hidden_size",
             .num_hidden_layers = "num_hidden_layers",
             .num_attention_heads = "num_attention_heads",
             .intermediate_size = "intermediate_size",
             .hidden_act = "hidden_act",
             .hidden_dropout = "hidden_dropout_prob",
             .attention_dropout = "attention_probs_dropout_prob",
             .embedding_size = "embedding_size",
             .type_vocab_size = "type_vocab_size",
             .layer_norm_eps = "layer_norm_eps",
             .sequence_dropout = "classifier_dropout",
             .token_dropout = "classifier_dropout",
             .question_dropout = ""},
    .make = [](const ModelSpec& spec) { return make_encoder(spec, kNames); },
};

}  // namespace attune::models
