// SQuAD's normalisation of answers, exact match and F1.
#include "attune/metrics/spans.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "f_scores.h"
#include "python_text.h"

namespace attune::metrics {
namespace {

/// What a word boundary of the script's regular expression looks at (_ is gone by then).
bool word_character(char32_t c) {
  return is_letter(c) || is_number(c);
}

std::u32string without_articles(const std::u32string& text) {
  std::u32string out;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = begin;
    while (end < text.size() && word_character(text[end])) ++end;
    const auto word = std::u32string_view(text).substr(begin, end - begin);
    if (word == U"a" || word == U"an" || word == U"the") {
      out += U' ';
    } else {
      out += word;
    }
    if (end < text.size()) out += text[end++];
    begin = end;
  }
  return out;
}

std::vector<std::string> words(const std::string& normalized) {
  return normalized.empty() ? std::vector<std::string>{} : split(normalized, ' ');
}

double word_f1(const std::vector<std::string>& predicted, const std::vector<std::string>& gold) {
  if (predicted.empty() || gold.empty()) return predicted.empty() && gold.empty();
  std::map<std::string, int> left;
  for (const auto& word : gold) ++left[word];
  FCounts counts{0, static_cast<double>(gold.size()), static_cast<double>(predicted.size())};
  for (const auto& word : predicted) counts.hit += left[word]-- > 0;
  return counts.f1();
}

double percent(double sum, double questions) {
  return questions > 0 ? 100 * sum / questions : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

std::string normalize_answer(std::string_view utf8) {
  std::u32string text = lower(to_utf32(utf8));
  std::erase_if(text, is_ascii_punctuation);
  std::u32string out;
  const std::u32string kept = without_articles(text);
  for (const auto word : split_white_space(kept)) {
    if (!out.empty()) out += U' ';
    out += word;
  }
  return to_utf8(out);
}

AnswerScores score_answer(const std::string& predicted, std::span<const std::string> gold) {
  const std::string mine = normalize_answer(predicted);
  AnswerScores best;
  bool answerable = false;
  for (const auto& answer : gold) {
    const std::string truth = normalize_answer(answer);
    if (truth.empty()) continue;
    answerable = true;
    best.exact_match = std::max(best.exact_match, mine == truth ? 1.0 : 0.0);
    best.f1 = std::max(best.f1, word_f1(words(mine), words(truth)));
  }
  return answerable ? best : AnswerScores{mine.empty() ? 1.0 : 0.0, mine.empty() ? 1.0 : 0.0};
}

Values answer_values(std::span<const std::string> predicted, std::span<const std::vector<std::string>> gold) {
  struct Sum {
    double exact = 0, f1 = 0, questions = 0;
  } answerable, without;
  if (predicted.size() != gold.size()) internal_error("answer metrics: as many predictions as questions are needed");
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    Sum& sum = gold[i].empty() ? without : answerable;
    const AnswerScores scores = score_answer(predicted[i], gold[i]);
    sum.exact += scores.exact_match;
    sum.f1 += scores.f1;
    sum.questions += 1;
  }
  const double questions = answerable.questions + without.questions;
  Values values = {{"exact_match", percent(answerable.exact + without.exact, questions)},
                   {"f1", percent(answerable.f1 + without.f1, questions)}};
  if (without.questions == 0) return values;
  values.emplace_back("HasAns_exact", percent(answerable.exact, answerable.questions));
  values.emplace_back("HasAns_f1", percent(answerable.f1, answerable.questions));
  values.emplace_back("NoAns_exact", percent(without.exact, without.questions));
  values.emplace_back("NoAns_f1", percent(without.f1, without.questions));
  return values;
}

double perplexity(double loss_sum, double weight) {
  return weight > 0 ? std::exp(loss_sum / weight) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace attune::metrics
