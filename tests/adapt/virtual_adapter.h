// Adapters of virtual tokens on the checkpoints of tests/goldens/models.
#pragma once

#include <cstdint>
#include <string>

#include "attune/adapt/peft.h"
#include "attune/files/adapter_config.h"
#include "models/golden.h"

namespace attune::testing {

inline adapt::AdapterOptions options_of(const files::AdapterSettings& settings, const std::string& adapter = "") {
  return {.settings = settings, .adapter = adapter};
}

inline files::PromptTuningSettings prompts(std::int64_t count) {
  files::PromptTuningSettings settings;
  settings.num_virtual_tokens = count;
  return settings;
}

inline files::PrefixTuningSettings prefixes(std::int64_t count) {
  files::PrefixTuningSettings settings;
  settings.num_virtual_tokens = count;
  return settings;
}

inline models::LoadedModel with_adapter(const std::string& golden, const files::AdapterSettings& settings,
                                        std::uint64_t seed = 1) {
  models::LoadedModel loaded = load_golden(golden);
  adapt::start_adapter(loaded, options_of(settings), seed);
  return loaded;
}

}  // namespace attune::testing
