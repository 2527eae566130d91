// See shown_prompts.h.
#include "shown_prompts.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "attune/base/log.h"
#include "attune/base/strings.h"
#include "prompt_run_parts.h"

namespace attune::study {

namespace {

constexpr std::size_t kRowsCompared = 8;  ///< wordings that agree on them are taken for the same
constexpr std::size_t kPairsTold = 3;

using Pairs = std::vector<std::string>;

void warn_of_pairs(const std::string& what, Pairs pairs, const std::string& then) {
  if (pairs.empty()) return;
  const std::size_t others = pairs.size() - std::min(pairs.size(), kPairsTold);
  pairs.resize(pairs.size() - others);
  log::warning(concat(what, ": ", join(pairs, ", "), others > 0 ? concat(" and ", others, " more") : "", "; ", then));
}

/// What the wording asks, in one text.
std::string asked_by(const WrittenPrompts& written) {
  std::string all;
  for (const std::string& prompt : written.prompts) all += prompt + '\0';
  for (const prompt::Continuation& answer : written.answers) all += concat(answer.label, answer.text) + '\0';
  return all;
}

bool begins_with_word(const std::string& text, const std::string& beginning) {
  return text.size() > beginning.size() && text.starts_with(beginning) && text[beginning.size()] == ' ';
}

/// "'pto request status' with 'pto request'" of the words of different labels.
Pairs hidden_words(const std::vector<prompt::Continuation>& answers) {
  Pairs pairs;
  for (const prompt::Continuation& longer : answers) {
    for (const prompt::Continuation& shorter : answers) {
      if (longer.label != shorter.label && begins_with_word(longer.text, shorter.text))
        pairs.push_back(concat("'", longer.word, "' with '", shorter.word, "'"));
    }
  }
  return pairs;
}

}  // namespace

files::Json shown_prompt(const PromptJob& job, const Variant& variant, const std::string& name) {
  return {{"wording", name}, {"row", job.rows.front().id}, {"prompt", write_prompts(job, variant, 1).prompts.front()}};
}

files::Json shown_wording(const PromptJob& job, const std::string& name) {
  const auto wording = std::ranges::find(job.wordings, name, &prompt::Wording::name);
  return shown_prompt(job, variant_of(job, *wording, job.options.seeds.front()), name);
}

void warn_of_wordings(const PromptJob& job) {
  if (job.options.prompting.split == "test" && job.wordings.size() > 1) {
    log::warning(concat(job.wordings.size(),
                        " wordings are put to the test rows, and the best of them is flattered: choose by the "
                        "validation rows, and name the one that is chosen in prompting.wordings"));
  }
  const bool can_hide =
      job.options.prompting.score == "sum" && job.loaded.model->spec().task == models::Task::causal_lm;
  std::map<std::string, std::string> first;
  Pairs same, hidden;
  for (const prompt::Wording& wording : job.wordings) {
    const WrittenPrompts written =
        write_prompts(job, variant_of(job, wording, job.options.seeds.front()), kRowsCompared);
    const auto [known, is_new] = first.emplace(asked_by(written), wording.name);
    if (!is_new) same.push_back(concat("'", wording.name, "' as '", known->second, "'"));
    if (can_hide && hidden.empty()) hidden = hidden_words(written.answers);
  }
  warn_of_pairs(concat(same.size(), " of ", job.wordings.size(), " wordings ask as another does"), same,
                "what varies between them counts as if it changed nothing; leave it out of the prompt set");
  warn_of_pairs(
      "words of a label begin with the word of another label", hidden,
      "by the sum of log probabilities the longer is never the likelier: set prompting.score to mean, or give "
      "`answer` an end (\" {{ answer }}.\")");
}

}  // namespace attune::study
