// See template_value.h.
#include "template_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "python_text.h"
#include "template_fault.h"
#include "template_loop.h"
#include "template_macro.h"

namespace attune::text::jinja {

namespace {

constexpr std::size_t kIndexedFrom = 8;  // a short dictionary is searched from the front

std::string key_of_real(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e37) return key_of(static_cast<Integer>(value));
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return "f" + std::string(buffer.data(), end);
}

std::string key_of_pointer(const void* pointer) {
  return "p" + std::to_string(reinterpret_cast<std::uintptr_t>(pointer));
}

struct KeyOf {
  std::string operator()(None) const { return "n"; }
  std::string operator()(const Undefined&) const { return "u"; }
  std::string operator()(bool value) const { return value ? "i1" : "i0"; }
  std::string operator()(Integer value) const { return "i" + to_decimal(value); }
  std::string operator()(double value) const { return key_of_real(value); }
  std::string operator()(const Text& text) const { return "s" + *text; }
  std::string operator()(const TuplePtr& tuple) const {
    std::string key = "(";
    for (const Value& item : tuple->items) {
      const std::string part = key_of(item);
      key += std::to_string(part.size()) + ":" + part;
    }
    return key;
  }
  std::string operator()(const RangePtr& range) const {
    return "r" + to_decimal(range->start) + "," + to_decimal(range->step) + "," + std::to_string(range->size);
  }
  std::string operator()(const IteratorPtr& iterator) const { return key_of_pointer(iterator.get()); }
  std::string operator()(const FunctionPtr& function) const { return key_of_pointer(function.get()); }
  std::string operator()(const MacroPtr& macro) const { return key_of_pointer(macro.get()); }
  std::string operator()(Object* object) const { return key_of_pointer(object); }
  template <typename Unhashable>
  std::string operator()(const Unhashable& value) const {
    fail("a ", type_name(Value(value)), " cannot be a key of a dict");
  }
};

bool same_key(const Value& left, const Value& right) {
  const Text* const a = left.as<Text>();
  const Text* const b = right.as<Text>();
  if (a != nullptr && b != nullptr) return **a == **b;
  if ((a == nullptr) != (b == nullptr)) return false;
  return key_of(left) == key_of(right);
}

struct NameOf {
  std::string_view operator()(None) const { return "NoneType"; }
  std::string_view operator()(const Undefined&) const { return "Undefined"; }
  std::string_view operator()(bool) const { return "bool"; }
  std::string_view operator()(Integer) const { return "int"; }
  std::string_view operator()(double) const { return "float"; }
  std::string_view operator()(const Text& text) const { return text.markup ? "Markup" : "str"; }
  std::string_view operator()(const ListPtr&) const { return "list"; }
  std::string_view operator()(const TuplePtr&) const { return "tuple"; }
  std::string_view operator()(const DictPtr&) const { return "dict"; }
  std::string_view operator()(const RangePtr&) const { return "range"; }
  std::string_view operator()(const DictView& view) const {
    constexpr std::array<std::string_view, 3> kNames{"dict_keys", "dict_values", "dict_items"};
    return kNames[static_cast<std::size_t>(view.part)];
  }
  std::string_view operator()(const IteratorPtr&) const { return "generator"; }
  std::string_view operator()(const FunctionPtr&) const { return "function"; }
  std::string_view operator()(const MacroPtr&) const { return "Macro"; }
  std::string_view operator()(Object* object) const { return object->type_name(); }
};

}  // namespace

Value literal(std::string_view text) {
  return Text{std::make_shared<const std::string>(text)};
}

Value undefined(std::string reason) {
  return Undefined{std::make_shared<const std::string>(std::move(reason))};
}

std::string key_of(const Value& value) {
  return std::visit(KeyOf{}, value.data());
}

bool is_hashable(const Value& value) {
  if (const auto* tuple = value.as<TuplePtr>()) {
    return std::all_of((*tuple)->items.begin(), (*tuple)->items.end(), is_hashable);
  }
  return !value.is<ListPtr>() && !value.is<DictPtr>() && !value.is<DictView>();
}

std::optional<std::size_t> Dict::position(const Value& key) const {
  if (!index_.empty()) {
    const auto found = index_.find(key_of(key));
    return found == index_.end() ? std::nullopt : std::optional(found->second);
  }
  if (!key.is<Text>()) key_of(key);  // a key that cannot be hashed is an error in an empty dict, too
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (same_key(entries_[i].first, key)) return i;
  }
  return std::nullopt;
}

const Value* Dict::find(const Value& key) const {
  const auto at = position(key);
  return at ? &entries_[*at].second : nullptr;
}

const Value* Dict::find(std::string_view key) const {
  return find(literal(key));
}

void Dict::set(Value key, Value value) {
  depth_ = std::max({depth_, jinja::depth(key) + 1, jinja::depth(value) + 1});
  if (const auto at = position(key)) {
    entries_[*at].second = std::move(value);
    return;
  }
  entries_.emplace_back(std::move(key), std::move(value));
  if (entries_.size() < kIndexedFrom) return;
  const std::size_t first = index_.empty() ? 0 : entries_.size() - 1;
  for (std::size_t i = first; i < entries_.size(); ++i) index_.emplace(key_of(entries_[i].first), i);
}

std::string_view type_name(const Value& value) {
  return std::visit(NameOf{}, value.data());
}

bool truth(const Value& value) {
  if (value.is<None>() || value.is<Undefined>()) return false;
  if (const auto* flag = value.as<bool>()) return *flag;
  if (const auto* number = value.as<Integer>()) return *number != 0;
  if (const auto* number = value.as<double>()) return *number != 0;
  if (const auto* text = value.as<Text>()) return !(*text)->empty();
  if (value.is<Object*>() && object_as<Loop>(value) == nullptr) return true;
  const auto size = size_of(value);
  return !size || *size > 0;
}

std::uint32_t depth(const Value& value) {
  if (const auto* list = value.as<ListPtr>()) return (*list)->depth;
  if (const auto* tuple = value.as<TuplePtr>()) return (*tuple)->depth;
  if (const auto* dict = value.as<DictPtr>()) return (*dict)->depth();
  if (const auto* view = value.as<DictView>()) return view->dict->depth() + 1;
  if (const auto* iterator = value.as<IteratorPtr>()) return (*iterator)->depth();
  if (const auto* function = value.as<FunctionPtr>()) return (*function)->depth;
  return 0;
}

std::optional<std::size_t> size_of(const Value& value) {
  if (const auto* text = value.as<Text>()) return code_points(**text);
  if (const auto* list = value.as<ListPtr>()) return (*list)->items.size();
  if (const auto* tuple = value.as<TuplePtr>()) return (*tuple)->items.size();
  if (const auto* dict = value.as<DictPtr>()) return (*dict)->entries().size();
  if (const auto* range = value.as<RangePtr>()) return (*range)->size;
  if (const auto* view = value.as<DictView>()) return view->dict->entries().size();
  if (value.is<Undefined>()) return 0;
  if (auto* loop = object_as<Loop>(value)) return loop->length();
  return std::nullopt;
}

std::optional<Integer> as_integer(const Value& value) {
  if (const auto* number = value.as<Integer>()) return *number;
  if (const auto* flag = value.as<bool>()) return static_cast<Integer>(*flag);
  return std::nullopt;
}

std::optional<double> as_real(const Value& value) {
  if (const auto* number = value.as<double>()) return *number;
  if (const auto number = as_integer(value)) return static_cast<double>(*number);
  return std::nullopt;
}

}  // namespace attune::text::jinja
