// DistilBERT (Sanh et al. 2019): names of the post-norm encoder. No token types, no dropout after attention.
#include "encoder.h"
#include "zoo.h"

namespace attune::models {

namespace {

constexpr EncoderNames kNames{
    .prefix = "distilbert",
    .layers = "transformer.layer",
    .layer = {.query = "attention.q_lin",
              .key = "attention.k_lin",
              .value = "attention.v_lin",
              .attention_output = "attention.out_lin",
              .attention_norm = "sa_layer_norm",
              .intermediate = "ffn.lin1",
              .output = "ffn.lin2",
              .output_norm = "output_layer_norm",
              .dropout_after_attention = false},
    .classifier = {.dense = "pre_classifier",
                   .out = "classifier",
                   .activation = nn::Activation::relu,
                   .dense_in_body = false,
                   .dropout_before_dense = false},
    .decoder = {.dense = "vocab_transform",
                .norm = "vocab_layer_norm",
                .decoder = "vocab_projector",
                .bias = "",
                .gelu = false},
};

}  // namespace

constinit const Family kDistilBert{
    .model_type = "distilbert",
    .class_stem = "DistilBert",
    .prefix = kNames.prefix,
    .layers_path = kNames.layers,
    .keys = {.hidden_size = "dim",
             .num_hidden_layers = "n_layers",
             .num_attention_heads = "n_heads",
             .intermediate_size = "hidden_dim",
             .hidden_act = "activation",
             .hidden_dropout = "dropout",
             .attention_dropout = "attention_dropout",
             .embedding_size = "",
             .type_vocab_size = "",
             .layer_norm_eps = "",
             .sequence_dropout = "seq_classif_dropout",
             .token_dropout = "dropout",
             .question_dropout = "qa_dropout"},
    .make = [](const ModelSpec& spec) { return make_encoder(spec, kNames); },
};

}  // namespace attune::models
