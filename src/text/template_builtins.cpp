// See template_builtins.h.
#include "template_builtins.h"

#include <algorithm>
#include <initializer_list>

#include "template_fault.h"
#include "template_loop.h"
#include "template_operators.h"

namespace attune::text::jinja {

namespace {

// What Jinja has and we do not: nothing about them is needed in a chat, or they cannot give the same text twice.
constexpr std::string_view kOmittedFilters[] = {"filesizeformat", "pprint", "random",   "striptags",
                                                "urlencode",      "urlize", "wordwrap", "xmlattr"};

const Builtin* find_in(std::initializer_list<std::span<const Builtin>> tables, std::string_view name) {
  for (const auto& table : tables) {
    for (const Builtin& builtin : table) {
      if (builtin.name == name) return &builtin;
    }
  }
  return nullptr;
}

std::string similar(std::initializer_list<std::span<const Builtin>> tables, std::string_view name) {
  std::vector<std::string> names;
  for (const auto& table : tables) {
    for (const Builtin& builtin : table) names.emplace_back(builtin.name);
  }
  const std::string nearest = nearest_name(name, names);
  return nearest.empty() ? "" : concat(" (did you mean '", nearest, "'?)");
}

std::string_view next_word(std::string_view& words) {
  const std::size_t end = std::min(words.find(' '), words.size());
  const std::string_view word = words.substr(0, end);
  words.remove_prefix(std::min(end + 1, words.size()));
  return word;
}

}  // namespace

Call::Call(Runtime& runtime, const Builtin& builtin, const Value& subject, const Arguments& arguments)
    : runtime(runtime), heap(runtime.heap), subject(subject), arguments(arguments), builtin_(builtin) {
  if (builtin.parameters != "*") bind();
}

void Call::bind() {
  std::string_view words = builtin_.parameters;
  std::size_t count = 0;
  std::size_t named = 0;
  while (!words.empty()) {
    const std::string_view parameter = next_word(words);
    bind_one(parameter, count);
    if (count >= arguments.positional.size() && bound_[count] != nullptr) ++named;
    ++count;
  }
  if (arguments.positional.size() > count) {
    fail(builtin_.name, "() takes at most ", count, " arguments, found ", arguments.positional.size());
  }
  if (named != arguments.named.size()) fail(builtin_.name, "() does not take all of the named arguments it is given");
}

void Call::bind_one(std::string_view parameter, std::size_t index) {
  const bool optional = parameter.ends_with('?');
  if (optional) parameter.remove_suffix(1);
  const bool only_positional = parameter.starts_with('/');
  if (only_positional) parameter.remove_prefix(1);
  if (index < arguments.positional.size()) {
    bound_[index] = &arguments.positional[index];
  } else if (!only_positional) {
    bound_[index] = arguments.find(parameter);
  }
  if (bound_[index] == nullptr && !optional) fail(builtin_.name, "() needs the argument '", parameter, "'");
}

Integer Call::integer(std::size_t parameter, Integer absent) const {
  const Value* value = bound_[parameter];
  if (value == nullptr) return absent;
  require_defined(*value);
  const auto number = as_integer(*value);
  if (!number) fail(builtin_.name, "() needs an integer, found ", type_name(*value));
  return *number;
}

const std::string& Call::text(std::size_t parameter) const {
  const Value& value = *bound_[parameter];
  require_defined(value);
  const auto* text = value.as<Text>();
  if (text == nullptr) fail(builtin_.name, "() needs a str, found ", type_name(value));
  return **text;
}

const Text& Call::subject_text() const {
  require_defined(subject);
  const auto* text = subject.as<Text>();
  if (text == nullptr) fail(builtin_.name, " needs a str, found ", type_name(subject));
  return *text;
}

Value run_builtin(Runtime& runtime, const Builtin& builtin, const Value& subject, const Arguments& arguments) {
  runtime.heap.charge();
  if (const auto* text = subject.as<Text>()) runtime.heap.charge_reading((*text)->size());
  Call call(runtime, builtin, subject, arguments);
  return builtin.run(call);
}

const Builtin* find_filter(std::string_view name) {
  return find_in({text_filters(), sequence_filters(), selection_filters(), number_filters()}, name);
}

const Builtin* find_test(std::string_view name) {
  return find_in({test_table()}, name);
}

const Builtin* find_global(std::string_view name) {
  return find_in({global_table()}, name);
}

const Builtin* find_method(const Value& receiver, std::string_view name) {
  if (receiver.is<Text>()) return find_in({text_methods(), text_class_methods()}, name);
  if (receiver.is<DictPtr>()) return find_in({dict_methods()}, name);
  if (receiver.is<ListPtr>()) return find_in({list_methods(), sequence_methods()}, name);
  if (receiver.is<TuplePtr>() || receiver.is<RangePtr>()) return find_in({sequence_methods()}, name);
  if (object_as<Loop>(receiver) != nullptr) return find_in({loop_methods()}, name);
  if (object_as<Cycler>(receiver) != nullptr) return find_in({cycler_methods()}, name);
  return nullptr;
}

std::string no_filter(std::string_view name) {
  if (std::find(std::begin(kOmittedFilters), std::end(kOmittedFilters), name) != std::end(kOmittedFilters)) {
    return concat("Jinja's filter '", name, "' is not supported");
  }
  return concat("there is no filter '", name, "'",
                similar({text_filters(), sequence_filters(), selection_filters(), number_filters()}, name));
}

std::string no_test(std::string_view name) {
  return concat("there is no test '", name, "'", similar({test_table()}, name));
}

}  // namespace attune::text::jinja
