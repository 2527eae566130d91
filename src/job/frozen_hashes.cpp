// See frozen_hashes.h.
#include "job/frozen_hashes.h"

#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "attune/base/strings.h"

namespace attune::job {

namespace {

/// Which files the weights were read from, and as what.
std::string stamp_of(const models::LoadedModel& loaded) {
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(loaded.folder)) {
    struct stat file {};
    if (entry.path().extension() != ".safetensors" || ::stat(entry.path().c_str(), &file) != 0) continue;
    files.insert(concat(entry.path().filename().string(), " ", file.st_dev, " ", file.st_ino, " ", file.st_size, " ",
                        file.st_mtim.tv_sec, " ", file.st_mtim.tv_nsec));
  }
  return concat(c10::toString(loaded.dtype), "\n", join({files.begin(), files.end()}, "\n"), "\n");
}

}  // namespace

std::vector<std::string> FrozenHashes::known(const models::LoadedModel& loaded) const {
  const std::string stamp = stamp_of(loaded);
  const std::lock_guard lock(mutex_);
  std::vector<std::string> hashes;
  for (const models::Parameter& parameter : loaded.model->parameters()) {
    const auto found = hashes_.find(stamp + parameter.name);
    hashes.push_back(found == hashes_.end() ? "" : found->second);
  }
  return hashes;
}

void FrozenHashes::remember(const models::LoadedModel& loaded, const std::vector<std::string>& hashes) {
  const std::set<std::string> from_files(loaded.report.loaded.begin(), loaded.report.loaded.end());
  const std::string stamp = stamp_of(loaded);
  const std::lock_guard lock(mutex_);
  const std::vector<models::Parameter>& parameters = loaded.model->parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!hashes[i].empty() && from_files.contains(parameters[i].name)) hashes_.emplace(stamp + parameters[i].name, hashes[i]);
  }
}

}  // namespace attune::job
