// See chrf.h.
#include "attune/metrics/chrf.h"

#include "attune/base/error.h"
#include "attune/base/utf8.h"
#include "ngrams.h"
#include "python_text.h"

namespace attune::metrics {
namespace {

/// Words with one ASCII punctuation mark at their end, else one at their beginning, as a word of its own.
std::vector<std::string> words_and_marks(std::u32string_view text) {
  std::vector<std::string> words;
  for (const auto word : split_white_space(text)) {
    const bool alone = word.size() == 1;
    const std::size_t cut = !alone && is_ascii_punctuation(word.back())    ? word.size() - 1
                            : !alone && is_ascii_punctuation(word.front()) ? 1
                                                                           : 0;
    if (cut > 0) words.push_back(to_utf8(word.substr(0, cut)));
    words.push_back(to_utf8(word.substr(cut)));
  }
  return words;
}

std::u32string without_white_space(std::u32string_view text) {
  std::u32string out;
  for (const auto word : split_white_space(text)) out += word;
  return out;
}

/// A text as the two sequences whose n-grams are compared.
struct ChrfText {
  std::u32string characters, words;
};

ChrfText read(std::string_view utf8, const ChrfOptions& options, WordNumbers& numbers) {
  std::u32string text = to_utf32(utf8);
  if (options.lowercase) text = lower(text);
  ChrfText result;
  if (options.word_order > 0) result.words = numbers.of(words_and_marks(text));
  result.characters = options.whitespace ? text : without_white_space(text);
  return result;
}

ChrfOrder compare(std::u32string_view hypothesis, std::u32string_view reference, std::size_t n) {
  const Ngrams mine = ngrams(hypothesis, n), wanted = ngrams(reference, n);
  return {.hypothesis = wanted.empty() ? 0 : static_cast<double>(mine.size()),
          .reference = static_cast<double>(wanted.size()),
          .matches = static_cast<double>(matches(mine, wanted))};
}

ChrfStatistics compare(const ChrfText& hypothesis, const ChrfText& reference, const ChrfOptions& options) {
  ChrfStatistics statistics;
  for (std::size_t n = 1; n <= options.char_order; ++n) {
    statistics.orders.push_back(compare(hypothesis.characters, reference.characters, n));
  }
  for (std::size_t n = 1; n <= options.word_order; ++n) {
    statistics.orders.push_back(compare(hypothesis.words, reference.words, n));
  }
  return statistics;
}

double f_beta(double precision, double recall, double factor) {
  return (1 + factor) * precision * recall / (factor * precision + recall);
}

/// The mean of the orders' F in percent; a share without n-grams, or an F without matches, is 1e-16.
double mean_of_f(std::span<const ChrfOrder> orders, double factor) {
  constexpr double eps = 1e-16;
  double sum = 0;
  for (const ChrfOrder& order : orders) {
    const double precision = order.hypothesis > 0 ? order.matches / order.hypothesis : eps;
    const double recall = order.reference > 0 ? order.matches / order.reference : eps;
    sum += factor * precision + recall > 0 ? f_beta(precision, recall, factor) : eps;
  }
  return 100 * sum / static_cast<double>(orders.size());
}

/// F, in percent, of the mean precision and recall over the orders that both texts have.
double f_of_means(std::span<const ChrfOrder> orders, double factor) {
  double precision = 0, recall = 0, effective = 0;
  for (const ChrfOrder& order : orders) {
    if (!(order.hypothesis > 0 && order.reference > 0)) continue;
    precision += order.matches / order.hypothesis;
    recall += order.matches / order.reference;
    effective += 1;
  }
  return precision + recall > 0 ? 100 * f_beta(precision / effective, recall / effective, factor) : 0.0;
}

}  // namespace

void ChrfStatistics::add(const ChrfStatistics& other, double weight) {
  orders.resize(other.orders.size());
  for (std::size_t i = 0; i < orders.size(); ++i) {
    orders[i].hypothesis += weight * other.orders[i].hypothesis;
    orders[i].reference += weight * other.orders[i].reference;
    orders[i].matches += weight * other.orders[i].matches;
  }
}

ChrfStatistics chrf_statistics(std::string_view hypothesis, std::span<const std::string> references,
                               const ChrfOptions& options) {
  if (references.empty()) internal_error("chrF needs a reference");
  WordNumbers numbers;
  const ChrfText mine = read(hypothesis, options, numbers);
  ChrfStatistics best;
  double best_score = -1;
  for (const std::string& reference : references) {
    ChrfStatistics statistics = compare(mine, read(reference, options, numbers), options);
    const double score = chrf_score(statistics, options);
    if (score <= best_score) continue;
    best_score = score;
    best = std::move(statistics);
  }
  return best;
}

double chrf_score(const ChrfStatistics& statistics, const ChrfOptions& options) {
  const double factor = options.beta * options.beta;
  return options.eps_smoothing ? mean_of_f(statistics.orders, factor) : f_of_means(statistics.orders, factor);
}

}  // namespace attune::metrics
