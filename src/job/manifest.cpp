// See manifest.h.
#include "attune/job/manifest.h"

#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "attune/base/clock.h"
#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/safetensors.h"
#include "attune/files/storage.h"
#include "attune/job/environment.h"

namespace attune::job {

std::map<std::string, std::string> tensor_hashes(const std::string& folder) {
  std::map<std::string, std::string> hashes;
  for (const files::SafetensorsFile& file : files::open_checkpoint(folder)) {
    for (const files::TensorInfo& tensor : file.header.tensors) {
      const auto bytes = file.bytes(tensor);
      hashes[tensor.name] = files::sha256_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
  }
  return hashes;
}

namespace {

/// What a replay needs besides the configuration: a seed's run, or a refit with its own number of epochs.
files::Json describe_fit(const FitRequest& request) {
  return {{"seed", request.seed},
          {"rows", request.train.size()},
          {"validation_rows", request.validation.size()},
          {"epochs", request.epochs ? files::Json(*request.epochs) : files::Json(nullptr)}};
}

using Test = bool (files::Json::*)() const noexcept;

bool has(const files::Json& object, const char* key, Test test) {
  return object.is_object() && object.contains(key) && (object[key].*test)();
}

bool is_step(const files::Json& point) {
  using files::Json;
  return has(point, "step", &Json::is_number_integer) && has(point, "loss", &Json::is_number) && has(point, "grad_norm", &Json::is_number);
}

/// The first key that is missing or of another type than make_manifest writes; "" when there is none.
std::string fault_of(const files::Json& manifest) {
  using files::Json;
  for (const char* key : {"configuration", "environment", "inputs", "tensors", "fit"}) {
    if (!has(manifest, key, &Json::is_object)) return key;
  }
  const Json& fit = manifest["fit"];
  if (!has(fit, "seed", &Json::is_number_unsigned)) return "fit.seed";
  if (!has(fit, "validation_rows", &Json::is_number_integer)) return "fit.validation_rows";
  if (!has(fit, "epochs", &Json::is_null) && !has(fit, "epochs", &Json::is_number)) return "fit.epochs";
  for (const auto& [name, hash] : manifest["tensors"].items()) {
    if (!hash.is_string()) return concat("tensors.", name);
  }
  if (!has(manifest, "trajectory", &Json::is_array)) return "trajectory";
  const Json& trajectory = manifest["trajectory"];
  const auto bad = std::find_if_not(trajectory.begin(), trajectory.end(), is_step);
  return bad == trajectory.end() ? "" : concat("trajectory[", bad - trajectory.begin(), "]");
}

}  // namespace

files::Json make_manifest(const ManifestInput& input, const std::string& folder) {
  files::Json manifest = {{"manifest_version", 1},
                          {"created", utc_timestamp()},
                          {"environment", environment()},
                          {"fit", describe_fit(*input.request)},
                          {"inputs", input.request->prepared->fingerprints},
                          {"configuration", config::effective(input.request->prepared->options)},
                          {"reopened", input.reopened}};
  manifest["trajectory"] = files::Json::array();
  for (const train::TrajectoryPoint& point : input.fit->result.trajectory) {
    files::Json line = {{"step", point.step}, {"loss", point.loss}, {"grad_norm", point.grad_norm}};
    if (!point.weights_sha256.empty()) line["weights_sha256"] = point.weights_sha256;
    manifest["trajectory"].push_back(line);
  }
  manifest["tensors"] = tensor_hashes(folder);
  for (const char* name : {"config.json", "model.safetensors"}) {
    manifest["files"][name] = files::sha256_file((std::filesystem::path(folder) / name).string());
  }
  return manifest;
}

files::Json read_manifest(const std::string& path) {
  files::Json manifest = files::read_json(path, {.kind = ErrorKind::usage, .max_bytes = std::size_t{1} << 28});
  const std::string fault = fault_of(manifest);
  if (fault.empty()) return manifest;
  throw Error(ErrorKind::usage, {.file = path,
                                 .what = "this is no manifest of a run, or it is damaged",
                                 .where = fault,
                                 .hint = "name the output folder of a finished `attune train`"});
}

}  // namespace attune::job
