// libFuzzer target: a configuration, and one --set behind a NUL byte. What is accepted must dump as itself.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "attune/base/error.h"
#include "attune/config/config.h"

namespace {

using namespace attune;

/// The options, or nothing when they are refused as they should be.
std::optional<job::RunOptions> accepted(const std::string& text, const config::Overrides& overrides) {
  try {
    return config::parse(text, "fuzz.json", overrides).options;
  } catch (const config::ConfigError& error) {
    if (error.problems().empty() || error.lines().empty()) std::abort();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::usage) std::abort();
  }
  return std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\0');
  config::Overrides overrides;
  if (end != std::string::npos) overrides.push_back(input.substr(end + 1));
  const auto options = accepted(input.substr(0, end), overrides);
  if (!options) return 0;
  const config::Json dump = config::effective(*options);
  for (const config::Json& same : {dump, config::minimal(*options)}) {
    const auto again = accepted(same.dump(), {});
    if (!again || config::effective(*again) != dump) std::abort();
  }
  return 0;
}
