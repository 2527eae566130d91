// Numbers as text, and the operator % of texts; see template_format.h.
#include "template_format.h"

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

constexpr int kMaxWidth = 1000;

std::string digits_in(unsigned __int128 number, unsigned base) {
  std::string digits;
  do {
    digits += "0123456789abcdef"[static_cast<unsigned>(number % base)];
    number /= base;
  } while (number > 0);
  std::reverse(digits.begin(), digits.end());
  return digits;
}

std::string grouped(std::string digits, char separator, std::size_t group) {
  const std::size_t whole = std::min(digits.find_first_not_of("0123456789abcdefABCDEF"), digits.size());
  for (std::size_t at = whole; at > group;) digits.insert(at -= group, 1, separator);
  return digits;
}

std::string sign_of(bool negative, char style) {
  if (negative) return "-";
  return style == '-' ? "" : std::string(1, style);
}

/// The digits of a finite number as C writes them.
std::string print_real(double magnitude, const NumberStyle& style) {
  const char type = style.type == '%' ? 'f' : style.type;
  const std::string format = concat("%", style.alternate ? "#" : "", ".*", type);
  const int precision = style.precision.value_or(6);
  std::string out(static_cast<std::size_t>(std::snprintf(nullptr, 0, format.c_str(), precision, magnitude)), '\0');
  std::snprintf(out.data(), out.size() + 1, format.c_str(), precision, magnitude);
  return out;
}

}  // namespace

std::optional<int> read_number(std::string_view format, std::size_t& position) {
  std::optional<int> number;
  for (; position < format.size() && format[position] >= '0' && format[position] <= '9'; ++position) {
    number = number.value_or(0) * 10 + (format[position] - '0');
    if (*number > kMaxWidth) fail("a width or precision of a format is larger than ", kMaxWidth);
  }
  return number;
}

FormattedNumber format_integer(Integer number, const NumberStyle& style) {
  const bool negative = number < 0;
  const auto magnitude = negative ? -static_cast<unsigned __int128>(number) : static_cast<unsigned __int128>(number);
  const unsigned base = style.type == 'b' ? 2 : style.type == 'o' ? 8 : (style.type | 0x20) == 'x' ? 16 : 10;
  FormattedNumber out{sign_of(negative, style.sign), digits_in(magnitude, base)};
  if (style.type == 'X') std::transform(out.digits.begin(), out.digits.end(), out.digits.begin(), ::toupper);
  if (style.precision) {
    const auto least = static_cast<std::size_t>(*style.precision);
    if (out.digits.size() < least) out.digits.insert(0, least - out.digits.size(), '0');
  }
  if (style.separator != 0) out.digits = grouped(std::move(out.digits), style.separator, base == 10 ? 3 : 4);
  if (style.alternate && base != 10) out.prefix += std::string("0") + style.type;
  return out;
}

FormattedNumber format_real(double number, const NumberStyle& style) {
  const bool upper = style.type == 'E' || style.type == 'F' || style.type == 'G';
  FormattedNumber out{sign_of(std::signbit(number) && !std::isnan(number), style.sign), ""};
  const double magnitude = std::abs(style.type == '%' ? number * 100 : number);
  if (!std::isfinite(magnitude)) {
    out.digits = std::isnan(magnitude) ? (upper ? "NAN" : "nan") : (upper ? "INF" : "inf");
  } else if (style.type == 0) {
    out.digits = repr_of_real(magnitude);
  } else {
    out.digits = print_real(magnitude, style);
  }
  if (style.separator != 0) out.digits = grouped(std::move(out.digits), style.separator, 3);
  if (style.type == '%') out.digits += '%';
  return out;
}

std::string character_of(const Value& value) {
  if (const auto* text = value.as<Text>(); text != nullptr && code_points(**text) == 1) return **text;
  const auto code = as_integer(value);
  if (!code || *code < 0 || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000)) {
    fail("'c' in a format needs one character or its code point");
  }
  return to_utf8(std::u32string(1, static_cast<char32_t>(*code)));
}

namespace {

class PercentFormat {
 public:
  PercentFormat(Heap& heap, const Text& format, const Value& value)
      : heap_(heap), format_(*format), markup_(format.markup), value_(value) {
    if (const auto* tuple = value.as<TuplePtr>()) values_ = (*tuple)->items;
  }

  Value run() {
    while (position_ < format_.size()) {
      const std::size_t mark = std::min(format_.find('%', position_), format_.size());
      heap_.append(out_, format_.substr(position_, mark - position_));
      position_ = mark + 1;
      if (mark < format_.size()) conversion();
    }
    // Python lets values that can be subscripted go unused, as if they were dicts.
    const bool may_stay =
        value_.is<DictPtr>() || value_.is<ListPtr>() || value_.is<RangePtr>() || value_.is<Undefined>();
    const bool all_used = value_.is<TuplePtr>() ? used_ == values_.size() : used_ > 0;
    if (!all_used && !may_stay) fail("the format takes fewer values than it is given");
    return heap_.text(std::move(out_), markup_);
  }

 private:
  struct Conversion {
    bool left = false, zero = false;
    int width = 0;
    NumberStyle style;
  };

  char here() const {
    if (position_ >= format_.size()) fail("a format ends inside a %");
    return format_[position_];
  }

  const Value& next_value() {
    if (value_.is<TuplePtr>()) {
      if (used_ >= values_.size()) fail("the format needs more values than it is given");
      return values_[used_++];
    }
    if (used_++ > 0) fail("the format needs more values than it is given");
    return value_;
  }

  int star() {
    ++position_;
    const auto number = as_integer(next_value());
    if (!number || *number > kMaxWidth || *number < -kMaxWidth) fail("'*' in a format needs a small integer");
    return static_cast<int>(*number);
  }

  Value named_value() {
    const std::size_t close = format_.find(')', position_);
    if (close == std::string_view::npos) fail("a format ends inside %(");
    const auto* dict = value_.as<DictPtr>();
    if (dict == nullptr) fail("%(name)s in a format needs a dict");
    const std::string_view name = format_.substr(position_ + 1, close - position_ - 1);
    const Value* value = (*dict)->find(name);
    if (value == nullptr) fail("the format names '", name, "', which the dict lacks");
    position_ = close + 1;
    return *value;
  }

  void flags(Conversion& conversion) {
    for (;; ++position_) {
      switch (here()) {
        case '-':
          conversion.left = true;
          break;
        case '0':
          conversion.zero = true;
          break;
        case '#':
          conversion.style.alternate = true;
          break;
        case '+':
          conversion.style.sign = '+';
          break;
        case ' ':
          if (conversion.style.sign == '-') conversion.style.sign = ' ';
          break;
        default:
          return;
      }
    }
  }

  void conversion() {
    if (here() == '%') {
      ++position_;
      return heap_.append(out_, "%");
    }
    std::optional<Value> named;
    if (here() == '(') named = named_value();
    Conversion conversion;
    flags(conversion);
    conversion.width = here() == '*' ? star() : read_number(format_, position_).value_or(0);
    if (conversion.width < 0) conversion.left = true;
    if (here() == '.') {
      ++position_;
      conversion.style.precision = here() == '*' ? std::max(0, star()) : read_number(format_, position_).value_or(0);
    }
    if (here() == 'h' || here() == 'l' || here() == 'L') ++position_;
    conversion.style.type = here();
    ++position_;
    if (conversion.style.type == '%') return heap_.append(out_, "%");
    const Value value = named ? *named : next_value();
    put(value, conversion);
  }

  void put(const Value& value, Conversion& conversion) {
    NumberStyle& style = conversion.style;
    switch (style.type) {
      case 's':
      case 'r':
      case 'a':
        return put_text(shown(value, style.type), conversion);
      case 'c':
        style.precision.reset();
        return put_text(character_of(value), conversion);
      case 'd':
      case 'i':
      case 'u':
        style.type = 'd';
        return put_number(format_integer(whole(value), style), conversion);
      case 'o':
      case 'x':
      case 'X':
        if (!as_integer(value)) fail("%", style.type, " in a format needs an integer, found ", type_name(value));
        return put_number(format_integer(*as_integer(value), style), conversion);
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
        if (!as_real(value)) fail("%", style.type, " in a format needs a number, found ", type_name(value));
        return put_number(format_real(*as_real(value), style), conversion);
      default:
        fail("a format has no conversion '%", style.type, "'");
    }
  }

  std::string shown(const Value& value, char type) {
    if (type == 's') {
      const auto* text = value.as<Text>();
      std::string out = to_text(heap_, value);
      return markup_ && !(text != nullptr && text->markup) ? escaped(out) : out;
    }
    std::string out = repr(heap_, value);
    if (type == 'a') out = ascii(out);
    return markup_ ? escaped(out) : out;
  }

  static Integer whole(const Value& value) {
    if (const auto number = as_integer(value)) return *number;
    const auto* real = value.as<double>();
    if (real == nullptr) fail("%d in a format needs a number, found ", type_name(value));
    if (!(std::abs(*real) < 1e38)) fail("%d in a format cannot show ", repr_of_real(*real));
    return static_cast<Integer>(*real);
  }

  void put_text(std::string_view text, const Conversion& conversion) {
    if (const auto& precision = conversion.style.precision) {
      text = part_of(text, 0, static_cast<std::size_t>(*precision));
    }
    pad(text, code_points(text), conversion);
  }

  void put_number(FormattedNumber number, const Conversion& conversion) {
    const std::size_t size = number.prefix.size() + number.digits.size();
    const auto width = static_cast<std::size_t>(std::abs(conversion.width));
    if (conversion.zero && !conversion.left && size < width) number.digits.insert(0, width - size, '0');
    const std::string text = number.prefix + number.digits;
    pad(text, text.size(), conversion);
  }

  void pad(std::string_view text, std::size_t size, const Conversion& conversion) {
    const auto width = static_cast<std::size_t>(std::abs(conversion.width));
    const std::string blanks(width > size ? width - size : 0, ' ');
    if (!conversion.left) heap_.append(out_, blanks);
    heap_.append(out_, text);
    if (conversion.left) heap_.append(out_, blanks);
  }

  Heap& heap_;
  std::string_view format_;
  bool markup_;
  const Value& value_;
  std::vector<Value> values_;
  std::size_t used_ = 0;
  std::size_t position_ = 0;
  std::string out_;
};

}  // namespace

Value percent_format(Heap& heap, const Text& format, const Value& value) {
  return PercentFormat(heap, format, value).run();
}

}  // namespace attune::text::jinja
