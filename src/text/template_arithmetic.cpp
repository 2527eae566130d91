// + - * / // % ** and the unary signs; see template_operators.h.
#include <algorithm>
#include <cmath>

#include "template_fault.h"
#include "template_format.h"
#include "template_operators.h"
#include "template_print.h"

namespace attune::text::jinja {

namespace {

constexpr std::string_view kSigns[] = {"+", "-", "*", "/", "//", "%", "**"};

[[noreturn]] void unsupported(Arithmetic operation, const Value& left, const Value& right) {
  fail("'", kSigns[static_cast<int>(operation)], "' does not take ", type_name(left), " and ", type_name(right));
}

[[noreturn]] void too_large() {
  fail("an integer of more than 127 bits would be made");
}

Integer floor_quotient(Integer a, Integer b) {
  const Integer quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

Integer power_of(Integer base, Integer exponent) {
  Integer result = 1;
  for (; exponent > 0 && base != 0 && base != 1; --exponent) {
    if (base == -1) return exponent % 2 == 0 ? result : -result;
    if (__builtin_mul_overflow(result, base, &result)) too_large();
  }
  return exponent > 0 && base == 0 ? 0 : result;
}

double real_power(double base, double exponent) {
  if (base == 0 && exponent < 0) fail("0 cannot be raised to a negative power");
  if (base < 0 && exponent != std::floor(exponent)) fail("a negative number has no such power among the reals");
  const double result = std::pow(base, exponent);
  if (std::isinf(result) && !std::isinf(base) && !std::isinf(exponent)) fail("the result of '**' is too large");
  return result;
}

double floor_remainder(double a, double b) {
  double rest = std::fmod(a, b);
  if (rest != 0 && (rest < 0) != (b < 0)) rest += b;
  return rest == 0 ? std::copysign(0.0, b) : rest;
}

double real_floor_quotient(double a, double b) {
  const double quotient = (a - floor_remainder(a, b)) / b;
  const double floored = std::floor(quotient);
  if (quotient == 0) return std::copysign(0.0, a / b);
  return quotient - floored > 0.5 ? floored + 1 : floored;
}

Value on_integers(Arithmetic operation, Integer a, Integer b) {
  Integer result = 0;
  bool overflow = false;
  switch (operation) {
    case Arithmetic::add:
      overflow = __builtin_add_overflow(a, b, &result);
      break;
    case Arithmetic::subtract:
      overflow = __builtin_sub_overflow(a, b, &result);
      break;
    case Arithmetic::multiply:
      overflow = __builtin_mul_overflow(a, b, &result);
      break;
    case Arithmetic::divide:
      return static_cast<double>(a) / static_cast<double>(b);
    case Arithmetic::floor_divide:
      overflow = b == -1 && __builtin_sub_overflow(Integer{0}, a, &result);
      if (!overflow) result = floor_quotient(a, b);
      break;
    case Arithmetic::modulo:
      result = b == -1 ? 0 : a - floor_quotient(a, b) * b;
      break;
    case Arithmetic::power:
      if (b < 0) return real_power(static_cast<double>(a), static_cast<double>(b));
      result = power_of(a, b);
  }
  if (overflow) too_large();
  return result;
}

Value on_reals(Arithmetic operation, double a, double b) {
  switch (operation) {
    case Arithmetic::add:
      return a + b;
    case Arithmetic::subtract:
      return a - b;
    case Arithmetic::multiply:
      return a * b;
    case Arithmetic::divide:
      return a / b;
    case Arithmetic::floor_divide:
      return real_floor_quotient(a, b);
    case Arithmetic::modulo:
      return floor_remainder(a, b);
    case Arithmetic::power:
      return real_power(a, b);
  }
  return Value();
}

bool divides(Arithmetic operation) {
  return operation == Arithmetic::divide || operation == Arithmetic::floor_divide || operation == Arithmetic::modulo;
}

std::optional<Value> on_numbers(Arithmetic operation, const Value& left, const Value& right) {
  const auto a = as_integer(left), b = as_integer(right);
  const auto x = as_real(left), y = as_real(right);
  if (!x || !y) return std::nullopt;
  if (divides(operation) && *y == 0) fail("division by zero");
  return a && b ? on_integers(operation, *a, *b) : on_reals(operation, *x, *y);
}

/// Where one side is markup the other is escaped, and the result is markup.
Value joined(Heap& heap, const Text& left, const Text& right) {
  const bool markup = left.markup || right.markup;
  std::string out = markup && !left.markup ? escaped(*left) : *left;
  heap.append(out, markup && !right.markup ? escaped(*right) : *right);
  return heap.text(std::move(out), markup);
}

std::vector<Value> joined(Heap& heap, const std::vector<Value>& left, const std::vector<Value>& right) {
  heap.claim_items(left.size() + right.size());
  std::vector<Value> items = left;
  items.insert(items.end(), right.begin(), right.end());
  return items;
}

/// How often a sequence of `size` is repeated. Fault where that is too much.
std::size_t repetitions(Heap& heap, std::size_t size, Integer count, bool is_text) {
  if (count <= 0 || size == 0) return 0;
  constexpr Integer kMany = static_cast<Integer>(1) << 40;
  const Integer wanted = std::min(count, kMany) * static_cast<Integer>(size);
  const auto total = static_cast<std::size_t>(std::min(wanted, kMany));
  if (is_text) {
    heap.claim_text(total);
  } else {
    heap.claim_items(total);
  }
  return static_cast<std::size_t>(count);
}

Value repeated(Heap& heap, const Value& sequence, Integer count) {
  if (const auto* text = sequence.as<Text>()) {
    std::string out;
    for (std::size_t n = repetitions(heap, (*text)->size(), count, true); n > 0; --n) out += **text;
    return heap.text(std::move(out), text->markup);
  }
  const auto* list = sequence.as<ListPtr>();
  const auto& items = list != nullptr ? (*list)->items : (*sequence.as<TuplePtr>())->items;
  std::vector<Value> out;
  for (std::size_t n = repetitions(heap, items.size(), count, false); n > 0; --n) {
    out.insert(out.end(), items.begin(), items.end());
  }
  return list != nullptr ? heap.list(std::move(out)) : heap.tuple(std::move(out));
}

bool is_repeatable(const Value& value) {
  return value.is<Text>() || value.is<ListPtr>() || value.is<TuplePtr>();
}

}  // namespace

Value arithmetic(Heap& heap, Arithmetic operation, const Value& left, const Value& right) {
  require_defined(left);
  if (operation == Arithmetic::modulo && left.is<Text>()) return percent_format(heap, *left.as<Text>(), right);
  require_defined(right);
  if (auto number = on_numbers(operation, left, right)) return *std::move(number);
  if (operation == Arithmetic::add) {
    if (left.is<Text>() && right.is<Text>()) return joined(heap, *left.as<Text>(), *right.as<Text>());
    const auto *first = left.as<ListPtr>(), *second = right.as<ListPtr>();
    if (first != nullptr && second != nullptr) return heap.list(joined(heap, (*first)->items, (*second)->items));
    const auto *head = left.as<TuplePtr>(), *tail = right.as<TuplePtr>();
    if (head != nullptr && tail != nullptr) return heap.tuple(joined(heap, (*head)->items, (*tail)->items));
  } else if (operation == Arithmetic::multiply) {
    if (const auto count = as_integer(right); count && is_repeatable(left)) return repeated(heap, left, *count);
    if (const auto count = as_integer(left); count && is_repeatable(right)) return repeated(heap, right, *count);
  }
  unsupported(operation, left, right);
}

Value negated(const Value& value) {
  require_defined(value);
  if (const auto number = as_integer(value)) {
    Integer result = 0;
    if (__builtin_sub_overflow(Integer{0}, *number, &result)) too_large();
    return result;
  }
  if (const auto number = as_real(value)) return -*number;
  fail("the sign '-' does not take ", type_name(value));
}

Value posited(const Value& value) {
  require_defined(value);
  if (const auto number = as_integer(value)) return *number;
  if (const auto number = as_real(value)) return *number;
  fail("the sign '+' does not take ", type_name(value));
}

}  // namespace attune::text::jinja
