// plan_adapter of attune/adapt/adapter.h, one kind each.
#pragma once

#include "attune/adapt/adapter.h"

namespace attune::adapt {

AdapterPlan plan_lora(const models::LoadedModel& loaded, const files::AdapterSettings& settings, Names names);
AdapterPlan plan_ia3(const models::LoadedModel& loaded, const files::AdapterSettings& settings, Names names);
AdapterPlan plan_virtual_tokens(const models::LoadedModel& loaded, const files::AdapterSettings& settings, Names names);

/// What the model gives virtual tokens of these settings, and what PEFT's files say of it.
files::VirtualTokenShape virtual_token_shape(const models::ModelSpec& spec, const files::AdapterSettings& settings);

}  // namespace attune::adapt
