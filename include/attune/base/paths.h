// Questions about paths whose answer may be "that cannot be found out", which is an error of the path's kind.
#pragma once

#include <string>

#include "attune/base/error.h"

namespace attune {

/// Whether `path` names something, links followed. Error{kind} where the system does not say: no permission for a folder
/// on the way, links that lead in a circle, a name too long.
bool path_exists(const std::string& path, ErrorKind kind);

/// Whether `path` names a folder. Errors as above.
bool is_folder(const std::string& path, ErrorKind kind);

/// Where `path` lies: itself, or the nearest folder above it that is there. Absolute.
std::string nearest_place(const std::string& path);

}  // namespace attune
