// See recommendation.h.
#include "recommendation.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/print_number.h"
#include "attune/base/strings.h"
#include "attune/metrics/values.h"
#include "method_kinds.h"

namespace attune::study {

namespace {

using files::Json;

/// Seconds of a method's use that are worth a choice: timings vary, and nobody waits for milliseconds.
constexpr double kLeastSeconds = 1;

/// A difference or a share with as many digits as a test set can mean.
std::string share_text(double value) {
  return print_number("%.3f", value);
}

class Recommendation {
 public:
  Recommendation(const std::vector<ComparedMethod>& methods, const metrics::MethodComparison& comparison,
                 const ComparisonOptions& options)
      : methods_(methods), comparison_(comparison), options_(options) {
    if (is_in_seconds()) margin_.least = kLeastSeconds;
    std::vector<double> costs;
    for (const ComparedMethod& method : methods) costs.push_back(method.cost);
    choice_ = metrics::choose_method(comparison, costs, margin_);
  }

  Json json() const {
    const bool is_clear = choice_.alike.size() == 1 && choice_.undecided.empty();
    return {{"method", name(choice_.chosen)},
            {"best", name(choice_.best)},
            {"alike", names(choice_.alike)},
            {"undecided", names(choice_.undecided)},
            {"is_clear", is_clear},
            {"detectable", metrics::json_number(choice_.detectable)},
            {"rule", rule()},
            {"reason", is_clear ? clear_reason() : concat(unclear_reason(), undecided_text(), baseline_text())}};
  }

 private:
  const std::string& name(std::size_t method) const { return methods_[method].name; }

  std::vector<std::string> names(const std::vector<std::size_t>& methods) const {
    std::vector<std::string> texts;
    for (const std::size_t method : methods) texts.push_back(name(method));
    return texts;
  }

  double accuracy(std::size_t method) const { return comparison_.methods[method].accuracy.value; }
  /// How much worse than the best.
  double lag(std::size_t method) const { return accuracy(choice_.best) - accuracy(method); }
  const metrics::MethodPair& to_best(std::size_t method) const {
    return metrics::pair_of(comparison_, choice_.best, method);
  }

  std::string cost_text(std::size_t method) const {
    return concat(print_number("%.3g", methods_[method].cost), " ", options_.cost_unit);
  }

  bool is_in_seconds() const { return options_.cost_unit == "s"; }

  std::string rule() const {
    return concat(
        "Of the method with the highest mean accuracy and of those that the test rows do not tell from it, the most "
        "accurate than which none of them is clearly cheaper. Not told from it is a method that is not significantly "
        "worse (p >= ",
        print_number("%g", comparison_.alpha),
        " after Holm's correction over all pairs) and whose difference is smaller than the smallest that these rows "
        "would have shown in 80 % of cases. Cost: training once and answering ",
        options_.predictions, " rows, in ", is_in_seconds() ? "seconds" : options_.cost_unit, ". ", margin_text());
  }

  std::string margin_text() const {
    return concat("Clearly cheaper is a cost below ", print_number("%g", margin_.share), " of the other",
                  is_in_seconds() ? concat(" and lower by at least ", print_number("%g", margin_.least), " s") : "",
                  ".");
  }

  /// Every other method is significantly worse.
  std::string clear_reason() const {
    std::size_t next = choice_.best == 0 ? 1 : 0;
    for (std::size_t method = 0; method < methods_.size(); ++method) {
      if (method != choice_.best && lag(method) < lag(next)) next = method;
    }
    return concat("It has the highest accuracy, ", share_text(accuracy(choice_.best)),
                  ", and every other method is significantly worse; the next, ", name(next), ", by ",
                  share_text(lag(next)), " (p = ", print_number("%.2g", to_best(next).p_adjusted),
                  " after Holm's correction).");
  }

  std::string unclear_reason() const {
    if (choice_.alike.size() == 1) {
      return concat("It has the highest accuracy, ", share_text(accuracy(choice_.best)), ".");
    }
    return concat(choice_.chosen == choice_.best ? best_reason() : cheaper_reason(), " ", detectable_text());
  }

  /// What the rows could have shown between the methods that they do not tell apart.
  std::string detectable_text() const {
    if (!std::isnan(choice_.detectable))
      return concat("Only a difference of ", share_text(choice_.detectable),
                    " or more would have been found with these rows in 80 % of cases.");
    const bool never_disagree = std::ranges::all_of(
        choice_.alike, [&](std::size_t method) { return method == choice_.best || to_best(method).disagreement == 0; });
    return never_disagree ? "All are right on the very same rows, which can show no difference between them."
                          : "These rows could hardly have shown any difference between methods that agree so often.";
  }

  /// The best was dear: the cheapest of those that are alike was clearly cheaper.
  std::string cheaper_reason() const {
    const std::size_t best = choice_.best, chosen = choice_.chosen;
    return concat("The data cannot tell it from ", name(best), ", which has the highest accuracy (",
                  share_text(accuracy(best)), ", ", share_text(lag(chosen)),
                  " more; p = ", print_number("%.2g", to_best(chosen).p_adjusted),
                  " after Holm's correction), and it costs ", cost_text(chosen), " instead of ", cost_text(best), ".",
                  chosen == choice_.cheapest ? "" : concat(" ", not_cheapest_text()));
  }

  std::string best_reason() const {
    const std::size_t best = choice_.best;
    std::vector<std::size_t> others = choice_.alike;
    std::erase(others, best);
    const std::string begin = concat("It has the highest accuracy, ", share_text(accuracy(best)), ", and "),
                      told = join(names(others), ", ");
    if (best == choice_.cheapest) {
      return concat(begin, "is the cheapest (", cost_text(best), ") of those that the data cannot tell from it: ", told,
                    ".");
    }
    return concat(begin, "of those that the data cannot tell from it none is clearly cheaper: ", told, ". ",
                  not_cheapest_text());
  }

  /// Why what costs least is not taken: as much is paid for some accuracy.
  std::string not_cheapest_text() const {
    return concat("The cheapest, ", name(choice_.cheapest), ", costs ", cost_text(choice_.cheapest), " instead of ",
                  cost_text(choice_.chosen), ", which is too little to prefer it at an accuracy lower by ",
                  share_text(accuracy(choice_.chosen) - accuracy(choice_.cheapest)), ".");
  }

  std::string undecided_text() const {
    std::string text;
    for (const std::size_t method : choice_.undecided) {
      text += concat(" That ", name(method), " is worse than ", name(choice_.best), ", by ", share_text(lag(method)),
                     ", is likely but not established (p = ", print_number("%.2g", to_best(method).p_adjusted),
                     "): more test rows would tell.");
    }
    return text;
  }

  /// A result that no model was needed for.
  std::string baseline_text() const {
    for (const std::size_t method : choice_.alike) {
      if (methods_[method].kind != "majority") continue;
      return " No method is shown to be better than always giving the most frequent label.";
    }
    return "";
  }

  const std::vector<ComparedMethod>& methods_;
  const metrics::MethodComparison& comparison_;
  const ComparisonOptions& options_;
  metrics::CostMargin margin_;
  metrics::MethodChoice choice_;
};

}  // namespace

Json recommendation_of(const std::vector<ComparedMethod>& methods, const metrics::MethodComparison& comparison,
                       const ComparisonOptions& options) {
  return Recommendation(methods, comparison, options).json();
}

}  // namespace attune::study
