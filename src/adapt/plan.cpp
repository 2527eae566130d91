// Settings and plans of all kinds of adapters. See attune/adapt/adapter.h.
#include <algorithm>

#include "adapt/layer_names.h"
#include "adapt/plan_kinds.h"
#include "attune/adapt/adapter.h"
#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::adapt {

namespace {

template <class Settings, class Options>
AdapterOptions adapter_of(const Options& options) {
  return {.settings = static_cast<const Settings&>(options), .adapter = options.adapter};
}

}  // namespace

std::optional<AdapterOptions> adapter_options(const TuningOptions& tuning) {
  if (tuning.method == "lora") return adapter_of<files::LoraSettings>(tuning.lora);
  if (tuning.method == "ia3") return adapter_of<files::Ia3Settings>(tuning.ia3);
  if (tuning.method == "prompt_tuning") return adapter_of<files::PromptTuningSettings>(tuning.prompt_tuning);
  if (tuning.method == "p_tuning") return adapter_of<files::PTuningSettings>(tuning.p_tuning);
  if (tuning.method == "prefix_tuning") return adapter_of<files::PrefixTuningSettings>(tuning.prefix_tuning);
  return std::nullopt;
}

std::string block_of_settings(const files::AdapterSettings& settings) {
  return concat("tuning.", to_lower_ascii(files::peft_type(settings)));
}

bool AdapterPlan::saves(const std::string& path) const {
  // As PEFT has it, by the end of a path and not by whole components: "classifier" saves "pre_classifier" too.
  const std::vector<std::string>& saved = files::modules_to_save(settings);
  for (std::string module = path; !module.empty(); module = module_of(module)) {
    if (std::any_of(saved.begin(), saved.end(), [&](const std::string& name) { return module.ends_with(name); }))
      return true;
  }
  return false;
}

AdapterPlan plan_adapter(const models::LoadedModel& loaded, const files::AdapterSettings& settings, Names names) {
  if (std::holds_alternative<files::LoraSettings>(settings)) return plan_lora(loaded, settings, names);
  if (std::holds_alternative<files::Ia3Settings>(settings)) return plan_ia3(loaded, settings, names);
  return plan_virtual_tokens(loaded, settings, names);
}

std::string peft_task_type(models::Task task) {
  switch (task) {
    case models::Task::sequence_classification:
      return "SEQ_CLS";
    case models::Task::token_classification:
      return "TOKEN_CLS";
    case models::Task::question_answering:
      return "QUESTION_ANS";
    case models::Task::causal_lm:
      return "CAUSAL_LM";
    case models::Task::base:
      return "FEATURE_EXTRACTION";
    case models::Task::masked_lm:
      return "";
  }
  internal_error("peft_task_type: unknown task");
}

}  // namespace attune::adapt
