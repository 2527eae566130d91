// Rules for rows that are prompts (data.prompts).
#include <set>
#include <string>

#include "attune/base/strings.h"
#include "rule_topics.h"

namespace attune::config {

namespace {

void check_tuned_wording(Rules& rules) {
  const auto& data = rules.options.data;
  const auto& prompting = rules.options.prompting;
  const std::string& task = rules.options.model.task;
  rules.refuse_if(task != "text-generation" && task != "fill-mask", {"data.prompts", "model.task"},
                  concat("a language model is tuned behind prompts, and the task is ", task),
                  "set model.task to \"text-generation\" or \"fill-mask\", or remove data.prompts");
  rules.refuse_if(!data.token_cache_dir.empty(), {"data.token_cache_dir", "data.prompts"},
                  "the tokens of prompts are not kept", "remove data.token_cache_dir");
  rules.refuse_if(prompting.answer == "generation", {"prompting.answer", "data.prompts"},
                  "a model that is tuned to say labels is evaluated by how likely it holds them",
                  "set prompting.answer to \"likelihood\"");
  rules.refuse_if(prompting.answer == "text" && task == "fill-mask", {"prompting.answer", "model.task", "data.prompts"},
                  "a model that fills gaps writes no texts", "set prompting.answer to \"likelihood\"");
}

void check_shown_examples(Rules& rules) {
  const auto& examples = rules.options.prompting.examples;
  if (examples.k == 0) return;
  rules.refuse_if(examples.choose == "nearest" || examples.order == "nearest_last",
                  {"prompting.examples.choose", "prompting.examples.order", "data.prompts"},
                  "which rows are similar is told by the model's own vectors, which change in training",
                  "choose \"balanced\" or \"random\", in another order");
  rules.refuse_if(rules.options.cross_validation.enabled, {"prompting.examples.k", "cross_validation", "data.prompts"},
                  "rows of a fold that is held out would stand as examples in front of training rows",
                  "set prompting.examples.k to 0, or remove cross_validation");
}

void check_asked_labels(Rules& rules) {
  const auto& training = rules.options.training;
  rules.refuse_if(rules.options.data.labels == "multi" || rules.options.data.labels == "regression",
                  {"data.labels", "data.prompts"}, "one class a row is asked for", "set data.labels to \"single\"");
  rules.refuse_if(training.predict_with_generate, {"training.predict_with_generate", "data.prompts"},
                  "labels are asked for and no texts", "remove it, or set prompting.answer to \"text\"");
  rules.refuse_if(training.class_weights != "none", {"training.class_weights", "data.prompts"},
                  "labels that are said in words have no weights", "remove it");
  rules.refuse_if(training.label_smoothing_factor > 0, {"training.label_smoothing_factor", "data.prompts"},
                  "labels that are said in words are not smoothed", "remove it");
  for (const char* key : {"data.append_eos", "data.length_policy", "data.mlm_probability"}) {
    rules.refuse_if(rules.changed(key), {key, "data.prompts"}, "has no effect where labels are asked for", "remove it");
  }
}

/// Each training row in several wordings.
void check_train_wordings(Rules& rules) {
  const auto& data = rules.options.data;
  if (data.train_wordings.empty()) return;
  rules.refuse_if(data.prompts.empty(), {"data.train_wordings", "data.prompts"}, "wordings are named, and no prompt set",
                  "name data.prompts, or remove it");
  rules.refuse_if(std::set(data.train_wordings.begin(), data.train_wordings.end()).size() < data.train_wordings.size(),
                  {"data.train_wordings"}, "a wording is named twice", "name each once");
  rules.refuse_if(rules.options.cross_validation.enabled, {"data.train_wordings", "cross_validation"},
                  "wordings of one row would fall into several folds", "remove one of the two");
}

}  // namespace

void check_asking_rules(Rules& rules) {
  check_train_wordings(rules);
  rules.refuse_if(rules.options.data.prompts.empty() && !rules.options.data.wording.empty(),
                  {"data.wording", "data.prompts"}, "a wording is named, and no prompt set",
                  "name data.prompts, or remove it");
  if (rules.options.data.prompts.empty()) return;
  check_tuned_wording(rules);
  check_shown_examples(rules);
  if (job::asks_labels(rules.options)) check_asked_labels(rules);
}

}  // namespace attune::config
