// Adapter folders. See attune/adapt/peft.h.
#include "attune/adapt/peft.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

#include "adapt/adapter_files.h"
#include "adapt/adapter_values.h"
#include "adapt/peft_names.h"
#include "adapt/plan_kinds.h"
#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/files/storage.h"
#include "attune/tensor/weights.h"

namespace attune::adapt {

namespace {

namespace fs = std::filesystem;
using files::Json;
using models::Parameter;
using models::ParameterKind;

/// The base's folder: from the working folder or the Hub's cache, else from the adapter's folder.
std::string find_base(const std::string& path, const std::string& adapter) {
  if (path.empty())
    refuse_adapter(file_in(adapter, kConfig), "the adapter does not say what it was trained on",
                   "key base_model_name_or_path", "write the base's folder there");
  const fs::path beside = fs::path(adapter) / path;
  if (!path_exists(path, ErrorKind::model) && path_exists(beside.string(), ErrorKind::model)) return beside.string();
  try {
    return models::resolve_model_path(path);
  } catch (const Error& error) {
    refuse_adapter(file_in(adapter, kConfig), concat("the base '", path, "' was not found: ", error.text().what),
                   "key base_model_name_or_path", "put the base there, or write where it is");
  }
}

void check_base(const AdapterFolder& adapter) {
  const std::string own = file_in(adapter.folder, kOwn);
  if (!path_exists(own, ErrorKind::model)) return;
  const Json recorded = files::read_json(own);
  if (!recorded.is_object() || !recorded.contains("base") || !recorded["base"].is_object()) {
    refuse_adapter(own, "the hashes of the base are missing", "key base",
                   "copy the adapter again, or remove this file to skip the check");
  }
  if (recorded["base"] == base_hashes(adapter.base)) return;
  refuse_adapter(adapter.folder, concat("the adapter was trained on other weights than those in ", adapter.base), kOwn,
                 "name its own base in base_model_name_or_path; on another one its values mean nothing");
}

/// The plan of an adapter from a file; what does not fit is then the file's fault.
AdapterPlan plan_of(const models::LoadedModel& loaded, const AdapterFolder& adapter) {
  try {
    return plan_adapter(loaded, adapter.config.settings, Names::some_may_not);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::usage) throw;
    refuse_adapter(file_in(adapter.folder, kConfig), error.text().what, error.text().where,
                   "the adapter belongs to another kind of model");
  }
}

/// Virtual tokens as PEFT's file has them: finished numbers, with nothing left to be made of a text or by a network.
files::AdapterSettings finished(const files::AdapterSettings& settings) {
  if (files::virtual_token_settings(settings) == nullptr) return settings;
  if (const auto* prefix = std::get_if<files::PrefixTuningSettings>(&settings)) {
    files::PrefixTuningSettings plain = *prefix;
    plain.prefix_projection = false;
    return plain;
  }
  files::PromptTuningSettings plain;
  static_cast<files::VirtualTokenSettings&>(plain) = *files::virtual_token_settings(settings);
  return plain;
}

void fill_from_peft(models::LoadedModel& loaded, const AdapterPlan& plan, const std::string& folder) {
  const models::Model& model = *loaded.model;
  AdapterValues values(loaded, folder, kWeights);
  for (const WrapperBias& bias : wrapper_biases(model, plan)) {
    values.let_through(bias.trained);
    values.let_through(bias.original);
  }
  for (const Parameter* parameter : embeddings_written(model)) values.check_embedding(*parameter);
  const bool has_network = has_prompt_network(model);
  if (has_network) values.let_through(kVirtualTokens);
  values.fill([&](const Parameter& parameter) { return !has_network || !of_virtual_tokens(parameter); });
}

/// To be used: as PEFT's file has it.
void put_on(models::LoadedModel& loaded, const AdapterFolder& adapter) {
  AdapterPlan plan = plan_of(loaded, adapter);
  plan.settings = finished(plan.settings);
  attach_adapter(loaded, plan, 0);
  fill_from_peft(loaded, plan, adapter.folder);
}

/// To be trained further: with the network that makes its virtual tokens.
void go_on_from(models::LoadedModel& loaded, const AdapterFolder& adapter) {
  AdapterPlan plan = plan_of(loaded, adapter);
  if (std::holds_alternative<files::PromptTuningSettings>(plan.settings)) plan.settings = finished(plan.settings);
  attach_adapter(loaded, plan, 0);
  fill_from_peft(loaded, plan, adapter.folder);
  if (!has_prompt_network(*loaded.model)) return;
  if (!path_exists(file_in(adapter.folder, kNetwork), ErrorKind::model)) {
    refuse_adapter(
        adapter.folder,
        concat("there is no ", kNetwork, ": the network that made the virtual tokens, which PEFT does not keep"), "",
        "train a new adapter, or go on from one that attune wrote");
  }
  AdapterValues(loaded, adapter.folder, kNetwork).fill(of_virtual_tokens);
}

/// Settings of this kind as they are when nobody says anything.
files::AdapterSettings fresh_settings(const files::AdapterSettings& settings) {
  return std::visit([](const auto& of) -> files::AdapterSettings { return std::decay_t<decltype(of)>{}; }, settings);
}

/// What start_adapter did, after the fact.
AdapterPlan started_plan(const models::LoadedModel& loaded, const AdapterOptions& options) {
  return options.adapter.empty() ? plan_adapter(loaded, options.settings)
                                 : plan_of(loaded, open_adapter(options.adapter, loaded.folder));
}

std::string absolute_if_folder(const std::string& path) {
  return path_exists(path, ErrorKind::model) ? fs::absolute(path).lexically_normal().string() : path;
}

using Tensors = std::map<std::string, at::Tensor>;

/// The network that makes the virtual tokens, by the names of its parameters; nothing where there is none.
Tensors network_to_save(const models::Model& model) {
  Tensors tensors;
  if (!has_prompt_network(model)) return tensors;
  for (const Parameter& parameter : model.parameters()) {
    if (of_virtual_tokens(parameter)) tensors[parameter.name] = parameter.tensor.detach();
  }
  return tensors;
}

Tensors tensors_to_save(const models::LoadedModel& loaded) {
  const models::Model& model = *loaded.model;
  Tensors tensors;
  for (const Parameter& parameter : model.parameters()) {
    if (!parameter.with_adapter || of_virtual_tokens(parameter)) continue;
    const at::ScalarType type = parameter.kind == ParameterKind::adapter ? at::kFloat : loaded.dtype;
    tensors[peft_name(parameter, model)] = parameter.tensor.detach().to(type);
  }
  if (model.virtual_tokens()) tensors[kVirtualTokens] = model.virtual_tokens()->values().contiguous();
  for (const Parameter* parameter : embeddings_written(model)) {
    tensors[peft_name(*parameter, model)] = parameter->tensor.detach();
  }
  return tensors;
}

}  // namespace

bool is_adapter(const std::string& folder) {
  return path_exists(file_in(folder, kConfig), ErrorKind::model);
}

Json base_hashes(const std::string& folder) {
  Json hashes = Json::object();
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".safetensors")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names)
    hashes[name] = files::sha256_file(file_in(folder, name.c_str()), ErrorKind::model);
  return hashes;
}

AdapterFolder open_adapter(const std::string& folder, const std::string& base) {
  if (!is_adapter(folder)) refuse_adapter(folder, concat("there is no ", kConfig), "", "name the folder of an adapter");
  AdapterFolder adapter{
      .folder = folder, .config = {}, .json = files::read_json(file_in(folder, kConfig)), .base = base};
  adapter.config = files::parse_adapter_config(adapter.json, file_in(folder, kConfig));
  if (base.empty()) adapter.base = find_base(adapter.config.base, folder);
  check_base(adapter);
  return adapter;
}

models::Task adapter_task(const AdapterFolder& adapter) {
  for (const auto task : {models::Task::sequence_classification, models::Task::token_classification,
                          models::Task::question_answering, models::Task::causal_lm, models::Task::base}) {
    if (adapter.config.task_type == peft_task_type(task)) return task;
  }
  const std::string own = file_in(adapter.folder, "config.json");
  const std::string file = path_exists(own, ErrorKind::model) ? own : file_in(adapter.base, "config.json");
  const Json config = files::read_json(file);
  const Json named = config.is_object() && config.contains("architectures") && config["architectures"].is_array() &&
                             !config["architectures"].empty()
                         ? config["architectures"].front()
                         : Json("");
  const std::string name = named.is_string() ? named.get<std::string>() : "";
  if (name.ends_with("ForMaskedLM")) return models::Task::masked_lm;
  if (name.ends_with("ForSequenceClassification")) return models::Task::sequence_classification;
  if (name.ends_with("ForTokenClassification")) return models::Task::token_classification;
  if (name.ends_with("ForQuestionAnswering")) return models::Task::question_answering;
  if (name.ends_with("ForCausalLM") || name.ends_with("LMHeadModel")) return models::Task::causal_lm;
  if (name.ends_with("Model")) return models::Task::base;
  refuse_adapter(
      file_in(adapter.folder, kConfig),
      concat("task_type is '", adapter.config.task_type, "' and the base is a '", name, "'; no task follows from them"),
      "key task_type", "write SEQ_CLS, TOKEN_CLS, QUESTION_ANS or CAUSAL_LM");
}

models::LoadedModel load_adapted(const AdapterFolder& adapter, models::LoadOptions options) {
  const std::string own = file_in(adapter.folder, "config.json");
  if (options.labels.empty() && path_exists(own, ErrorKind::model)) {
    const models::ModelSpec spec = models::read_spec(files::read_json(own), own, options.task);
    const bool has_labels =
        options.task == models::Task::sequence_classification || options.task == models::Task::token_classification;
    if (has_labels) options.labels = spec.labels;
    if (options.problem_type.empty()) options.problem_type = spec.problem_type;
    const Json config = files::read_json(own);
    if (options.dtype == "auto" && config.contains("dtype") && config["dtype"].is_string())
      options.dtype = config["dtype"].get<std::string>();
  }
  models::LoadedModel loaded = models::load_model(adapter.base, options);
  put_on(loaded, adapter);
  loaded.report.newly_initialised.clear();  // each of them came with the adapter
  return loaded;
}

void start_adapter(models::LoadedModel& loaded, const AdapterOptions& options, std::uint64_t seed) {
  if (options.adapter.empty()) {
    attach_adapter(loaded, plan_adapter(loaded, options.settings), seed);
    return;
  }
  const AdapterFolder adapter = open_adapter(options.adapter, loaded.folder);
  const files::AdapterSettings& found = adapter.config.settings;
  const std::string block = block_of_settings(options.settings);
  if (found.index() != options.settings.index()) {
    throw Error(ErrorKind::usage, {.file = options.adapter,
                                   .what = concat("the adapter to go on from is one of ", block_of_settings(found)),
                                   .where = block + ".adapter",
                                   .hint = "set tuning.method to its own"});
  }
  if (!(options.settings == fresh_settings(options.settings)) && !(options.settings == found)) {
    throw Error(ErrorKind::usage, {.file = "",
                                   .what = "the adapter to go on from has other settings than this block",
                                   .where = block,
                                   .hint = "leave all settings but 'adapter' out: the adapter decides them"});
  }
  go_on_from(loaded, adapter);
}

void save_adapter(const models::LoadedModel& loaded, const AdapterOptions& options, const std::string& base,
                  const std::string& folder) {
  const at::NoGradGuard no_grad;
  AdapterPlan plan = started_plan(loaded, options);
  const std::string base_path = absolute_if_folder(base);
  if (auto* prompt = std::get_if<files::PromptTuningSettings>(&plan.settings);
      prompt != nullptr && prompt->prompt_tuning_init == "TEXT" && prompt->tokenizer_name_or_path.empty()) {
    prompt->tokenizer_name_or_path = base_path;  // PEFT opens no file without it
  }
  const Json before = options.adapter.empty() ? Json(nullptr) : open_adapter(options.adapter, loaded.folder).json;
  const models::ModelSpec& spec = loaded.model->spec();
  files::AdapterConfig config{.settings = plan.settings, .base = base_path, .task_type = peft_task_type(spec.task)};
  if (loaded.model->virtual_tokens()) config.shape = virtual_token_shape(spec, plan.settings);
  std::filesystem::create_directories(folder);
  tensor::save_tensors(file_in(folder, kWeights),
                       tensors_to_save(loaded));  // first: a full disk leaves no half adapter
  if (const Tensors network = network_to_save(*loaded.model); !network.empty()) {
    tensor::save_tensors(file_in(folder, kNetwork), network);
  }
  models::save_config(loaded, loaded.folder, folder);
  files::write_json(file_in(folder, kOwn), {{"base", base_hashes(loaded.folder)}});
  files::write_json(file_in(folder, kConfig), files::adapter_config_json(config, before));
}

}  // namespace attune::adapt
