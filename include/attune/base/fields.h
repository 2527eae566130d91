// The declaration form of options. Each options struct lists its fields once, in a function beside it:
//
//   template <class Visitor>
//   void visit_fields(Visitor& visit, FreezeOptions& options) {
//     visit(options.layers, {.key = "layers", .help = "Encoder layers that stay as they are."});
//   }
//
// Reading, --set, checks, the dump, the schema and docs/config.md are visitors over these lists (module config); the
// default is the struct's own. Nothing here knows JSON, so every module can include it.
#pragma once

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace attune {

/// The numbers that an option takes. `whole_from_one`: shares below 1 and whole numbers from 1 on, nothing between.
struct Range {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool min_excluded = false;
  bool max_excluded = false;
  bool whole_from_one = false;

  bool contains(double value) const;
  /// "> 0", ">= 1", "in [0, 1)", "in [0, 5], whole from 1 on"; "" when everything is allowed.
  std::string words() const;
};

inline Range at_least(double min) {
  return {.min = min};
}
inline Range above(double min) {
  return {.min = min, .min_excluded = true};
}
inline Range between(double min, double max) {
  return {.min = min, .max = max};
}
/// 0 <= x < 1.
inline Range share() {
  return {.min = 0, .max = 1, .max_excluded = true};
}
/// A number of things. More than a billion of anything is a slip, and the product of two such numbers fits 64 bits.
inline constexpr double kLargestCount = 1e9;
inline Range count_from(double min) {
  return {.min = min, .max = kLargestCount};
}
/// 0 <= x < 1, or a number of things.
inline Range share_or_count() {
  return {.min = 0, .max = kLargestCount, .whole_from_one = true};
}

/// Another name under which people paste the option: accepted in its own block, at top level and in `training`.
struct Alias {
  Alias(const char* name) : name(name) {}  // NOLINT(google-explicit-constructor): `.aliases = {"lr"}`
  Alias(const char* name, Range range) : name(name), range(range) {}

  std::string_view name;
  std::optional<Range> range;  ///< where the other name takes fewer values than the option itself
};

/// A JSON literal (true, false, null) that an option takes, and the text of the option's value that it stands for.
struct Literal {
  std::string_view json;
  std::string_view value;
  bool only_read = false;  ///< another spelling: the value is written as itself
};

struct Field {
  std::string_view key;
  std::string_view help = {};  ///< whole sentences, for docs/config.md
  Range range = {};
  std::vector<std::string_view> choices = {};
  std::string_view pattern = {};        ///< regular expression (ECMAScript) that the whole text must match …
  std::string_view pattern_words = {};  ///< … and the same for people: "auto, cpu, cuda or cuda:<number>"
  std::vector<Alias> aliases = {};
  std::vector<Literal> literals = {};
  bool* present = nullptr;  ///< of a block that may be null: set when it is there
  bool required = false;    ///< must be given and not be empty
  bool part_of_job = true;  ///< false: may change between a checkpoint and its resumption
};

/// An option that is one of its choices or an object of numbers; with an object `choice` is "given".
struct ChoiceOrNumbers {
  std::string& choice;
  std::map<std::string, double>& numbers;
};

/// An option whose default stands elsewhere: null while it is not given.
template <class T>
struct Given {
  T& value;
  bool& given;
};

/// Satisfied by structs with a field list: blocks of the configuration.
struct FieldProbe {
  template <class T>
  void operator()(T&&, const Field&) {}
};
template <class T>
concept HasFields = requires(FieldProbe& probe, T& options) {
  visit_fields(probe, options);
};

}  // namespace attune
