// JSON reading and writing with bounded size and depth, duplicate keys refused, and key paths in every error.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "attune/base/error.h"

namespace attune::files {

/// Ordered: keys keep the order of the file, so that unknown keys survive a load and save in place.
using Json = nlohmann::ordered_json;

struct JsonLimits {
  ErrorKind kind = ErrorKind::model;  ///< what a violation throws
  std::size_t max_bytes = 16u << 20;
  int max_depth = 64;
  bool allow_comments = false;  ///< // and /* */
};

/// Parses `text` that came from `file`. Errors name line and column, or the path of a duplicate key.
Json parse_json(const std::string& text, const std::string& file, const JsonLimits& limits = {});
Json read_json(const std::string& path, const JsonLimits& limits = {});

/// For output that must not fail: bytes that are not valid UTF-8 (a file's name may be anything) become U+FFFD.
/// `indent` -1 = one line. No newline at the end.
std::string json_text(const Json& value, int indent = 2);

/// Indent 2, UTF-8 kept, trailing newline; atomic (write_file_atomically).
void write_json(const std::string& path, const Json& value);

}  // namespace attune::files
