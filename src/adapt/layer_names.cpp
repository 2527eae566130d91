// See layer_names.h.
#include "adapt/layer_names.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/text/regex.h"

namespace attune::adapt {

namespace {

[[noreturn]] void refuse_pattern(const std::string& pattern, const std::string& key, const std::string& why) {
  throw Error(ErrorKind::usage, {.file = "",
                                 .what = concat("'", pattern, "' is no usable regular expression: ", why),
                                 .where = key,
                                 .hint = "write a pattern over whole paths, or a list of names"});
}

/// fullmatch of `pattern` on `path`.
bool full_match(const std::string& pattern, const std::string& path, const std::string& key) {
  try {
    return text::Regex(pattern).matches_whole(path);
  } catch (const std::invalid_argument& error) {
    refuse_pattern(pattern, key, error.what());
  }
}

std::string first_group(const std::string& pattern, const std::string& path, const std::string& key) {
  try {
    return text::Regex(pattern).first_group(path);
  } catch (const std::invalid_argument& error) {
    refuse_pattern(pattern, key, error.what());
  }
}

}  // namespace

std::string module_of(const std::string& tensor) {
  const std::size_t dot = tensor.rfind('.');
  return dot == std::string::npos ? "" : tensor.substr(0, dot);
}

bool is_or_ends_with(const std::string& path, const std::string& name) {
  return path == name || path.ends_with(concat(".", name));
}

LayerNames::LayerNames(const files::NamesOrPattern& names, const std::string& key)
    : names_(names.names), pattern_(names.pattern), key_(key) {}

bool LayerNames::match(const std::string& path) const {
  if (!pattern_.empty()) return full_match(pattern_, path, key_);
  return std::any_of(names_.begin(), names_.end(),
                     [&](const std::string& name) { return is_or_ends_with(path, name); });
}

std::optional<std::int64_t> block_of(const std::string& path, const std::vector<std::string>& patterns) {
  std::string digits;
  if (patterns.empty()) {
    digits = first_group(R"(.*?\.[^.]*\.(\d+)\.)", path, "layers_pattern");
  }
  for (const std::string& pattern : patterns) {
    digits = first_group(concat("(?:^|.*?\\.)", pattern, "\\.(\\d+)\\."), path, "layers_pattern");
    if (!digits.empty()) break;
  }
  std::int64_t block = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), block);
  return digits.empty() || problem != std::errc() ? std::nullopt : std::optional(block);
}

double value_by_pattern(const std::map<std::string, double>& values, const std::string& path, double usual,
                        const std::string& where) {
  const std::string* matched = nullptr;
  double found = usual;
  for (const auto& [key, value] : values) {
    if (!full_match(concat("(.*\\.)?(", key, ")"), path, where)) continue;
    if (matched != nullptr && value != found) {
      throw Error(ErrorKind::usage, {.file = "",
                                     .what = concat("'", *matched, "' and '", key, "' both match the layer ", path),
                                     .where = where,
                                     .hint = "write them so that a layer has one value"});
    }
    matched = &key;
    found = value;
  }
  return found;
}

}  // namespace attune::adapt
