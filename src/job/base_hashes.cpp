// See base_hashes.h.
#include "job/base_hashes.h"

#include <filesystem>
#include <utility>

#include <nlohmann/json.hpp>

#include "attune/files/storage.h"

namespace attune::job {

BaseHashes::BaseHashes(const std::string& folder, bool with_weights) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name == "config.json" || (with_weights && name.ends_with(".safetensors"))) names_.push_back(name);
  }
  worker_ = std::jthread([this, folder](const std::stop_token& stop) {
    try {
      std::vector<std::string> digests;
      for (const std::string& name : names_) {
        digests.push_back(files::sha256_file((std::filesystem::path(folder) / name).string(), ErrorKind::model, stop));
      }
      digests_.set_value(std::move(digests));
    } catch (...) {
      digests_.set_exception(std::current_exception());
    }
  });
}

files::Json BaseHashes::get() {
  const std::vector<std::string> digests = digests_.get_future().get();
  files::Json hashes = files::Json::object();
  for (std::size_t i = 0; i < names_.size(); ++i) hashes[names_[i]] = digests[i];
  return hashes;
}

}  // namespace attune::job
