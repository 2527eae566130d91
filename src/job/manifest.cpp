// See manifest.h.
#include "attune/job/manifest.h"

#include <filesystem>

#include <nlohmann/json.hpp>

#include "attune/base/clock.h"
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

}  // namespace attune::job
