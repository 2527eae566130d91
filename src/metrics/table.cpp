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

struct Row {
  std::string_view name;
  Better better;
  unsigned kinds;
};

constexpr std::array kTable = {
    Row{"loss", Better::less, ~0u},
    Row{"accuracy", Better::more, kClasses | kSets | kTags},
    Row{"exact_match", Better::more, kAnswers | kTexts},
    Row{"f1", Better::more, kClasses | kSets | kTags | kAnswers | kTexts},
    Row{"f1_macro", Better::more, kClasses | kSets | kTags},
    Row{"f1_micro", Better::more, kClasses | kSets},
    Row{"f1_weighted", Better::more, kClasses | kSets | kTags},
    Row{"f1_samples", Better::more, kSets},
    Row{"f1_positive", Better::more, kBinary},
    Row{"precision", Better::more, kTags},
    Row{"recall", Better::more, kTags},
    Row{"precision_macro", Better::more, kClasses | kSets},
    Row{"recall_macro", Better::more, kClasses | kSets},
    Row{"precision_micro", Better::more, kSets},
    Row{"recall_micro", Better::more, kSets},
    Row{"precision_weighted", Better::more, kClasses},
    Row{"recall_weighted", Better::more, kClasses},
    Row{"precision_positive", Better::more, kBinary},
    Row{"recall_positive", Better::more, kBinary},
    Row{"mcc", Better::more, kClasses},
    Row{"roc_auc", Better::more, kClasses | kSets},
    Row{"pr_auc", Better::more, kClasses | kSets},
    Row{"brier", Better::less, kClasses},
    Row{"ece", Better::less, kClasses},
    Row{"log_loss", Better::less, kClasses},
    Row{"subset_accuracy", Better::more, kSets},
    Row{"hamming_loss", Better::less, kSets},
    Row{"mse", Better::less, kNumbers},
    Row{"rmse", Better::less, kNumbers},
    Row{"mae", Better::less, kNumbers},
    Row{"r2", Better::more, kNumbers},
    Row{"pearson", Better::more, kNumbers},
    Row{"spearman", Better::more, kNumbers},
    Row{"HasAns_exact", Better::more, kAnswers},
    Row{"HasAns_f1", Better::more, kAnswers},
    Row{"NoAns_exact", Better::more, kAnswers},
    Row{"NoAns_f1", Better::more, kAnswers},
    Row{"perplexity", Better::less, kTokens},
    Row{"bits_per_byte", Better::less, kNext},
    Row{"rouge1", Better::more, kTexts},
    Row{"rouge2", Better::more, kTexts},
    Row{"rougeL", Better::more, kTexts},
    Row{"rougeLsum", Better::more, kTexts},
    Row{"bleu", Better::more, kTexts},
    Row{"chrf", Better::more, kTexts},
    Row{"chrf++", Better::more, kTexts},
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
