// Unicode normalisation forms (UAX 15) over the reference's tables (Unicode 12 at most), with tags for the alignment.
#include <algorithm>
#include <cstddef>
#include <iterator>

#include "attune/base/utf8.h"
#include "attune/text/unicode.h"
#include "unicode_tables.h"

namespace attune::text::unicode {

namespace {

// Hangul syllables, Unicode standard 3.12.
constexpr char32_t kLeadBase = 0x1100, kVowelBase = 0x1161, kTailBase = 0x11a7, kSyllableBase = 0xac00;
constexpr char32_t kLeads = 19, kVowels = 21, kTails = 28, kSyllables = kLeads * kVowels * kTails;

struct Classed {
  Tagged tagged;
  std::uint8_t combining_class;
};

template <typename Row, typename Key>
const Row* find_row(std::span<const Row> rows, char32_t c, Key key) {
  const auto found =
      std::lower_bound(rows.begin(), rows.end(), c, [&](const Row& row, char32_t value) { return key(row) < value; });
  return found == rows.end() ? nullptr : &*found;
}

std::uint8_t combining_class(char32_t c) {
  const auto* run = find_row(tables::combining_classes, c, [](const tables::ClassRange& row) { return row.last; });
  return run != nullptr && run->first <= c ? run->combining_class : 0;
}

const tables::Decomposition* decomposition(char32_t c, bool compatible) {
  const auto from = [](const tables::Decomposition& row) { return row.from; };
  if (compatible) {
    const auto* row = find_row(tables::compatibility, c, from);
    if (row != nullptr && row->from == c) return row;
  }
  const auto* row = find_row(tables::canonical, c, from);
  return row != nullptr && row->from == c ? row : nullptr;
}

/// Calls emit(code point, tag) for the full decomposition of c: the first stands for c, the others are inserted.
template <typename Emit>
void decompose(char32_t c, bool compatible, Emit emit) {
  if (c - kSyllableBase < kSyllables) {
    const char32_t index = c - kSyllableBase;
    emit(kLeadBase + index / (kVowels * kTails), 0);
    emit(kVowelBase + index % (kVowels * kTails) / kTails, 1);
    if (index % kTails != 0) emit(kTailBase + index % kTails, 1);
    return;
  }
  const tables::Decomposition* row = has(c, normalizes) ? decomposition(c, compatible) : nullptr;
  if (row == nullptr) {
    emit(c, 0);
    return;
  }
  for (std::size_t i = 0; i < row->length; ++i) emit(tables::decomposition_text[row->start + i], i == 0 ? 0 : 1);
}

/// The canonical composite of two code points, or 0.
char32_t compose(char32_t first, char32_t second) {
  if (first - kLeadBase < kLeads && second - kVowelBase < kVowels) {
    return kSyllableBase + ((first - kLeadBase) * kVowels + second - kVowelBase) * kTails;
  }
  const char32_t index = first - kSyllableBase;
  if (index < kSyllables && index % kTails == 0 && second > kTailBase && second - kTailBase < kTails) {
    return first + second - kTailBase;
  }
  const auto pairs = tables::compositions;
  const auto less = [](const tables::Composition& row, std::pair<char32_t, char32_t> pair) {
    return std::pair(row.first, row.second) < pair;
  };
  const auto found = std::lower_bound(pairs.begin(), pairs.end(), std::pair(first, second), less);
  return found != pairs.end() && found->first == first && found->second == second ? found->composed : 0;
}

/// Decomposed text in canonical order. Tags move with their code points when marks change places, as in the reference.
std::vector<Classed> decomposed(std::string_view text, bool compatible) {
  std::vector<Classed> out;
  out.reserve(text.size());
  std::size_t run = 0;  // where the current run of combining characters begins
  const auto sort_run = [&] {
    std::stable_sort(out.begin() + static_cast<std::ptrdiff_t>(run), out.end(),
                     [](const Classed& a, const Classed& b) { return a.combining_class < b.combining_class; });
  };
  for (std::size_t i = 0; i < text.size();) {
    decompose(next_code_point(text, i), compatible, [&](char32_t c, int change) {
      const std::uint8_t combining = has(c, normalizes) ? combining_class(c) : 0;
      if (combining == 0 && out.size() - run > 1) sort_run();
      out.push_back({{c, change}, combining});
      if (combining == 0) run = out.size();
    });
  }
  sort_run();
  return out;
}

std::vector<Tagged> recomposed(const std::vector<Classed>& source) {
  std::vector<Tagged> out;
  out.reserve(source.size());
  std::ptrdiff_t starter = -1;  // index in `out` of the last starter
  int last_class = -1;          // class of what was last put behind the starter, -1 when nothing
  for (const Classed& item : source) {
    const bool blocked = last_class >= static_cast<int>(item.combining_class);
    if (starter >= 0 && !blocked) {
      Tagged& base = out[static_cast<std::size_t>(starter)];
      if (const char32_t composite = compose(base.character, item.tagged.character)) {
        base = {composite, base.change + item.tagged.change - 1};
        continue;
      }
    }
    out.push_back(item.tagged);
    if (item.combining_class == 0) {
      starter = std::ssize(out) - 1;
      last_class = -1;
    } else if (starter >= 0) {
      last_class = item.combining_class;
    }
  }
  return out;
}

}  // namespace

std::vector<Tagged> normalize(std::string_view text, Form form) {
  const std::vector<Classed> parts = decomposed(text, form == Form::nfkc || form == Form::nfkd);
  if (form == Form::nfc || form == Form::nfkc) return recomposed(parts);
  std::vector<Tagged> out;
  out.reserve(parts.size());
  for (const Classed& part : parts) out.push_back(part.tagged);
  return out;
}

}  // namespace attune::text::unicode
