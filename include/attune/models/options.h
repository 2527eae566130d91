// What a run says about the model it starts from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "attune/base/fields.h"

namespace attune::models {

struct ModelOptions {
  std::string path;  ///< checkpoint folder, or a Hub id found in the local Hugging Face cache
  std::string task =
      "text-classification";  ///< text-classification, token-classification, fill-mask, text-generation, question-answering
  std::optional<std::int64_t> num_labels;  ///< default: the labels of the training rows
  std::string dtype = "auto";              ///< auto, float32, bfloat16, float16
  std::string init = "pretrained";         ///< pretrained; random trains from config.json
  std::optional<double> hidden_dropout_prob;  ///< dropout overrides; default: the checkpoint's config.json
  std::optional<double> attention_probs_dropout_prob;
  std::optional<double> classifier_dropout;
  bool new_head = false;  ///< ignore a head of the same shape that the checkpoint holds
};

template <class Visitor>
void visit_fields(Visitor& visit, ModelOptions& options) {
  visit(options.path, {.key = "path",
                       .help = "Folder with config.json and *.safetensors, or a Hub id (`org/name`) that lies in the "
                               "local Hugging Face cache.",
                       .aliases = {"model_name_or_path", "base_model", "checkpoint_dir"},
                       .required = true});
  visit(options.task, {.key = "task",
                       .help = "What the model learns to do; it decides the head and the loss.",
                       .choices = {"text-classification", "token-classification", "fill-mask", "text-generation",
                                   "question-answering"},
                       .literals = {{"\"causal-lm\"", "text-generation", /*only_read=*/true}}});
  visit(options.num_labels, {.key = "num_labels",
                             .help = "Outputs of the head. By default as many as the training rows have labels.",
                             .range = count_from(1)});
  visit(options.dtype, {.key = "dtype",
                        .help = "Number format in which weights are loaded and saved; `auto`: what the checkpoint's "
                                "config.json says. What trains is float32 until it is saved.",
                        .choices = {"auto", "float32", "bfloat16", "float16"},
                        .aliases = {"torch_dtype"}});
  visit(options.init, {.key = "init",
                       .help = "`pretrained` loads the checkpoint's weights; `random` takes only its config.json and "
                               "tokenizer and starts from new weights.",
                       .choices = {"pretrained", "random"}});
  visit(options.hidden_dropout_prob,
        {.key = "hidden_dropout_prob",
         .help = "Dropout of hidden states. By default as in the checkpoint's config.json.",
         .range = share(),
         .aliases = {"hidden_dropout"}});
  visit(options.attention_probs_dropout_prob,
        {.key = "attention_probs_dropout_prob",
         .help = "Dropout of attention weights. By default as in the checkpoint's config.json.",
         .range = share(),
         .aliases = {"attention_dropout"}});
  visit(options.classifier_dropout, {.key = "classifier_dropout",
                                     .help = "Dropout before the head. By default as in the checkpoint's config.json.",
                                     .range = share()});
  visit(options.new_head, {.key = "new_head",
                           .help = "Start with a new head even if the checkpoint holds one that fits. A head that does "
                                   "not fit is replaced in any case."});
}

}  // namespace attune::models
