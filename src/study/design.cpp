// See design.h.
#include "design.h"

#include <set>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::study {

namespace {

/// The factors of the wordings where these are fully crossed; else the wording as a whole is one.
std::map<std::string, std::string> wording_levels(const std::vector<prompt::Wording>& wordings,
                                                  const prompt::Wording& wording) {
  std::map<std::string, std::set<std::string>> levels;
  for (const prompt::Wording& one : wordings) {
    for (const auto& [factor, level] : one.levels) levels[factor].insert(level);
  }
  std::size_t combinations = 1;
  for (const auto& [factor, of_factor] : levels) combinations *= of_factor.size();
  if (wordings.size() == 1) return {};
  if (combinations == wordings.size() && wording.levels.size() == levels.size()) return wording.levels;
  return {{"wording", wording.name}};
}

/// What is left of a design when one of its factors is turned in all ways.
template <class Values, class Set>
std::vector<DesignPoint> crossed(const std::vector<DesignPoint>& points, const char* factor, const Values& values,
                                 const Set& set) {
  std::vector<DesignPoint> all;
  for (const DesignPoint& point : points) {
    for (const auto& value : values) {
      DesignPoint one = point;
      const std::string level = concat(value);
      set(one.variant, value);
      if (values.size() > 1) {
        one.levels[factor] = level;
        one.name += concat("/", factor, "=", level);
      }
      all.push_back(std::move(one));
    }
  }
  return all;
}

}  // namespace

void check_study(const job::RunOptions& options) {
  if (options.prompting.answer == "text") {
    throw Error(ErrorKind::usage,
                {.file = "",
                 .what = "variants are compared by the labels that rows get, and texts are asked for",
                 .where = "prompting.answer",
                 .hint = "compare the wordings with attune prompt run, or ask for labels"});
  }
  if (options.prompting.split == "validation") return;
  throw Error(ErrorKind::usage,
              {.file = "",
               .what = "variants are chosen by the validation rows; the test rows are for those that were chosen",
               .where = "prompting.split",
               .hint = "set it to validation"});
}

std::vector<DesignPoint> design(const PromptJob& job) {
  const job::PromptingOptions& options = job.options.prompting;
  const job::StabilityOptions& varied = options.stability;
  std::vector<DesignPoint> points;
  for (const prompt::Wording& wording : job.wordings) {
    points.push_back({.variant = {.wording = wording, .examples = options.examples},
                      .levels = wording_levels(job.wordings, wording),
                      .name = wording.name});
  }
  const auto or_else = [](std::vector<std::string> values, const std::string& usual) {
    return values.empty() ? std::vector<std::string>{usual} : values;
  };
  if (options.examples.k > 0) {
    points = crossed(points, "examples", or_else(varied.choose, options.examples.choose),
                     [](Variant& one, const std::string& value) { one.examples.choose = value; });
    points = crossed(points, "order", or_else(varied.order, options.examples.order),
                     [](Variant& one, const std::string& value) { one.examples.order = value; });
    points = crossed(points, "seed", job.options.seeds,
                     [](Variant& one, std::uint64_t value) { one.examples.seed = value; });
  } else if (!varied.choose.empty() || !varied.order.empty()) {
    throw Error(ErrorKind::usage, {.file = "",
                                   .what = "there are no examples to be varied",
                                   .where = "prompting.stability",
                                   .hint = "set prompting.examples.k"});
  }
  points = crossed(points, "label_words", varied.label_words,
                   [](Variant& one, const std::string& value) { one.first_words_only = value == "first"; });
  if (points.size() > 1) return points;
  throw Error(ErrorKind::usage, {.file = job.set.file,
                                 .what = "nothing varies",
                                 .where = "prompting",
                                 .hint = "give several wordings, or examples under several seeds"});
}

}  // namespace attune::study
