// See open_folder.h.
#include "attune/job/open_folder.h"

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "attune/adapt/peft.h"
#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/json.h"
#include "attune/job/execution.h"
#include "attune/job/fits_model.h"
#include "attune/job/prepare.h"
#include "job/vector_head.h"

namespace attune::job {

namespace {

bool has_any(const std::string& folder, std::initializer_list<const char*> names) {
  return std::ranges::any_of(names, [&](const char* name) {
    return path_exists((std::filesystem::path(folder) / name).string(), ErrorKind::model);
  });
}

/// The task that a head class of Transformers serves: "BertForTokenClassification" → token classification.
models::Task task_of_architecture(const std::string& folder) {
  const std::string file = (std::filesystem::path(folder) / "config.json").string();
  const files::Json config = files::read_json(file);
  const auto found = config.is_object() ? config.find("architectures") : config.end();
  const bool is_named =
      found != config.end() && found->is_array() && !found->empty() && found->front().is_string();
  const std::string name = is_named ? found->front().get<std::string>() : "";
  if (name.ends_with("ForSequenceClassification")) return models::Task::sequence_classification;
  if (name.ends_with("ForTokenClassification")) return models::Task::token_classification;
  if (name.ends_with("ForCausalLM") || name.ends_with("LMHeadModel")) return models::Task::causal_lm;
  if (name.ends_with("ForMaskedLM")) return models::Task::masked_lm;
  if (name.ends_with("ForQuestionAnswering")) return models::Task::question_answering;
  throw Error(ErrorKind::model,
              {.file = file,
               .what = concat("architectures says '", name, "', which has no head to predict with"),
               .where = "architectures",
               .hint = "name the output folder of `attune train` or a fine-tuned checkpoint"});
}

std::string resolved_config(const ModelFolder& folder) {
  return (std::filesystem::path(folder.path) / "config.resolved.json").string();
}

}  // namespace

std::string tokenizer_folder(const std::string& path, const std::string& base) {
  return has_any(path, {"tokenizer.json", "vocab.txt", "vocab.json"}) ? path : base;
}

std::string generation_folder(const std::string& path, const std::string& base) {
  return has_any(path, {"generation_config.json"}) ? path : base;
}

ModelFolder look_into(const std::string& path, std::optional<models::Task> wanted) {
  if (!wanted && holds_vector_head(path)) {
    return {.path = path, .base = "", .tokenizer = path, .generation = path, .has_vector_head = true};
  }
  if (!adapt::is_adapter(path)) {
    const models::Task task = wanted ? *wanted : task_of_architecture(path);
    return {.path = path, .base = "", .tokenizer = path, .generation = path, .task = task};
  }
  const adapt::AdapterFolder adapter = adapt::open_adapter(path);
  return {.path = path,
          .base = adapter.base,
          .tokenizer = tokenizer_folder(path, adapter.base),
          .generation = generation_folder(path, adapter.base),
          .task = has_any(path, {"config.json"}) ? task_of_architecture(path) : adapt::adapter_task(adapter)};
}

bool is_of_run(const ModelFolder& folder) { return path_exists(resolved_config(folder), ErrorKind::model); }

bool sets_key(const std::vector<std::string>& overrides, std::string_view key) {
  return std::ranges::any_of(overrides, [&](const std::string& text) { return text.starts_with(concat(key, "=")); });
}

bool says_max_length(const data::DataOptions& options, const std::vector<std::string>& overrides) {
  return sets_key(overrides, "data.max_length") || options.max_length != data::DataOptions().max_length;
}

RunOptions options_of_run(const ModelFolder& folder, const std::vector<std::string>& overrides) {
  const bool has_options = is_of_run(folder);
  std::vector<std::string> settings = {"device=auto", "data.token_cache_dir=null", "early_stopping=null",
                                       "training.metric_for_best_model=null", "training.greater_is_better=null"};
  const models::Task task = folder.has_vector_head ? models::Task::sequence_classification : folder.task;
  if (!has_options) settings.push_back(concat("model.task=", models::name_of(task)));
  settings.insert(settings.end(), overrides.begin(), overrides.end());
  return has_options ? config::load(resolved_config(folder), settings, machine()) : config::defaults(settings, machine());
}

std::shared_ptr<const text::ChatTemplates> chat_templates_of(const ModelFolder& folder, RunOptions& options, const std::vector<std::string>& overrides) {
  if (!sets_key(overrides, "data.chat_template")) options.data.chat_template.clear();
  return chat_templates(folder.tokenizer, options.data);
}

models::LoadedModel load(const ModelFolder& folder, models::LoadOptions options) {
  options.task = folder.task;
  models::LoadedModel loaded = folder.base.empty()
                                   ? models::load_model(folder.path, options)
                                   : adapt::load_adapted(adapt::open_adapter(folder.path, folder.base), options);
  if (loaded.report.newly_initialised.empty()) return loaded;
  throw Error(ErrorKind::model,
              {.file = folder.path,
               .what = concat("the tensor ", loaded.report.newly_initialised.front(), " of the head is missing"),
               .where = "model.safetensors",
               .hint = "train the model first: attune train"});
}

std::shared_ptr<const text::Tokenizer> load_tokenizer(const ModelFolder& folder, const models::ModelSpec& spec) {
  auto tokenizer = std::make_shared<const text::Tokenizer>(text::Tokenizer::from_folder(folder.tokenizer));
  check_vocabulary(*tokenizer, spec, folder.tokenizer);
  return tokenizer;
}

}  // namespace attune::job
