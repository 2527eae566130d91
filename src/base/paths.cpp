// See paths.h.
#include "attune/base/paths.h"

#include <filesystem>

#include "attune/base/strings.h"

namespace attune {

namespace {

namespace fs = std::filesystem;

fs::file_status status_of(const std::string& path, ErrorKind kind) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() != fs::file_type::none) return status;
  throw Error(kind, {.file = path,
                     .what = concat("cannot be looked at: ", error.message()),
                     .where = "",
                     .hint = "check the path and the permissions"});
}

}  // namespace

bool path_exists(const std::string& path, ErrorKind kind) {
  return fs::exists(status_of(path, kind));
}

bool is_folder(const std::string& path, ErrorKind kind) {
  return fs::is_directory(status_of(path, kind));
}

std::string nearest_place(const std::string& path) {
  std::error_code ignored;
  fs::path place = fs::absolute(path, ignored);
  while (!fs::exists(place, ignored) && place.has_relative_path()) place = place.parent_path();
  return place.string();
}

}  // namespace attune
