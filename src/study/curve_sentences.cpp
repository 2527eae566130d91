// See curve_sentences.h.
#include "curve_sentences.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "attune/base/print_number.h"
#include "attune/base/strings.h"
#include "attune/metrics/intervals.h"

namespace attune::study {

namespace {

using files::Json;

constexpr double kMisfitTold = 0.02;

std::string labels_text(const CurveFacts& facts, double labels) {
  return concat(print_number("%.0f", labels), facts.per_class ? " labels per class" : " labels");
}

/// The last entry of by_size; null where the method has no score at the largest size.
const Json* at_largest(const Json& method, const CurveFacts& facts) {
  if (method["by_size"].empty()) return nullptr;
  const Json& last = method["by_size"].back();
  const bool is_there = !method["learns"].get<bool>() || last["size"] == facts.sizes.back();
  return is_there && last["accuracy"]["mean"].is_number() ? &last : nullptr;
}

/// "With 64 labels per class LoRA is best, right on 0.91 of the test rows; words 0.80, majority 0.10."
std::string best_sentence(const Json& methods, const CurveFacts& facts) {
  std::vector<std::pair<double, std::string>> scores;
  for (const Json& method : methods) {
    const Json* found = at_largest(method, facts);
    if (found != nullptr)
      scores.emplace_back((*found)["accuracy"]["mean"].get<double>(), method["name"].get<std::string>());
  }
  if (scores.empty()) return "";
  std::stable_sort(scores.begin(), scores.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> others;
  for (std::size_t i = 1; i < scores.size(); ++i)
    others.push_back(concat(scores[i].second, " ", print_number("%.2f", scores[i].first)));
  return concat("With ", labels_text(facts, static_cast<double>(facts.sizes.back())), " ", scores.front().second,
                others.empty() ? " is right on " : " has the highest mean, right on ",
                print_number("%.2f", scores.front().first), " of the test rows",
                others.empty() ? "" : concat("; ", join(others, ", ")), ".");
}

std::string gain_sentence(const Json& method, const CurveFacts& facts) {
  const std::string name = method["name"].get<std::string>();
  if (!method["learns"].get<bool>()) return concat(name, " looks at no training rows: more labels change nothing.");
  if (!method.contains("gain"))
    return concat(name, " has scores at fewer than three numbers of labels: no law was fitted.");
  const Json& gain = method["gain"];
  const Json& interval = gain["interval"];
  const double misfit = method["law"]["misfit"].get<double>();
  const double last = gain["from"].get<double>(), more = gain["more"].get<double>();
  std::string text =
      concat(labels_text(facts, more).insert(print_number("%.0f", more).size(), " more"), " would bring ", name,
             " about ", print_difference(gain["value"].get<double>()), " of accuracy");
  if (interval.is_array())
    text += concat(" [", print_difference(interval[0].get<double>()), ", ", print_difference(interval[1].get<double>()),
                   "]");
  return concat(
      text, " by this law; beyond ", print_number("%.0f", last), facts.per_class ? " per class" : "",
      " nothing was measured",
      more > last ? concat(", and that is ", print_number("%.1f", (last + more) / last), " times as many") : "",
      misfit < kMisfitTold ? ""
                           : concat(". The law misses mean scores by up to ", print_number("%.2f", misfit),
                                    ": the scores do not follow it well"),
      ".");
}

std::string crossing_sentence(const Json& crossing, const CurveFacts& facts) {
  const std::string ahead = crossing["ahead"].get<std::string>();
  const std::string first = crossing["first"].get<std::string>(), second = crossing["second"].get<std::string>();
  const std::string behind = ahead == first ? second : first;
  const Json& share = crossing["share"];
  if (!crossing["labels"].is_number()) {
    const bool may_cross = share.is_number() && share.get<double>() >= 0.05;
    return concat("Between ", facts.sizes.front(), " and ", labels_text(facts, static_cast<double>(facts.sizes.back())),
                  " the curve of ", ahead, " stays above that of ", behind,
                  may_cross ? concat("; under other seeds they would cross in ",
                                     print_number("%.0f", 100 * share.get<double>()), " % of cases")
                            : "",
                  ".");
  }
  std::string text = concat("The curve of ", behind, " crosses that of ", ahead, " at about ",
                            labels_text(facts, crossing["labels"].get<double>()));
  if (crossing["interval"].is_array()) {
    text += concat(" [", print_number("%.0f", crossing["interval"][0].get<double>()), ", ",
                   print_number("%.0f", crossing["interval"][1].get<double>()), "]");
  }
  if (share.is_number() && share.get<double>() < 0.95)
    text += concat("; under other seeds they would cross there in ", print_number("%.0f", 100 * share.get<double>()),
                   " % of cases only");
  return text + ".";
}

/// How far a score would move with other test rows of the same number.
std::string test_sentence(const Json& methods, const CurveFacts& facts) {
  double widest = 0;
  for (const Json& method : methods) {
    const Json* found = at_largest(method, facts);
    if (found == nullptr) continue;
    const auto rows = static_cast<double>(facts.test_rows);
    const metrics::Interval interval =
        metrics::wilson_interval((*found)["accuracy"]["mean"].get<double>() * rows, rows);
    widest = std::max(widest, (interval.high - interval.low) / 2);
  }
  if (widest == 0) return "";
  return concat("All methods answered the same ", facts.test_rows,
                " test rows. Other test rows would move a score by up to about ", print_number("%.2f", widest),
                " (95 %), which the bands do not hold: they are of other seeds, which choose other training rows.");
}

}  // namespace

std::vector<std::string> curve_sentences(const Json& told, const CurveFacts& facts) {
  std::vector<std::string> sentences = {best_sentence(told["methods"], facts)};
  for (const Json& method : told["methods"]) sentences.push_back(gain_sentence(method, facts));
  for (const Json& crossing : told["crossings"]) sentences.push_back(crossing_sentence(crossing, facts));
  sentences.push_back(test_sentence(told["methods"], facts));
  if (facts.validation_rows > 0) {
    sentences.push_back(
        concat(facts.validation_rows,
               " validation rows chose among epochs and candidates. They are labels too, and are not counted."));
  }
  std::erase(sentences, "");
  return sentences;
}

}  // namespace attune::study
