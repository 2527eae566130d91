// Finds texts that occur more than once, inside a split and between splits: the commonest way to a score that is too
// good. Two texts are the same when they agree in lower case with every run of white space as one blank.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "attune/data/example.h"
#include "attune/files/long_list.h"

namespace attune::data {

struct NamedSplit {
  std::string name;  ///< "train", "validation", …
  files::ListView<Example> examples;
};

/// Two rows with the same text.
struct SameText {
  Origin first;
  Origin second;
  std::string text;  ///< as the second row has it, cut after 80 code points
};

/// How often the rows of one split repeat texts of another, or with first == second of themselves.
struct Overlap {
  static constexpr std::size_t kMaxPairs = 5;

  std::string first;
  std::string second;
  std::int64_t rows = 0;        ///< rows of `second` whose text occurs in `first` (inside one split: earlier in it)
  std::int64_t conflicts = 0;   ///< of these, rows whose target differs from the one in `first`
  std::vector<SameText> pairs;  ///< the first kMaxPairs
  std::vector<SameText> conflicting;  ///< the first kMaxPairs whose targets differ

  /// "12 rows of test occur in train, 1 with another label: test.jsonl:3 = train.jsonl:17 …".
  std::string message() const;
};

/// All overlaps that exist, each split with itself and with every split before it.
std::vector<Overlap> find_overlaps(std::span<const NamedSplit> splits);

/// What is compared: the text (question, pair, words, ids) in lower case with single blanks.
std::string comparable_text(const Example& example);

}  // namespace attune::data
