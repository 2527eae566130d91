// See execution.h.
#include "attune/job/execution.h"

#include <ATen/Context.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/strings.h"
#include "attune/job/gpu.h"
#include "attune/nn/precision.h"

namespace attune::job {

namespace {

namespace fs = std::filesystem;
using files::Json;

at::Device device_of(const RunOptions& options) {
  if (options.device == "cpu" || (options.device == "auto" && !at::hasCUDA())) return at::kCPU;
  return options.device.find(':') == std::string::npos ? at::Device(at::kCUDA, 0) : at::Device(options.device);
}

Json member(const Json& object, const char* key) {
  return object.is_object() && object.contains(key) ? object[key] : Json(nullptr);
}

Json read_or_null(const fs::path& path) {
  try {
    return fs::exists(path) ? files::read_json(path.string()) : Json(nullptr);
  } catch (const Error&) {
    return nullptr;  // whoever opens the run to resume it says what is wrong with its files
  }
}

/// What the run that is resumed decided.
std::optional<bool> decided_before(const RunOptions& options) {
  const std::string& from = options.resume_from_checkpoint;
  if (from.empty()) return std::nullopt;
  const Json decided =
      from == "auto"
          ? member(member(read_or_null(fs::path(options.output_dir) / "config.resolved.json"), "training"), "bf16")
          : member(member(read_or_null(fs::path(from) / "fingerprint.json"), "configuration"), "training.bf16");
  return decided.is_boolean() ? std::optional(decided.get<bool>()) : std::nullopt;
}

}  // namespace

config::Machine machine() {
  return {.has_cuda = at::globalContext().hasCUDART(), .cuda_devices = static_cast<int>(at::getNumGPUs())};
}

RunOptions with_precision_decided(RunOptions options) {
  if (options.training.bf16 != "auto") return options;
  const std::optional<bool> before = decided_before(options);
  const bool pays = before ? *before : nn::bfloat16_pays(device_of(options));
  log::info(concat("training.bf16 \"auto\": ", pays ? "true" : "false",
                   before ? ", as the resumed run decided"
                   : pays ? ", matrix products are faster in bfloat16 here"
                          : ", matrix products are no faster in bfloat16 here"));
  options.training.bf16 = pays ? "true" : "false";
  return options;
}

models::Execution execution_of(const RunOptions& options) {
  const bool half = options.training.bf16 == "true";
  return {.device = device_of(options), .precision = half ? nn::Precision::bfloat16 : nn::Precision::float32};
}

Json describe(const models::Execution& execution) {
  Json described = {{"device", execution.device.str()},
                    {"precision", execution.precision == nn::Precision::bfloat16 ? "bfloat16" : "float32"}};
  const auto number = static_cast<std::size_t>(std::max<int>(execution.device.index(), 0));
  const std::vector<Gpu> known = execution.device.is_cuda() ? gpus() : std::vector<Gpu>();
  if (number < known.size()) described["gpu"] = known[number].name;
  return described;
}

}  // namespace attune::job
