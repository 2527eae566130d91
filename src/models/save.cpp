// save_model of attune/models/model.h: the folder that Transformers' save_pretrained would write.
#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/files/json.h"
#include "attune/files/storage.h"
#include "attune/models/model.h"
#include "attune/tensor/weights.h"
#include "dtype.h"
#include "zoo.h"

namespace attune::models {

namespace {

namespace fs = std::filesystem;

constexpr const char* kTokenizerFiles[] = {"tokenizer.json",
                                           "tokenizer_config.json",
                                           "vocab.txt",
                                           "special_tokens_map.json",
                                           "added_tokens.json",
                                           "vocab.json",
                                           "merges.txt",
                                           "spiece.model",
                                           "sentencepiece.bpe.model",
                                           "tokenizer.model",
                                           "chat_template.jinja",
                                           "generation_config.json"};

void set_labels(files::Json& config, const ModelSpec& spec) {
  config.erase("num_labels");
  const bool has_labels = spec.task == Task::sequence_classification || spec.task == Task::token_classification;
  if (!has_labels) {
    // Labels of an earlier head mean nothing here; span QA even computes with their number.
    if (spec.task == Task::question_answering) {
      config.erase("id2label");
      config.erase("label2id");
    }
    return;
  }
  files::Json id2label = files::Json::object();
  std::map<std::string, std::size_t> label2id;
  for (std::size_t i = 0; i < spec.labels.size(); ++i) {
    id2label[std::to_string(i)] = spec.labels[i];
    label2id[spec.labels[i]] = i;
  }
  config["id2label"] = std::move(id2label);
  config["label2id"] = label2id;
}

/// Overrides of the run are part of the model that it made.
void set_dropout(files::Json& config, const ModelSpec& spec, const Family& family) {
  const ConfigKeys& keys = family.keys;
  const auto set = [&](std::string_view key, double value) {
    if (!key.empty()) config[std::string(key)] = value;
  };
  set(keys.hidden_dropout, spec.hidden_dropout);
  set(keys.embedding_dropout, spec.decoder.embedding_dropout);
  set(keys.attention_dropout, spec.attention_dropout);
  const std::string_view head = spec.task == Task::sequence_classification ? keys.sequence_dropout
                                : spec.task == Task::token_classification  ? keys.token_dropout
                                : spec.task == Task::question_answering    ? keys.question_dropout
                                                                           : std::string_view{};
  if (head.empty() || head == keys.hidden_dropout) return;
  // A head that follows the usual dropout keeps doing so: a key that is null or absent stays so.
  const double usual = family.defaults.head_dropout < 0.0 ? spec.hidden_dropout : family.defaults.head_dropout;
  const auto stated = config.find(std::string(head));
  const bool is_stated = stated != config.end() && !stated->is_null();
  if (is_stated || spec.classifier_dropout != usual) config[std::string(head)] = spec.classifier_dropout;
}

/// Keys in order, ids of labels in numeric order, as Python's json writes them.
files::Json sorted(const files::Json& config) {
  files::Json out = nlohmann::json(config);
  if (config.contains("id2label")) out["id2label"] = config["id2label"];
  return out;
}

files::Json config_to_save(const LoadedModel& loaded) {
  const ModelSpec& spec = loaded.model->spec();
  files::Json config = *loaded.config;
  config["architectures"] = {std::string(class_name(family_of(spec), spec.task))};
  config.erase("torch_dtype");  // v4's spelling of dtype
  config["dtype"] = dtype_name(loaded.dtype);
  config["tie_word_embeddings"] = spec.tie_word_embeddings;
  set_labels(config, spec);
  set_dropout(config, spec, family_of(spec));
  if (spec.problem_type.empty()) {
    config.erase("problem_type");
  } else {
    config["problem_type"] = spec.problem_type;
  }
  return sorted(config);
}

void save_weights(const LoadedModel& loaded, const std::string& path) {
  std::map<std::string, at::Tensor> tensors;
  for (const Parameter& parameter : loaded.model->parameters()) {
    if (parameter.kind == ParameterKind::adapter) internal_error("save_model: an adapter is not merged");
    tensors.emplace(parameter.file_name, parameter.tensor.detach().to(loaded.dtype));
  }
  tensor::save_tensors(path, tensors);
}

}  // namespace

bool round_to_dtype(const LoadedModel& loaded) {
  bool has_changed = false;
  for (Parameter& parameter : loaded.model->parameters()) {
    if (parameter.kind == ParameterKind::adapter) continue;
    const at::Tensor exact = parameter.tensor.detach(), rounded = exact.to(loaded.dtype);
    has_changed = has_changed || !exact.equal(rounded.to(exact.scalar_type()));
    loaded.model->set_values(parameter, rounded);
  }
  return has_changed;
}

void save_model(const LoadedModel& loaded, const std::string& tokenizer_folder, const std::string& folder) {
  fs::create_directories(folder);
  save_weights(loaded, (fs::path(folder) / "model.safetensors").string());  // first: a full disk leaves no half model
  save_config(loaded, tokenizer_folder, folder);
}

void save_config(const LoadedModel& loaded, const std::string& tokenizer_folder, const std::string& folder) {
  fs::create_directories(folder);
  files::write_json((fs::path(folder) / "config.json").string(), config_to_save(loaded));
  for (const char* name : kTokenizerFiles) {
    const fs::path from = fs::path(tokenizer_folder) / name;
    const fs::path to = fs::path(folder) / name;
    std::error_code ignored;
    if (!fs::exists(from) || fs::equivalent(from, to, ignored)) continue;
    files::copy_file_atomically(from.string(), to.string());
  }
}

}  // namespace attune::models
