// See rouge.h.
#include "attune/metrics/rouge.h"

#include <algorithm>
#include <map>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "ngrams.h"
#include "porter_stemmer.h"
#include "python_text.h"

namespace attune::metrics {
namespace {

/// A text as word symbols: all of it, and line by line.
struct RougeText {
  std::u32string words;
  std::vector<std::u32string> lines;
};

RougeText read(std::string_view text, const RougeOptions& options, WordNumbers& numbers) {
  RougeText result;
  for (const std::string& line : split(text, '\n')) {
    result.lines.push_back(numbers.of(rouge_words(line, options)));
    result.words += result.lines.back();
  }
  return result;
}

RougeScore score_of(std::size_t hits, std::size_t predicted, std::size_t wanted) {
  RougeScore score{.precision = static_cast<double>(hits) / static_cast<double>(std::max<std::size_t>(predicted, 1)),
                   .recall = static_cast<double>(hits) / static_cast<double>(std::max<std::size_t>(wanted, 1))};
  const double sum = score.precision + score.recall;
  score.f1 = sum > 0 ? 2 * score.precision * score.recall / sum : 0.0;
  return score;
}

RougeScore score_ngrams(std::u32string_view predicted, std::u32string_view reference, std::size_t n) {
  const Ngrams mine = ngrams(predicted, n), wanted = ngrams(reference, n);
  return score_of(matches(mine, wanted), mine.size(), wanted.size());
}

/// Positions in `reference` of one longest common subsequence, from the last to the first. Which one of several decides
/// about ROUGE-Lsum: going backwards from the ends, the package follows the reference unless the prediction is strictly
/// better.
std::vector<std::size_t> common_subsequence(std::u32string_view reference, std::u32string_view predicted) {
  const std::size_t columns = predicted.size();
  std::vector<bool> prediction_better(reference.size() * columns);
  std::vector<std::uint32_t> above(columns + 1), row(columns + 1);
  for (std::size_t i = 0; i < reference.size(); ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      row[j + 1] = reference[i] == predicted[j] ? above[j] + 1 : std::max(above[j + 1], row[j]);
      prediction_better[i * columns + j] = row[j] > above[j + 1];
    }
    std::swap(above, row);
  }
  std::vector<std::size_t> positions;
  for (std::size_t i = reference.size(), j = columns; i > 0 && j > 0;) {
    if (reference[i - 1] == predicted[j - 1]) {
      positions.push_back(--i);
      --j;
    } else if (prediction_better[(i - 1) * columns + j - 1]) {
      --j;
    } else {
      --i;
    }
  }
  return positions;
}

std::map<char32_t, std::size_t> count_words(std::u32string_view words) {
  std::map<char32_t, std::size_t> counts;
  for (const char32_t word : words) ++counts[word];
  return counts;
}

/// Words of the union of each reference line's common subsequences with all predicted lines; no word counts more often
/// than it stands in either text.
std::size_t summary_hits(const RougeText& predicted, const RougeText& reference) {
  auto left_predicted = count_words(predicted.words), left_reference = count_words(reference.words);
  std::size_t hits = 0;
  for (const std::u32string& line : reference.lines) {
    std::vector<bool> common(line.size());
    for (const std::u32string& other : predicted.lines) {
      for (const std::size_t position : common_subsequence(line, other)) common[position] = true;
    }
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (!common[i] || left_predicted[line[i]] == 0 || left_reference[line[i]] == 0) continue;
      ++hits;
      --left_predicted[line[i]];
      --left_reference[line[i]];
    }
  }
  return hits;
}

RougeScores score_pair(const RougeText& predicted, const RougeText& reference) {
  const std::size_t mine = predicted.words.size(), wanted = reference.words.size();
  return {.rouge1 = score_ngrams(predicted.words, reference.words, 1),
          .rouge2 = score_ngrams(predicted.words, reference.words, 2),
          .rougeL = score_of(common_subsequence(reference.words, predicted.words).size(), mine, wanted),
          .rougeLsum = score_of(summary_hits(predicted, reference), mine, wanted)};
}

}  // namespace

std::vector<std::string> rouge_words(std::string_view utf8, const RougeOptions& options) {
  std::vector<std::string> words;
  std::string word;
  const auto finish = [&] {
    if (!word.empty()) words.push_back(options.stem && word.size() > 3 ? porter_stem(word) : word);
    word.clear();
  };
  for (const char32_t c : lower(to_utf32(utf8))) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      word += static_cast<char>(c);
    } else {
      finish();
    }
  }
  finish();
  return words;
}

RougeScores rouge_scores(std::string_view prediction, std::span<const std::string> references,
                         const RougeOptions& options) {
  if (references.empty()) internal_error("ROUGE needs a reference");
  WordNumbers numbers;
  const RougeText predicted = read(prediction, options, numbers);
  RougeScores best;
  for (std::size_t i = 0; i < references.size(); ++i) {
    const RougeScores scores = score_pair(predicted, read(references[i], options, numbers));
    for (RougeScore RougeScores::*kind :
         {&RougeScores::rouge1, &RougeScores::rouge2, &RougeScores::rougeL, &RougeScores::rougeLsum}) {
      if (i == 0 || (scores.*kind).f1 > (best.*kind).f1) best.*kind = scores.*kind;
    }
  }
  return best;
}

}  // namespace attune::metrics
