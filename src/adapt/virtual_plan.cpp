// Whether and how a model takes virtual tokens. See attune/adapt/adapter.h.
#include <optional>

#include "adapt/plan_kinds.h"
#include "adapt/saved_modules.h"
#include "attune/base/strings.h"

namespace attune::adapt {

namespace {

using models::ModelSpec;

bool comes_as_keys(const files::AdapterSettings& settings) {
  return std::holds_alternative<files::PrefixTuningSettings>(settings);
}

/// PEFT must be able to run what is trained.
void check_model(const AdapterPlan& plan, const ModelSpec& spec) {
  if (peft_task_type(spec.task).empty()) {
    refuse_setting(plan.settings, "num_virtual_tokens",
                   "PEFT has no class that puts virtual tokens before texts with masked words",
                   "use tuning.method \"lora\" or \"ia3\" for this task");
  }
  if (comes_as_keys(plan.settings) && spec.model_type == "distilbert") {
    refuse_setting(plan.settings, "num_virtual_tokens",
                   "models of the type distilbert take no keys and values from outside in PEFT",
                   "use tuning.method \"prompt_tuning\" or \"p_tuning\"");
  }
  if (!comes_as_keys(plan.settings) && spec.embedding_size > 0 && spec.embedding_size != spec.hidden_size) {
    refuse_setting(plan.settings, "num_virtual_tokens",
                   concat("the model's embeddings have ", spec.embedding_size, " features and its layers ",
                          spec.hidden_size, ", which PEFT does not tell apart"),
                   "use tuning.method \"prefix_tuning\", \"lora\" or \"ia3\"");
  }
}

void check_room(const AdapterPlan& plan, const ModelSpec& spec) {
  const std::int64_t count = files::virtual_token_settings(plan.settings)->num_virtual_tokens;
  if (count < spec.max_tokens()) return;
  refuse_setting(plan.settings, "num_virtual_tokens",
                 concat("found ", count, ", the model has ", spec.max_tokens(), " positions for them and a text"),
                 "give fewer");
}

void complete_sizes(files::AdapterSettings& settings, const files::VirtualTokenShape& shape) {
  if (auto* encoder = std::get_if<files::PTuningSettings>(&settings)) {
    encoder->encoder_hidden_size = encoder->encoder_hidden_size.value_or(shape.token_dim);
  }
  if (auto* prefix = std::get_if<files::PrefixTuningSettings>(&settings)) {
    prefix->encoder_hidden_size = prefix->encoder_hidden_size.value_or(shape.token_dim);
  }
}

}  // namespace

files::VirtualTokenShape virtual_token_shape(const ModelSpec& spec, const files::AdapterSettings& settings) {
  files::VirtualTokenShape shape{.token_dim = spec.hidden_size,
                                 .num_layers = spec.num_hidden_layers,
                                 .num_attention_heads = spec.num_attention_heads};
  if (comes_as_keys(settings) && !spec.decoder.layers.empty()) {
    shape.num_attention_heads = spec.decoder.num_key_value_heads;
    shape.token_dim = spec.decoder.num_key_value_heads * spec.decoder.head_dim;
  }
  return shape;
}

AdapterPlan plan_virtual_tokens(const models::LoadedModel& loaded, const files::AdapterSettings& settings,
                                Names names) {
  const ModelSpec& spec = loaded.model->spec();
  AdapterPlan plan{.settings = settings, .targets = {}};
  complete_saved_modules(plan, loaded, names);
  check_model(plan, spec);
  check_room(plan, spec);
  complete_sizes(plan.settings, virtual_token_shape(spec, settings));
  check_saved_modules(plan, *loaded.model);
  return plan;
}

}  // namespace attune::adapt
