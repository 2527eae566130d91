// The tables in unicode_tables.cpp, which scripts/make_unicode_tables.py generates from the reference library. Private
// to text; ask include/attune/text/unicode.h instead.
#pragma once

#include <cstdint>
#include <span>

#include "attune/text/unicode.h"

namespace attune::text::unicode::tables {

struct CategoryRange {
  char32_t first;
  char32_t last;
  Category category;
};
/// Every `stride`-th code point from first to last becomes itself + delta.
struct LowercaseRange {
  char32_t first;
  char32_t last;
  std::int32_t stride;
  std::int32_t delta;
};
struct ClassRange {
  char32_t first;
  char32_t last;
  std::uint8_t combining_class;
};
struct ScriptRange {
  char32_t first;
  char32_t last;
  std::uint8_t group;
};
/// `length` code points from `start` of decomposition_text.
struct Decomposition {
  char32_t from;
  std::uint16_t start;
  std::uint8_t length;
};
struct Composition {
  char32_t first;
  char32_t second;
  char32_t composed;
};

extern const std::span<const CategoryRange> categories;
extern const std::span<const CodeRange> regex_word;
extern const std::span<const CodeRange> rust_numeric;
extern const std::span<const CodeRange> rust_word;
extern const std::span<const CodeRange> bert_control;
extern const std::span<const CodeRange> bert_punctuation;
extern const std::span<const CodeRange> bert_mark_nonspacing;
extern const std::span<const CodeRange> combining_marks;
extern const std::span<const LowercaseRange> lowercase;
extern const std::span<const ScriptRange> scripts;
extern const std::span<const ClassRange> combining_classes;
extern const std::span<const Decomposition> canonical;
extern const std::span<const Decomposition> compatibility;
extern const std::span<const Composition> compositions;
extern const std::span<const char32_t> decomposition_text;

}  // namespace attune::text::unicode::tables
