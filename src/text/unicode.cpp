// See unicode.h: sets and properties of code points. Normalisation forms are in unicode_normalize.cpp.
#include "attune/text/unicode.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include "unicode_tables.h"

namespace attune::text::unicode {

namespace {

constexpr char32_t kCodePoints = 0x110000;
constexpr std::array<std::string_view, 29> kNames = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl",
                                                     "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc",
                                                     "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Co", "Cn"};
constexpr CodeRange kWhiteSpace[] = {{0x9, 0xd},       {0x20, 0x20},     {0x85, 0x85},     {0xa0, 0xa0},
                                     {0x1680, 0x1680}, {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f},
                                     {0x205f, 0x205f}, {0x3000, 0x3000}};
constexpr CodeRange kHangulSyllables[] = {{0xac00, 0xd7a3}};
constexpr CodeRange kHangulVowelsAndTails[] = {{0x1161, 0x1175}, {0x11a8, 0x11c2}};
constexpr CodeRange kHexDigits[] = {{'0', '9'}, {'A', 'F'}, {'a', 'f'}};

/// Sorted ranges with neighbours joined.
CodeSet joined(CodeSet ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const CodeRange& a, const CodeRange& b) { return a.first < b.first; });
  CodeSet set;
  for (const CodeRange& range : ranges) {
    if (!set.empty() && range.first <= set.back().last + 1) {
      set.back().last = std::max(set.back().last, range.last);
    } else {
      set.push_back(range);
    }
  }
  return set;
}

CodeSet copy(std::span<const CodeRange> ranges) {
  return {ranges.begin(), ranges.end()};
}

/// The properties of every code point (2.2 MB), filled once from the ranges.
class PropertyTable {
 public:
  PropertyTable() : bits_(std::make_unique<std::uint16_t[]>(kCodePoints)) {
    mark(kWhiteSpace, white_space);
    mark(tables::rust_numeric, numeric);
    mark(tables::rust_word, word);
    mark(tables::bert_control, bert_control);
    mark(tables::bert_punctuation, bert_punctuation);
    mark(tables::bert_mark_nonspacing, bert_mark);
    for (const auto& run : tables::lowercase) {
      for (char32_t c = run.first; c <= run.last; c += static_cast<char32_t>(run.stride)) bits_[c] |= has_lowercase;
    }
    bits_[0x130] |= has_lowercase;
    for (const auto& row : tables::canonical) bits_[row.from] |= normalizes;
    for (const auto& row : tables::compatibility) bits_[row.from] |= normalizes;
    for (const auto& run : tables::combining_classes) mark(std::array{CodeRange{run.first, run.last}}, normalizes);
    mark(kHangulSyllables, normalizes);  // decomposed by arithmetic, not by the tables
    mark(category_set("L"), regex_letter);
    mark(category_set("N"), regex_number);
    mark_unstable();
  }
  std::uint16_t operator[](char32_t c) const { return bits_[c]; }

 private:
  /// NFC takes apart what it does not put together again, reorders marks, and joins what can stand second in a pair.
  void mark_unstable() {
    for (const auto& row : tables::canonical) bits_[row.from] |= nfc_unstable;
    for (const auto& row : tables::compositions) bits_[row.composed] &= static_cast<std::uint16_t>(~nfc_unstable);
    for (const auto& row : tables::compositions) bits_[row.second] |= nfc_unstable;
    for (const auto& run : tables::combining_classes) mark(std::array{CodeRange{run.first, run.last}}, nfc_unstable);
    mark(kHangulVowelsAndTails, nfc_unstable);
  }
  void mark(std::span<const CodeRange> ranges, Property property) {
    for (const CodeRange& range : ranges) {
      for (char32_t c = range.first; c <= range.last; ++c) bits_[c] |= property;
    }
  }
  std::unique_ptr<std::uint16_t[]> bits_;
};

bool contains(std::span<const CodeRange> set, char32_t c) {
  const auto behind = std::upper_bound(set.begin(), set.end(), c,
                                       [](char32_t value, const CodeRange& range) { return value < range.first; });
  return behind != set.begin() && c <= std::prev(behind)->last;
}

}  // namespace

std::uint16_t properties(char32_t c) {
  static const PropertyTable table;
  return table[c];
}

CodeSet category_set(std::string_view name) {
  CodeSet ranges;
  for (const auto& row : tables::categories) {
    if (kNames[static_cast<std::size_t>(row.category)].starts_with(name)) ranges.push_back({row.first, row.last});
  }
  if (name == "Cn" || name == "C") {
    CodeSet assigned;
    for (const auto& row : tables::categories) assigned.push_back({row.first, row.last});
    for (const CodeRange& gap : complement(joined(std::move(assigned)))) ranges.push_back(gap);
  }
  return joined(std::move(ranges));
}

CodeSet escape_set(char letter) {
  switch (letter) {
    case 'w':
      return copy(tables::regex_word);
    case 's':
      return copy(kWhiteSpace);
    case 'd':
      return category_set("Nd");
    case 'h':
      return copy(kHexDigits);
    default:
      return {};
  }
}

CodeSet complement(const CodeSet& set) {
  CodeSet with_surrogates = set;
  with_surrogates.push_back({0xd800, 0xdfff});
  CodeSet gaps;
  char32_t next = 0;
  for (const CodeRange& range : joined(std::move(with_surrogates))) {
    if (range.first > next) gaps.push_back({next, range.first - 1});
    next = range.last + 1;
  }
  if (next < kCodePoints) gaps.push_back({next, kCodePoints - 1});
  return gaps;
}

std::uint8_t script_group(char32_t c) {
  const auto rows = tables::scripts;
  const auto behind = std::upper_bound(
      rows.begin(), rows.end(), c, [](char32_t value, const tables::ScriptRange& row) { return value < row.first; });
  if (behind == rows.begin()) return 0;
  const auto& row = *std::prev(behind);
  return c <= row.last ? row.group : std::uint8_t{0};
}

bool is_combining_mark(char32_t c) {
  return contains(tables::combining_marks, c);
}

bool is_bert_chinese(char32_t c) {
  constexpr CodeRange kBlocks[] = {{0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xf900, 0xfaff},   {0x20000, 0x2a6df},
                                   {0x2a700, 0x2b73f}, {0x2b740, 0x2b81f}, {0x2b920, 0x2ceaf}, {0x2f800, 0x2fa1f}};
  return c >= 0x3400 && contains(kBlocks, c);
}

char32_t to_lowercase(char32_t c, char32_t& second) {
  second = 0;
  if (c == 0x130) {
    second = 0x307;
    return 'i';
  }
  const auto runs = tables::lowercase;
  const auto behind = std::upper_bound(
      runs.begin(), runs.end(), c, [](char32_t value, const tables::LowercaseRange& run) { return value < run.first; });
  if (behind == runs.begin()) return c;
  const auto& run = *std::prev(behind);
  if (c <= run.last && (c - run.first) % static_cast<char32_t>(run.stride) == 0) {
    return static_cast<char32_t>(static_cast<std::int32_t>(c) + run.delta);
  }
  return c;
}

}  // namespace attune::text::unicode
