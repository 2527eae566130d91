// json.dumps; see template_print.h.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "attune/base/utf8.h"
#include "python_text.h"
#include "template_fault.h"
#include "template_operators.h"
#include "template_print.h"

namespace attune::text::jinja {

namespace {

void append_escape(std::string& out, unsigned unit) {
  std::array<char, 8> buffer;
  std::snprintf(buffer.data(), buffer.size(), "\\u%04x", unit);
  out += buffer.data();
}

void append_json_character(std::string& out, char32_t c, bool ensure_ascii) {
  constexpr std::string_view kNamed = "\"\\\n\r\t\b\f", kLetters = "\"\\nrtbf";
  if (c < 0x80 && kNamed.find(static_cast<char>(c)) != std::string_view::npos) {
    out += '\\';
    out += kLetters[kNamed.find(static_cast<char>(c))];
  } else if (c < 0x20) {
    append_escape(out, c);
  } else if (c < 0x7f || !ensure_ascii) {
    append_utf8(out, c);
  } else if (c < 0x10000) {
    append_escape(out, c);
  } else {
    append_escape(out, 0xd800 + ((c - 0x10000) >> 10));
    append_escape(out, 0xdc00 + ((c - 0x10000) & 0x3ff));
  }
}

std::string json_text(std::string_view text, bool ensure_ascii) {
  std::string out = "\"";
  for (std::size_t position = 0; position < text.size();) {
    append_json_character(out, next_code_point(text, position), ensure_ascii);
  }
  return out += '"';
}

std::string json_real(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  return repr_of_real(value);
}

class JsonWriter {
 public:
  JsonWriter(Heap& heap, const JsonStyle& style) : heap_(heap), style_(style) {}

  void write(const Value& value) {
    const Heap::Descent level(heap_);
    heap_.charge();
    std::visit(*this, value.data());
  }
  std::string take() { return std::move(out_); }

  void operator()(None) { put("null"); }
  void operator()(bool value) { put(value ? "true" : "false"); }
  void operator()(Integer value) { put(to_decimal(value)); }
  void operator()(double value) { put(json_real(value)); }
  void operator()(const Text& text) {
    heap_.charge_reading(text->size());
    put(json_text(*text, style_.ensure_ascii));
  }
  void operator()(const ListPtr& list) { array(list->items); }
  void operator()(const TuplePtr& tuple) { array(tuple->items); }
  void operator()(const DictPtr& dict) {
    if (dict->entries().empty()) return put("{}");
    std::vector<Dict::Entry> entries = dict->entries();
    if (style_.sort_keys) {
      std::stable_sort(entries.begin(), entries.end(),
                       [&](const auto& a, const auto& b) { return less(heap_, a.first, b.first); });
    }
    open("{");
    for (std::size_t i = 0; i < entries.size(); ++i) {
      separate(i);
      put(json_text(key_text(entries[i].first), style_.ensure_ascii));
      put(style_.key_separator);
      write(entries[i].second);
    }
    close("}");
  }
  template <typename Other>
  void operator()(const Other& value) {
    fail("a value of type ", type_name(Value(value)), " cannot be written as JSON");
  }

 private:
  void put(std::string_view part) { heap_.append(out_, part); }
  void new_line() {
    if (!style_.indent) return;
    put("\n");
    for (int i = 0; i < level_; ++i) put(*style_.indent);
  }
  void open(std::string_view bracket) {
    put(bracket);
    ++level_;
  }
  void separate(std::size_t index) {
    if (index > 0) put(style_.item_separator);
    new_line();
  }
  void close(std::string_view bracket) {
    --level_;
    new_line();
    put(bracket);
  }
  void array(const std::vector<Value>& items) {
    if (items.empty()) return put("[]");
    open("[");
    for (std::size_t i = 0; i < items.size(); ++i) {
      separate(i);
      write(items[i]);
    }
    close("]");
  }
  /// Keys that are no strings become what JSON would write for them.
  std::string key_text(const Value& key) {
    if (const auto* text = key.as<Text>()) return **text;
    if (key.is<None>()) return "null";
    if (const auto* flag = key.as<bool>()) return *flag ? "true" : "false";
    if (const auto* number = key.as<Integer>()) return to_decimal(*number);
    if (const auto* number = key.as<double>()) return json_real(*number);
    fail("a key of type ", type_name(key), " cannot be written as JSON");
  }

  Heap& heap_;
  const JsonStyle& style_;
  std::string out_;
  int level_ = 0;
};

}  // namespace

std::string to_json(Heap& heap, const Value& value, const JsonStyle& style) {
  JsonWriter writer(heap, style);
  writer.write(value);
  return writer.take();
}

}  // namespace attune::text::jinja
