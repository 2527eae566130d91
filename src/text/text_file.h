// Reads a small text file of a model folder.
#pragma once

#include <string>

namespace attune::text {

/// At most 64 MB of a regular file. Error{model} otherwise.
std::string read_text_file(const std::string& path);

}  // namespace attune::text
