// See template_attributes.h.
#include "template_attributes.h"

#include <algorithm>
#include <span>

#include "python_text.h"
#include "template_builtins.h"
#include "template_fault.h"
#include "template_loop.h"
#include "template_macro.h"
#include "template_operators.h"

namespace attune::text::jinja {

namespace {

// Jinja's sandbox hides what would change a value.
constexpr std::string_view kUnsafeList[] = {"append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"};
constexpr std::string_view kUnsafeDict[] = {"clear", "pop", "popitem", "setdefault", "update"};
// What Python has and we do not: using it must not look like an absent attribute.
constexpr std::string_view kOmittedText[] = {"encode", "maketrans", "translate"};
constexpr std::string_view kOmittedMarkup[] = {"escape", "striptags", "unescape"};
constexpr std::string_view kOmittedDict[] = {"fromkeys"};
constexpr std::string_view kOmittedView[] = {"isdisjoint", "mapping"};
constexpr std::string_view kOmittedIterator[] = {"close",        "gi_running", "gi_suspended",
                                                 "gi_yieldfrom", "send",       "throw"};
constexpr std::string_view kOmittedNumber[] = {
    "as_integer_ratio", "bit_count", "bit_length", "conjugate", "denominator", "from_bytes", "fromhex", "hex", "imag",
    "is_integer",       "numerator", "real",       "to_bytes"};

bool listed(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_omitted(const Value& object, std::string_view name) {
  if (const auto* text = object.as<Text>())
    return listed(kOmittedText, name) || (text->markup && listed(kOmittedMarkup, name));
  if (object.is<DictPtr>()) return listed(kOmittedDict, name);
  if (object.is<DictView>()) return listed(kOmittedView, name);
  if (object.is<IteratorPtr>()) return listed(kOmittedIterator, name);
  return as_real(object) && listed(kOmittedNumber, name);
}

bool is_unsafe(const Value& object, std::string_view name) {
  if (object.is<ListPtr>() && listed(kUnsafeList, name)) return true;
  return object.is<DictPtr>() && listed(kUnsafeDict, name);
}

std::optional<Value> loop_attribute(Loop& loop, std::string_view name) {
  const auto length = [&] { return static_cast<Integer>(loop.length()); };
  if (name == "index") return loop.index0() + 1;
  if (name == "index0") return loop.index0();
  if (name == "first") return loop.index0() == 0;
  if (name == "last") return !loop.peek().has_value();
  if (name == "length") return length();
  if (name == "revindex") return length() - loop.index0();
  if (name == "revindex0") return length() - loop.index0() - 1;
  if (name == "depth") return integer(loop.depth0 + 1);
  if (name == "depth0") return integer(loop.depth0);
  if (name == "previtem") return loop.previous() ? *loop.previous() : undefined("there is no previous item");
  if (name == "nextitem") return loop.peek() ? *loop.peek() : undefined("there is no next item");
  return std::nullopt;
}

std::optional<Value> macro_attribute(Heap& heap, const MacroDefinition& macro, std::string_view name) {
  if (name == "name") return macro.name.empty() ? Value() : literal(macro.name);
  if (name == "caller") return macro.uses_caller;
  if (name == "catch_kwargs") return macro.uses_kwargs;
  if (name == "catch_varargs") return macro.uses_varargs;
  if (name != "arguments") return std::nullopt;
  std::vector<Value> names;
  for (const Parameter& parameter : macro.parameters) names.push_back(literal(parameter.name));
  return heap.tuple(std::move(names));
}

std::optional<Value> range_attribute(const Range& range, std::string_view name) {
  if (name == "start") return range.start;
  if (name == "stop") return range.stop;
  if (name == "step") return range.step;
  return std::nullopt;
}

/// Attributes that are no methods.
std::optional<Value> plain_attribute(Heap& heap, const Value& object, std::string_view name) {
  if (auto* loop = object_as<Loop>(object)) return loop_attribute(*loop, name);
  if (const auto* macro = object.as<MacroPtr>()) return macro_attribute(heap, *(*macro)->definition, name);
  if (const auto* range = object.as<RangePtr>()) return range_attribute(**range, name);
  if (const auto* cycler = object_as<Cycler>(object); cycler != nullptr && name == "current") {
    return cycler->items[cycler->position];
  }
  if (const auto* tuple = object.as<TuplePtr>(); tuple != nullptr && (*tuple)->is_group) {
    if (name == "grouper") return (*tuple)->items[0];
    if (name == "list") return (*tuple)->items[1];
  }
  return std::nullopt;
}

/// Python's getattr; nothing for AttributeError.
std::optional<Value> attribute_of(Heap& heap, const Value& object, std::string_view name) {
  if (is_unsafe(object, name)) {
    return undefined(concat("the sandbox does not give '", name, "' of a ", type_name(object)));
  }
  if (const auto* names = object_as<Namespace>(object)) {
    const Value* value = names->attributes.find(name);
    return value == nullptr ? std::nullopt : std::optional(*value);
  }
  if (const Builtin* method = find_method(object, name)) return heap.method(*method, object);
  if (is_omitted(object, name)) fail("the attribute '", name, "' of a ", type_name(object), " is not supported");
  return plain_attribute(heap, object, name);
}

/// The element at an index that counts from the end where it is negative.
template <typename At>
std::optional<Value> element(const Value& key, std::size_t size, At at) {
  const auto index = as_integer(key);
  if (!index) return std::nullopt;
  const Integer position = *index < 0 ? *index + static_cast<Integer>(size) : *index;
  if (position < 0 || position >= static_cast<Integer>(size)) return std::nullopt;
  return at(static_cast<std::size_t>(position));
}

std::optional<Value> character(Heap& heap, const Text& text, const Value& key) {
  heap.charge_reading(text->size());
  return element(key, code_points(*text),
                 [&](std::size_t i) { return heap.text(std::string(part_of(*text, i, i + 1)), text.markup); });
}

/// Python's object[key]; nothing for TypeError, KeyError and IndexError.
std::optional<Value> item_of(Heap& heap, const Value& object, const Value& key) {
  if (const auto* dict = object.as<DictPtr>()) {
    if (!is_hashable(key)) return std::nullopt;
    if (const auto* text = key.as<Text>()) heap.charge_reading((*text)->size());
    const Value* value = (*dict)->find(key);
    return value == nullptr ? std::nullopt : std::optional(*value);
  }
  if (const auto* list = object.as<ListPtr>()) {
    return element(key, (*list)->items.size(), [&](std::size_t i) { return (*list)->items[i]; });
  }
  if (const auto* tuple = object.as<TuplePtr>()) {
    return element(key, (*tuple)->items.size(), [&](std::size_t i) { return (*tuple)->items[i]; });
  }
  if (const auto* range = object.as<RangePtr>()) {
    return element(key, (*range)->size, [&](std::size_t i) { return (*range)->at(i); });
  }
  if (const auto* text = object.as<Text>()) return character(heap, *text, key);
  return std::nullopt;
}

Value missing(const Value& object, const Value& key) {
  const auto* name = key.as<Text>();
  if (name != nullptr) return undefined(concat("a ", type_name(object), " has no attribute '", **name, "'"));
  const auto index = as_integer(key);
  return undefined(
      concat("a ", type_name(object), " has no element ", index ? to_decimal(*index) : std::string(type_name(key))));
}

}  // namespace

Value attribute(Heap& heap, const Value& object, std::string_view name) {
  require_defined(object);
  if (auto value = attribute_of(heap, object, name)) return *std::move(value);
  const Value key = literal(name);
  if (auto value = item_of(heap, object, key)) return *std::move(value);
  return missing(object, key);
}

Value attribute_only(Heap& heap, const Value& object, std::string_view name) {
  require_defined(object);
  if (auto value = attribute_of(heap, object, name)) return *std::move(value);
  return missing(object, literal(name));
}

Value item(Heap& heap, const Value& object, const Value& key) {
  require_defined(object);
  if (auto value = item_of(heap, object, key)) return *std::move(value);
  if (const auto* name = key.as<Text>()) {
    if (auto value = attribute_of(heap, object, **name)) return *std::move(value);
  }
  return missing(object, key);
}

}  // namespace attune::text::jinja
