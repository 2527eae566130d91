// See design.h.
#include "design.h"

#include <algorithm>
#include <set>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/data/record.h"
#include "prompt_run_parts.h"
#include "text_answers.h"

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
  if (combinations != wordings.size() || wording.levels.size() != levels.size()) return {{"wording", wording.name}};
  std::map<std::string, std::string> varied = wording.levels;
  std::erase_if(varied, [&](const auto& level) { return levels[level.first].size() == 1; });  // not all wordings are asked
  return varied;
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

[[noreturn]] void refuse_design(const PromptJob& job, const std::string& what, const std::string& where,
                                const std::string& hint) {
  throw Error(ErrorKind::usage, {.file = job.set.file, .what = what, .where = where, .hint = hint});
}

/// What a metric of the rows' own texts needs.
void check_own_texts(const PromptJob& job) {
  for (const auto* rows : {&job.validation, &job.test}) {
    const auto bare = std::ranges::find_if_not(*rows, has_answer);
    if (bare == rows->end()) continue;
    throw Error(ErrorKind::data,
                {.file = data::place_of(bare->origin),
                 .what = concat("the row has no text of its own, and variants are compared by ", job.metric),
                 .where = "data.columns.completion",
                 .hint = "give it one, leave it out, or set prompting.metric to all_assertions"});
  }
}

/// Where texts are asked for.
void check_text_design(const PromptJob& job) {
  const job::StabilityOptions& varied = job.options.prompting.stability;
  if (varied.label_words != job::StabilityOptions().label_words)
    refuse_design(job, "texts have no label words", "prompting.stability.label_words", "remove it");
  if (varied.max_flip_rate && !job.assertions) {
    refuse_design(job, "texts flip where one keeps all assertions and another does not, and there are none",
                  "prompting.stability.max_flip_rate", "write assertions into the prompt set, or remove it");
  }
  if (job.metric != kAllAssertions) return check_own_texts(job);
  if (!job.assertions) {
    refuse_design(job, "there are no assertions that texts could keep", "prompting.metric",
                  "write assertions into the prompt set, or name another metric");
  }
}

}  // namespace

void check_study(const job::RunOptions& options) {
  if (options.prompting.split == "validation") return;
  throw Error(ErrorKind::usage,
              {.file = "",
               .what = "variants are chosen by the validation rows; the test rows are for those that were chosen",
               .where = "prompting.split",
               .hint = "set it to validation"});
}

std::vector<DesignPoint> design(const PromptJob& job) {
  if (job.asks_texts()) check_text_design(job);
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
  } else if (!varied.choose.empty() || !varied.order.empty()) {
    refuse_design(job, "there are no examples to be varied", "prompting.stability", "set prompting.examples.k");
  }
  const bool has_seeds =
      std::ranges::any_of(points, [&](const DesignPoint& one) { return has_chance(job, one.variant.examples); });
  const std::vector<std::uint64_t> seeds = has_seeds ? job.options.seeds : std::vector{job.options.seeds.front()};
  points = crossed(points, "seed", seeds, [&](Variant& one, std::uint64_t value) {
    one.examples.seed = value;
    if (seeds.size() > 1) one.text_seed = value;
  });
  points = crossed(points, "label_words", varied.label_words,
                   [](Variant& one, const std::string& value) { one.first_words_only = value == "first"; });
  if (points.size() > 1) return points;
  refuse_design(job, "nothing varies", "prompting", "give several wordings, or examples under several seeds");
}

std::vector<DesignPoint> different_points(const PromptJob& job) {
  std::vector<DesignPoint> points = design(job);
  std::erase_if(points, [&](const DesignPoint& one) {
    const bool is_first = one.variant.examples.seed == job.options.seeds.front();
    return !is_first && !has_chance(job, one.variant.examples);
  });
  return points;
}

}  // namespace attune::study
