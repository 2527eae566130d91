// See overlap.h.
#include "attune/data/overlap.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "attune/base/counted.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"

namespace attune::data {

namespace {

bool is_white(char32_t c) {
  if (c == ' ' || (c >= '\t' && c <= '\r')) return true;
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

/// Appends the text in lower case with single blanks; blanks at its ends are dropped.
void append_plain(std::string& out, std::string_view text) {
  bool blank = false;
  const std::size_t begin = out.size();
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = next_code_point(text, i);
    if (is_white(c)) {
      blank = out.size() > begin;
      continue;
    }
    if (blank) out += ' ';
    blank = false;
    append_utf8(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
  }
}

std::string shown_text(const Example& example) {
  constexpr std::size_t kLongest = 80;
  std::string text = example.text.empty() ? join(example.words, " ") : example.text;
  std::size_t end = 0;
  for (std::size_t points = 0; points < kLongest && end < text.size(); ++points) next_code_point(text, end);
  if (end < text.size()) text = text.substr(0, end) + "…";
  return text;
}

struct SameTarget {
  const Target& other;
  bool operator()(std::monostate) const { return true; }
  bool operator()(const ClassLabel& label) const { return label.name == std::get<ClassLabel>(other).name; }
  bool operator()(const LabelSet& set) const { return set.names == std::get<LabelSet>(other).names; }
  bool operator()(const Value& value) const { return value.value == std::get<Value>(other).value; }
  bool operator()(const TokenTags& tags) const { return tags.tags == std::get<TokenTags>(other).tags; }
  bool operator()(const Answers& answers) const {
    const auto& others = std::get<Answers>(other).answers;
    if (answers.answers.size() != others.size()) return false;
    for (std::size_t i = 0; i < others.size(); ++i) {
      if (answers.answers[i].text != others[i].text || answers.answers[i].start != others[i].start) return false;
    }
    return true;
  }
};

bool same_target(const Target& a, const Target& b) {
  return a.index() == b.index() && std::visit(SameTarget{b}, a);
}

/// The rows of one split by a part of the hash of what is compared of them: eight bytes a row, and no text.
class TextIndex {
 public:
  explicit TextIndex(const files::ListView<Example>& examples) : examples_(examples) {
    places_.reserve(examples.size());
    examples.for_each([&](const Example& example) {
      places_.push_back({hash_of(example), static_cast<std::uint32_t>(places_.size())});
    });
    std::sort(places_.begin(), places_.end());
  }

  /// The rows that `earlier` holds a row of the same hash of, ascending; in the index itself one before them.
  std::vector<std::uint32_t> candidates(const TextIndex& earlier) const {
    std::vector<std::uint32_t> rows;
    auto other = earlier.places_.begin();
    for (const Place& place : places_) {
      while (other != earlier.places_.end() && other->first < place.first) ++other;
      const bool is_there = other != earlier.places_.end() && other->first == place.first;
      if (is_there && (&earlier != this || other->second < place.second)) rows.push_back(place.second);
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  /// The first row before `end` that has the text of `example`; null where there is none.
  std::shared_ptr<const Example> find(const Example& example, std::size_t end) const {
    const std::string text = comparable_text(example);
    const std::uint32_t hash = hash_of(text);
    auto place = std::lower_bound(places_.begin(), places_.end(), Place(hash, 0));
    for (; place != places_.end() && place->first == hash && place->second < end; ++place) {
      std::shared_ptr<const Example> other = examples_.get(place->second);
      if (comparable_text(*other) == text) return other;
    }
    return nullptr;
  }

 private:
  using Place = std::pair<std::uint32_t, std::uint32_t>;  ///< hash, row

  static std::uint32_t hash_of(const std::string& text) { return static_cast<std::uint32_t>(std::hash<std::string>()(text)); }
  static std::uint32_t hash_of(const Example& example) { return hash_of(comparable_text(example)); }

  files::ListView<Example> examples_;
  std::vector<Place> places_;
};

void compare(const Example& example, const Example& earlier, Overlap& overlap) {
  ++overlap.rows;
  const SameText pair{earlier.origin, example.origin, shown_text(example)};
  if (overlap.pairs.size() < Overlap::kMaxPairs) overlap.pairs.push_back(pair);
  if (same_target(earlier.target, example.target)) return;
  ++overlap.conflicts;
  if (overlap.conflicting.size() < Overlap::kMaxPairs) overlap.conflicting.push_back(pair);
}

}  // namespace

std::string comparable_text(const Example& example) {
  std::string text;
  append_plain(text, example.text);
  if (example.has_pair) {
    text += '\n';
    append_plain(text, *example.text_pair);
  }
  for (const std::string& word : example.words) {
    append_plain(text, word);
    text += '\n';
  }
  for (const std::int32_t id : example.input_ids) text += std::to_string(id) + "\n";
  return text;
}

std::vector<Overlap> find_overlaps(std::span<const NamedSplit> splits) {
  std::vector<Overlap> found;
  std::deque<TextIndex> indices;
  for (std::size_t s = 0; s < splits.size(); ++s) {
    const files::ListView<Example>& examples = splits[s].examples;
    const TextIndex& index = indices.emplace_back(examples);
    for (std::size_t earlier = 0; earlier <= s; ++earlier) {
      Overlap overlap{splits[earlier].name, splits[s].name, 0, 0, {}, {}};
      for (const std::uint32_t row : index.candidates(indices[earlier])) {
        const std::shared_ptr<const Example> example = examples.get(row);
        const std::size_t end = earlier == s ? row : splits[earlier].examples.size();
        if (const auto other = indices[earlier].find(*example, end)) compare(*example, *other, overlap);
      }
      if (overlap.rows > 0) found.push_back(std::move(overlap));
    }
  }
  return found;
}

std::string Overlap::message() const {
  const auto where = [](const Origin& origin) { return concat(origin.file, ":", origin.line); };
  std::string text = first == second ? concat(counted(rows, "row"), " of ", first, rows == 1 ? " repeats" : " repeat",
                                              " an earlier text of it")
                                     : concat(counted(rows, "row"), " of ", second, rows == 1 ? " has" : " have",
                                              " a text that occurs in ", first);
  if (conflicts > 0) text += concat(", ", conflicts, " of them with another label");
  text += ": ";
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    text += concat(i > 0 ? ", " : "", where(pairs[i].second), " = ", where(pairs[i].first));
  }
  return text + (static_cast<std::int64_t>(pairs.size()) < rows ? ", …" : "");
}

}  // namespace attune::data
