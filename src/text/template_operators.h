// Python's operators on template values.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "template_heap.h"

namespace attune::text::jinja {

enum class Arithmetic { add, subtract, multiply, divide, floor_divide, modulo, power };
Value arithmetic(Heap& heap, Arithmetic operation, const Value& left, const Value& right);
Value negated(const Value& value);
Value posited(const Value& value);  ///< unary plus

enum class Comparison { equal, unequal, less, less_equal, greater, greater_equal, in, not_in };
bool compare(Heap& heap, Comparison comparison, const Value& left, const Value& right);
bool equal(Heap& heap, const Value& left, const Value& right);
/// left < right. Fault for values that have no order.
bool less(Heap& heap, const Value& left, const Value& right);
bool contains(Heap& heap, const Value& container, const Value& item);

struct SliceBounds {
  Value start, stop, step;  ///< None = open
};
/// value[start:stop:step]
Value sliced(Heap& heap, const Value& value, const SliceBounds& bounds);

/// iter(value). Fault for what cannot be iterated.
IteratorPtr iterate(Heap& heap, const Value& value);
bool is_iterable(const Value& value);
/// list(value)
std::vector<Value> items_of(Heap& heap, const Value& value);
/// An iterator from a function that gives the next item; `held` are the values it keeps.
IteratorPtr generate(Heap& heap, std::initializer_list<Value> held, std::function<std::optional<Value>()> next);
/// A generator that makes all its items when the first is asked for.
IteratorPtr generate_all(Heap& heap, std::initializer_list<Value> held, std::function<std::vector<Value>()> items);

/// Throws what an undefined value says when it is used.
[[noreturn]] void fail_undefined(const Undefined& value);
/// The same if it is one.
void require_defined(const Value& value);

}  // namespace attune::text::jinja
