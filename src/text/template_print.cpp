// str() and repr(); see template_print.h.
#include "template_print.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "attune/base/utf8.h"
#include "python_text.h"
#include "template_fault.h"
#include "template_loop.h"
#include "template_macro.h"

namespace attune::text::jinja {

namespace {

/// How repr() writes a character that is not printed as it is.
void append_code(std::string& out, char32_t c) {
  std::array<char, 16> buffer;
  const char* format = c <= 0xff ? "\\x%02x" : c <= 0xffff ? "\\u%04x" : "\\U%08x";
  std::snprintf(buffer.data(), buffer.size(), format, static_cast<unsigned>(c));
  out += buffer.data();
}

std::string in_quotes(std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out(1, quote);
  for (std::size_t position = 0; position < text.size();) {
    const char32_t c = next_code_point(text, position);
    if (c == U'\n') {
      out += "\\n";
    } else if (c == U'\r') {
      out += "\\r";
    } else if (c == U'\t') {
      out += "\\t";
    } else if (c == U'\\' || c == static_cast<char32_t>(quote)) {
      out += '\\';
      out += static_cast<char>(c);
    } else if (is_printable(c)) {
      append_utf8(out, c);
    } else {
      append_code(out, c);
    }
  }
  return out += quote;
}

class Printer {
 public:
  Printer(Heap& heap, std::string& out) : heap_(heap), out_(out) {}

  void repr(const Value& value) {
    const Heap::Descent level(heap_);
    heap_.charge();
    std::visit(*this, value.data());
  }

  void operator()(None) { put("None"); }
  void operator()(const Undefined&) { put("Undefined"); }
  void operator()(bool value) { put(value ? "True" : "False"); }
  void operator()(Integer value) { put(to_decimal(value)); }
  void operator()(double value) { put(repr_of_real(value)); }
  void operator()(const Text& text) {
    heap_.charge_reading(text->size());
    const std::string inner = in_quotes(*text);
    put(text.markup ? "Markup(" + inner + ")" : inner);
  }
  void operator()(const ListPtr& list) { sequence("[", list->items, "]"); }
  void operator()(const TuplePtr& tuple) { sequence("(", tuple->items, tuple->items.size() == 1 ? ",)" : ")"); }
  void operator()(const DictPtr& dict) {
    put("{");
    std::string_view separator;
    for (const auto& [key, value] : dict->entries()) {
      put(separator);
      repr(key);
      put(": ");
      repr(value);
      separator = ", ";
    }
    put("}");
  }
  void operator()(const RangePtr& range) {
    put("range(" + to_decimal(range->start) + ", " + to_decimal(range->stop));
    put(range->step == 1 ? ")" : ", " + to_decimal(range->step) + ")");
  }
  void operator()(const DictView& view) {
    put(std::string(type_name(view)) + "([");
    std::string_view separator;
    for (const auto& [key, value] : view.dict->entries()) {
      put(separator);
      if (view.part == DictView::Part::items) put("(");
      if (view.part != DictView::Part::values) repr(key);
      if (view.part == DictView::Part::items) put(", ");
      if (view.part != DictView::Part::keys) repr(value);
      if (view.part == DictView::Part::items) put(")");
      separator = ", ";
    }
    put("])");
  }
  void operator()(const IteratorPtr&) { fail("a generator cannot be printed (only its address could); add |list"); }
  void operator()(const FunctionPtr&) {
    fail("a function cannot be printed (only its address could); call it with ()");
  }
  void operator()(const MacroPtr& macro) {
    put(macro->name().empty() ? "<Macro anonymous>" : "<Macro " + in_quotes(macro->name()) + ">");
  }
  void operator()(Object* object) {
    if (auto* loop = dynamic_cast<Loop*>(object)) {
      put("<LoopContext " + to_decimal(loop->index0() + 1) + "/" + std::to_string(loop->length()) + ">");
    } else if (const auto* names = dynamic_cast<Namespace*>(object)) {
      put("<Namespace ");
      repr(DictPtr(std::make_shared<const Dict>(names->attributes)));
      put(">");
    } else {
      fail("a ", object->type_name(), " cannot be printed (only its address could)");
    }
  }

 private:
  void put(std::string_view part) { heap_.append(out_, part); }
  void sequence(std::string_view open, const std::vector<Value>& items, std::string_view close) {
    put(open);
    std::string_view separator;
    for (const Value& item : items) {
      put(separator);
      repr(item);
      separator = ", ";
    }
    put(close);
  }

  Heap& heap_;
  std::string& out_;
};

}  // namespace

std::string repr_of_real(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::array<char, 32> buffer;
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific).ptr;
  const std::string shortest(buffer.data(), end);
  const std::size_t mark = shortest.find('e');
  const int exponent = std::atoi(shortest.c_str() + mark + 1);
  if (exponent < -4 || exponent >= 16) return shortest;  // to_chars writes at least two digits, as Python does
  const bool negative = shortest[0] == '-';
  std::string digits = shortest.substr(negative, mark - negative);
  std::erase(digits, '.');
  if (exponent < 0) {
    digits.insert(0, std::string(static_cast<std::size_t>(-exponent), '0')).insert(1, ".");
  } else {
    const auto whole = static_cast<std::size_t>(exponent) + 1;
    if (digits.size() < whole) digits.append(whole - digits.size(), '0');
    digits.insert(whole, digits.size() == whole ? ".0" : ".");
  }
  return negative ? "-" + digits : digits;
}

void append_text(Heap& heap, std::string& out, const Value& value) {
  if (value.is<Undefined>()) return;
  if (const auto* text = value.as<Text>()) return heap.append(out, **text);
  Printer(heap, out).repr(value);
}

std::string to_text(Heap& heap, const Value& value) {
  std::string out;
  append_text(heap, out, value);
  return out;
}

Value as_text(Heap& heap, const Value& value) {
  const auto* text = value.as<Text>();
  return text == nullptr ? heap.text(to_text(heap, value)) : Value(Text{text->characters});
}

Value as_soft_text(Heap& heap, const Value& value) {
  return value.is<Text>() ? value : heap.text(to_text(heap, value));
}

std::string repr(Heap& heap, const Value& value) {
  std::string out;
  Printer(heap, out).repr(value);
  return out;
}

std::string ascii(std::string_view repr) {
  std::string out;
  for (std::size_t position = 0; position < repr.size();) {
    const char32_t c = next_code_point(repr, position);
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else {
      append_code(out, c);
    }
  }
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '\'') {
      out += "&#39;";
    } else if (c == '"') {
      out += "&#34;";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace attune::text::jinja
