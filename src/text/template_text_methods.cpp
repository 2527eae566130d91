// The methods of texts.
#include <algorithm>

#include "attune/base/utf8.h"
#include "python_text.h"
#include "template_builtins.h"
#include "template_fault.h"
#include "template_format.h"
#include "template_operators.h"
#include "template_print.h"
#include "template_text_builtins.h"

namespace attune::text::jinja {

std::string replaced_within(Heap& heap, std::string_view text, std::string_view old, std::string_view replacement,
                            Integer count) {
  if (replacement.size() > old.size()) {
    heap.charge_reading(text.size());
    const Integer found = static_cast<Integer>(count_of(text, old));
    const Integer replacements = count < 0 ? found : std::min(found, count);
    heap.claim_text(text.size() + static_cast<std::size_t>(replacements) * (replacement.size() - old.size()));
  }
  return replaced(text, old, replacement, static_cast<long long>(std::clamp<Integer>(count, -1, INT64_MAX)));
}

namespace {

/// A text that is made from the receiver: markup as it is.
Value made(Call& call, std::string text) {
  return call.heap.text(std::move(text), call.subject.as<Text>()->markup);
}

Value made(Call& call, std::string_view part) {
  const auto& text = *call.subject.as<Text>();
  return part.size() == text->size() ? call.subject : made(call, std::string(part));
}

Value made_list(Call& call, const std::vector<std::string_view>& parts) {
  std::vector<Value> items;
  items.reserve(parts.size());
  for (const std::string_view part : parts) items.push_back(made(call, std::string(part)));
  return call.heap.list(std::move(items));
}

const std::string& receiver(Call& call) {
  return **call.subject.as<Text>();
}

/// An argument as it is joined to the receiver, which takes anything and escapes it where it is markup.
std::string joined_to(Call& call, const Value& value) {
  const auto* text = value.as<Text>();
  if (!call.subject.as<Text>()->markup) {
    require_defined(value);
    if (text == nullptr) fail("a str was expected, found ", type_name(value));
    return **text;
  }
  return text != nullptr && text->markup ? **text : escaped(to_text(call.heap, value));
}

template <std::string (*change)(std::string_view)>
Value changed_text(Call& call) {
  return made(call, change(receiver(call)));
}

template <Ends ends>
Value stripped(Call& call) {
  const Value* characters = call.find(0);
  const bool has_characters = characters != nullptr && !characters->is<None>();
  return made(
      call, strip(receiver(call), has_characters ? std::optional<std::string_view>(call.text(0)) : std::nullopt, ends));
}

template <bool from_end>
Value split(Call& call) {
  const auto limit = static_cast<long long>(std::clamp<Integer>(call.integer(1, -1), -1, INT64_MAX));
  const Value* separator = call.find(0);
  const std::string& text = receiver(call);
  if (separator == nullptr || separator->is<None>()) {
    return made_list(call, from_end ? split_words_at_last(text, limit) : split_words(text, limit));
  }
  if (call.text(0).empty()) fail("a str cannot be split at an empty str");
  return made_list(call, from_end ? split_at_last(text, call.text(0), limit) : split_at(text, call.text(0), limit));
}

template <bool from_end>
Value partition(Call& call) {
  const std::string &text = receiver(call), &separator = call.text(0);
  if (separator.empty()) fail("a str cannot be split at an empty str");
  const std::size_t at = from_end ? find_last_byte(text, separator) : find_bytes(text, separator);
  if (at == std::string::npos) {
    const Value all = call.subject, nothing = made(call, std::string());
    return from_end ? call.heap.tuple({nothing, nothing, all}) : call.heap.tuple({all, nothing, nothing});
  }
  return call.heap.tuple({made(call, text.substr(0, at)), made(call, std::string(separator)),
                          made(call, text.substr(at + separator.size()))});
}

/// The part [start, end) that find, count, startswith, … look at, and where it begins.
struct Window {
  std::string_view text;
  std::size_t start;  ///< in code points
  bool is_valid;      ///< false when start lies behind the end, where not even "" is found
};

Window window(Call& call) {
  const std::string& text = receiver(call);
  if (call.find(1) == nullptr && call.find(2) == nullptr) return {text, 0, true};
  const auto size = static_cast<Integer>(code_points(text));
  const auto place = [&](std::size_t parameter, Integer open) {
    const Value* value = call.find(parameter);
    if (value == nullptr || value->is<None>()) return open;
    const Integer position = call.integer(parameter, open);
    return std::max<Integer>(position < 0 ? position + size : position, 0);
  };
  const Integer start = place(1, 0), end = std::min(place(2, size), size);
  if (start > end) return {{}, 0, false};
  const auto begin = static_cast<std::size_t>(start);
  return {part_of(text, begin, static_cast<std::size_t>(end)), begin, true};
}

template <bool from_end>
Integer position_of(Call& call) {
  const Window searched = window(call);
  const std::string& wanted = call.text(0);
  if (!searched.is_valid) return -1;
  const std::size_t at = from_end ? find_last_byte(searched.text, wanted) : find_bytes(searched.text, wanted);
  if (at == std::string_view::npos) return -1;
  return static_cast<Integer>(searched.start + code_points(searched.text.substr(0, at)));
}

template <bool from_end>
Value find(Call& call) {
  return position_of<from_end>(call);
}

template <bool from_end>
Value index(Call& call) {
  const Integer position = position_of<from_end>(call);
  if (position < 0) fail("the str does not contain '", call.text(0), "'");
  return position;
}

Value count(Call& call) {
  const Window searched = window(call);
  return searched.is_valid ? integer(count_of(searched.text, call.text(0))) : integer(0);
}

/// startswith and endswith take one text or a tuple of them.
template <bool at_end>
Value begins_or_ends(Call& call) {
  const Window searched = window(call);
  const auto fits = [&](const Value& value) {
    const auto* text = value.as<Text>();
    if (text == nullptr)
      fail(at_end ? "endswith" : "startswith", "() needs a str or a tuple of str, found ", type_name(value));
    if (!searched.is_valid) return false;
    return at_end ? searched.text.ends_with(**text) : searched.text.starts_with(**text);
  };
  require_defined(call.at(0));
  const auto* tuple = call.at(0).as<TuplePtr>();
  if (tuple == nullptr) return fits(call.at(0));
  return std::any_of((*tuple)->items.begin(), (*tuple)->items.end(), fits);
}

Value remove_prefix(Call& call) {
  std::string_view text = receiver(call);
  if (text.starts_with(call.text(0))) text.remove_prefix(call.text(0).size());
  return made(call, text);
}

Value remove_suffix(Call& call) {
  std::string_view text = receiver(call);
  if (text.ends_with(call.text(0))) text.remove_suffix(call.text(0).size());
  return made(call, text);
}

Value replace_in_text(Call& call) {
  const std::string replacement = joined_to(call, call.at(1));
  return made(call, replaced_within(call.heap, receiver(call), call.text(0), replacement, call.integer(2, -1)));
}

Value join(Call& call) {
  const std::string& separator = receiver(call);
  std::string out;
  bool first = true;
  for (const Value& item : items_of(call.heap, call.at(0))) {
    if (!first) call.heap.append(out, separator);
    call.heap.append(out, joined_to(call, item));
    first = false;
  }
  return made(call, std::move(out));
}

std::string fill_of(Call& call) {
  const std::string fill = call.find(1) == nullptr ? " " : joined_to(call, call.at(1));
  if (code_points(fill) != 1) fail("the text to fill with must be one character");
  return fill;
}

/// The text of `count` fill characters, within the limits.
std::string filling(Call& call, const std::string& fill, Integer count) {
  std::string out;
  if (count <= 0) return out;
  call.heap.claim_text(static_cast<std::size_t>(std::min<Integer>(count, SIZE_MAX / 8)) * fill.size());
  for (; count > 0; --count) out += fill;
  return out;
}

Integer missing_to(Call& call, std::size_t parameter) {
  return call.integer(parameter, 0) - static_cast<Integer>(code_points(receiver(call)));
}

Value left_justified(Call& call) {
  return made(call, receiver(call) + filling(call, fill_of(call), missing_to(call, 0)));
}

Value right_justified(Call& call) {
  return made(call, filling(call, fill_of(call), missing_to(call, 0)) + receiver(call));
}

Value center_text(Call& call) {
  return made(call, centered(call.heap, receiver(call), call.integer(0, 0), fill_of(call)));
}

Value zero_filled(Call& call) {
  const std::string& text = receiver(call);
  const std::size_t sign = text.starts_with('-') || text.starts_with('+');
  return made(call, text.substr(0, sign) + filling(call, "0", missing_to(call, 0)) + text.substr(sign));
}

Value expand_tabs(Call& call) {
  const Integer width = call.integer(0, 8);
  std::string out;
  Integer column = 0;
  const std::string& text = receiver(call);
  for (std::size_t position = 0; position < text.size();) {
    const char32_t c = next_code_point(text, position);
    if (c == U'\t') {
      const Integer blanks = width > 0 ? width - column % width : 0;
      call.heap.append(out, filling(call, " ", blanks));
      column += blanks;
    } else {
      append_utf8(out, c);
      column = c == U'\n' || c == U'\r' ? 0 : column + 1;
    }
  }
  return made(call, std::move(out));
}

Value split_into_lines(Call& call) {
  return made_list(call, split_lines(receiver(call), call.flag(0)));
}

Value format_braces(Call& call) {
  return brace_format(call.heap, *call.subject.as<Text>(), call.arguments);
}

Value format_map(Call& call) {
  const auto* dict = call.at(0).as<DictPtr>();
  if (dict == nullptr) fail("format_map() needs a dict, found ", type_name(call.at(0)));
  Arguments named;
  for (const auto& [key, value] : (*dict)->entries()) {
    if (const auto* name = key.as<Text>()) named.named.emplace_back(**name, value);
  }
  return brace_format(call.heap, *call.subject.as<Text>(), named);
}

template <TextClass wanted>
Value is(Call& call) {
  return is_class(receiver(call), wanted);
}

constexpr Builtin kMethods[] = {
    {"capitalize", "", changed_text<capitalized>},
    {"casefold", "", changed_text<case_fold>},
    {"center", "/width /fillchar?", center_text},
    {"count", "/sub /start? /end?", count},
    {"endswith", "/suffix /start? /end?", begins_or_ends<true>},
    {"expandtabs", "tabsize?", expand_tabs},
    {"find", "/sub /start? /end?", find<false>},
    {"format", "*", format_braces},
    {"format_map", "/mapping", format_map},
    {"index", "/sub /start? /end?", index<false>},
    {"join", "/iterable", join},
    {"ljust", "/width /fillchar?", left_justified},
    {"lower", "", changed_text<to_lower>},
    {"lstrip", "/chars?", stripped<Ends::left>},
    {"partition", "/sep", partition<false>},
    {"removeprefix", "/prefix", remove_prefix},
    {"removesuffix", "/suffix", remove_suffix},
    {"replace", "/old /new /count?", replace_in_text},
    {"rfind", "/sub /start? /end?", find<true>},
    {"rindex", "/sub /start? /end?", index<true>},
    {"rjust", "/width /fillchar?", right_justified},
    {"rpartition", "/sep", partition<true>},
    {"rsplit", "sep? maxsplit?", split<true>},
    {"rstrip", "/chars?", stripped<Ends::right>},
    {"split", "sep? maxsplit?", split<false>},
    {"splitlines", "keepends?", split_into_lines},
    {"startswith", "/prefix /start? /end?", begins_or_ends<false>},
    {"strip", "/chars?", stripped<Ends::both>},
    {"swapcase", "", changed_text<swap_case>},
    {"title", "", changed_text<titled>},
    {"upper", "", changed_text<to_upper>},
    {"zfill", "/width", zero_filled},
};

constexpr Builtin kClassMethods[] = {
    {"isalnum", "", is<TextClass::alnum>},         {"isalpha", "", is<TextClass::alpha>},
    {"isascii", "", is<TextClass::ascii>},         {"isdecimal", "", is<TextClass::decimal>},
    {"isdigit", "", is<TextClass::digit>},         {"isidentifier", "", is<TextClass::identifier>},
    {"islower", "", is<TextClass::lower>},         {"isnumeric", "", is<TextClass::numeric>},
    {"isprintable", "", is<TextClass::printable>}, {"isspace", "", is<TextClass::space>},
    {"istitle", "", is<TextClass::title>},         {"isupper", "", is<TextClass::upper>},
};

}  // namespace

std::span<const Builtin> text_methods() {
  return kMethods;
}
std::span<const Builtin> text_class_methods() {
  return kClassMethods;
}

}  // namespace attune::text::jinja
