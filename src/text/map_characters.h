// The loop that most normalisers are: each character is replaced by others, independently of its neighbours.
#pragma once

#include "aligned_text.h"
#include "attune/base/utf8.h"

namespace attune::text {

/// `changes(c)` says whether c is replaced at all; then `rule(c, emit)` emits what stands for it. All of it shares c's
/// alignment.
template <typename Changes, typename Rule>
void map_characters(AlignedText& text, Changes changes, Rule rule) {
  const std::string_view view = text.view();
  const auto find_change = [&](std::size_t from) {
    while (from < view.size()) {
      std::size_t next = from;
      if (changes(next_code_point(view, next))) return from;
      from = next;
    }
    return view.size();
  };
  std::size_t position = find_change(0);
  if (position == view.size()) return;
  AlignedText::Builder out(text, position);
  while (position < view.size()) {
    const std::size_t at = position;
    const char32_t c = next_code_point(view, position);
    rule(c, [&](char32_t replacement) { out.append(replacement, at); });
    const std::size_t next = find_change(position);
    out.copy(position, next);
    position = next;
  }
  out.finish(text);
}

/// Lowercase of Rust's standard library, used by BertNormalizer and Lowercase.
inline void lowercase(AlignedText& text) {
  map_characters(
      text, [](char32_t c) { return unicode::has(c, unicode::has_lowercase); },
      [](char32_t c, auto emit) {
        char32_t second = 0;
        emit(unicode::to_lowercase(c, second));
        if (second != 0) emit(second);
      });
}

}  // namespace attune::text
