// How a LoRA configuration names layers, as peft 0.21 reads it (tuners_utils.check_target_module_exists,
// utils.get_pattern_key). Paths are those of Transformers' modules.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attune/files/adapter_config.h"

namespace attune::adapt {

/// Names: the path, or its end behind a dot. A pattern: the whole path.
class LayerNames {
 public:
  /// `key`: for errors. Error{usage} for a pattern that is no regular expression.
  LayerNames(const files::NamesOrPattern& names, const std::string& key);

  bool match(const std::string& path) const;

 private:
  std::vector<std::string> names_;
  std::string pattern_, key_;
};

/// The module of a tensor: "a.b.weight" → "a.b".
std::string module_of(const std::string& tensor);

bool is_or_ends_with(const std::string& path, const std::string& name);

/// The number of the block that `path` lies in: behind one of `patterns`, or without any the first whole component that
/// is a number and has something behind it and at least two components before it.
std::optional<std::int64_t> block_of(const std::string& path, const std::vector<std::string>& patterns);

/// The value of the key that matches the end of `path`, else `usual`. Error{usage} naming `where` when two keys with
/// different values match.
double value_by_pattern(const std::map<std::string, double>& values, const std::string& path, double usual,
                        const std::string& where);

}  // namespace attune::adapt
