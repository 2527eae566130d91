// See hub_cache.h. The layout: models--org--name/{refs/main, snapshots/<revision>/<links into blobs>}.
#include "attune/files/hub_cache.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/files/storage.h"

namespace attune::files {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxIdBytes = 96;  // the Hub's own limit

bool is_word(const std::string& text) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), is_allowed) && text.front() != '-' &&
         text.front() != '.' && text.back() != '-' && text.back() != '.' && text.find("--") == std::string::npos &&
         text.find("..") == std::string::npos;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string expand_home(const std::string& path) {
  return path == "~" || path.starts_with("~/") ? variable("HOME") + path.substr(1) : path;
}

}  // namespace

bool is_hub_id(const std::string& text) {
  const std::vector<std::string> words = split(text, '/');
  return text.size() <= kMaxIdBytes && words.size() <= 2 && std::all_of(words.begin(), words.end(), is_word);
}

std::vector<std::string> hub_cache_places() {
  std::vector<std::string> places;
  const auto add = [&](const std::string& base, const char* below) {
    if (base.empty()) return;
    const std::string place = (fs::path(expand_home(base)) / below).string();
    if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
  };
  if (const std::string given = variable("HF_HUB_CACHE"); !given.empty()) places.push_back(expand_home(given));
  add(variable("HF_HOME"), "hub");
  add(variable("XDG_CACHE_HOME"), "huggingface/hub");
  add(variable("HOME"), ".cache/huggingface/hub");
  return places;
}

std::optional<std::string> find_in_hub_cache(const std::string& repo_id) {
  if (!is_hub_id(repo_id)) return std::nullopt;
  const std::string name = "models--" + join(split(repo_id, '/'), "--");
  for (const std::string& place : hub_cache_places()) {
    const fs::path repository = fs::path(place) / name;
    const fs::path branch = repository / "refs" / "main";
    std::error_code error;
    if (!fs::is_regular_file(branch, error)) continue;
    const std::string content = read_file(branch.string(), ErrorKind::model);
    const std::string revision(trim(content));
    if (!is_word(revision)) continue;
    const fs::path snapshot = repository / "snapshots" / revision;
    if (fs::is_directory(snapshot, error)) return snapshot.string();
  }
  return std::nullopt;
}

}  // namespace attune::files
