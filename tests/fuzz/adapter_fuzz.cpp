// libFuzzer target: the bytes of an adapter_config.json. What is accepted is written as a file that reads as the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "attune/base/error.h"
#include "attune/files/adapter_config.h"

using namespace attune;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const files::Json json = files::parse_json({reinterpret_cast<const char*>(data), size}, "adapter_config.json");
    const files::AdapterConfig config = files::parse_adapter_config(json, "adapter_config.json");
    const files::Json written = files::adapter_config_json(config, json);
    const files::AdapterConfig again = files::parse_adapter_config(written, "adapter_config.json");
    if (!(again.settings == config.settings) || again.base != config.base || again.task_type != config.task_type)
      std::abort();
    for (const auto& [key, value] : json.items()) {
      if (!written.contains(key)) std::abort();
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::model) std::abort();
  }
  return 0;
}
