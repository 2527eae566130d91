// attune info: the build and the machine, or what a model folder holds.
#include <nlohmann/json.hpp>

#include "attune/adapt/peft.h"
#include "attune/app/verbs.h"
#include "attune/base/console.h"
#include "attune/base/print_number.h"
#include "attune/base/strings.h"
#include "attune/job/cost.h"
#include "attune/job/environment.h"
#include "attune/job/execution.h"
#include "attune/job/gpu.h"
#include "attune/models/model.h"

namespace attune::app {

namespace {

constexpr std::size_t kKeyWidth = 24;

files::Json describe_machine() {
  files::Json info = job::environment();
  const config::Machine machine = job::machine();
  info["cuda"] = machine.has_cuda;
  info["gpus"] = files::Json::array();
  for (const job::Gpu& gpu : job::gpus()) info["gpus"].push_back(job::to_json(gpu));
  const EnergyCounters energy = job::energy_counters(info["gpus"].empty() ? at::Device(at::kCPU) : at::Device(at::kCUDA, 0));
  info["energy"] = files::Json::array();
  for (const EnergyCounter& counter : energy.counters) info["energy"].push_back(counter.name);
  if (!energy.missing.empty()) info["energy_missing"] = energy.missing;
  return info;
}

/// What sizes the adapter, by its kind.
files::Json describe_settings(const files::AdapterSettings& settings) {
  if (const auto* lora = std::get_if<files::LoraSettings>(&settings)) return {{"r", lora->r}, {"lora_alpha", lora->lora_alpha}};
  if (const auto* tokens = files::virtual_token_settings(settings)) return {{"num_virtual_tokens", tokens->num_virtual_tokens}};
  return files::Json::object();
}

files::Json describe_adapter(const std::string& folder) {
  const adapt::AdapterFolder adapter = adapt::open_adapter(folder);
  models::LoadOptions options;
  options.task = adapt::adapter_task(adapter);
  const models::LoadedModel loaded = adapt::load_adapted(adapter, options);
  std::int64_t parameters = 0, own = 0;
  for (const models::Parameter& parameter : loaded.model->parameters()) {
    const bool is_brought = parameter.kind == models::ParameterKind::adapter;
    parameters += is_brought ? 0 : parameter.tensor.numel();
    own += parameter.with_adapter ? parameter.tensor.numel() : 0;
  }
  std::int64_t changed = 0;
  for (const models::AdaptableLayer& layer : loaded.model->adaptable_layers()) changed += *layer.change ? 1 : 0;
  files::Json described = {{"folder", folder}, {"adapter", files::peft_type(adapter.config.settings)}, {"base", adapter.base},
                           {"model_type", loaded.model->spec().model_type}, {"parameters_of_base", parameters},
                           {"parameters_of_adapter", own}, {"layers_changed", changed}};
  described.update(describe_settings(adapter.config.settings));
  described["modules_saved"] = files::modules_to_save(adapter.config.settings);
  return described;
}

files::Json describe_model(const std::string& path) {
  const std::string folder = models::resolve_model_path(path);
  if (adapt::is_adapter(folder)) return describe_adapter(folder);
  models::LoadOptions options;
  options.task = models::Task::base;
  const models::LoadedModel loaded = models::load_model(folder, options);
  std::int64_t parameters = 0;
  for (const models::Parameter& parameter : loaded.model->parameters()) parameters += parameter.tensor.numel();
  const models::ModelSpec& spec = loaded.model->spec();
  return {{"folder", folder}, {"model_type", spec.model_type}, {"parameters", parameters}, {"layers", spec.num_hidden_layers},
          {"hidden_size", spec.hidden_size}, {"attention_heads", spec.num_attention_heads}, {"vocab_size", spec.vocab_size},
          {"max_tokens", spec.max_tokens()}, {"tensors_not_in_the_body", loaded.report.unused}};
}

std::string value_text(const files::Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object()) return concat(value_text(value["name"]), " (", print_number("%.0f", value["memory"].get<double>() / 1e9), " GB)");
  if (!value.is_array()) return files::json_text(value, -1);
  std::vector<std::string> parts;
  for (const files::Json& part : value) parts.push_back(value_text(part));
  return parts.empty() ? "none" : join(parts, ", ");
}

}  // namespace

int run_info(const InfoVerb& options) {
  const files::Json info = options.model.empty() ? describe_machine() : describe_model(options.model);
  if (options.output.json) {
    console::print(files::json_text(info) + "\n");
    return 0;
  }
  for (const auto& [key, value] : info.items()) {
    const std::string name = key + std::string(key.size() < kKeyWidth ? kKeyWidth - key.size() : 0, ' ');
    console::print(concat(name, " ", value_text(value), "\n"));
  }
  return 0;
}

}  // namespace attune::app
