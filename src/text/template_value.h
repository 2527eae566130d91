// The values of a chat template: Python's, as far as templates see them. Values are immutable and shared; what
// templates can change (namespaces, loops, cyclers, joiners) are Objects, which the Heap of one rendering owns, since
// they can refer to each other in circles.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace attune::text::jinja {

class Value;
class Dict;
class Iterator;
class Object;
struct Builtin;
struct List;
struct Macro;
struct Function;
struct Range;
struct Tuple;

/// Wide enough for every integer of a JSON file; what goes beyond is a named error (Python's integers never end).
__extension__ typedef __int128 Integer;

struct Undefined {
  std::shared_ptr<const std::string> reason;  ///< what using it says
};
struct None {};

/// A string. `markup` is markupsafe's Markup, which |safe and |escape give: it escapes what is joined to it.
struct Text {
  std::shared_ptr<const std::string> characters;  ///< UTF-8
  bool markup = false;

  const std::string& operator*() const { return *characters; }
  const std::string* operator->() const { return characters.get(); }
};

using ListPtr = std::shared_ptr<const List>;
using TuplePtr = std::shared_ptr<const Tuple>;
using DictPtr = std::shared_ptr<const Dict>;
using RangePtr = std::shared_ptr<const Range>;
using IteratorPtr = std::shared_ptr<Iterator>;
using FunctionPtr = std::shared_ptr<const Function>;
using MacroPtr = std::shared_ptr<const Macro>;

struct DictView {
  enum class Part : std::uint8_t { keys, values, items };
  DictPtr dict;
  Part part;
};

template <typename T, typename Variant>
constexpr bool kIsAlternative = false;
template <typename T, typename... Alternatives>
constexpr bool kIsAlternative<T, std::variant<Alternatives...>> = (std::is_same_v<T, Alternatives> || ...);

class Value {
 public:
  using Data = std::variant<None, Undefined, bool, Integer, double, Text, ListPtr, TuplePtr, DictPtr, RangePtr,
                            DictView, IteratorPtr, FunctionPtr, MacroPtr, Object*>;

  Value() = default;
  /// Only from exactly one of the alternatives: a pointer or a number never turns into another kind.
  template <typename T>
  requires kIsAlternative<T, Data> Value(T data) : data_(std::move(data)) {}

  template <typename T>
  const T* as() const {
    return std::get_if<T>(&data_);
  }
  template <typename T>
  bool is() const {
    return std::holds_alternative<T>(data_);
  }
  const Data& data() const { return data_; }

 private:
  Data data_;
};

/// For texts that the program itself brings; what grows with the input is made by Heap, which counts it.
Value literal(std::string_view text);
Value undefined(std::string reason);
inline Value integer(std::size_t number) {
  return static_cast<Integer>(number);
}

struct List {
  std::vector<Value> items;
  std::uint32_t depth;  ///< of the nesting, 1 for a flat list
};

struct Tuple {
  std::vector<Value> items;
  std::uint32_t depth;
  bool is_group = false;  ///< of |groupby: has the names `grouper` and `list`
};

struct Range {
  Integer start, stop, step;
  std::size_t size;

  Value at(std::size_t i) const { return start + step * static_cast<Integer>(i); }
};

class Dict {
 public:
  using Entry = std::pair<Value, Value>;

  /// Null when absent. Fault for a key that Python cannot hash.
  const Value* find(const Value& key) const;
  const Value* find(std::string_view key) const;
  /// Only while it is built.
  void set(Value key, Value value);

  const std::vector<Entry>& entries() const { return entries_; }
  std::uint32_t depth() const { return depth_; }

 private:
  std::optional<std::size_t> position(const Value& key) const;

  std::vector<Entry> entries_;                          ///< in the order of insertion
  std::unordered_map<std::string, std::size_t> index_;  ///< key_of → position; empty while there are few entries
  std::uint32_t depth_ = 1;
};

/// Equal exactly for keys that are equal in Python (1, 1.0 and True are one key). Fault for lists and dicts.
std::string key_of(const Value& value);
bool is_hashable(const Value& value);

/// Python's iterators and generators: evaluated while they are consumed, and consumed once.
class Iterator {
 public:
  explicit Iterator(std::uint32_t depth) : depth_(depth) {}
  virtual ~Iterator() = default;
  Iterator(const Iterator&) = delete;
  Iterator& operator=(const Iterator&) = delete;

  virtual std::optional<Value> next() = 0;
  std::uint32_t depth() const { return depth_; }

 private:
  std::uint32_t depth_;
};

/// A builtin that can be called, with the value that it is a method of (None for globals).
struct Function {
  const Builtin* builtin;
  Value receiver;
  std::uint32_t depth;
};

/// What a template can change. Its kind is found with dynamic_cast.
class Object {
 public:
  Object() = default;
  virtual ~Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  virtual std::string_view type_name() const = 0;
};

template <typename T>
T* object_as(const Value& value) {
  const auto* object = value.as<Object*>();
  return object == nullptr ? nullptr : dynamic_cast<T*>(*object);
}

/// namespace(…): the one thing that keeps assignments beyond a loop.
class Namespace final : public Object {
 public:
  std::string_view type_name() const override { return "Namespace"; }
  Dict attributes;
};

class Cycler final : public Object {
 public:
  explicit Cycler(std::vector<Value> cycled) : items(std::move(cycled)) {}
  std::string_view type_name() const override { return "Cycler"; }
  std::vector<Value> items;
  std::size_t position = 0;
};

class Joiner final : public Object {
 public:
  explicit Joiner(Value between) : separator(std::move(between)) {}
  std::string_view type_name() const override { return "Joiner"; }
  Value separator;
  bool used = false;
};

/// Python's name of the type, for messages.
std::string_view type_name(const Value& value);
/// Whether `if` takes it.
bool truth(const Value& value);
/// How deeply containers, iterators and methods hold each other in it; 0 for plain values.
std::uint32_t depth(const Value& value);
/// len(), or nothing for values without a length.
std::optional<std::size_t> size_of(const Value& value);

/// A number as Python's arithmetic sees it: booleans are integers.
std::optional<Integer> as_integer(const Value& value);
std::optional<double> as_real(const Value& value);

}  // namespace attune::text::jinja
