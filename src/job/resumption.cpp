// See resumption.h.
#include "attune/job/resumption.h"

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/files/json.h"
#include "attune/job/fit.h"
#include "attune/train/checkpoint.h"
#include "job/self_training.h"

namespace attune::job {

namespace {

namespace fs = std::filesystem;

void add_folders_in(const fs::path& parent, const std::string& prefix, std::vector<std::string>& folders) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(parent, ignored)) {
    const bool is_meant = entry.path().filename().string().starts_with(prefix);
    if (is_meant && entry.is_directory(ignored)) folders.push_back(entry.path().string());
  }
}

/// The folders that may hold checkpoints: of a plain run or a refit, of seeds, of folds, of rounds.
std::vector<std::string> parts_of(const std::string& output_dir) {
  std::vector<std::string> parts = {output_dir}, seeds;
  add_folders_in(output_dir, "", parts);
  add_folders_in(fs::path(output_dir) / "cv", "", parts);
  add_folders_in(output_dir, "seed-", seeds);
  for (const std::string& seed : seeds) add_folders_in(seed, "round-", parts);
  return parts;
}

/// The job without what differs between the parts of one run: it follows from the rest.
std::string common_fingerprint(const std::string& fingerprint) {
  files::Json parts = files::Json::parse(fingerprint, nullptr, /*allow_exceptions=*/false);
  if (!parts.is_object()) return fingerprint;
  for (const char* key : {"seed", "train_rows", "taught"}) parts.erase(key);
  return parts.dump();
}

void check_job(const std::string& folder, const std::string& saved, const std::string& current) {
  train::refuse_other_job(folder, train::fingerprint_difference(common_fingerprint(saved), current));
}

/// A finished fold has no checkpoint any more, its result stands for it. False where there is none.
bool check_fold(const std::string& part, const std::string& current) {
  const std::string path = part + "/fold_result.json";
  if (!path_exists(path, ErrorKind::resume_refused)) return false;
  const files::Json result = files::read_json(path, {.kind = ErrorKind::resume_refused, .max_bytes = std::size_t{1} << 32});
  if (result.is_object() && result.contains("job") && result["job"].is_string()) check_job(path, result["job"].get<std::string>(), current);
  return true;
}

/// A checkpoint is of one training, and rounds are several.
void refuse_one_of_rounds(const RunOptions& options) {
  if (!options.tuning.self_training.enabled) return;
  throw Error(ErrorKind::usage, {.file = options.resume_from_checkpoint,
                                 .what = "self-training goes on with whichever of its trainings was stopped, and a checkpoint is named",
                                 .where = "resume_from_checkpoint",
                                 .hint = "set it to \"auto\""});
}

}  // namespace

void check_resumption(const Prepared& prepared) {
  const std::string& resume = prepared.options.resume_from_checkpoint;
  if (resume.empty()) return;
  const std::string current = common_fingerprint(job_fingerprint(prepared, {}));
  if (resume != "auto") {
    refuse_one_of_rounds(prepared.options);
    train::check_whole(resume);
    check_job(resume, train::fingerprint_of(resume).value_or(""), current);
    return;
  }
  bool goes_on = false;
  for (const std::string& part : parts_of(prepared.options.output_dir)) {
    goes_on = check_fold(part, current) || goes_on;
    goes_on = check_round(part, [&](const std::string& path, const std::string& job) { check_job(path, job, current); }) || goes_on;
    const train::Checkpoints checkpoints(part, current);
    const std::vector<std::int64_t> steps = checkpoints.steps();
    if (steps.empty()) continue;
    goes_on = true;
    const std::string newest = checkpoints.folder(steps.back());
    if (const auto saved = train::fingerprint_of(newest)) check_job(newest, *saved, current);
  }
  if (!goes_on) log::warning(concat(prepared.options.output_dir, ": there is no checkpoint to resume from; the run begins at step 0"));
}

}  // namespace attune::job
