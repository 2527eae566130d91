// BLEU of generated text (Papineni et al. 2002), equal to sacrebleu 2 (Post 2018) with the same options.
//
// A text's statistics are counts; those of a corpus are their sum, from which the score follows. A bootstrap weighs and
// adds statistics and never reads a text again.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace attune::metrics {

enum class BleuTokenizer {
  none,  ///< words as they stand between white space
  v13a,  ///< mteval-v13a of the WMT evaluations: ASCII punctuation apart, except within numbers
  intl,  ///< mteval-v14, international: Unicode punctuation apart, except within numbers, and symbols
};

/// What replaces a precision of 0 (Chen & Cherry 2014).
enum class BleuSmoothing {
  none,   ///< nothing: the score is 0
  floor,  ///< smooth_value matches
  add_k,  ///< smooth_value more matches and n-grams for all orders above 1
  exp,    ///< 1/2, 1/4, … matches, one power more for each order without a match
};

struct BleuOptions {
  BleuTokenizer tokenizer = BleuTokenizer::v13a;
  BleuSmoothing smoothing = BleuSmoothing::exp;
  std::optional<double> smooth_value = std::nullopt;  ///< by default 0.1 for floor, 1 for add_k
  bool lowercase = false;
  bool effective_order = false;  ///< only orders that the texts are long enough for: meant for single sentences
};

constexpr std::size_t kBleuOrder = 4;

struct BleuStatistics {
  double length = 0;            ///< words of the hypothesis
  double reference_length = 0;  ///< of the reference whose length is nearest, the shorter of two
  std::array<double, kBleuOrder> matches = {};  ///< n-grams that a reference has too, each at most as often as in one
  std::array<double, kBleuOrder> ngrams = {};   ///< n-grams of the hypothesis

  void add(const BleuStatistics& other, double weight);
};

struct BleuScore {
  double score = 0;                                ///< 0 … 100
  std::array<double, kBleuOrder> precisions = {};  ///< 0 … 100, smoothed
  double brevity_penalty = 1;
};

/// The words of a text as BLEU compares them.
std::vector<std::string> bleu_words(std::string_view utf8, const BleuOptions& options);

/// Throws Error{internal} without a reference.
BleuStatistics bleu_statistics(std::string_view hypothesis, std::span<const std::string> references,
                               const BleuOptions& options);

BleuScore bleu_score(const BleuStatistics& statistics, const BleuOptions& options);

}  // namespace attune::metrics
