// The field lists of all blocks as one table: an entry a key, with its type erased, bound to one RunOptions or PromptSet.
// Reading, rules, dumps, schema and docs loop over it.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "attune/base/fields.h"
#include "attune/config/config.h"
#include "attune/files/json.h"
#include "attune/job/options.h"
#include "attune/prompt/options.h"

namespace attune::config {

using files::Json;

struct Option {
  std::string path;   ///< "training.learning_rate"
  std::string block;  ///< "training"; "" at top level
  Field field;
  bool is_block = false;    ///< holds other options; read and write are empty
  bool takes_null = false;  ///< null is among its values; of others it stands for the default
  std::string expected;     ///< "a number > 0"
  std::function<bool(const Json&)> read;
  std::function<Json()> write;
  std::function<Json()> schema;
  /// Of a list of objects: the options of one, bound to `item`. Such a list is read by read_list, which is false for a value
  /// that is none; what is wrong in an object of the list at `written` of `file` is added to the problems.
  std::vector<Option> items;
  std::shared_ptr<void> item;
  std::function<bool(const Json&, const std::string& file, const std::string& written, std::vector<Problem>&)> read_list;

  std::string key() const { return std::string(field.key); }
  /// Must be given, and nothing is there.
  bool lacks_value() const;
};

/// Bound to `options`, which must outlive the table. A block stands before its options.
std::vector<Option> option_table(job::RunOptions& options);
std::vector<Option> option_table(prompt::PromptSet& set);

/// The entry with this path, or null.
const Option* find_option(const std::vector<Option>& table, const std::string& path);

/// JSON Schema of an object with the options of the table.
Json schema_of(const std::vector<Option>& table);

/// "training" + "learning_rate" → "training.learning_rate"; "" + "seeds" → "seeds".
std::string child_path(const std::string& block, const std::string& key);

}  // namespace attune::config
