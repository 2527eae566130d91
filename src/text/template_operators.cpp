// Comparison and membership; see template_operators.h.
#include "template_operators.h"

#include <algorithm>
#include <cmath>

#include "python_text.h"
#include "template_fault.h"

namespace attune::text::jinja {

void fail_undefined(const Undefined& value) {
  fail(*value.reason);
}

void require_defined(const Value& value) {
  if (const auto* absent = value.as<Undefined>()) fail_undefined(*absent);
}

namespace {

bool equal_items(Heap& heap, const std::vector<Value>& left, const std::vector<Value>& right) {
  if (left.size() != right.size()) return false;
  return std::equal(left.begin(), left.end(), right.begin(),
                    [&](const Value& a, const Value& b) { return equal(heap, a, b); });
}

bool equal_dicts(Heap& heap, const Dict& left, const Dict& right) {
  if (left.entries().size() != right.entries().size()) return false;
  return std::all_of(left.entries().begin(), left.entries().end(), [&](const Dict::Entry& entry) {
    const Value* other = right.find(entry.first);
    return other != nullptr && equal(heap, entry.second, *other);
  });
}

bool equal_ranges(const Range& left, const Range& right) {
  if (left.size != right.size || left.size == 0) return left.size == right.size;
  return left.start == right.start && (left.size == 1 || left.step == right.step);
}

/// keys() and items() compare as sets; values() are equal to nothing.
bool equal_views(Heap& heap, const DictView& left, const DictView& right) {
  if (left.part != right.part || left.part == DictView::Part::values) return false;
  if (left.part == DictView::Part::items) return equal_dicts(heap, *left.dict, *right.dict);
  const auto& keys = left.dict->entries();
  return keys.size() == right.dict->entries().size() && std::all_of(keys.begin(), keys.end(), [&](const auto& entry) {
           return right.dict->find(entry.first) != nullptr;
         });
}

/// left compared with right where at least one is a float; int against float is exact as far as a long double is.
template <typename Relation>
bool numbers(const Value& left, const Value& right, Relation relation) {
  const auto wide = [](const Value& value) {
    const auto whole = as_integer(value);
    return whole ? static_cast<long double>(*whole) : static_cast<long double>(*as_real(value));
  };
  const auto a = as_integer(left), b = as_integer(right);
  return a && b ? relation(*a, *b) : relation(wide(left), wide(right));
}

struct Equal {
  Heap& heap;

  bool operator()(const Text& a, const Text& b) const {
    heap.charge_reading(std::min(a->size(), b->size()));
    return *a == *b;
  }
  bool operator()(const ListPtr& a, const ListPtr& b) const { return a == b || equal_items(heap, a->items, b->items); }
  bool operator()(const TuplePtr& a, const TuplePtr& b) const {
    return a == b || equal_items(heap, a->items, b->items);
  }
  bool operator()(const DictPtr& a, const DictPtr& b) const { return a == b || equal_dicts(heap, *a, *b); }
  bool operator()(const RangePtr& a, const RangePtr& b) const { return equal_ranges(*a, *b); }
  bool operator()(const DictView& a, const DictView& b) const { return equal_views(heap, a, b); }
  bool operator()(const Undefined&, const Undefined&) const { return true; }
  bool operator()(None, None) const { return true; }
  bool operator()(const IteratorPtr& a, const IteratorPtr& b) const { return a == b; }
  bool operator()(const MacroPtr& a, const MacroPtr& b) const { return a == b; }
  bool operator()(Object* a, Object* b) const { return a == b; }
  bool operator()(const FunctionPtr& a, const FunctionPtr& b) const {
    return a == b || (a->builtin == b->builtin && equal(heap, a->receiver, b->receiver));
  }
  template <typename A, typename B>
  bool operator()(const A& a, const B& b) const {
    if (!as_real(Value(a)) || !as_real(Value(b))) return false;
    return numbers(Value(a), Value(b), [](auto x, auto y) { return x == y; });
  }
};

bool less_items(Heap& heap, const std::vector<Value>& left, const std::vector<Value>& right) {
  for (std::size_t i = 0; i < left.size() && i < right.size(); ++i) {
    if (!equal(heap, left[i], right[i])) return less(heap, left[i], right[i]);
  }
  return left.size() < right.size();
}

const std::vector<Value>* items_if_same_kind(const Value& value, const Value& other) {
  if (value.is<ListPtr>() && other.is<ListPtr>()) return &(*value.as<ListPtr>())->items;
  if (value.is<TuplePtr>() && other.is<TuplePtr>()) return &(*value.as<TuplePtr>())->items;
  return nullptr;
}

/// `<` (or_equal: `<=`).
bool ordered(Heap& heap, const Value& left, const Value& right, bool or_equal) {
  const Heap::Descent level(heap);
  heap.charge();
  require_defined(left);
  require_defined(right);
  if (as_real(left) && as_real(right)) {
    return numbers(left, right, [&](auto a, auto b) { return or_equal ? a <= b : a < b; });
  }
  const auto *a = left.as<Text>(), *b = right.as<Text>();
  if (a != nullptr && b != nullptr) {
    heap.charge_reading(std::min((*a)->size(), (*b)->size()));
    return or_equal ? **a <= **b : **a < **b;  // the order of UTF-8 bytes is the order of code points
  }
  if (const auto* items = items_if_same_kind(left, right)) {
    const auto& others = *items_if_same_kind(right, left);
    return less_items(heap, *items, others) || (or_equal && equal_items(heap, *items, others));
  }
  fail(type_name(left), " and ", type_name(right), " have no order");
}

bool contains_any(Heap& heap, IteratorPtr items, const Value& item) {
  while (const auto candidate = items->next()) {
    if (equal(heap, *candidate, item)) return true;
  }
  return false;
}

bool contains_entry(Heap& heap, const Dict& dict, const Value& item) {
  const auto* pair = item.as<TuplePtr>();
  if (pair == nullptr || (*pair)->items.size() != 2) return false;
  const Value* value = dict.find((*pair)->items[0]);
  return value != nullptr && equal(heap, *value, (*pair)->items[1]);
}

}  // namespace

bool equal(Heap& heap, const Value& left, const Value& right) {
  const Heap::Descent level(heap);
  heap.charge();
  return std::visit(Equal{heap}, left.data(), right.data());
}

bool less(Heap& heap, const Value& left, const Value& right) {
  return ordered(heap, left, right, false);
}

bool contains(Heap& heap, const Value& container, const Value& item) {
  const auto* wanted = item.as<Text>();
  if (wanted != nullptr) heap.charge_reading((*wanted)->size());
  if (const auto* text = container.as<Text>()) {
    if (wanted == nullptr) fail("'in' a str needs a str, found ", type_name(item));
    heap.charge_reading((*text)->size());
    return find_bytes(**text, **wanted) != std::string_view::npos;
  }
  if (const auto* dict = container.as<DictPtr>()) return (*dict)->find(item) != nullptr;
  if (const auto* view = container.as<DictView>()) {
    if (view->part == DictView::Part::keys) return view->dict->find(item) != nullptr;
    if (view->part == DictView::Part::items) return contains_entry(heap, *view->dict, item);
  }
  return contains_any(heap, iterate(heap, container), item);
}

bool compare(Heap& heap, Comparison comparison, const Value& left, const Value& right) {
  switch (comparison) {
    case Comparison::equal:
      return equal(heap, left, right);
    case Comparison::unequal:
      return !equal(heap, left, right);
    case Comparison::less:
      return ordered(heap, left, right, false);
    case Comparison::less_equal:
      return ordered(heap, left, right, true);
    case Comparison::greater:
      return ordered(heap, right, left, false);
    case Comparison::greater_equal:
      return ordered(heap, right, left, true);
    case Comparison::in:
      return contains(heap, right, left);
    case Comparison::not_in:
      return !contains(heap, right, left);
  }
  return false;
}

}  // namespace attune::text::jinja
