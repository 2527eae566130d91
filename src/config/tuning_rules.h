// Rules for what trains. See rules.h.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "rules.h"

namespace attune::config {

/// Settings of an adapter under another method, or that contradict each other. `changed`: paths whose value is not the
/// default.
std::vector<Violation> broken_lora_rules(const job::RunOptions& options, const std::set<std::string>& changed);

}  // namespace attune::config
