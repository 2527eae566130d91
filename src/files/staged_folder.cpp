// StagedFolder and its manifest (see storage.h).
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "atomic_file.h"
#include "attune/base/strings.h"
#include "attune/files/json.h"
#include "attune/files/storage.h"
#include "descriptor.h"

namespace attune::files {

namespace {

namespace fs = std::filesystem;

constexpr const char* kManifest = "MANIFEST.json";
constexpr JsonLimits kManifestLimits{.kind = ErrorKind::storage, .max_bytes = 64u << 20};

/// Regular files under `folder` as relative paths, sorted; the manifest is not among them.
std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = entry.path().lexically_relative(folder).generic_string();
    if (name != kManifest) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void sync_file(const std::string& path) {
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) throw_system_error(ErrorKind::storage, path, "open it", errno);
  sync_descriptor(descriptor.get(), path);
}

void sync_tree(const std::string& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) sync_file(entry.path().string());
    if (entry.is_directory()) sync_folder(entry.path().string());
  }
  sync_folder(folder);
}

void write_manifest(const std::string& folder) {
  Json files = Json::array();
  for (const std::string& name : files_in(folder)) {
    const std::string path = (fs::path(folder) / name).string();
    files.push_back({{"name", name}, {"size", fs::file_size(path)}, {"sha256", sha256_file(path)}});
  }
  write_json((fs::path(folder) / kManifest).string(), Json{{"format", 1}, {"files", std::move(files)}});
}

/// Puts `fresh` in the place of `old`; what was there has the name `fresh` or ".old" afterwards, which is returned.
std::string put_in_place_of(const std::string& fresh, const std::string& old) {
  // One step where the file system can: no moment without the folder.
  if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, old.c_str(), RENAME_EXCHANGE) == 0) return fresh;
  const std::string aside = temporary_name(old, "old");
  if (std::rename(old.c_str(), aside.c_str()) != 0) {
    throw_system_error(ErrorKind::storage, old, "move the old folder away", errno);
  }
  if (std::rename(fresh.c_str(), old.c_str()) != 0) {
    const int code = errno;
    std::rename(aside.c_str(), old.c_str());
    throw_system_error(ErrorKind::storage, old, "rename the finished folder to this name", code);
  }
  return aside;
}

std::string file_defect(const std::string& folder, const Json& entry) {
  const auto is = [&](const char* key, bool (Json::*test)() const noexcept) {
    return entry.is_object() && entry.contains(key) && (entry[key].*test)();
  };
  if (!is("name", &Json::is_string) || !is("size", &Json::is_number_unsigned) || !is("sha256", &Json::is_string)) {
    return concat(kManifest, " has an entry without name, size and sha256");
  }
  const auto name = entry["name"].get<std::string>();
  const fs::path relative(name);
  if (relative.is_absolute() || std::find(relative.begin(), relative.end(), "..") != relative.end()) {
    return concat(kManifest, " names '", name, "', which is outside the folder");
  }
  const fs::path path = fs::path(folder) / relative;
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return concat(name, " is missing");
  const auto size = fs::file_size(path, error);
  const auto expected_size = entry["size"].get<std::uint64_t>();
  if (error || size != expected_size) return concat(name, " has ", size, " bytes, expected ", expected_size);
  const std::string hash = sha256_file(path.string());
  const auto expected = entry["sha256"].get<std::string>();
  return hash == expected ? "" : concat(name, " has SHA-256 ", hash, ", expected ", expected);
}

/// The name that temporary_name() made: what it is for, its kind and its process.
struct Temporary {
  std::string original, kind, process;
};

std::optional<Temporary> as_temporary(const std::string& name) {
  const std::size_t tag = std::max(name.rfind(".tmp-") + 1, name.rfind(".old-") + 1);
  if (!name.starts_with('.') || tag == 0) return std::nullopt;
  const std::string rest = name.substr(tag + 4);  // <pid>-<count>
  const std::size_t dash = rest.find('-');
  if (dash == std::string::npos || rest.find_first_not_of("0123456789-") != std::string::npos) return std::nullopt;
  return Temporary{name.substr(1, tag - 2), name.substr(tag, 3), rest.substr(0, dash)};
}

/// Digits too large for a process are of none.
bool is_running(const std::string& process) {
  pid_t number = 0;
  const auto [end, failure] = std::from_chars(process.data(), process.data() + process.size(), number);
  return failure == std::errc() && number > 0 && (::kill(number, 0) == 0 || errno != ESRCH);
}

}  // namespace

StagedFolder::StagedFolder(std::string final_path)
    : final_(fs::path(std::move(final_path)).lexically_normal().string()) {
  while (final_.size() > 1 && final_.ends_with('/')) final_.pop_back();
  temporary_ = temporary_name(final_, "tmp");
  std::error_code error;
  fs::create_directories(parent_of(final_), error);
  if (error) throw_system_error(ErrorKind::storage, parent_of(final_), "create the folder", error.value());
  if (!fs::create_directory(temporary_, error)) {
    throw_system_error(ErrorKind::storage, final_, "create the folder", error ? error.value() : EEXIST);
  }
}

StagedFolder::~StagedFolder() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(temporary_, ignored);
}

void StagedFolder::commit() try {
  write_manifest(temporary_);
  sync_tree(temporary_);
  std::string old;
  if (fs::exists(fs::symlink_status(final_))) {
    old = put_in_place_of(temporary_, final_);
  } else if (std::rename(temporary_.c_str(), final_.c_str()) != 0) {
    throw_system_error(ErrorKind::storage, final_, "rename the finished folder to this name", errno);
  }
  committed_ = true;
  sync_folder(parent_of(final_));
  if (!old.empty()) remove_folder(old);
} catch (const fs::filesystem_error& error) {
  throw_system_error(ErrorKind::storage, final_, "finish the folder", error.code().value());
}

void remove_folder(const std::string& folder) {
  // First out of sight in one step, so that a half-removed folder is never taken for a whole one.
  const std::string trash = temporary_name(folder, "old");
  if (std::rename(folder.c_str(), trash.c_str()) != 0) {
    if (errno == ENOENT) return;
    throw_system_error(ErrorKind::storage, folder, "remove it", errno);
  }
  std::error_code error;
  fs::remove_all(trash, error);
  if (error) throw_system_error(ErrorKind::storage, folder, "remove it", error.value());
}

void remove_stale_temporaries(const std::string& folder) {
  std::vector<fs::path> stale;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const auto temporary = as_temporary(entry.path().filename().string());
    if (!temporary || temporary->process == std::to_string(::getpid())) continue;
    // The old folder of a replacement that was cut between its two renames goes back to its name, unless that name is one
    // of a temporary too: then it had been replaced, and was about to be removed.
    const fs::path original = entry.path().parent_path() / temporary->original;
    const bool replaced = temporary->kind != "old" || as_temporary(temporary->original).has_value();
    if (!replaced && !fs::exists(original) && manifest_defect(entry.path().string()).empty()) {
      fs::rename(entry.path(), original, error);
    } else {
      stale.push_back(entry.path());
    }
  }
  for (const fs::path& path : stale) fs::remove_all(path, error);
}

void remove_dead_temporaries(const std::string& folder) {
  std::vector<fs::path> dead;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const auto temporary = as_temporary(entry.path().filename().string());
    if (temporary && temporary->kind == "tmp" && !is_running(temporary->process)) dead.push_back(entry.path());
  }
  for (const fs::path& path : dead) fs::remove_all(path, error);
}

std::string manifest_defect(const std::string& folder) try {
  const std::string path = (fs::path(folder) / kManifest).string();
  std::error_code error;
  if (!fs::exists(path, error)) return concat(kManifest, " is missing");
  const Json manifest = read_json(path, kManifestLimits);
  if (!manifest.is_object() || !manifest.contains("files") || !manifest["files"].is_array()) {
    return concat(kManifest, " has no list 'files'");
  }
  for (const Json& entry : manifest["files"]) {
    if (const std::string defect = file_defect(folder, entry); !defect.empty()) return defect;
  }
  return "";
} catch (const Error& error) {
  return error.what();
}

}  // namespace attune::files
