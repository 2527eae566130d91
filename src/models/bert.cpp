// BERT (Devlin et al. 2018): names of the post-norm encoder.
#include "encoder.h"
#include "zoo.h"

namespace attune::models {

namespace {

constexpr EncoderNames kNames{
    .prefix = "bert",
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
    .classifier = {.dense = "pooler.dense",
                   .out = "classifier",
                   .activation = nn::Activation::tanh,
                   .dense_in_body = true,
                   .dropout_before_dense = false},
    .decoder = {.dense = "cls.predictions.transform.dense",
                .norm = "cls.predictions.transform.LayerNorm",
                .decoder = "cls.predictions.decoder",
                .bias = "cls.predictions.bias",
                .gelu = false},
};

}  // namespace

constinit const Family kBert{
    .model_type = "bert",
    .class_stem = "Bert",
    .prefix = kNames.prefix,
    .layers_path = kNames.layers,
    .keys = {.hidden_size = "hidden_size",
             .num_hidden_layers = "num_hidden_layers",
             .num_attention_heads = "num_attention_heads",
             .intermediate_size = "intermediate_size",
             .hidden_act = "hidden_act",
             .hidden_dropout = "hidden_dropout_prob",
             .attention_dropout = "attention_probs_dropout_prob",
             .embedding_size = "",
             .type_vocab_size = "type_vocab_size",
             .layer_norm_eps = "layer_norm_eps",
             .sequence_dropout = "classifier_dropout",
             .token_dropout = "classifier_dropout",
             .question_dropout = ""},
    .make = [](const ModelSpec& spec) { return make_encoder(spec, kNames); },
};

}  // namespace attune::models
