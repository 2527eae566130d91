// The steps of Porter's paper, in its order and under its names.
#include "porter_stemmer.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace attune::metrics {
namespace {

bool vowel_letter(char c) {
  return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u';
}

/// For each letter whether it is a consonant: no a, e, i, o, u, and no y behind a consonant.
std::vector<bool> consonants(std::string_view word) {
  std::vector<bool> flags;
  for (std::size_t i = 0; i < word.size(); ++i) {
    flags.push_back(!vowel_letter(word[i]) && !(word[i] == 'y' && i > 0 && flags[i - 1]));
  }
  return flags;
}

/// m: how often a consonant follows a vowel.
int measure(std::string_view stem) {
  const std::vector<bool> consonant = consonants(stem);
  int count = 0;
  for (std::size_t i = 1; i < consonant.size(); ++i) count += !consonant[i - 1] && consonant[i];
  return count;
}

/// *v*
bool contains_vowel(std::string_view stem) {
  const std::vector<bool> consonant = consonants(stem);
  return std::find(consonant.begin(), consonant.end(), false) != consonant.end();
}

/// *d
bool ends_in_double_consonant(std::string_view word) {
  return word.size() >= 2 && word[word.size() - 1] == word[word.size() - 2] && consonants(word).back();
}

/// *o, and (NLTK) a word of a vowel and a consonant.
bool ends_in_short_syllable(std::string_view word) {
  const std::vector<bool> consonant = consonants(word);
  const std::size_t n = word.size();
  if (n == 2) return !consonant[0] && consonant[1];
  const char last = n == 0 ? 'w' : word.back();
  return n >= 3 && consonant[n - 3] && !consonant[n - 2] && consonant[n - 1] && last != 'w' && last != 'x' &&
         last != 'y';
}

using Condition = bool (*)(std::string_view stem);

bool always(std::string_view) {
  return true;
}
bool m_above_0(std::string_view stem) {
  return measure(stem) > 0;
}
bool m_above_1(std::string_view stem) {
  return measure(stem) > 1;
}
bool m_above_1_behind_s_or_t(std::string_view stem) {
  return m_above_1(stem) && (stem.back() == 's' || stem.back() == 't');
}
/// NLTK counts the l of -logi to the stem, so that geo- and theo- work like archaeo-.
bool m_above_0_with_l(std::string_view stem) {
  return m_above_0(std::string(stem) + 'l');
}
/// NLTK's condition for y → i: behind a consonant that is not the whole stem.
bool ends_in_later_consonant(std::string_view stem) {
  return stem.size() > 1 && consonants(stem).back();
}

struct Rule {
  std::string_view suffix, replacement;
  Condition condition;
};

/// The first rule whose suffix fits decides, also when its condition fails.
std::string apply_rules(std::span<const Rule> rules, std::string word) {
  for (const Rule& rule : rules) {
    if (!word.ends_with(rule.suffix)) continue;
    const std::string stem = word.substr(0, word.size() - rule.suffix.size());
    return rule.condition(stem) ? stem + std::string(rule.replacement) : word;
  }
  return word;
}

constexpr Rule kStep1a[] = {{"sses", "ss", always}, {"ies", "i", always}, {"ss", "ss", always}, {"s", "", always}};

constexpr Rule kStep1c[] = {{"y", "i", ends_in_later_consonant}};

constexpr Rule kStep2[] = {
    {"ational", "ate", m_above_0}, {"tional", "tion", m_above_0}, {"enci", "ence", m_above_0},
    {"anci", "ance", m_above_0},   {"izer", "ize", m_above_0},    {"bli", "ble", m_above_0},  // Porter's later -bli
    {"alli", "al", m_above_0},     {"entli", "ent", m_above_0},   {"eli", "e", m_above_0},
    {"ousli", "ous", m_above_0},   {"ization", "ize", m_above_0}, {"ation", "ate", m_above_0},
    {"ator", "ate", m_above_0},    {"alism", "al", m_above_0},    {"iveness", "ive", m_above_0},
    {"fulness", "ful", m_above_0}, {"ousness", "ous", m_above_0}, {"aliti", "al", m_above_0},
    {"iviti", "ive", m_above_0},   {"biliti", "ble", m_above_0},  {"fulli", "ful", m_above_0},  // NLTK
    {"logi", "log", m_above_0_with_l}};

constexpr Rule kStep3[] = {{"icate", "ic", m_above_0}, {"ative", "", m_above_0}, {"alize", "al", m_above_0},
                           {"iciti", "ic", m_above_0}, {"ical", "ic", m_above_0}, {"ful", "", m_above_0},
                           {"ness", "", m_above_0}};

constexpr Rule kStep4[] = {
    {"al", "", m_above_1},    {"ance", "", m_above_1}, {"ence", "", m_above_1}, {"er", "", m_above_1},
    {"ic", "", m_above_1},    {"able", "", m_above_1}, {"ible", "", m_above_1}, {"ant", "", m_above_1},
    {"ement", "", m_above_1}, {"ment", "", m_above_1}, {"ent", "", m_above_1},  {"ion", "", m_above_1_behind_s_or_t},
    {"ou", "", m_above_1},    {"ism", "", m_above_1},  {"ate", "", m_above_1},  {"iti", "", m_above_1},
    {"ous", "", m_above_1},   {"ive", "", m_above_1},  {"ize", "", m_above_1}};

std::string step1a(const std::string& word) {
  if (word.size() == 4 && word.ends_with("ies")) return word.substr(0, 3);  // NLTK: dies → die
  return apply_rules(kStep1a, word);
}

/// What -ed and -ing leave gets an e or loses a doubled letter.
std::string after_ed_and_ing(const std::string& stem) {
  for (const std::string_view end : {"at", "bl", "iz"}) {
    if (stem.ends_with(end)) return stem + 'e';
  }
  if (ends_in_double_consonant(stem)) {
    const bool keeps = stem.back() == 'l' || stem.back() == 's' || stem.back() == 'z';
    return keeps ? stem : stem.substr(0, stem.size() - 1);
  }
  return measure(stem) == 1 && ends_in_short_syllable(stem) ? stem + 'e' : stem;
}

std::string step1b(const std::string& word) {
  if (word.ends_with("ied")) return word.substr(0, word.size() - (word.size() == 4 ? 1 : 2));  // NLTK: died → die
  if (word.ends_with("eed")) {
    return measure(word.substr(0, word.size() - 3)) > 0 ? word.substr(0, word.size() - 1) : word;
  }
  for (const std::string_view suffix : {"ed", "ing"}) {
    if (!word.ends_with(suffix)) continue;
    const std::string stem = word.substr(0, word.size() - suffix.size());
    if (contains_vowel(stem)) return after_ed_and_ing(stem);
  }
  return word;
}

std::string step2(std::string word) {
  // NLTK: -alli → -al comes first, and what it leaves goes through the step again.
  while (word.ends_with("alli") && m_above_0(std::string_view(word).substr(0, word.size() - 4))) {
    word.resize(word.size() - 2);
  }
  return apply_rules(kStep2, word);
}

std::string step5a(const std::string& word) {
  if (!word.ends_with('e')) return word;
  const std::string stem = word.substr(0, word.size() - 1);
  const int m = measure(stem);
  return m > 1 || (m == 1 && !ends_in_short_syllable(stem)) ? stem : word;
}

std::string step5b(const std::string& word) {
  const std::string shorter = word.substr(0, word.size() - 1);
  return word.ends_with("ll") && measure(shorter) > 1 ? shorter : word;
}

/// NLTK's irregular words and their stems.
constexpr std::pair<std::string_view, std::string_view> kIrregular[] = {
    {"sky", "sky"},         {"skies", "sky"},       {"dying", "die"},       {"lying", "lie"},
    {"tying", "tie"},       {"news", "news"},       {"innings", "inning"},  {"inning", "inning"},
    {"outings", "outing"},  {"outing", "outing"},   {"cannings", "canning"}, {"canning", "canning"},
    {"howe", "howe"},       {"proceed", "proceed"}, {"exceed", "exceed"},   {"succeed", "succeed"}};

}  // namespace

std::string porter_stem(std::string word) {
  for (const auto& [irregular, stem] : kIrregular) {
    if (word == irregular) return std::string(stem);
  }
  if (word.size() <= 2) return word;
  word = step2(apply_rules(kStep1c, step1b(step1a(word))));
  return step5b(step5a(apply_rules(kStep4, apply_rules(kStep3, word))));
}

}  // namespace attune::metrics
