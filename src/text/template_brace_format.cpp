// str.format; see template_format.h.
#include <algorithm>

#include "attune/base/utf8.h"
#include "python_text.h"
#include "template_attributes.h"
#include "template_fault.h"
#include "template_format.h"
#include "template_operators.h"
#include "template_print.h"

namespace attune::text::jinja {

namespace {

/// [[fill]align][sign][#][0][width][grouping][.precision][type]
struct Specification {
  std::string fill = " ";
  char align = 0;
  std::optional<int> width;
  NumberStyle number{.type = 0};
};

bool is_align(char c) {
  return c == '<' || c == '>' || c == '=' || c == '^';
}

Specification read_specification(std::string_view text) {
  Specification specification;
  std::size_t position = 0;
  const auto at = [&](std::string_view wanted) {
    return position < text.size() && wanted.find(text[position]) != std::string_view::npos;
  };
  std::size_t behind_fill = 0;
  if (!text.empty()) next_code_point(text, behind_fill);
  if (behind_fill < text.size() && is_align(text[behind_fill])) {
    specification.fill = std::string(text.substr(0, behind_fill));
    specification.align = text[behind_fill];
    position = behind_fill + 1;
  } else if (at("<>=^")) {
    specification.align = text[position++];
  }
  if (at("+- ")) specification.number.sign = text[position++];
  if (at("#")) {
    specification.number.alternate = true;
    ++position;
  }
  if (at("0")) {
    if (specification.align == 0) {
      specification.fill = "0";
      specification.align = '=';
    }
    ++position;
  }
  specification.width = read_number(text, position);
  if (at(",_")) specification.number.separator = text[position++];
  if (at(".")) {
    ++position;
    specification.number.precision = read_number(text, position);
    if (!specification.number.precision) fail("a format specification lacks the digits of its precision");
  }
  if (position < text.size()) specification.number.type = text[position++];
  if (position < text.size()) fail("the format specification '", text, "' is not one that numbers and texts have");
  return specification;
}

std::string padded(const Specification& specification, const std::string& prefix, const std::string& body, char align) {
  const auto width = static_cast<std::size_t>(specification.width.value_or(0));
  const std::size_t size = prefix.size() + code_points(body);
  const std::size_t missing = width > size ? width - size : 0;
  const auto fill = [&](std::size_t count) {
    std::string out;
    for (; count > 0; --count) out += specification.fill;
    return out;
  };
  if (specification.align != 0) align = specification.align;
  if (align == '<') return prefix + body + fill(missing);
  if (align == '^') return fill(missing / 2) + prefix + body + fill(missing - missing / 2);
  if (align == '=') return prefix + fill(missing) + body;
  return fill(missing) + prefix + body;
}

std::string format_text(const std::string& text, const Specification& specification) {
  const NumberStyle& style = specification.number;
  if ((style.type != 0 && style.type != 's') || style.sign != '-' || style.alternate || style.separator != 0 ||
      specification.align == '=') {
    fail("a str is formatted with a specification for numbers");
  }
  const auto limit = static_cast<std::size_t>(style.precision.value_or(0));
  return padded(specification, "", style.precision ? std::string(part_of(text, 0, limit)) : text, '<');
}

std::string format_number(const Value& value, const Specification& specification) {
  NumberStyle style = specification.number;
  const auto whole = as_integer(value);
  const bool as_whole =
      whole && (style.type == 0 || std::string_view("bcdoxX").find(style.type) != std::string_view::npos);
  if (as_whole && style.precision) fail("a precision does not go with an int");
  if (as_whole && style.type == 'c') return padded(specification, "", character_of(value), '<');
  if (style.separator != 0 && specification.fill == "0")
    fail("a grouping together with leading zeros is not supported");
  if (!as_whole && style.type != 0 && std::string_view("eEfFgG%").find(style.type) == std::string_view::npos) {
    fail("a ", type_name(value), " has no format '", style.type, "'");
  }
  if (as_whole && style.type == 0) style.type = 'd';
  if (!as_whole && style.type == 0 && style.precision) fail("a precision needs a type, such as .2f");
  const FormattedNumber number = as_whole ? format_integer(*whole, style) : format_real(*as_real(value), style);
  return padded(specification, number.prefix, number.digits, '>');
}

class BraceFormat {
 public:
  BraceFormat(Heap& heap, const Text& format, const Arguments& arguments)
      : heap_(heap), arguments_(arguments), markup_(format.markup) {}

  std::string run(std::string_view format, int level) {
    std::string out;
    for (std::size_t position = 0; position < format.size();) {
      const std::size_t mark = std::min(format.find_first_of("{}", position), format.size());
      heap_.append(out, format.substr(position, mark - position));
      position = mark + 1;
      if (mark == format.size()) break;
      if (position < format.size() && format[position] == format[mark]) {
        heap_.append(out, format.substr(position++, 1));
        continue;
      }
      if (format[mark] == '}') fail("a format has a '}' without '{'");
      const std::size_t end = end_of_field(format, position);
      heap_.append(out, field(format.substr(position, end - position), level));
      position = end + 1;
    }
    return out;
  }

 private:
  static std::size_t end_of_field(std::string_view format, std::size_t position) {
    for (int open = 1; position < format.size(); ++position) {
      if (format[position] == '{') ++open;
      if (format[position] == '}' && --open == 0) return position;
    }
    fail("a format has a '{' without '}'");
  }

  std::string field(std::string_view text, int level) {
    if (level > 1) fail("the fields of a format nest too deeply");
    const std::size_t name_end = std::min(text.find_first_of("!:"), text.size());
    Value value = look_up(text.substr(0, name_end));
    std::string_view rest = text.substr(name_end);
    if (rest.starts_with('!')) {
      if (rest.size() < 2 || (rest.size() > 2 && rest[2] != ':'))
        fail("a format has a '!' without s, r or a behind it");
      value = converted(value, rest[1]);
      rest.remove_prefix(2);
    }
    const std::string specification = rest.empty() ? "" : run(rest.substr(1), level + 1);
    return formatted(value, specification);
  }

  Value converted(const Value& value, char conversion) {
    if (conversion == 's') return as_text(heap_, value);
    if (conversion == 'r') return heap_.text(repr(heap_, value));
    if (conversion == 'a') return heap_.text(ascii(repr(heap_, value)));
    fail("a format has no conversion '!", conversion, "'");
  }

  Value look_up(std::string_view name) {
    const std::size_t end = std::min(name.find_first_of(".["), name.size());
    Value value = argument(name.substr(0, end));
    for (std::string_view rest = name.substr(end); !rest.empty();) {
      const bool is_item = rest[0] == '[';
      const std::size_t close = is_item ? rest.find(']') : std::min(rest.find_first_of(".[", 1), rest.size());
      if (close == std::string_view::npos || close == 1) fail("the field '", name, "' of a format is not complete");
      const std::string_view part = rest.substr(1, close - 1);
      value = is_item ? item(heap_, value, key(part)) : attribute(heap_, value, part);
      rest.remove_prefix(is_item ? close + 1 : close);
      if (is_item && !rest.empty() && rest[0] != '.' && rest[0] != '[')
        fail("only '.' or '[' may follow ']' in a format");
    }
    return value;
  }

  static bool is_number(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  }
  static Value key(std::string_view text) { return is_number(text) ? Value(*parse_integer(text, 10)) : literal(text); }

  const Value& argument(std::string_view name) {
    if (!name.empty() && !is_number(name)) {
      const Value* value = arguments_.find(name);
      if (value == nullptr) fail("the format names '", name, "', which is not given");
      return *value;
    }
    (name.empty() ? automatic_ : numbered_) = true;
    if (automatic_ && numbered_) fail("a format mixes {} and {0}");
    const auto index = name.empty() ? static_cast<Integer>(next_++) : *parse_integer(name, 10);
    if (index >= static_cast<Integer>(arguments_.positional.size()))
      fail("the format needs more values than it is given");
    return arguments_.positional[static_cast<std::size_t>(index)];
  }

  std::string formatted(const Value& value, const std::string& specification) {
    const auto* text = value.as<Text>();
    const bool is_markup = text != nullptr && text->markup;
    if (is_markup && markup_ && !specification.empty()) fail("markup takes no format specification");
    std::string out;
    if (specification.empty()) {
      out = to_text(heap_, value);
    } else if (text != nullptr) {
      out = format_text(**text, read_specification(specification));
    } else if (as_real(value)) {
      out = format_number(value, read_specification(specification));
    } else {
      fail("a ", type_name(value), " takes no format specification");
    }
    return markup_ && !is_markup ? escaped(out) : out;
  }

  Heap& heap_;
  const Arguments& arguments_;
  bool markup_;
  std::size_t next_ = 0;
  bool automatic_ = false, numbered_ = false;
};

}  // namespace

Value brace_format(Heap& heap, const Text& format, const Arguments& arguments) {
  return heap.text(BraceFormat(heap, format, arguments).run(*format, 0), format.markup);
}

}  // namespace attune::text::jinja
