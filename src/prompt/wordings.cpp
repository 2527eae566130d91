// See wordings.h.
#include "attune/prompt/wordings.h"

#include <algorithm>
#include <array>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "texts.h"

namespace attune::prompt {

namespace {

constexpr std::size_t kTexts = kTextKeys.size();
constexpr std::size_t kCase = kTexts, kPunctuation = kTexts + 1, kOrder = kTexts + 2, kVerbalizer = kTexts + 3;
constexpr std::size_t kFactors = kTexts + 4;  ///< beside the named wording
constexpr std::array<const char*, 4> kOtherNames = {"case", "punctuation", "order", "verbalizer"};

std::string factor_name(std::size_t factor) {
  return factor < kTexts ? kTextKeys[factor].key : kOtherNames[factor - kTexts];
}

/// The lists that one named wording combines, by factor.
struct Lists {
  std::string name;
  std::array<std::vector<std::string>, kFactors> values;

  /// The number of combinations; more than kMostWordings is told as kMostWordings + 1.
  std::size_t size() const {
    std::size_t product = 1;
    for (const auto& list : values) product = std::min(product * list.size(), kMostWordings + 1);
    return product;
  }
};

Lists lists_of(const PromptSet& set, const NamedWording& wording) {
  Lists lists;
  lists.name = wording.name;
  for (std::size_t i = 0; i < kTexts; ++i) {
    const auto& own = wording.texts.*kTextKeys[i].member;
    lists.values[i] = own.empty() ? set.texts.*kTextKeys[i].member : own;
  }
  lists.values[kCase] = set.rules.letter_case;
  lists.values[kPunctuation] = set.rules.punctuation;
  lists.values[kOrder] = set.rules.order;
  for (const Verbalizer& one : set.verbalizers) lists.values[kVerbalizer].push_back(one.name);
  if (set.verbalizers.empty()) lists.values[kVerbalizer] = {""};
  return lists;
}

/// Cases, orders and verbalizers go by their name, texts by their number.
std::string level_of(std::size_t factor, const std::string& value, std::size_t index) {
  return factor < kTexts || factor == kPunctuation ? std::to_string(index + 1) : value;
}

std::string name_part(std::size_t factor, const std::string& level) {
  return factor == kCase || factor == kOrder ? level : concat(factor_name(factor), "=", level);
}

class Combiner {
 public:
  explicit Combiner(const PromptSet& set) {
    if (set.wordings.empty()) lists_.push_back(lists_of(set, {.name = "default", .texts = {}}));
    for (const NamedWording& wording : set.wordings) lists_.push_back(lists_of(set, wording));
    std::size_t total = 0;
    for (const Lists& lists : lists_) {
      total += lists.size();
      for (std::size_t factor = 0; factor < kFactors; ++factor) {
        if (lists.values[factor].size() > 1) varies_[factor] = true;
      }
    }
    if (total <= kMostWordings) return;
    throw Error(ErrorKind::usage,
                {.file = set.file,
                 .what = concat("the prompt set has more than ", kMostWordings, " wordings"),
                 .where = "",
                 .hint = "give shorter lists of texts, rules, verbalizers or wordings: all their combinations count"});
  }

  std::vector<Wording> run() const {
    std::vector<Wording> all;
    for (const Lists& lists : lists_) {
      for (std::size_t number = 0; number < lists.size(); ++number) all.push_back(one(lists, number));
    }
    return all;
  }

 private:
  Wording one(const Lists& lists, std::size_t number) const {
    Wording wording;
    wording.name = lists.name;
    if (lists_.size() > 1) wording.levels["wording"] = lists.name;
    std::array<std::size_t, kFactors> index{};
    for (std::size_t factor = kFactors; factor-- > 0;) {
      index[factor] = number % lists.values[factor].size();
      number /= lists.values[factor].size();
    }
    for (std::size_t factor = 0; factor < kFactors; ++factor) {
      if (!varies_[factor]) continue;
      const std::string level = level_of(factor, lists.values[factor][index[factor]], index[factor]);
      wording.levels[factor_name(factor)] = level;
      wording.name += "/" + name_part(factor, level);
    }
    const auto value = [&](std::size_t factor) { return lists.values[factor][index[factor]]; };
    for (std::size_t i = 0; i < kTexts; ++i) wording.*kTextKeys[i].chosen = value(i);
    wording.letter_case = value(kCase);
    wording.punctuation = value(kPunctuation);
    wording.examples_first = value(kOrder) == "examples_first";
    wording.verbalizer = value(kVerbalizer);
    return wording;
  }

  std::vector<Lists> lists_;
  std::array<bool, kFactors> varies_{};
};

}  // namespace

std::vector<Wording> wordings(const PromptSet& set) {
  return Combiner(set).run();
}

std::vector<Wording> wordings(const PromptSet& set, const std::vector<std::string>& names) {
  std::vector<Wording> all = wordings(set);
  if (names.empty()) return all;
  std::vector<std::string> known;
  for (const Wording& one : all) known.push_back(one.name);
  for (const std::string& name : names) {
    if (std::ranges::find(known, name) != known.end()) continue;
    const std::string nearest = nearest_name(name, known);
    throw Error(ErrorKind::usage,
                {.file = set.file,
                 .what = concat("the prompt set has no wording '", name, "'"),
                 .where = "prompting.wordings",
                 .hint = nearest.empty() ? concat("its wordings are ", join(known, ", "))
                                         : concat("did you mean '", nearest, "'?")});
  }
  std::erase_if(all, [&](const Wording& one) { return std::ranges::find(names, one.name) == names.end(); });
  return all;
}

}  // namespace attune::prompt
