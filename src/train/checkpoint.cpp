// See checkpoint.h.
#include "attune/train/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/files/json.h"
#include "attune/files/storage.h"
#include "attune/tensor/weights.h"

namespace attune::train {

namespace {

namespace fs = std::filesystem;
using files::Json;

constexpr const char* kPrefix = "checkpoint-";
constexpr const char* kWeights = "trainable.safetensors";
constexpr const char* kMoments = "optimizer.safetensors";
constexpr const char* kBest = "best.safetensors";
constexpr const char* kState = "trainer_state.json";
constexpr const char* kFingerprint = "fingerprint.json";
constexpr files::JsonLimits kLimits{.kind = ErrorKind::resume_refused, .max_bytes = 1u << 30};
constexpr std::size_t kListed = 10;

std::string path_of(const std::string& folder, const char* name) {
  return (fs::path(folder) / name).string();
}

std::optional<std::int64_t> step_of(const std::string& name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const char* begin = name.data() + std::string_view(kPrefix).size();
  const char* end = name.data() + name.size();
  std::int64_t step = 0;
  const auto [stop, error] = std::from_chars(begin, end, step);
  if (error != std::errc() || stop != end || step < 0) return std::nullopt;
  return step;
}

/// Tensors that live as long as the map: the file they came from may be replaced or removed.
TensorMap owned(const TensorMap& mapped) {
  TensorMap copies;
  for (const auto& [name, tensor] : mapped) copies[name] = tensor.clone();
  return copies;
}

Json parse_or_text(const std::string& text) {
  const Json parsed = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return parsed.is_object() ? parsed.flatten() : Json{{"", text}};
}

[[noreturn]] void refuse_checkpoint(const std::string& folder, const std::string& what, const std::string& hint) {
  throw Error(ErrorKind::resume_refused, {.file = folder, .what = what, .where = "", .hint = hint});
}

}  // namespace

void check_whole(const std::string& folder) {
  if (!is_folder(folder, ErrorKind::usage)) {
    throw Error(ErrorKind::usage, {.file = folder,
                                   .what = "no such checkpoint folder",
                                   .where = "--resume",
                                   .hint = "name a checkpoint-<step> folder, or use auto"});
  }
  const std::string defect = files::manifest_defect(folder);
  if (!defect.empty()) refuse_checkpoint(folder, concat("damaged checkpoint: ", defect), "resume from another one, or use auto");
}

std::optional<std::string> fingerprint_of(const std::string& folder) {
  const std::string path = path_of(folder, kFingerprint);
  if (!path_exists(path, ErrorKind::resume_refused)) return std::nullopt;
  return files::read_file(path, ErrorKind::resume_refused);
}

void refuse_other_job(const std::string& folder, const std::string& difference) {
  if (difference.empty()) return;
  refuse_checkpoint(folder, concat("the job changed since this checkpoint: ", difference), "undo the change, or start anew");
}

std::string fingerprint_difference(const std::string& saved, const std::string& current) {
  if (saved == current) return "";
  const Json before = parse_or_text(saved), after = parse_or_text(current);
  std::set<std::string> keys;
  for (const auto& [key, value] : before.items()) keys.insert(key);
  for (const auto& [key, value] : after.items()) keys.insert(key);
  std::vector<std::string> differences;
  for (const std::string& key : keys) {
    const std::string was = before.contains(key) ? before[key].dump() : "absent";
    const std::string is = after.contains(key) ? after[key].dump() : "absent";
    if (was == is) continue;
    std::string name = key.empty() ? "fingerprint" : key.substr(1);
    std::replace(name.begin(), name.end(), '/', '.');
    differences.push_back(concat(name, ": ", was, " → ", is));
  }
  if (differences.size() > kListed) {
    const std::size_t more = differences.size() - kListed;
    differences.resize(kListed);
    differences.push_back(concat("and ", more, " more"));
  }
  return join(differences, "; ");
}

Checkpoints::Checkpoints(const std::string& run_folder, std::string fingerprint)
    : root_((fs::path(run_folder) / "checkpoints").string()), fingerprint_(std::move(fingerprint)) {}

void Checkpoints::remove_litter() const {
  if (is_folder(root_, ErrorKind::storage)) files::remove_stale_temporaries(root_);
}

std::string Checkpoints::folder(std::int64_t step) const {
  return (fs::path(root_) / concat(kPrefix, step)).string();
}

std::vector<std::int64_t> Checkpoints::steps() const {
  std::vector<std::int64_t> steps;
  if (!is_folder(root_, ErrorKind::storage)) return steps;
  std::error_code error, ignored;
  for (const auto& entry : fs::directory_iterator(root_, error)) {
    const auto step = step_of(entry.path().filename().string());
    if (step && entry.is_directory(ignored)) steps.push_back(*step);
  }
  if (error) {
    throw Error(ErrorKind::storage, {.file = root_,
                                     .what = concat("the folder cannot be read: ", error.message()),
                                     .where = "",
                                     .hint = "check the permissions"});
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

std::string Checkpoints::newest_whole() const {
  std::vector<std::int64_t> all = steps();
  for (auto step = all.rbegin(); step != all.rend(); ++step) {
    const std::string defect = files::manifest_defect(folder(*step));
    if (defect.empty()) return folder(*step);
    log::warning(concat(folder(*step), ": damaged checkpoint passed over: ", defect));
  }
  return "";
}

void Checkpoints::save(std::int64_t step, const CheckpointData& data) const {
  files::StagedFolder stage(folder(step));
  tensor::save_tensors(path_of(stage.path(), kWeights), data.weights);
  tensor::save_tensors(path_of(stage.path(), kMoments), data.moments);
  if (!data.best.empty()) tensor::save_tensors(path_of(stage.path(), kBest), data.best);
  files::write_json(path_of(stage.path(), kState), data.state);
  files::write_file_atomically(path_of(stage.path(), kFingerprint), fingerprint_);
  stage.commit();
  const std::string defect = files::manifest_defect(folder(step));
  if (defect.empty()) return;
  throw Error(ErrorKind::storage, {.file = folder(step),
                                   .what = concat("the checkpoint reads back differently: ", defect),
                                   .where = "",
                                   .hint = "check the disk"});
}

CheckpointData Checkpoints::load(const std::string& folder) const {
  check_whole(folder);
  refuse_other_job(folder, fingerprint_difference(fingerprint_of(folder).value_or(""), fingerprint_));
  CheckpointData data;
  data.weights = owned(tensor::load_tensors(path_of(folder, kWeights)));
  data.moments = owned(tensor::load_tensors(path_of(folder, kMoments)));
  if (path_exists(path_of(folder, kBest), ErrorKind::resume_refused)) data.best = owned(tensor::load_tensors(path_of(folder, kBest)));
  data.state = files::read_json(path_of(folder, kState), kLimits);
  return data;
}

void Checkpoints::rotate(std::int64_t keep, std::int64_t newest, std::optional<std::int64_t> best) const {
  if (keep <= 0) return;
  const std::vector<std::int64_t> all = steps();
  std::int64_t kept = 0;
  for (auto step = all.rbegin(); step != all.rend(); ++step) {
    // Later ones than the one just saved are left from before a resumption at an earlier step; this run writes them
    // again.
    if (*step <= newest && kept < keep) {
      ++kept;
    } else if (*step != newest && *step != best) {
      files::remove_folder(folder(*step));
    }
  }
}

}  // namespace attune::train
