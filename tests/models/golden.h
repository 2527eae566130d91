// The golden checkpoints of tests/goldens/models (scripts/goldens/models.py), and copies of them that a test may edit.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "attune/files/json.h"
#include "attune/models/model.h"
#include "attune/tensor/weights.h"
#include "catch.h"
#include "temporary_folder.h"

namespace attune::testing {

inline const std::vector<std::string> kGoldenModels = {"bert_base",
                                                       "bert_sequence",
                                                       "bert_masked_lm",
                                                       "bert_untied_lm",
                                                       "bert_span",
                                                       "distilbert_sequence",
                                                       "distilbert_masked_lm",
                                                       "distilbert_token",
                                                       "electra_sequence",
                                                       "electra_masked_lm",
                                                       "roberta_base",
                                                       "roberta_sequence",
                                                       "roberta_masked_lm",
                                                       "gpt2_causal_lm",
                                                       "gpt2_sequence",
                                                       "gpt2_token",
                                                       "gpt2_span",
                                                       "gpt_neox_causal_lm",
                                                       "gpt_neox_token",
                                                       "llama_causal_lm",
                                                       "llama_base",
                                                       "llama_span",
                                                       "mistral_sequence",
                                                       "qwen2_causal_lm",
                                                       "qwen3_causal_lm",
                                                       "qwen3_token",
                                                       "smollm3_causal_lm",
                                                       "gemma_causal_lm",
                                                       "gemma2_causal_lm",
                                                       "gemma3_text_causal_lm",
                                                       "phi3_causal_lm"};

using Tensors = std::map<std::string, at::Tensor>;

inline std::string golden_folder(const std::string& name) {
  return ATTUNE_SOURCE_DIR "/tests/goldens/models/" + name;
}

inline models::Task golden_task(const std::string& name) {
  if (name.ends_with("_causal_lm")) return models::Task::causal_lm;
  if (name.ends_with("_lm")) return models::Task::masked_lm;
  if (name.ends_with("_token")) return models::Task::token_classification;
  if (name.ends_with("_span")) return models::Task::question_answering;
  return name.ends_with("_base") ? models::Task::base : models::Task::sequence_classification;
}

inline Tensors golden_tensors(const std::string& name) {
  return tensor::load_tensors(golden_folder(name) + "/expected.safetensors");
}

/// The golden's batch as a packed stream.
inline models::Input golden_input(const Tensors& expected) {
  const at::Tensor lengths = expected.at("lengths").to(at::kInt);
  const auto* data = lengths.const_data_ptr<std::int32_t>();
  models::Input input;
  input.ids = expected.at("ids");
  input.positions = expected.at("positions");
  input.segments = expected.at("segments");
  input.layout = nn::make_layout({data, data + lengths.numel()});
  input.text_lengths.assign(lengths.numel(), input.layout.longest);  // the reference padded to the longest
  return input;
}

inline models::LoadOptions golden_options(const std::string& name) {
  models::LoadOptions options;
  options.task = golden_task(name);
  return options;
}

inline models::LoadedModel load_golden(const std::string& name) {
  return models::load_model(golden_folder(name), golden_options(name));
}

inline at::Tensor value_of(const models::LoadedModel& loaded, const std::string& name) {
  for (const models::Parameter& parameter : loaded.model->parameters()) {
    if (parameter.name == name) return parameter.tensor.detach();
  }
  throw std::runtime_error("no parameter " + name);
}

/// A copy of a golden checkpoint; edit `config` and `tensors`, then load().
class EditedCheckpoint {
 public:
  explicit EditedCheckpoint(const std::string& golden)
      : config(files::read_json(golden_folder(golden) + "/config.json")),
        tensors(tensor::load_tensors(golden_folder(golden) + "/model.safetensors")),
        options(golden_options(golden)) {}

  models::LoadedModel load() const {
    write();
    return models::load_model(folder_.path(), options);
  }
  void write() const {
    files::write_json(folder_ / "config.json", config);
    tensor::save_tensors(folder_ / "model.safetensors", tensors);
  }
  void rename(const std::string& from, const std::string& to) {
    auto node = tensors.extract(from);
    node.key() = to;
    tensors.insert(std::move(node));
  }
  const std::string& folder() const { return folder_.path(); }

  files::Json config;
  Tensors tensors;
  models::LoadOptions options;

 private:
  TemporaryFolder folder_;
};

inline at::Tensor logits_of(const models::LoadedModel& loaded, const models::Input& input) {
  return models::forward(*loaded.model, loaded.model->prepare(input, false)).logits;
}

inline at::Tensor golden_logits(const models::LoadedModel& loaded, const Tensors& expected) {
  return logits_of(loaded, golden_input(expected));
}

/// The largest absolute difference.
inline double worst(const at::Tensor& got, const at::Tensor& want) {
  REQUIRE(got.sizes() == want.sizes());
  return (got - want).abs().max().item<double>();
}

}  // namespace attune::testing
