// See wording.h.
#include "job/wording.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/config/prompt_set.h"

namespace attune::job {

namespace {

/// The wording of that name among all of the set.
prompt::Wording named_wording(const prompt::PromptSet& set, const std::vector<prompt::Wording>& all,
                              const std::string& name, const char* key) {
  const auto found = std::ranges::find(all, name, &prompt::Wording::name);
  if (found != all.end()) return *found;
  std::vector<std::string> names;
  for (const prompt::Wording& wording : all) names.push_back(wording.name);
  const std::string nearest = nearest_name(name, names);
  throw Error(ErrorKind::usage, {.file = set.file,
                                 .what = concat("there is no wording '", name, "'"),
                                 .where = key,
                                 .hint = nearest.empty() ? concat("name one of them, such as '", names.front(), "'")
                                                         : concat("did you mean '", nearest, "'?")});
}

prompt::Wording only_wording(const prompt::PromptSet& set, const std::vector<prompt::Wording>& all) {
  if (all.size() == 1) return all.front();
  throw Error(
      ErrorKind::usage,
      {.file = set.file,
       .what = concat("the prompt set has ", all.size(), " wordings, and the model is tuned behind one"),
       .where = "data.wording",
       .hint = concat("name one of them, such as '", all.front().name, "', or several in data.train_wordings")});
}

std::vector<prompt::Wording> wordings_of_training(const Asked& asked, const std::vector<prompt::Wording>& all,
                                                  const std::vector<std::string>& names) {
  if (names.empty()) return {asked.wording};
  if (names == std::vector<std::string>{"*"}) return all;
  std::vector<prompt::Wording> wordings;
  for (const std::string& name : names) wordings.push_back(named_wording(asked.set, all, name, "data.train_wordings"));
  return wordings;
}

/// Where no wording is named the first of those that train.
prompt::Wording wording_of_evaluation(const Asked& asked, const std::vector<prompt::Wording>& all,
                                      const data::DataOptions& data) {
  if (!data.wording.empty()) return named_wording(asked.set, all, data.wording, "data.wording");
  if (data.train_wordings.empty()) return only_wording(asked.set, all);
  const std::string& first = data.train_wordings.front();
  return first == "*" ? all.front() : named_wording(asked.set, all, first, "data.train_wordings");
}

}  // namespace

std::optional<Asked> open_wording(const RunOptions& options) {
  const data::DataOptions& data = options.data;
  if (data.prompts.empty()) return std::nullopt;
  Asked asked;
  asked.set = config::load_prompt_set(data.prompts);
  const std::vector<prompt::Wording> all = prompt::wordings(asked.set);
  asked.wording = wording_of_evaluation(asked, all, data);
  asked.of_training = wordings_of_training(asked, all, data.train_wordings);
  asked.kind = asks_labels(options) ? prompt::AnswerKind::label : prompt::AnswerKind::text;
  if (!options.tuning.self_training.enabled || asked.of_training.size() > 1) return asked;
  throw Error(ErrorKind::usage, {.file = asked.set.file,
                                 .what = "the prompt set has one wording, which agrees with itself",
                                 .where = "tuning.self_training",
                                 .hint = "give it more: another `instruction` or `input`, or a rule"});
}

std::vector<std::string> columns_of(const std::optional<Asked>& asked, const RunOptions& options) {
  if (!asked) return {};
  return prompt::columns_of(asked->set, options.data.columns, asked->kind);
}

void refuse_wording(const data::DataOptions& options, const std::string& folder, const std::string& verb) {
  if (options.prompts.empty()) return;
  throw Error(ErrorKind::usage, {.file = folder,
                                 .what = concat("the model was tuned behind a wording of ", options.prompts,
                                                ", and attune ", verb, " takes rows as they are"),
                                 .where = "data.prompts",
                                 .hint = "ask it with attune prompt run (prompting.prompts, and this folder as "
                                         "model.path), or set data.prompts to null"});
}

}  // namespace attune::job
