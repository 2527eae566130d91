// See verify_folder.h.
#include "job/verify_folder.h"

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "attune/adapt/adapter.h"
#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/files/storage.h"
#include "attune/job/manifest.h"
#include "attune/models/model.h"
#include "attune/text/tokenizer.h"

namespace attune::job {

using files::Json;

void difference(const Json& recorded, const Json& now, const std::string& path, std::vector<std::string>& out) {
  if (recorded == now) return;
  if (!recorded.is_object() || !now.is_object()) {
    out.push_back(concat(path, ": recorded ", recorded.dump(), ", now ", now.dump()));
    return;
  }
  for (const auto& [key, value] : recorded.items()) {
    difference(value, now.contains(key) ? now[key] : Json(nullptr), path.empty() ? key : path + "." + key, out);
  }
  for (const auto& [key, value] : now.items()) {
    if (!recorded.contains(key)) out.push_back(concat(path, ".", key, ": not recorded, now ", value.dump()));
  }
}

namespace {

namespace fs = std::filesystem;

/// Data files of the run that are missing or hold other bytes by now.
void check_data(const Json& recorded, std::vector<std::string>& differences) {
  for (const auto& [file, hash] : recorded.items()) {
    const std::string path = concat("inputs.data.", file);
    if (path_exists(file, ErrorKind::data)) {
      difference(hash, files::sha256_file(file, ErrorKind::data), path, differences);
    } else {
      differences.push_back(concat(path, ": recorded ", hash.dump(), ", now the file is missing"));
    }
  }
}

/// The same of the files in a folder, base or adapter: {file: hash}; `key`: under which the manifest has them.
void check_folder(const Json& recorded, const std::string& key, const std::string& folder,
                  std::vector<std::string>& differences) {
  if (!recorded.empty() && !is_folder(folder, ErrorKind::model)) {
    differences.push_back(
        concat("inputs.", key, ": recorded ", recorded.dump(), ", now the folder ", folder, " is missing"));
    return;
  }
  for (const auto& [name, hash] : recorded.items()) {
    const std::string path = concat("inputs.", key, ".", name), file = (fs::path(folder) / name).string();
    if (path_exists(file, ErrorKind::model)) {
      difference(hash, files::sha256_file(file, ErrorKind::model), path, differences);
    } else {
      differences.push_back(concat(path, ": recorded ", hash.dump(), ", now ", file, " is missing"));
    }
  }
}

/// Where the base of a run was; the path itself where nothing is left of it.
std::string folder_of_base(const std::string& path) {
  try {
    return models::resolve_model_path(path);
  } catch (const Error&) {
    return path;
  }
}

void check_tokenizer(const Json& recorded, const std::string& folder, std::vector<std::string>& differences) {
  if (!is_folder(folder, ErrorKind::model)) return;  // (which is said of the base)
  try {
    difference(recorded, text::Tokenizer::from_folder(folder).fingerprint(), "inputs.tokenizer", differences);
  } catch (const Error& error) {
    differences.push_back(
        concat("inputs.tokenizer: recorded ", recorded.dump(), ", now it cannot be opened: ", error.what()));
  }
}

/// Inputs of the run that are missing or hold other bytes by now.
void check_inputs(const Json& recorded, const RunOptions& options, std::vector<std::string>& differences) {
  check_data(recorded.value("data", Json::object()), differences);
  const std::string base = folder_of_base(options.model.path);
  check_folder(recorded.value("base", Json::object()), "base", base, differences);
  check_tokenizer(recorded.value("tokenizer", Json()), base, differences);
  const auto adapter = adapt::adapter_options(options.tuning);
  check_folder(recorded.value("adapter", Json::object()), "adapter", adapter ? adapter->adapter : "", differences);
}

}  // namespace

std::optional<Prepared> prepare_again(const Json& manifest, const RunOptions& options, const report::EventBus& events,
                                      std::vector<std::string>& differences) {
  try {
    Prepared prepared = prepare(options, events);
    difference(manifest["inputs"], prepared.fingerprints, "inputs", differences);
    return prepared;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::data && error.kind() != ErrorKind::usage && error.kind() != ErrorKind::model) throw;
    const std::size_t before = differences.size();
    check_inputs(manifest["inputs"], options, differences);
    if (differences.size() == before) throw;
    differences.push_back(concat(error.kind() == ErrorKind::model
                                     ? "the base has changed since the run and can no longer be opened: "
                                     : "the data has changed since the run and can no longer be read: ",
                                 error.what()));
    return std::nullopt;
  }
}

void check_tensors(const Json& manifest, const std::string& folder, std::vector<std::string>& differences) {
  if (!manifest.contains("tensors")) return;
  const std::map<std::string, std::string> now = tensor_hashes(folder);
  const std::string file = weights_file(folder);
  for (const auto& [name, hash] : manifest["tensors"].items()) {
    const auto found = now.find(name);
    if (found == now.end()) {
      differences.push_back(concat(file, ": tensor ", name, " is missing"));
    } else if (found->second != hash.get<std::string>()) {
      differences.push_back(concat(file, ": tensor ", name, " has other values than when the run ended"));
    }
  }
}

void check_files(const Json& manifest, const std::string& folder, std::vector<std::string>& differences) {
  const bool tensors_differ = !differences.empty();
  const std::map<std::string, std::string> now = file_hashes(folder);
  for (const auto& [name, hash] : manifest["files"].items()) {
    const auto found = now.find(name);
    if (found == now.end()) {
      differences.push_back(concat(name, ": the file is missing"));
    } else if (found->second != hash.get<std::string>() && !(tensors_differ && name == weights_file(folder))) {
      differences.push_back(concat(name, ": the file has other bytes than when the run ended"));
    }
  }
}

}  // namespace attune::job
