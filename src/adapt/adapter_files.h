// The files in an adapter's folder, and errors about them.
#pragma once

#include <filesystem>
#include <string>

#include "attune/base/error.h"

namespace attune::adapt {

inline constexpr const char* kConfig = "adapter_config.json";
inline constexpr const char* kWeights = "adapter_model.safetensors";
inline constexpr const char* kOwn = "attune_adapter.json";
inline constexpr const char* kNetwork = "attune_prompt_encoder.safetensors";

inline std::string file_in(const std::string& folder, const char* name) {
  return (std::filesystem::path(folder) / name).string();
}

[[noreturn]] inline void refuse_adapter(const std::string& file, const std::string& what, const std::string& where,
                                        const std::string& hint) {
  throw Error(ErrorKind::model, {.file = file, .what = what, .where = where, .hint = hint});
}

}  // namespace attune::adapt
