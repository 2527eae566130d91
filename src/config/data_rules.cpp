// Rules for rows: splits, folds, and what belongs to which task.
#include <algorithm>
#include <filesystem>
#include <utility>

#include "attune/base/strings.h"
#include "rule_topics.h"

namespace attune::config {

namespace {

void refuse_same_file(Rules& rules, const std::vector<std::string>& first, const std::vector<std::string>& second,
                      const Rules::Keys& keys) {
  const auto normal = [](const std::string& path) { return std::filesystem::path(path).lexically_normal(); };
  for (const auto& path : second) {
    const bool shared =
        std::any_of(first.begin(), first.end(), [&](const auto& other) { return normal(other) == normal(path); });
    rules.refuse_if(shared, keys, concat("'", path, "' is named in both ", keys.at(0), " and ", keys.at(1)),
                    "use different rows, or hold some out with data.val_size or data.test_size");
  }
}

void check_splits(Rules& rules) {
  const auto& data = rules.options.data;
  rules.refuse_if(!data.validation.empty() && data.val_size > 0, {"data.val_size", "data.validation"},
                  "validation rows are both given in files and held out",
                  "keep one of data.validation and data.val_size");
  rules.refuse_if(!data.test.empty() && data.test_size > 0, {"data.test_size", "data.test"},
                  "test rows are both given in files and held out", "keep one of data.test and data.test_size");
  rules.refuse_if(data.val_size > 0 && data.val_size < 1 && data.test_size > 0 && data.test_size < 1 &&
                      data.val_size + data.test_size >= 1,
                  {"data.val_size", "data.test_size"}, "the held-out shares leave no row to train on", "lower them");
  refuse_same_file(rules, data.train, data.validation, {"data.validation", "data.train"});
  refuse_same_file(rules, data.train, data.test, {"data.test", "data.train"});
  refuse_same_file(rules, data.validation, data.test, {"data.test", "data.validation"});
  refuse_same_file(rules, data.validation, data.unlabelled, {"data.unlabelled", "data.validation"});
  refuse_same_file(rules, data.test, data.unlabelled, {"data.unlabelled", "data.test"});
  rules.refuse_if(data.split == "group" && !data.columns.group, {"data.split", "data.columns.group"},
                  "rows cannot be divided by groups without a group column", "name data.columns.group");
  rules.refuse_if(data.split == "time" && !data.columns.time, {"data.split", "data.columns.time"},
                  "rows cannot be divided by time without a time column", "name data.columns.time");
  rules.refuse_if(rules.has_holdout() && data.columns.group && data.split != "group",
                  {"data.split", "data.columns.group", "data.val_size", "data.test_size"},
                  concat("with split \"", data.split, "\" rows of one group would fall into two splits"),
                  "set data.split to \"group\", or remove data.columns.group");
  rules.refuse_if(rules.has_holdout() && data.split == "stratified" &&
                      (!rules.classifies() || data.labels == "multi" || data.labels == "regression"),
                  {"data.split", "data.labels", "model.task"}, "only rows of one class each can be stratified",
                  "set data.split to \"random\"");
}

void check_subset(Rules& rules) {
  const auto& data = rules.options.data;
  if (!data.subset.enabled) return;
  rules.refuse_if(data.subset.rows && data.subset.per_class, {"data.subset.rows", "data.subset.per_class"},
                  "a part is given both in rows and in rows of each class", "keep one of the two");
  rules.refuse_if(!data.subset.rows && !data.subset.per_class, {"data.subset"}, "it does not say how many rows",
                  "give data.subset.rows or data.subset.per_class, or remove the block");
  rules.refuse_if(data.subset.per_class && (!rules.classifies() || data.labels == "multi" || data.labels == "regression"),
                  {"data.subset.per_class", "data.labels", "model.task"}, "only rows of one class each can be counted by class",
                  "give data.subset.rows instead");
  rules.refuse_if(data.subset.short_classes != "error" && !data.subset.per_class,
                  {"data.subset.short_classes", "data.subset.per_class"}, "has no effect without per_class", "remove it");
}

void check_cross_validation(Rules& rules) {
  const auto& folds = rules.options.cross_validation;
  if (!folds.enabled) return;
  rules.refuse_if(
      !rules.options.data.validation.empty(), {"cross_validation", "data.validation"},
      "folds take their validation rows from the training rows, and data.validation names others",
      "remove data.validation (or add its files to data.train); cross_validation.inner_validation sets the share");
  rules.refuse_if(rules.options.data.val_size > 0, {"cross_validation", "data.val_size"},
                  "folds hold out validation rows by cross_validation.inner_validation, and data.val_size is given too",
                  "remove data.val_size");
  const bool grouped = folds.group_column || rules.options.data.columns.group;
  rules.refuse_if(
      folds.group_column && rules.options.data.columns.group && folds.group_column != rules.options.data.columns.group,
      {"cross_validation.group_column", "data.columns.group"}, "two different group columns are named",
      "keep data.columns.group");
  rules.refuse_if(grouped && folds.repeats > 1,
                  {"cross_validation.repeats", "cross_validation.group_column", "data.columns.group"},
                  "folds of whole groups are the same each time, so that repeating them tells nothing new",
                  "set repeats to 1, and use several seeds instead");
  rules.refuse_if(folds.stratify && (!rules.classifies() || rules.options.data.labels == "multi" ||
                                     rules.options.data.labels == "regression"),
                  {"cross_validation.stratify", "data.labels", "model.task"},
                  "only rows of one class each can be stratified", "set stratify to false, or leave it out");
}

void check_folds_by_time(Rules& rules) {
  const auto& folds = rules.options.cross_validation;
  if (!folds.enabled || !folds.by_time) return;
  rules.refuse_if(!rules.options.data.columns.time, {"cross_validation.by_time", "data.columns.time"},
                  "folds in order of time need a time column", "name data.columns.time");
  rules.refuse_if(folds.repeats > 1, {"cross_validation.repeats", "cross_validation.by_time"},
                  "folds in order of time are the same each time, so that repeating them tells nothing new",
                  "set repeats to 1, and use several seeds instead");
  rules.refuse_if(
      folds.stratify, {"cross_validation.stratify", "cross_validation.by_time"},
      "folds in order of time take their rows as they come, so that the shares of the classes cannot be kept",
      "remove stratify, or set by_time to false");
  rules.refuse_if(folds.group_column || rules.options.data.columns.group,
                  {"cross_validation.by_time", "cross_validation.group_column", "data.columns.group"},
                  "folds in order of time cannot keep groups together: rows of one group may lie before and in a block",
                  "set by_time to false, or name no group column");
}

void check_task_keys(Rules& rules) {
  const std::vector<std::pair<const char*, const char*>> owners = {{"data.mlm_probability", "fill-mask"},
                                                                   {"data.doc_stride", "question-answering"},
                                                                   {"data.columns.words", "token-classification"},
                                                                   {"data.columns.tags", "token-classification"},
                                                                   {"data.columns.question", "question-answering"},
                                                                   {"data.columns.context", "question-answering"},
                                                                   {"data.columns.answers", "question-answering"},
                                                                   {"data.columns.prompt", "text-generation"},
                                                                   {"data.columns.completion", "text-generation"},
                                                                   {"data.columns.messages", "text-generation"},
                                                                   {"data.columns.conversations", "text-generation"},
                                                                   {"data.format", "text-generation"},
                                                                   {"data.text_unit", "text-generation"},
                                                                   {"data.append_eos", "text-generation"},
                                                                   {"data.length_policy", "text-generation"},
                                                                   {"data.chat_template", "text-generation"}};
  const std::string& task_name = rules.options.model.task;
  rules.refuse_if(!rules.options.data.token_cache_dir.empty() && task_name != "text-generation" && task_name != "fill-mask",
                  {"data.token_cache_dir", "model.task"},
                  concat("belongs to text-generation and fill-mask, and the task is ", task_name), "remove it");
  for (const auto& [key, task] : owners) {
    rules.refuse_if(rules.changed(key) && rules.options.model.task != task, {key, "model.task"},
                    concat("belongs to ", task, ", and the task is ", rules.options.model.task),
                    "remove it, or set model.task");
  }
}

void check_task(Rules& rules) {
  const auto& data = rules.options.data;
  const std::string& task = rules.options.model.task;
  rules.refuse_if(!rules.classifies() && data.labels != "auto", {"data.labels", "model.task"},
                  concat("labels of kind \"", data.labels, "\" belong to text-classification, and the task is ", task),
                  "remove it");
  rules.refuse_if(data.positive_label && (!rules.classifies() || data.labels == "multi" || data.labels == "regression"),
                  {"data.positive_label", "data.labels", "model.task"},
                  "only one label of two a row can be the positive one", "remove it");
  const bool has_labels = task == "text-classification" || task == "token-classification";
  rules.refuse_if(rules.options.model.num_labels && !has_labels, {"model.num_labels", "model.task"},
                  concat("the head of ", task, " has no labels to count"), "remove it");
  rules.refuse_if(rules.options.model.num_labels == std::optional<std::int64_t>(1) && data.labels == "single",
                  {"model.num_labels", "data.labels"}, "one class is no choice",
                  "give at least 2, or set data.labels to \"regression\"");
  const bool has_template = !data.template_text.empty();
  rules.refuse_if(has_template && (task == "question-answering" || task == "token-classification"),
                  {"data.template", "model.task"},
                  concat("a template builds one text, and rows of ", task, " have parts of their own"),
                  "remove it and name the columns in data.columns");
  rules.refuse_if(has_template && rules.changed("data.columns.text"), {"data.template", "data.columns.text"},
                  "the text comes both from a column and from a template",
                  "keep one of data.columns.text and data.template");
  rules.refuse_if(!rules.classifies() && data.columns.text_pair, {"data.columns.text_pair", "model.task"},
                  concat("rows of ", task, " have no second text"), "remove it");
  rules.refuse_if(task == "question-answering" && data.doc_stride >= data.max_length,
                  {"data.doc_stride", "data.max_length", "model.task"}, "windows would overlap by their whole length",
                  "lower data.doc_stride, or raise data.max_length");
  check_task_keys(rules);
}

void check_mixture(Rules& rules) {
  for (const auto& [file, passes] : rules.options.data.train_weights) {
    const auto& files = rules.options.data.train;
    rules.refuse_if(std::find(files.begin(), files.end(), file) == files.end(), {"data.train_weights", "data.train"},
                    concat("'", file, "' is not a training file"), concat("the files are ", join(files, ", ")));
    rules.refuse_if(!(passes > 0), {"data.train_weights"}, concat("'", file, "' has the weight ", passes),
                    "give a number above 0");
  }
}

}  // namespace

void check_data_rules(Rules& rules) {
  check_splits(rules);
  check_subset(rules);
  check_cross_validation(rules);
  check_folds_by_time(rules);
  check_task(rules);
  check_mixture(rules);
}

}  // namespace attune::config
