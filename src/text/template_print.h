// Values as text: Python's str() and repr(), and json.dumps as Transformers' tojson calls it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "template_heap.h"

namespace attune::text::jinja {

/// str(value) behind `out`; an undefined value is nothing. Fault for what only has an address to show.
void append_text(Heap& heap, std::string& out, const Value& value);
std::string to_text(Heap& heap, const Value& value);
/// str(value) as a value: a text (with its markup dropped) stays the same object.
Value as_text(Heap& heap, const Value& value);
/// soft_str(value): a text, or markup, stays as it is.
Value as_soft_text(Heap& heap, const Value& value);
std::string repr(Heap& heap, const Value& value);
/// ascii(): what repr() wrote, with the rest of Unicode as \x, \u and \U.
std::string ascii(std::string_view repr);
/// 0.1, 1e-05, 1e+16, nan.
std::string repr_of_real(double value);

/// markupsafe.escape.
std::string escaped(std::string_view text);

struct JsonStyle {
  bool ensure_ascii = false;
  bool sort_keys = false;
  std::optional<std::string> indent = std::nullopt;
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};
std::string to_json(Heap& heap, const Value& value, const JsonStyle& style);

}  // namespace attune::text::jinja
