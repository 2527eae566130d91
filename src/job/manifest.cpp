// See manifest.h.
#include "attune/job/manifest.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <nlohmann/json.hpp>

#include "attune/adapt/peft.h"
#include "attune/base/clock.h"
#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/safetensors.h"
#include "attune/files/storage.h"
#include "attune/job/environment.h"
#include "attune/job/execution.h"
#include "job/vector_head.h"

namespace attune::job {

std::string weights_file(const std::string& folder) {
  return adapt::is_adapter(folder) ? "adapter_model.safetensors" : "model.safetensors";
}

std::map<std::string, std::string> tensor_hashes(const std::string& folder) {
  std::map<std::string, std::string> hashes;
  std::vector<files::SafetensorsFile> opened;
  if (adapt::is_adapter(folder)) {
    opened.push_back(files::open_safetensors((std::filesystem::path(folder) / weights_file(folder)).string()));
  } else {
    opened = files::open_checkpoint(folder);
  }
  for (const files::SafetensorsFile& file : opened) {
    for (const files::TensorInfo& tensor : file.header.tensors) {
      const auto bytes = file.bytes(tensor);
      hashes[tensor.name] = files::sha256_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
  }
  return hashes;
}

std::map<std::string, std::string> file_hashes(const std::string& folder) {
  namespace fs = std::filesystem;
  static const std::set<std::string> left_out = {".lock", "config.resolved.json", "cost_results.json", "events.jsonl", "opening.json", "run_manifest.json", "meta_manifest.json", "report.html", "README.md"};
  std::map<std::string, std::string> hashes;
  const auto add_files = [&](const fs::path& place, const std::string& prefix) {
    for (const auto& entry : fs::directory_iterator(place)) {
      const std::string name = entry.path().filename().string();
      if (entry.is_regular_file() && !left_out.contains(name)) hashes[prefix + name] = files::sha256_file(entry.path().string());
    }
  };
  add_files(folder, "");
  if (const fs::path cv = fs::path(folder) / "cv"; fs::is_directory(cv)) add_files(cv, "cv/");
  return hashes;
}

files::Json trajectory_json(const std::vector<train::TrajectoryPoint>& trajectory) {
  files::Json lines = files::Json::array();
  for (const train::TrajectoryPoint& point : trajectory) {
    files::Json line = {{"step", point.step}, {"loss", point.loss}, {"grad_norm", point.grad_norm}};
    if (!point.weights_sha256.empty()) line["weights_sha256"] = point.weights_sha256;
    lines.push_back(std::move(line));
  }
  return lines;
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

/// The first point of a trajectory that is none; "" when there is none.
std::string fault_of_trajectory(const files::Json& owner, const std::string& path) {
  using files::Json;
  if (!has(owner, "trajectory", &Json::is_array)) return path;
  const Json& trajectory = owner["trajectory"];
  const auto bad = std::find_if_not(trajectory.begin(), trajectory.end(), is_step);
  return bad == trajectory.end() ? "" : concat(path, "[", bad - trajectory.begin(), "]");
}

std::string fault_of_fit(const files::Json& manifest) {
  using files::Json;
  for (const char* key : {"fit", "tensors"}) {
    if (!has(manifest, key, &Json::is_object)) return key;
  }
  const Json& fit = manifest["fit"];
  if (!has(fit, "seed", &Json::is_number_unsigned)) return "fit.seed";
  if (!has(fit, "validation_rows", &Json::is_number_integer)) return "fit.validation_rows";
  if (!has(fit, "epochs", &Json::is_null) && !has(fit, "epochs", &Json::is_number)) return "fit.epochs";
  for (const auto& [name, hash] : manifest["tensors"].items()) {
    if (!hash.is_string()) return concat("tensors.", name);
  }
  return fault_of_trajectory(manifest, "trajectory");
}

std::string fault_of_folds(const files::Json& manifest) {
  using files::Json;
  if (!has(manifest["cross_validation"], "folds", &Json::is_array)) return "cross_validation.folds";
  std::size_t index = 0;
  for (const Json& fold : manifest["cross_validation"]["folds"]) {
    const std::string path = concat("cross_validation.folds[", index++, "]");
    if (!has(fold, "name", &Json::is_string)) return path + ".name";
    if (!has(fold, "predictions_sha256", &Json::is_string)) return path + ".predictions_sha256";
    if (const std::string fault = fault_of_trajectory(fold, path + ".trajectory"); !fault.empty()) return fault;
  }
  return "";
}

/// The first key that is missing or of another type than make_manifest writes; "" when there is none.
std::string fault_of(const files::Json& manifest) {
  using files::Json;
  for (const char* key : {"configuration", "environment", "inputs", "files"}) {
    if (!has(manifest, key, &Json::is_object)) return key;
  }
  for (const auto& [name, hash] : manifest["files"].items()) {
    if (!hash.is_string()) return concat("files.", name);
  }
  const bool has_folds = manifest.contains("cross_validation");
  if (has_folds) {
    if (const std::string fault = fault_of_folds(manifest); !fault.empty()) return fault;
  }
  return has_folds && !manifest.contains("fit") ? "" : fault_of_fit(manifest);
}

}  // namespace

files::Json make_manifest(const ManifestInput& input, const std::string& folder) {
  files::Json manifest = {{"manifest_version", 1},
                          {"created", utc_timestamp()},
                          {"environment", environment()},
                          {"inputs", input.prepared->fingerprints},
                          {"configuration", config::effective(input.prepared->options)}};
  manifest["execution"] = describe(execution_of(input.prepared->options));
  if (input.request != nullptr) {
    manifest["fit"] = describe_fit(*input.request);
    if (!input.fit->taught.empty()) manifest["fit"]["taught"] = input.fit->taught;
    if (input.fit->head) manifest["fit"]["head_sha256"] = sha256_of(*input.fit->head);
    manifest["reopened"] = input.reopened;
    manifest["trajectory"] = trajectory_json(input.fit->result.trajectory);
    manifest["tensors"] = tensor_hashes(folder);
  }
  if (!input.cross_validation.is_null()) manifest["cross_validation"] = input.cross_validation;
  manifest["files"] = file_hashes(folder);
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
