// Filters that make text.
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

std::string centered(Heap& heap, std::string_view text, Integer width, std::string_view fill) {
  const auto size = static_cast<Integer>(code_points(text));
  if (width <= size) return std::string(text);
  heap.claim_text(static_cast<std::size_t>(std::min<Integer>(width, SIZE_MAX / 4)) * fill.size());
  const auto missing = static_cast<std::size_t>(width - size);
  const std::size_t left = missing / 2 + (missing & static_cast<std::size_t>(width) & 1);
  std::string out;
  for (std::size_t i = 0; i < left; ++i) out += fill;
  out += text;
  for (std::size_t i = left; i < missing; ++i) out += fill;
  return out;
}

namespace {

Value soft(Call& call) {
  return as_soft_text(call.heap, call.subject);
}

/// A filter that turns the text of anything into another one, and keeps markup.
template <std::string (*change)(std::string_view)>
Value changed(Call& call) {
  const Value value = soft(call);
  const Text& text = *value.as<Text>();
  return call.heap.text(change(*text), text.markup);
}

/// Python's word splitting of |title: words begin behind - ( { [ < and white space.
std::string title_words(std::string_view text) {
  const auto separates = [](char32_t c) {
    return is_space(c) || (c < 0x80 && std::string_view("-({[<").find(static_cast<char>(c)) != std::string_view::npos);
  };
  std::string out;
  std::size_t begin = 0;
  const auto flush = [&](std::size_t end) {
    if (end == begin) return;
    std::size_t first = begin;
    next_code_point(text, first);
    out += to_upper(text.substr(begin, first - begin)) + to_lower(text.substr(first, end - first));
    begin = end;
  };
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t at = position;
    if (!separates(next_code_point(text, position))) continue;
    flush(at);
    out += text.substr(at, position - at);
    begin = position;
  }
  flush(text.size());
  return out;
}

Value title(Call& call) {
  return call.heap.text(title_words(**soft(call).as<Text>()));
}

Value center(Call& call) {
  const Value value = soft(call);
  const Text& text = *value.as<Text>();
  return call.heap.text(centered(call.heap, *text, call.integer(0, 80), " "), text.markup);
}

Value escape(Call& call) {
  const auto* text = call.subject.as<Text>();
  if (text != nullptr && text->markup) return call.subject;
  return call.heap.text(escaped(to_text(call.heap, call.subject)), true);
}

Value force_escape(Call& call) {
  return call.heap.text(escaped(to_text(call.heap, call.subject)), true);
}

Value safe(Call& call) {
  const auto* text = call.subject.as<Text>();
  if (text != nullptr) return Text{text->characters, true};
  return call.heap.text(to_text(call.heap, call.subject), true);
}

Value format(Call& call) {
  const Value value = soft(call);
  const Arguments& arguments = call.arguments;
  if (!arguments.positional.empty() && !arguments.named.empty()) fail("|format takes values or names, not both");
  if (arguments.named.empty())
    return percent_format(call.heap, *value.as<Text>(), call.heap.tuple(arguments.positional));
  Dict named;
  for (const auto& [name, given] : arguments.named) named.set(literal(name), given);
  return percent_format(call.heap, *value.as<Text>(), call.heap.dict(std::move(named)));
}

/// Lines behind `first_line` (or all) get the indentation; blank ones only if `blank`.
Value indent(Call& call) {
  const Text& text = call.subject_text();
  const Value* width = call.find(0);
  std::string indentation;
  if (width != nullptr && width->is<Text>()) {
    const Text& given = *width->as<Text>();
    indentation = text.markup && !given.markup ? escaped(*given) : *given;
  } else {
    const Integer blanks = std::max<Integer>(call.integer(0, 4), 0);
    call.heap.claim_text(static_cast<std::size_t>(std::min<Integer>(blanks, SIZE_MAX)));
    indentation.assign(static_cast<std::size_t>(blanks), ' ');
  }
  const bool first = call.flag(1), blank = call.flag(2);
  const std::string ended = *text + "\n";
  std::string out;
  bool is_first = true;
  for (const std::string_view line : split_lines(ended, false)) {
    if (!is_first) out += '\n';
    if (is_first ? first : (blank || !line.empty())) call.heap.append(out, indentation);
    call.heap.append(out, line);
    is_first = false;
  }
  return call.heap.text(std::move(out), text.markup);
}

Value replace(Call& call) {
  const std::string text = to_text(call.heap, call.subject);
  const std::string old = to_text(call.heap, call.at(0)), replacement = to_text(call.heap, call.at(1));
  const Value* count = call.find(2);
  const bool is_limited = count != nullptr && !count->is<None>();
  return call.heap.text(replaced_within(call.heap, text, old, replacement, is_limited ? call.integer(2, -1) : -1));
}

Value string(Call& call) {
  return soft(call);
}

JsonStyle json_style(Call& call) {
  JsonStyle style{.ensure_ascii = call.flag(0), .sort_keys = call.flag(3)};
  const Value* indent = call.find(1);
  if (indent != nullptr && !indent->is<None>()) {
    style.item_separator = ",";
    const auto* text = indent->as<Text>();
    const Integer blanks = text == nullptr ? std::max<Integer>(call.integer(1, 0), 0) : 0;
    if (blanks > 1000) fail("tojson cannot indent by more than 1,000 blanks");
    style.indent = text != nullptr ? **text : std::string(static_cast<std::size_t>(blanks), ' ');
  }
  const Value* separators = call.find(2);
  if (separators == nullptr || separators->is<None>()) return style;
  const std::vector<Value> both = items_of(call.heap, *separators);
  if (both.size() != 2 || !both[0].is<Text>() || !both[1].is<Text>()) fail("tojson needs two str as separators");
  style.item_separator = **both[0].as<Text>();
  style.key_separator = **both[1].as<Text>();
  return style;
}

Value to_json_filter(Call& call) {
  return call.heap.text(to_json(call.heap, call.subject, json_style(call)));
}

Value trim(Call& call) {
  const Value value = soft(call);
  const Text& text = *value.as<Text>();
  const Value* characters = call.find(0);
  const bool has_characters = characters != nullptr && !characters->is<None>();
  const std::string_view stripped =
      strip(*text, has_characters ? std::optional<std::string_view>(call.text(0)) : std::nullopt, Ends::both);
  return stripped.size() == text->size() ? value : call.heap.text(std::string(stripped), text.markup);
}

Value truncate(Call& call) {
  const Value end = call.find(2) != nullptr ? call.at(2) : literal("...");
  const auto* ending = end.as<Text>();
  if (ending == nullptr) fail("truncate() needs a str as its end, found ", type_name(end));
  const Integer length = call.integer(0, 255);
  const Integer leeway = call.find(3) != nullptr && !call.at(3).is<None>() ? call.integer(3, 5) : 5;
  const auto end_size = static_cast<Integer>(code_points(**ending));
  if (length < end_size || leeway < 0) fail("truncate() needs a length that its end fits into, and no negative leeway");
  const auto size = size_of(call.subject);
  if (size && static_cast<Integer>(*size) <= length + leeway) return call.subject;
  const Text& text = call.subject_text();
  std::string_view kept = part_of(*text, 0, static_cast<std::size_t>(length - end_size));
  if (!call.flag(1)) kept = kept.substr(0, std::min(kept.rfind(' '), kept.size()));
  return arithmetic(call.heap, Arithmetic::add, call.heap.text(std::string(kept), text.markup), end);
}

Value word_count(Call& call) {
  const Value value = soft(call);
  const std::string& text = **value.as<Text>();
  std::size_t count = 0;
  bool inside = false;
  for (std::size_t position = 0; position < text.size();) {
    const bool is_part = is_word(next_code_point(text, position));
    if (is_part && !inside) ++count;
    inside = is_part;
  }
  return integer(count);
}

constexpr Builtin kTextFilters[] = {
    {"capitalize", "", changed<capitalized>},
    {"center", "width?", center},
    {"e", "", escape},
    {"escape", "", escape},
    {"forceescape", "", force_escape},
    {"format", "*", format},
    {"indent", "width? first? blank?", indent},
    {"lower", "", changed<to_lower>},
    {"replace", "old new count?", replace},
    {"safe", "", safe},
    {"string", "", string},
    {"title", "", title},
    {"tojson", "ensure_ascii? indent? separators? sort_keys?", to_json_filter},
    {"trim", "chars?", trim},
    {"truncate", "length? killwords? end? leeway?", truncate},
    {"upper", "", changed<to_upper>},
    {"wordcount", "", word_count},
};

}  // namespace

std::span<const Builtin> text_filters() {
  return kTextFilters;
}

}  // namespace attune::text::jinja
