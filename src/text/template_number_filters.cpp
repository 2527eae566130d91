// Filters on numbers.
#include <cmath>
#include <cstdio>

#include "python_text.h"
#include "template_builtins.h"
#include "template_fault.h"
#include "template_operators.h"

namespace attune::text::jinja {

namespace {

Integer whole_part(double number) {
  if (std::isnan(number)) fail("nan has no integer");
  if (std::abs(number) >= 1.7e38) fail("an integer of more than 127 bits would be made");
  return static_cast<Integer>(number);
}

Value absolute(Call& call) {
  const auto number = as_integer(call.subject);
  if (number) return *number < 0 ? negated(call.subject) : Value(*number);
  const auto real = as_real(call.subject);
  if (!real) fail("|abs needs a number, found ", type_name(call.subject));
  return std::abs(*real);
}

/// float(value), or nothing where Python raises a TypeError or ValueError.
std::optional<double> converted(const Value& value) {
  require_defined(value);
  const auto* text = value.as<Text>();
  return text != nullptr ? parse_real(**text) : as_real(value);
}

Value to_float(Call& call) {
  const auto number = converted(call.subject);
  if (number) return *number;
  return call.find(0) != nullptr ? call.at(0) : Value(0.0);
}

Value to_int(Call& call) {
  require_defined(call.subject);
  const Integer base = call.integer(1, 10);
  const Value absent = call.find(0) != nullptr ? call.at(0) : Value(Integer{0});
  if (const auto number = as_integer(call.subject)) return *number;
  if (const auto* real = call.subject.as<double>()) {
    return std::isnan(*real) ? absent : Value(whole_part(*real));
  }
  const auto* text = call.subject.as<Text>();
  if (text == nullptr) return absent;
  const bool has_base = base == 0 || (base >= 2 && base <= 36);
  const auto number = has_base ? parse_integer(**text, static_cast<int>(base)) : std::nullopt;
  if (number) return *number;
  const auto real = parse_real(**text);  // "42.23" gives 42
  return real && std::isfinite(*real) ? Value(whole_part(*real)) : absent;
}

Integer power_of_ten(Integer exponent) {
  if (exponent > 37) fail("|round takes at most 37 places before the point");
  Integer power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

/// Half to even, at 10^places.
Integer round_integer(Integer number, Integer places) {
  const Integer unit = power_of_ten(places);
  Integer rest = number % unit;
  if (rest < 0) rest += unit;
  const Integer low = number - rest;
  const bool is_odd = (low / unit) % 2 != 0;
  return rest > unit - rest || (rest == unit - rest && is_odd) ? low + unit : low;
}

/// The double nearest to the decimal that is nearest to `number`; the C library rounds its exact value half to even.
double round_real(double number, int places) {
  char buffer[512];
  std::snprintf(buffer, sizeof buffer, "%.*f", places, number);
  return std::strtod(buffer, nullptr);
}

Value round_common(const Value& value, Integer precision) {
  const auto number = as_integer(value);
  if (number) return precision >= 0 ? *number : round_integer(*number, -precision);
  const double real = *as_real(value);
  if (!std::isfinite(real) || precision > 22) return real;  // no digits are left to cut
  if (precision >= 0) return round_real(real, static_cast<int>(precision));
  const auto unit = static_cast<double>(power_of_ten(-precision));
  return std::nearbyint(real / unit) * unit;
}

Value round(Call& call) {
  require_defined(call.subject);
  if (!as_real(call.subject)) fail("|round needs a number, found ", type_name(call.subject));
  const Integer precision = call.integer(0, 0);
  const std::string method = call.find(1) != nullptr ? call.text(1) : "common";
  if (method == "common") return round_common(call.subject, precision);
  if (method != "ceil" && method != "floor") fail("|round knows common, ceil and floor, not '", method, "'");
  const Value unit = arithmetic(call.heap, Arithmetic::power, Integer{10}, precision);
  const Value scaled = arithmetic(call.heap, Arithmetic::multiply, call.subject, unit);
  const double real = *as_real(scaled);
  if (!std::isfinite(real)) fail("|round cannot turn ", real, " into an integer");
  const Value whole =
      as_integer(scaled) ? scaled : Value(whole_part(method == "ceil" ? std::ceil(real) : std::floor(real)));
  return arithmetic(call.heap, Arithmetic::divide, whole, unit);
}

constexpr Builtin kNumberFilters[] = {
    {"abs", "", absolute},
    {"float", "default?", to_float},
    {"int", "default? base?", to_int},
    {"round", "precision? method?", round},
};

}  // namespace

std::span<const Builtin> number_filters() {
  return kNumberFilters;
}

}  // namespace attune::text::jinja
