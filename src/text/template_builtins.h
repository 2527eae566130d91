// Filters, tests, globals and methods: rows of tables, each with its parameters and a function.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "template_arguments.h"
#include "template_heap.h"

namespace attune::text::jinja {

class Call;

struct Builtin {
  std::string_view name;
  /// Names with blanks between; "name?" may be left out, "/name" cannot be given by name, "*" takes everything as it
  /// is.
  std::string_view parameters;
  Value (*run)(Call& call);
};

/// What builtins see of the rendering.
struct Runtime {
  Heap heap;
  std::optional<std::tm> now;  ///< for strftime_now
};

/// One call: the arguments bound to the parameters.
class Call {
 public:
  /// `subject` is what is piped into a filter or test, or the receiver of a method. Fault where arguments do not fit.
  Call(Runtime& runtime, const Builtin& builtin, const Value& subject, const Arguments& arguments);

  Runtime& runtime;
  Heap& heap;
  const Value& subject;
  const Arguments& arguments;

  /// Null when it was left out.
  const Value* find(std::size_t parameter) const { return bound_[parameter]; }
  const Value& at(std::size_t parameter) const { return *bound_[parameter]; }
  bool flag(std::size_t parameter) const { return bound_[parameter] != nullptr && truth(*bound_[parameter]); }
  /// An integer (absent = the default); Fault for other values.
  Integer integer(std::size_t parameter, Integer absent) const;
  /// The text of the parameter, which must be a str.
  const std::string& text(std::size_t parameter) const;
  /// The text of the subject, which must be a str; Fault otherwise.
  const Text& subject_text() const;

 private:
  static constexpr std::size_t kMostParameters = 5;

  void bind();
  void bind_one(std::string_view parameter, std::size_t index);

  const Builtin& builtin_;
  std::array<const Value*, kMostParameters> bound_{};
};

Value run_builtin(Runtime& runtime, const Builtin& builtin, const Value& subject, const Arguments& arguments);

/// Null for a name that there is not.
const Builtin* find_filter(std::string_view name);
const Builtin* find_test(std::string_view name);
const Builtin* find_global(std::string_view name);
const Builtin* find_method(const Value& receiver, std::string_view name);

/// Why find_filter (find_test) gives null for the name.
std::string no_filter(std::string_view name);
std::string no_test(std::string_view name);

// The tables.
std::span<const Builtin> text_filters();
std::span<const Builtin> number_filters();
std::span<const Builtin> sequence_filters();
std::span<const Builtin> selection_filters();
std::span<const Builtin> test_table();
std::span<const Builtin> global_table();
std::span<const Builtin> text_methods();
std::span<const Builtin> text_class_methods();
std::span<const Builtin> dict_methods();
std::span<const Builtin> list_methods();
std::span<const Builtin> sequence_methods();
std::span<const Builtin> loop_methods();
std::span<const Builtin> cycler_methods();

}  // namespace attune::text::jinja
