// See python_text.h.
#include "python_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "attune/base/utf8.h"
#include "template_fault.h"

namespace attune::text::jinja {

namespace {

bool starts_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

/// The character that ends before byte `end` (> 0), which moves to its first byte.
char32_t previous_code_point(std::string_view text, std::size_t& end) {
  do --end;
  while (end > 0 && !starts_character(text[end]));
  std::size_t position = end;
  return next_code_point(text, position);
}

/// The number of white-space bytes at the end.
std::size_t trailing_space(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0) {
    std::size_t before = end;
    if (!is_space(previous_code_point(text, before))) break;
    end = before;
  }
  return text.size() - end;
}

std::size_t trailing_word(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0) {
    std::size_t before = end;
    if (is_space(previous_code_point(text, before))) break;
    end = before;
  }
  return text.size() - end;
}

std::size_t leading_word(std::string_view text) {
  std::size_t position = 0;
  while (position < text.size()) {
    std::size_t next = position;
    if (is_space(next_code_point(text, next))) break;
    position = next;
  }
  return position;
}

bool ends_line(char32_t c) {
  return (c >= 0x0a && c <= 0x0d) || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

}  // namespace

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

std::size_t byte_of(std::string_view text, std::size_t index) {
  std::size_t position = 0;
  for (; position < text.size(); ++position) {
    if (!starts_character(text[position])) continue;
    if (index == 0) break;
    --index;
  }
  return position;
}

std::string_view part_of(std::string_view text, std::size_t begin, std::size_t end) {
  const std::size_t first = byte_of(text, begin);
  const std::string_view rest = text.substr(first);
  return end <= begin ? std::string_view() : rest.substr(0, byte_of(rest, end - begin));
}

std::string reversed(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t end = text.size(); end > 0;) {
    const std::size_t last = end;
    previous_code_point(text, end);
    out += text.substr(end, last - end);
  }
  return out;
}

bool is_space(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x1f);
  return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
         c == 0x202f || c == 0x205f || c == 0x3000;
}

std::size_t leading_space(std::string_view text) {
  std::size_t position = 0;
  while (position < text.size()) {
    std::size_t next = position;
    if (!is_space(next_code_point(text, next))) break;
    position = next;
  }
  return position;
}

std::string_view strip(std::string_view text, std::optional<std::string_view> characters, Ends ends) {
  const std::u32string wanted = characters ? to_utf32(*characters) : std::u32string();
  const auto goes = [&](char32_t c) { return characters ? wanted.find(c) != std::u32string::npos : is_space(c); };
  while (ends != Ends::right && !text.empty()) {
    std::size_t next = 0;
    if (!goes(next_code_point(text, next))) break;
    text.remove_prefix(next);
  }
  while (ends != Ends::left && !text.empty()) {
    std::size_t end = text.size();
    if (!goes(previous_code_point(text, end))) break;
    text = text.substr(0, end);
  }
  return text;
}

std::size_t find_bytes(std::string_view text, std::string_view wanted, std::size_t from) {
  if (from > text.size()) return std::string_view::npos;
  if (wanted.empty()) return from;
  // memmem takes linear time; std::string_view::find does not on texts that repeat themselves.
  const void* found = ::memmem(text.data() + from, text.size() - from, wanted.data(), wanted.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

std::size_t find_last_byte(std::string_view text, std::string_view wanted) {
  const std::string backwards(text.rbegin(), text.rend());
  const std::size_t at = find_bytes(backwards, std::string(wanted.rbegin(), wanted.rend()));
  return at == std::string_view::npos ? at : text.size() - at - wanted.size();
}

std::size_t count_of(std::string_view text, std::string_view wanted) {
  if (wanted.empty()) return code_points(text) + 1;
  std::size_t count = 0;
  for (std::size_t at = find_bytes(text, wanted); at != std::string_view::npos; ++count) {
    at = find_bytes(text, wanted, at + wanted.size());
  }
  return count;
}

std::string replaced(std::string_view text, std::string_view old, std::string_view replacement, long long count) {
  std::string out;
  std::size_t begin = 0;
  for (; count != 0; --count) {
    std::size_t at = find_bytes(text, old, begin);
    if (at == std::string_view::npos) break;
    out += text.substr(begin, at - begin);
    out += replacement;
    begin = at + old.size();
    if (!old.empty()) continue;
    if (at == text.size()) return out;  // an empty text is found before each character and at the end
    next_code_point(text, begin);
    out += text.substr(at, begin - at);
  }
  return out += text.substr(begin);
}

std::vector<std::string_view> split_at(std::string_view text, std::string_view separator, long long limit) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  for (; limit != 0; --limit) {
    const std::size_t at = find_bytes(text, separator, begin);
    if (at == std::string_view::npos) break;
    parts.push_back(text.substr(begin, at - begin));
    begin = at + separator.size();
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::vector<std::string_view> split_at_last(std::string_view text, std::string_view separator, long long limit) {
  const std::string backwards(text.rbegin(), text.rend());
  const std::string wanted(separator.rbegin(), separator.rend());
  std::vector<std::string_view> parts;
  std::size_t end = text.size();
  for (const std::string_view part : split_at(backwards, wanted, limit)) {
    parts.push_back(text.substr(end - part.size(), part.size()));
    end -= std::min(end, part.size() + separator.size());
  }
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string_view> split_words(std::string_view text, long long limit) {
  std::vector<std::string_view> words;
  for (text.remove_prefix(leading_space(text)); !text.empty(); text.remove_prefix(leading_space(text))) {
    if (limit-- == 0) {
      words.push_back(text);
      break;
    }
    const std::size_t length = leading_word(text);
    words.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return words;
}

std::vector<std::string_view> split_words_at_last(std::string_view text, long long limit) {
  std::vector<std::string_view> words;
  for (text.remove_suffix(trailing_space(text)); !text.empty(); text.remove_suffix(trailing_space(text))) {
    if (limit-- == 0) {
      words.push_back(text);
      break;
    }
    const std::size_t length = trailing_word(text);
    words.push_back(text.substr(text.size() - length));
    text.remove_suffix(length);
  }
  std::reverse(words.begin(), words.end());
  return words;
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  std::size_t begin = 0;
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t end = position;
    const char32_t c = next_code_point(text, position);
    if (!ends_line(c)) continue;
    if (c == '\r' && position < text.size() && text[position] == '\n') ++position;
    lines.push_back(text.substr(begin, (keep_ends ? position : end) - begin));
    begin = position;
  }
  if (begin < text.size()) lines.push_back(text.substr(begin));
  return lines;
}

namespace {

/// The value of a digit of any base, or 36.
int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  return 36;
}

/// Removes 0x, 0o or 0b where `base` allows it (0 = it decides the base), and says what the base is.
int take_prefix(std::string_view& digits, int base) {
  const auto has = [&](char letter) { return digits.size() > 1 && digits[0] == '0' && (digits[1] | 0x20) == letter; };
  for (const auto& [letter, value] : {std::pair{'x', 16}, std::pair{'o', 8}, std::pair{'b', 2}}) {
    if (!has(letter) || (base != 0 && base != value)) continue;
    digits.remove_prefix(2);
    if (digits.starts_with('_')) digits.remove_prefix(1);
    return value;
  }
  return base == 0 ? 10 : base;
}

/// Removes the underscores between digits; false where one stands elsewhere.
bool drop_underscores(std::string& digits) {
  if (digits.empty() || digits.front() == '_' || digits.back() == '_') return false;
  if (digits.find("__") != std::string::npos) return false;
  std::erase(digits, '_');
  return true;
}

}  // namespace

std::optional<__int128> parse_integer(std::string_view text, int base) {
  std::string_view digits = strip(text, std::nullopt, Ends::both);
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  const bool decides = base == 0;
  base = take_prefix(digits, base);
  std::string clean(digits);
  if (!drop_underscores(clean)) return std::nullopt;
  if (decides && base == 10 && clean[0] == '0' && clean.find_first_not_of('0') != std::string::npos)
    return std::nullopt;
  __int128 number = 0;
  bool overflow = false;
  for (const char c : clean) {
    const int digit = digit_of(c);
    if (digit >= base) return std::nullopt;
    overflow = overflow || __builtin_mul_overflow(number, static_cast<__int128>(base), &number) ||
               __builtin_add_overflow(number, static_cast<__int128>(digit), &number);
  }
  if (overflow) fail("the integer ", clean.substr(0, 60), " has more than 127 bits");
  return negative ? -number : number;
}

std::optional<double> parse_real(std::string_view text) {
  std::string clean(strip(text, std::nullopt, Ends::both));
  const bool has_underscore = clean.find('_') != std::string::npos;
  for (std::size_t i = 0; has_underscore && i < clean.size(); ++i) {
    const auto is_digit = [&](std::size_t at) { return at < clean.size() && clean[at] >= '0' && clean[at] <= '9'; };
    if (clean[i] == '_' && (i == 0 || !is_digit(i - 1) || !is_digit(i + 1))) return std::nullopt;
  }
  std::erase(clean, '_');
  std::string_view number = clean;
  const bool negative = number.starts_with('-');
  if (negative || number.starts_with('+')) number.remove_prefix(1);
  if (number.empty() || number[0] == '-' || number[0] == '+') return std::nullopt;
  double value = 0;
  const auto result = std::from_chars(number.data(), number.data() + number.size(), value);
  if (result.ec == std::errc::result_out_of_range)
    value = std::strtod(clean.c_str() + (clean.size() - number.size()), nullptr);
  if (result.ec == std::errc::invalid_argument || result.ptr != number.data() + number.size()) return std::nullopt;
  if (number.find('(') != std::string_view::npos) return std::nullopt;  // nan(…), which only C knows
  return negative ? -value : value;
}

std::string to_decimal(__int128 number) {
  std::string digits;
  const bool negative = number < 0;
  auto rest = negative ? -static_cast<unsigned __int128>(number) : static_cast<unsigned __int128>(number);
  do {
    digits += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  } while (rest > 0);
  if (negative) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

}  // namespace attune::text::jinja
