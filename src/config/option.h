// The field lists of all blocks as one table: an entry a key, with its type erased, bound to one RunOptions. Reading,
// rules, dumps, schema and docs loop over it.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "attune/base/fields.h"
#include "attune/files/json.h"
#include "attune/job/options.h"

namespace attune::config {

using files::Json;

struct Option {
  std::string path;   ///< "training.learning_rate"
  std::string block;  ///< "training"; "" at top level
  Field field;
  bool is_block = false;  ///< holds other options; read and write are empty
  std::string expected;   ///< "a number > 0"
  std::function<bool(const Json&)> read;
  std::function<Json()> write;
  std::function<Json()> schema;

  std::string key() const { return std::string(field.key); }
  /// Must be given, and nothing is there.
  bool lacks_value() const;
};

/// Bound to `options`, which must outlive the table. A block stands before its options.
std::vector<Option> option_table(job::RunOptions& options);

/// The entry with this path, or null.
const Option* find_option(const std::vector<Option>& table, const std::string& path);

/// "training" + "learning_rate" → "training.learning_rate"; "" + "seeds" → "seeds".
std::string child_path(const std::string& block, const std::string& key);

}  // namespace attune::config
