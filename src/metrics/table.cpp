// See table.h.
#include "attune/metrics/table.h"

#include <algorithm>
#include <array>

#include "attune/base/strings.h"

namespace attune::metrics {

namespace {

constexpr unsigned bits(std::initializer_list<Predicted> kinds) {
  unsigned all = 0;
  for (const Predicted kind : kinds) all |= static_cast<unsigned>(kind);
  return all;
}

constexpr unsigned kBinary = bits({Predicted::one_of_two});
constexpr unsigned kClasses = bits({Predicted::one_of_two, Predicted::one_of_many});
constexpr unsigned kSets = bits({Predicted::label_set});
constexpr unsigned kNumbers = bits({Predicted::number});
constexpr unsigned kTags = bits({Predicted::tags});
constexpr unsigned kAnswers = bits({Predicted::answer});
constexpr unsigned kNext = bits({Predicted::next_tokens});
constexpr unsigned kTexts = bits({Predicted::text});
constexpr unsigned kTokens = bits({Predicted::masked_tokens, Predicted::next_tokens});

enum class Better { less, more };

constexpr double kNoEnd = std::numeric_limits<double>::infinity();
constexpr Bounds kShare = {0, 1};
constexpr Bounds kPercent = {0, 100};
constexpr Bounds kCorrelation = {-1, 1};
constexpr Bounds kError = {0, kNoEnd};

struct Row {
  std::string_view name;
  Better better;
  unsigned kinds;
  Bounds bounds;
};

constexpr std::array kTable = {
    Row{"loss", Better::less, ~0u, kError},
    Row{"accuracy", Better::more, kClasses | kSets | kTags, kShare},
    Row{"exact_match", Better::more, kAnswers | kTexts, kPercent},
    Row{"f1", Better::more, kClasses | kSets | kTags, kShare},
    Row{"f1", Better::more, kAnswers | kTexts, kPercent},
    Row{"f1_macro", Better::more, kClasses | kSets | kTags, kShare},
    Row{"f1_micro", Better::more, kClasses | kSets, kShare},
    Row{"f1_weighted", Better::more, kClasses | kSets | kTags, kShare},
    Row{"f1_samples", Better::more, kSets, kShare},
    Row{"f1_positive", Better::more, kBinary, kShare},
    Row{"precision", Better::more, kTags, kShare},
    Row{"recall", Better::more, kTags, kShare},
    Row{"precision_macro", Better::more, kClasses | kSets, kShare},
    Row{"recall_macro", Better::more, kClasses | kSets, kShare},
    Row{"precision_micro", Better::more, kSets, kShare},
    Row{"recall_micro", Better::more, kSets, kShare},
    Row{"precision_weighted", Better::more, kClasses, kShare},
    Row{"recall_weighted", Better::more, kClasses, kShare},
    Row{"precision_positive", Better::more, kBinary, kShare},
    Row{"recall_positive", Better::more, kBinary, kShare},
    Row{"mcc", Better::more, kClasses, kCorrelation},
    Row{"roc_auc", Better::more, kClasses | kSets, kShare},
    Row{"pr_auc", Better::more, kClasses | kSets, kShare},
    Row{"brier", Better::less, kClasses, kError},
    Row{"ece", Better::less, kClasses, kShare},
    Row{"log_loss", Better::less, kClasses, kError},
    Row{"subset_accuracy", Better::more, kSets, kShare},
    Row{"hamming_loss", Better::less, kSets, kShare},
    Row{"mse", Better::less, kNumbers, kError},
    Row{"rmse", Better::less, kNumbers, kError},
    Row{"mae", Better::less, kNumbers, kError},
    Row{"r2", Better::more, kNumbers, Bounds{-kNoEnd, 1}},
    Row{"pearson", Better::more, kNumbers, kCorrelation},
    Row{"spearman", Better::more, kNumbers, kCorrelation},
    Row{"HasAns_exact", Better::more, kAnswers, kPercent},
    Row{"HasAns_f1", Better::more, kAnswers, kPercent},
    Row{"NoAns_exact", Better::more, kAnswers, kPercent},
    Row{"NoAns_f1", Better::more, kAnswers, kPercent},
    Row{"perplexity", Better::less, kTokens, Bounds{1, kNoEnd}},
    Row{"bits_per_byte", Better::less, kNext, kError},
    Row{"rouge1", Better::more, kTexts, kShare},
    Row{"rouge2", Better::more, kTexts, kShare},
    Row{"rougeL", Better::more, kTexts, kShare},
    Row{"rougeLsum", Better::more, kTexts, kShare},
    Row{"bleu", Better::more, kTexts, kPercent},
    Row{"chrf", Better::more, kTexts, kPercent},
    Row{"chrf++", Better::more, kTexts, kPercent},
};

}  // namespace

std::vector<std::string> metric_names(std::initializer_list<Predicted> kinds) {
  std::vector<std::string> names;
  for (const Row& row : kTable) {
    if ((row.kinds & bits(kinds)) != 0) names.emplace_back(row.name);
  }
  return names;
}

std::optional<bool> greater_is_better(std::string_view metric) {
  const auto row = std::find_if(kTable.begin(), kTable.end(), [&](const Row& other) { return other.name == metric; });
  if (row == kTable.end()) return std::nullopt;
  return row->better == Better::more;
}

Bounds bounds_of(std::string_view metric, std::span<const std::string> known) {
  const bool beside_matches = std::ranges::find(known, "exact_match") != known.end();
  Bounds bounds;
  for (const Row& row : kTable) {
    if (row.name != metric) continue;
    bounds = row.bounds;
    const bool is_of_texts = (row.kinds & (kAnswers | kTexts)) != 0;
    if (is_of_texts || !beside_matches) break;  // else a later row may be that of texts
  }
  return bounds;
}

std::string metric_hint(std::string_view name, const std::vector<std::string>& known) {
  const std::string list = "the metrics are eval_" + join(known, ", eval_");
  const std::string nearest = nearest_name(name, known);
  return nearest.empty() ? list : concat("did you mean 'eval_", nearest, "'? ", list);
}

std::string_view without_eval_prefix(std::string_view metric) {
  constexpr std::string_view prefix = "eval_";
  return metric.starts_with(prefix) ? metric.substr(prefix.size()) : metric;
}

}  // namespace attune::metrics
