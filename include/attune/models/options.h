// What a run says about the model it starts from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace attune::models {

struct ModelOptions {
  std::string path;                         ///< checkpoint folder, or a Hub id found in the local Hugging Face cache
  std::string task = "text-classification";  ///< text-classification, token-classification, fill-mask, question-answering
  std::optional<std::int64_t> num_labels;   ///< default: the labels of the training rows
  std::string dtype = "auto";               ///< auto, float32, bfloat16, float16
  std::string init = "pretrained";          ///< pretrained; random trains from config.json
  std::optional<double> hidden_dropout_prob;           ///< dropout overrides; default: the checkpoint's config.json
  std::optional<double> attention_probs_dropout_prob;
  std::optional<double> classifier_dropout;
  bool new_head = false;                    ///< ignore a head of the same shape that the checkpoint holds
};

}  // namespace attune::models
