// Modules that train as they are and are saved with an adapter, whatever its kind.
#pragma once

#include <string>
#include <vector>

#include "attune/adapt/adapter.h"

namespace attune::adapt {

/// Error{usage} with the key below the block that `settings` belong to.
[[noreturn]] void refuse_setting(const files::AdapterSettings& settings, const std::string& key,
                                 const std::string& what, const std::string& hint);

/// Adds to plan.settings what is saved in any case: the head that PEFT's task type names, and what the checkpoint
/// lacked. Error{usage} for a name that no module has, where all must fit.
void complete_saved_modules(AdapterPlan& plan, const models::LoadedModel& loaded, Names names);

/// Error{usage} for a saved module whose tensor another one shares.
void check_saved_modules(const AdapterPlan& plan, const models::Model& model);

}  // namespace attune::adapt
