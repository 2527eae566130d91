// chrF (Popović 2015) and chrF++ (word_order = 2; Popović 2017) of generated text, equal to sacrebleu 2's.
//
// A text's statistics are counts; those of a corpus are their sum, from which the score follows. A bootstrap weighs and
// adds statistics and never reads a text again.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace attune::metrics {

struct ChrfOptions {
  std::size_t char_order = 6;
  std::size_t word_order = 0;  ///< 2: chrF++
  double beta = 2;             ///< recall counts beta times as much as precision
  bool lowercase = false;
  bool whitespace = false;     ///< white space is part of the character n-grams
  bool eps_smoothing = false;  ///< the mean of the orders' F (chrF++.py, Moses, NLTK) instead of the F of their means
};

/// N-grams of one order.
struct ChrfOrder {
  double hypothesis = 0;  ///< 0 when the reference has none: they could not match
  double reference = 0;
  double matches = 0;
};

/// An entry an order, those of characters first.
struct ChrfStatistics {
  std::vector<ChrfOrder> orders;

  void add(const ChrfStatistics& other, double weight);
};

/// Those against the reference with the largest score, the first of equals. Throws Error{internal} without a reference.
ChrfStatistics chrf_statistics(std::string_view hypothesis, std::span<const std::string> references,
                               const ChrfOptions& options);

/// 0 … 100.
double chrf_score(const ChrfStatistics& statistics, const ChrfOptions& options);

}  // namespace attune::metrics
