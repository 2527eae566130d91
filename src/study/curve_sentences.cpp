// See curve_sentences.h.
#include "curve_sentences.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "attune/base/counted.h"
#include "attune/base/print_number.h"
#include "attune/base/strings.h"
#include "attune/metrics/intervals.h"
#include "attune/report/units.h"

namespace attune::study {

namespace {

using files::Json;

constexpr double kMisfitTold = 0.02;
constexpr double kSeldom = 0.05, kNearlyAlways = 0.95;  ///< shares of resampled seeds
constexpr double kLevel = 1e-12;                        ///< means of seeds that differ by less are equal
constexpr std::size_t kGainsTold = 2;
constexpr std::size_t kUnsureTold = 3;

std::string labels_unit(const CurveFacts& facts) {
  return facts.per_class ? "labels per class" : "labels";
}

std::string labels_text(const CurveFacts& facts, double labels) {
  return concat(print_number("%.0f", labels), " ", labels_unit(facts));
}

/// The last entry of by_size; null where the method has no score at the largest size.
const Json* at_largest(const Json& method, const CurveFacts& facts) {
  if (method["by_size"].empty()) return nullptr;
  const Json& last = method["by_size"].back();
  const bool is_there = !method["learns"].get<bool>() || last["size"] == facts.sizes.back();
  return is_there && last["accuracy"]["mean"].is_number() ? &last : nullptr;
}

struct RankedMethod {
  double mean;         ///< accuracy at the largest size
  const Json* method;  ///< in the results
};

/// Those that have a score there, the best first.
std::vector<RankedMethod> ranked(const Json& methods, const CurveFacts& facts) {
  std::vector<RankedMethod> scores;
  for (const Json& method : methods) {
    const Json* found = at_largest(method, facts);
    if (found != nullptr) scores.push_back({.mean = (*found)["accuracy"]["mean"].get<double>(), .method = &method});
  }
  std::ranges::stable_sort(scores, std::ranges::greater(), &RankedMethod::mean);
  return scores;
}

std::string name_of(const Json& method) {
  return method["name"].get<std::string>();
}

/// "LoRA", "LoRA and words", "LoRA, full and words".
std::string names_text(std::vector<std::string> names) {
  const std::string last = names.back();
  names.pop_back();
  return names.empty() ? last : concat(join(names, ", "), " and ", last);
}

/// "With 64 labels per class LoRA has the highest mean, right on 0.91 of the test rows; words 0.80, majority 0.10.", or
/// "… LoRA and full are level, right on …".
std::string best_sentence(const Json& methods, const CurveFacts& facts) {
  const std::vector<RankedMethod> scores = ranked(methods, facts);
  if (scores.empty()) return "";
  std::vector<std::string> best, others;
  for (const RankedMethod& one : scores) {
    if (one.mean >= scores.front().mean - kLevel)
      best.push_back(name_of(*one.method));
    else
      others.push_back(concat(name_of(*one.method), " ", print_number("%.2f", one.mean)));
  }
  const std::string are_right = best.size() > 1  ? " are level, right on "
                                : others.empty() ? " is right on "
                                                 : " has the highest mean, right on ";
  return concat("With ", labels_text(facts, static_cast<double>(facts.sizes.back())), " ", names_text(best), are_right,
                print_number("%.2f", scores.front().mean), " of the test rows",
                others.empty() ? "" : concat("; ", join(others, ", ")), ".");
}

std::string gain_sentence(const Json& method, const CurveFacts& facts) {
  const Json& gain = method["gain"];
  const Json& interval = gain["interval"];
  const double misfit = method["law"]["misfit"].get<double>();
  const double last = gain["from"].get<double>(), more = gain["more"].get<double>();
  std::string text =
      concat(labels_text(facts, more).insert(print_number("%.0f", more).size(), " more"), " would bring ",
             name_of(method), " about ", print_difference(gain["value"].get<double>()), " of accuracy");
  if (report::has_width(interval))
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

/// The method of the two that is not `ahead`, where one is.
std::string behind_of(const Json& crossing) {
  return crossing[crossing["ahead"] == crossing["first"] ? "second" : "first"].get<std::string>();
}

/// " [10, 40]"; "" where other seeds say nothing of it.
std::string place_interval(const Json& crossing) {
  const Json& interval = crossing["interval"];
  if (!interval.is_array()) return "";
  return concat(" [", print_number("%.0f", interval[0].get<double>()), ", ",
                print_number("%.0f", interval[1].get<double>()), "]");
}

/// How far a score would move with other test rows of the same number.
std::string test_sentence(const Json& methods, const CurveFacts& facts) {
  double farthest = 0;
  for (const Json& method : methods) {
    const Json* found = at_largest(method, facts);
    if (found == nullptr) continue;
    const auto rows = static_cast<double>(facts.test_rows);
    const double mean = (*found)["accuracy"]["mean"].get<double>();
    const metrics::Interval interval = metrics::wilson_interval(mean * rows, rows);
    farthest = std::max({farthest, mean - interval.low, interval.high - mean});  // (of 0 and 1 there is one side)
  }
  if (farthest == 0) return "";
  return concat("All methods answered the same ", facts.test_rows,
                " test rows. Other test rows would move a score by up to about ", print_number("%.2f", farthest),
                " (95 %), which the bands do not hold: they are of other seeds, which choose other training rows.");
}

std::string validation_sentence(const CurveFacts& facts) {
  if (facts.validation_rows == 0) return "";
  return concat(facts.validation_rows,
                " validation rows were there to choose among epochs and candidates. They are labels too, and are not "
                "counted.");
}

/// Whatever the seeds, there is a place where the curves cross.
bool crosses_surely(const Json& crossing) {
  const Json& share = crossing["share"];
  return crossing["ahead"].is_string() && crossing["labels"].is_number() && crossing["interval"].is_array() &&
         share.is_number() && share.get<double>() >= kNearlyAlways;
}

/// With some seeds the curves cross, with others they do not, or nobody knows.
bool depends_on_seeds(const Json& crossing) {
  const Json& share = crossing["share"];
  const bool happens = share.is_number() && share.get<double>() >= kSeldom;
  return crossing["ahead"].is_string() && !crosses_surely(crossing) && (happens || crossing["labels"].is_number());
}

std::string sure_crossings_sentence(const Json& crossings, const CurveFacts& facts) {
  std::vector<std::string> places;
  for (const Json& crossing : crossings) {
    if (!crosses_surely(crossing)) continue;
    places.push_back(concat(behind_of(crossing), " passes ", crossing["ahead"].get<std::string>(), " at about ",
                            print_number("%.0f", crossing["labels"].get<double>()), place_interval(crossing)));
  }
  if (places.empty()) return "";
  return concat("Where curves cross, in ", labels_unit(facts), ": ", join(places, "; "), ".");
}

std::string unsure_crossings_sentence(const Json& crossings) {
  std::vector<std::string> pairs;
  for (const Json& crossing : crossings) {
    if (!depends_on_seeds(crossing)) continue;
    const Json& share = crossing["share"];
    pairs.push_back(concat(
        behind_of(crossing), " and ", crossing["ahead"].get<std::string>(),
        share.is_number() ? concat(" (in ", print_number("%.0f", 100 * share.get<double>()), " % of cases)") : ""));
  }
  if (pairs.empty()) return "";
  const std::size_t others = pairs.size() - std::min(pairs.size(), kUnsureTold);
  pairs.resize(pairs.size() - others);
  return concat("Whether curves cross depends on the seeds, that is on which rows are labelled, for ",
                join(pairs, ", "),
                others > 0 ? concat(" and ", counted(static_cast<std::int64_t>(others), "more pair")) : "", ".");
}

/// The best two of those that a law was fitted to.
std::vector<const Json*> best_learners(const Json& methods, const CurveFacts& facts) {
  std::vector<const Json*> best;
  for (const RankedMethod& one : ranked(methods, facts)) {
    if (best.size() < kGainsTold && one.method->contains("gain")) best.push_back(one.method);
  }
  return best;
}

/// Of the methods that are not in `told`.
std::string misfits_sentence(const Json& methods, const std::vector<const Json*>& told) {
  std::vector<std::string> names;
  for (const Json& method : methods) {
    if (std::ranges::find(told, &method) != told.end() || !method.contains("law")) continue;
    const double misfit = method["law"]["misfit"].get<double>();
    if (misfit >= kMisfitTold)
      names.push_back(concat(name_of(method), " (by up to ", print_number("%.2f", misfit), ")"));
  }
  if (names.empty()) return "";
  return concat("Laws miss mean scores of ", join(names, ", "),
                ": what they say of more labels is worth little there.");
}

}  // namespace

std::vector<std::string> curve_sentences(const Json& told, const CurveFacts& facts) {
  const Json &methods = told["methods"], &crossings = told["crossings"];
  const std::vector<const Json*> best = best_learners(methods, facts);
  std::vector<std::string> sentences = {best_sentence(methods, facts), sure_crossings_sentence(crossings, facts)};
  for (const Json* method : best) sentences.push_back(gain_sentence(*method, facts));
  for (const std::string& unsure : {unsure_crossings_sentence(crossings), misfits_sentence(methods, best),
                                    test_sentence(methods, facts), validation_sentence(facts)})
    sentences.push_back(unsure);
  std::erase(sentences, "");
  return sentences;
}

}  // namespace attune::study
