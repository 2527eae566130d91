// Finds the material beside the project (oracle cases, real tokenizers, data). Tests that need it skip visibly without
// it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace attune::testing {

/// ATTUNE_SHARED, else ../shared beside the source folder, when it exists.
inline std::optional<std::string> shared_dir() {
  const char* given = std::getenv("ATTUNE_SHARED");
  const std::string folder = given != nullptr ? given : std::string(ATTUNE_SOURCE_DIR) + "/../shared";
  if (!std::filesystem::is_directory(folder)) return std::nullopt;
  return folder;
}

}  // namespace attune::testing

/// Ends the test case with a visible note unless the shared material is there; `name` becomes its folder.
#define ATTUNE_NEEDS_SHARED(name)                               \
  const auto name##_found = attune::testing::shared_dir();      \
  if (!name##_found) {                                          \
    WARN("skipped: ../shared (or ATTUNE_SHARED) is not there"); \
    return;                                                     \
  }                                                             \
  const std::string name = *name##_found
