// ROUGE-1, ROUGE-2, ROUGE-L and ROUGE-Lsum of generated text (Lin 2004), equal to the Python package rouge-score 0.1.2.
//
// A corpus score is the mean of the texts' scores, so one text's scores are all that a bootstrap needs.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace attune::metrics {

struct RougeOptions {
  bool stem = false;  ///< compares stems (Porter, as NLTK has it) of words with more than three characters
};

/// All in [0, 1]; 0 where a denominator is 0.
struct RougeScore {
  double precision = 0;  ///< hits per item of the prediction
  double recall = 0;     ///< hits per item of the reference
  double f1 = 0;
};

struct RougeScores {
  RougeScore rouge1, rouge2;  ///< words and pairs of words
  RougeScore rougeL;          ///< longest common subsequence of the whole texts
  RougeScore rougeLsum;       ///< union of those of each line of the reference with all predicted lines
};

/// The words that ROUGE compares: runs of a-z and 0-9 of the lower-cased text. Other letters separate words.
std::vector<std::string> rouge_words(std::string_view utf8, const RougeOptions& options);

/// Each score from the reference whose F1 is largest for it, the first of equals (score_multi of the package). Throws
/// Error{internal} without a reference.
RougeScores rouge_scores(std::string_view prediction, std::span<const std::string> references,
                         const RougeOptions& options);

}  // namespace attune::metrics
