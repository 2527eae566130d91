// See tuning_rules.h.
#include "tuning_rules.h"

#include <algorithm>

#include "attune/base/strings.h"

namespace attune::config {

std::vector<Violation> broken_lora_rules(const job::RunOptions& options, const std::set<std::string>& changed) {
  const adapt::LoraOptions& lora = options.tuning.lora;
  std::vector<Violation> violations;
  std::vector<std::string> keys = {"tuning.method", "tuning.lora"};
  std::copy_if(changed.begin(), changed.end(), std::back_inserter(keys),
               [](const std::string& path) { return path.rfind("tuning.lora.", 0) == 0; });
  if (keys.size() > 2 && options.tuning.method != "lora") {
    violations.push_back({std::move(keys),
                          concat("the method is \"", options.tuning.method, "\", and tuning.lora describes an adapter"),
                          "set tuning.method to \"lora\", or remove tuning.lora"});
  }
  const std::string& pattern = lora.target_modules.pattern;
  if (!lora.layers_to_transform.empty() && !pattern.empty() && to_lower_ascii(pattern) != "all-linear") {
    violations.push_back({{"tuning.lora.layers_to_transform", "tuning.lora.target_modules"},
                          "blocks are numbered beside a regular expression over whole paths",
                          "name the blocks in the expression"});
  }
  if (!lora.layers_pattern.empty() && lora.layers_to_transform.empty()) {
    violations.push_back({{"tuning.lora.layers_pattern", "tuning.lora.layers_to_transform"},
                          "it says where blocks are numbered, and no block is named",
                          "give tuning.lora.layers_to_transform, or remove it"});
  }
  return violations;
}

}  // namespace attune::config
