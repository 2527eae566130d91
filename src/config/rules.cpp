// Rules between options, as whole sentences. A contradiction is refused, never repaired. See rules.h.
#include "rules.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "attune/base/strings.h"
#include "metric_rules.h"
#include "option.h"

namespace attune::config {

namespace {

using job::RunOptions;
using Keys = std::vector<std::string>;

class Rules {
 public:
  Rules(const RunOptions& options, const Machine& machine)
      : o_(options), machine_(machine), defaults_(default_values()) {
    RunOptions copy = options;
    for (const Option& option : option_table(copy)) {
      if (!option.is_block) values_[option.path] = option.write();
    }
  }

  std::vector<Violation> check() {
    evaluation();
    saving();
    metrics();
    splits();
    cross_validation();
    folds_by_time();
    tuning();
    task();
    loss();
    optimizer();
    places();
    device();
    return std::move(violations_);
  }

 private:
  static Json default_values() {
    RunOptions options;
    Json values = Json::object();
    for (const Option& option : option_table(options)) {
      if (!option.is_block) values[option.path] = option.write();
    }
    return values;
  }

  /// Differs from the default.
  bool changed(const std::string& path) const { return values_.at(path) != defaults_.at(path); }

  void refuse_if(bool broken, Keys keys, std::string what, std::string hint) {
    if (broken) violations_.push_back({std::move(keys), std::move(what), std::move(hint)});
  }

  bool evaluates() const { return o_.training.eval_strategy != "no"; }
  bool classifies() const { return o_.model.task == "text-classification"; }
  bool has_holdout() const { return o_.data.val_size > 0 || o_.data.test_size > 0; }

  void evaluation();
  void saving();
  void metrics();
  void splits();
  void same_file(const std::vector<std::string>& first, const std::vector<std::string>& second, const Keys& keys);
  void cross_validation();
  void folds_by_time();
  void tuning();
  void task();
  void task_keys();
  void loss();
  void optimizer();
  void order();
  void schedule();
  void places();
  void device();

  const RunOptions& o_;
  const Machine& machine_;
  Json values_ = Json::object();
  Json defaults_;
  std::vector<Violation> violations_;
};

void Rules::evaluation() {
  const auto& training = o_.training;
  const auto& folds = o_.cross_validation;
  const Keys sources = {"data.validation", "data.val_size", "cross_validation", "cross_validation.inner_validation"};
  const bool has_rows =
      folds.enabled ? folds.inner_validation > 0 : !o_.data.validation.empty() || o_.data.val_size > 0;
  const std::string rows_hint = folds.enabled ? "give cross_validation.inner_validation a share above 0"
                                              : "name data.validation, or hold out a share with data.val_size";
  const auto with = [&](Keys keys) {
    keys.push_back("training.eval_strategy");
    keys.insert(keys.end(), sources.begin(), sources.end());
    return keys;
  };
  refuse_if(evaluates() && !has_rows, with({"training.eval_strategy"}),
            concat("evaluation (\"", training.eval_strategy, "\") needs validation rows, and there are none"),
            rows_hint);
  const std::string hint = has_rows ? "set training.eval_strategy to \"epoch\" or \"steps\"" : rows_hint;
  const std::string why = has_rows ? "and training.eval_strategy is \"no\"" : "and there are no validation rows";
  refuse_if(o_.early_stopping.enabled && !evaluates(), with({"early_stopping"}),
            "early stopping needs evaluations, " + why, hint);
  refuse_if(training.load_best_model_at_end && !evaluates(), with({"training.load_best_model_at_end"}),
            "the best model is found by evaluations, " + why, hint);
  refuse_if(training.save_strategy == "best" && !evaluates(), with({"training.save_strategy"}),
            "saving the best model needs evaluations, " + why, hint);
  refuse_if(training.eval_on_start && !evaluates(), with({"training.eval_on_start"}),
            "an evaluation at the start needs evaluations, " + why, hint);
  refuse_if(training.eval_strategy == "steps" && training.eval_steps == 0,
            {"training.eval_steps", "training.eval_strategy"}, "evaluation by steps does not say after how many",
            "give training.eval_steps");
  refuse_if(training.eval_strategy != "steps" && changed("training.eval_steps"),
            {"training.eval_steps", "training.eval_strategy"},
            concat("has no effect while training.eval_strategy is \"", training.eval_strategy, "\""),
            "set training.eval_strategy to \"steps\", or remove it");
  refuse_if(training.max_steps > 0 && training.eval_steps > static_cast<double>(training.max_steps),
            {"training.eval_steps", "training.max_steps"},
            "no evaluation would happen: the run has fewer steps than lie between two", "lower training.eval_steps");
}

void Rules::saving() {
  const auto& training = o_.training;
  refuse_if(training.save_strategy != "steps" && changed("training.save_steps"),
            {"training.save_steps", "training.save_strategy"},
            concat("has no effect while training.save_strategy is \"", training.save_strategy, "\""),
            "set training.save_strategy to \"steps\", or remove it");
  refuse_if(training.save_strategy == "steps" && training.max_steps > 0 &&
                training.save_steps > static_cast<double>(training.max_steps),
            {"training.save_steps", "training.save_strategy", "training.max_steps"},
            "no checkpoint would be written: the run has fewer steps than lie between two",
            "lower training.save_steps");
  refuse_if(training.logging_strategy != "steps" && changed("training.logging_steps"),
            {"training.logging_steps", "training.logging_strategy"},
            concat("has no effect while training.logging_strategy is \"", training.logging_strategy, "\""),
            "set training.logging_strategy to \"steps\", or remove it");
  refuse_if(training.max_steps == 0, {"training.max_steps"}, "a run of 0 steps trains nothing",
            "give a number above 0, or -1 for no limit");
  refuse_if(o_.overwrite_output_dir && !o_.resume_from_checkpoint.empty(),
            {"overwrite_output_dir", "resume_from_checkpoint"}, "the run that is to go on would be overwritten",
            "remove one of the two");
  const bool one_folder = !o_.resume_from_checkpoint.empty() && o_.resume_from_checkpoint != "auto";
  refuse_if(one_folder && o_.seeds.size() > 1, {"resume_from_checkpoint", "seeds"},
            "one checkpoint folder cannot belong to the runs of several seeds", "use \"auto\"");
  refuse_if(one_folder && o_.cross_validation.enabled, {"resume_from_checkpoint", "cross_validation"},
            "one checkpoint folder cannot belong to several folds", "use \"auto\"");
}

void Rules::metrics() {
  for (Violation& violation : broken_metric_rules(o_)) violations_.push_back(std::move(violation));
}

void Rules::splits() {
  const auto& data = o_.data;
  refuse_if(!data.validation.empty() && data.val_size > 0, {"data.val_size", "data.validation"},
            "validation rows are both given in files and held out", "keep one of data.validation and data.val_size");
  refuse_if(!data.test.empty() && data.test_size > 0, {"data.test_size", "data.test"},
            "test rows are both given in files and held out", "keep one of data.test and data.test_size");
  refuse_if(data.val_size > 0 && data.val_size < 1 && data.test_size > 0 && data.test_size < 1 &&
                data.val_size + data.test_size >= 1,
            {"data.val_size", "data.test_size"}, "the held-out shares leave no row to train on", "lower them");
  same_file(data.train, data.validation, {"data.validation", "data.train"});
  same_file(data.train, data.test, {"data.test", "data.train"});
  same_file(data.validation, data.test, {"data.test", "data.validation"});
  refuse_if(data.split == "group" && !data.columns.group, {"data.split", "data.columns.group"},
            "rows cannot be divided by groups without a group column", "name data.columns.group");
  refuse_if(data.split == "time" && !data.columns.time, {"data.split", "data.columns.time"},
            "rows cannot be divided by time without a time column", "name data.columns.time");
  refuse_if(has_holdout() && data.columns.group && data.split != "group",
            {"data.split", "data.columns.group", "data.val_size", "data.test_size"},
            concat("with split \"", data.split, "\" rows of one group would fall into two splits"),
            "set data.split to \"group\", or remove data.columns.group");
  refuse_if(has_holdout() && data.split == "stratified" &&
                (!classifies() || data.labels == "multi" || data.labels == "regression"),
            {"data.split", "data.labels", "model.task"}, "only rows of one class each can be stratified",
            "set data.split to \"random\"");
}

void Rules::same_file(const std::vector<std::string>& first, const std::vector<std::string>& second, const Keys& keys) {
  const auto normal = [](const std::string& path) { return std::filesystem::path(path).lexically_normal(); };
  for (const auto& path : second) {
    const bool shared =
        std::any_of(first.begin(), first.end(), [&](const auto& other) { return normal(other) == normal(path); });
    refuse_if(shared, keys, concat("'", path, "' is named in both ", keys.at(0), " and ", keys.at(1)),
              "use different rows, or hold some out with data.val_size or data.test_size");
  }
}

void Rules::cross_validation() {
  const auto& folds = o_.cross_validation;
  if (!folds.enabled) return;
  refuse_if(
      !o_.data.validation.empty(), {"cross_validation", "data.validation"},
      "folds take their validation rows from the training rows, and data.validation names others",
      "remove data.validation (or add its files to data.train); cross_validation.inner_validation sets the share");
  refuse_if(o_.data.val_size > 0, {"cross_validation", "data.val_size"},
            "folds hold out validation rows by cross_validation.inner_validation, and data.val_size is given too",
            "remove data.val_size");
  const bool grouped = folds.group_column || o_.data.columns.group;
  refuse_if(folds.group_column && o_.data.columns.group && folds.group_column != o_.data.columns.group,
            {"cross_validation.group_column", "data.columns.group"}, "two different group columns are named",
            "keep data.columns.group");
  refuse_if(grouped && folds.repeats > 1,
            {"cross_validation.repeats", "cross_validation.group_column", "data.columns.group"},
            "folds of whole groups are the same each time, so that repeating them tells nothing new",
            "set repeats to 1, and use several seeds instead");
  refuse_if(folds.stratify && (!classifies() || o_.data.labels == "multi" || o_.data.labels == "regression"),
            {"cross_validation.stratify", "data.labels", "model.task"}, "only rows of one class each can be stratified",
            "set stratify to false, or leave it out");
}

void Rules::folds_by_time() {
  const auto& folds = o_.cross_validation;
  if (!folds.enabled || !folds.by_time) return;
  refuse_if(!o_.data.columns.time, {"cross_validation.by_time", "data.columns.time"},
            "folds in order of time need a time column", "name data.columns.time");
  refuse_if(folds.repeats > 1, {"cross_validation.repeats", "cross_validation.by_time"},
            "folds in order of time are the same each time, so that repeating them tells nothing new",
            "set repeats to 1, and use several seeds instead");
  refuse_if(folds.stratify, {"cross_validation.stratify", "cross_validation.by_time"},
            "folds in order of time take their rows as they come, so that the shares of the classes cannot be kept",
            "remove stratify, or set by_time to false");
  refuse_if(folds.group_column || o_.data.columns.group,
            {"cross_validation.by_time", "cross_validation.group_column", "data.columns.group"},
            "folds in order of time cannot keep groups together: rows of one group may lie before and in a block",
            "set by_time to false, or name no group column");
}

void Rules::tuning() {
  const auto& freeze = o_.tuning.freeze;
  const std::string& method = o_.tuning.method;
  const bool freezes = !freeze.layers.empty() || freeze.trainable_layers || freeze.embeddings.value_or(false) ||
                       !freeze.patterns.empty();
  const Keys keys = {"tuning.method",
                     "tuning.freeze",
                     "tuning.freeze.layers",
                     "tuning.freeze.trainable_layers",
                     "tuning.freeze.embeddings",
                     "tuning.freeze.patterns"};
  refuse_if(method != "freeze" && (freezes || freeze.embeddings), keys,
            concat("the method is \"", method, "\", and tuning.freeze says what is to be frozen"),
            "set tuning.method to \"freeze\", or remove tuning.freeze");
  refuse_if(method == "freeze" && !freezes, keys, "the method is \"freeze\", and tuning.freeze names nothing to freeze",
            "give tuning.freeze.layers, as in \"0-3\", or set the method to \"full\"");
  refuse_if(
      !freeze.layers.empty() && freeze.trainable_layers, {"tuning.freeze.trainable_layers", "tuning.freeze.layers"},
      "frozen layers are given twice: by their numbers and by how many of the last ones train", "keep one of the two");
  refuse_if(o_.model.init == "random" && method != "full", {"model.init", "tuning.method"},
            "layers that start from random weights would stay random", "set tuning.method to \"full\"");
  refuse_if(o_.model.init == "random" && o_.model.new_head, {"model.new_head", "model.init"},
            "has no effect: with random weights the head is new in any case", "remove it");
  refuse_if(o_.training.layerwise_lr_decay && method == "head", {"training.layerwise_lr_decay", "tuning.method"},
            "has no effect while only the head trains", "remove it");
  refuse_if(o_.training.head_learning_rate && method == "head", {"training.head_learning_rate", "tuning.method"},
            "only the head trains, and training.learning_rate is its rate too", "give training.learning_rate alone");
  refuse_if(o_.training.frozen_dropout && method == "full", {"training.frozen_dropout", "tuning.method"},
            "has no effect while nothing is frozen", "remove it");
}

void Rules::task() {
  const auto& data = o_.data;
  const std::string& task = o_.model.task;
  refuse_if(!classifies() && data.labels != "auto", {"data.labels", "model.task"},
            concat("labels of kind \"", data.labels, "\" belong to text-classification, and the task is ", task),
            "remove it");
  refuse_if(data.positive_label && (!classifies() || data.labels == "multi" || data.labels == "regression"),
            {"data.positive_label", "data.labels", "model.task"}, "only one label of two a row can be the positive one",
            "remove it");
  const bool has_labels = classifies() || task == "token-classification";
  refuse_if(o_.model.num_labels && !has_labels,
            {"model.num_labels", "model.task"}, concat("the head of ", task, " has no labels to count"), "remove it");
  refuse_if(o_.model.num_labels == std::optional<std::int64_t>(1) && data.labels == "single",
            {"model.num_labels", "data.labels"}, "one class is no choice",
            "give at least 2, or set data.labels to \"regression\"");
  const bool has_template = !data.template_text.empty();
  refuse_if(has_template && (task == "question-answering" || task == "token-classification"),
            {"data.template", "model.task"},
            concat("a template builds one text, and rows of ", task, " have parts of their own"),
            "remove it and name the columns in data.columns");
  refuse_if(has_template && changed("data.columns.text"), {"data.template", "data.columns.text"},
            "the text comes both from a column and from a template", "keep one of data.columns.text and data.template");
  refuse_if(task != "text-classification" && data.columns.text_pair, {"data.columns.text_pair", "model.task"},
            concat("rows of ", task, " have no second text"), "remove it");
  refuse_if(task == "question-answering" && data.doc_stride >= data.max_length,
            {"data.doc_stride", "data.max_length", "model.task"}, "windows would overlap by their whole length",
            "lower data.doc_stride, or raise data.max_length");
  task_keys();
}

void Rules::task_keys() {
  const std::vector<std::pair<const char*, const char*>> owners = {
      {"data.mlm_probability", "fill-mask"},           {"data.doc_stride", "question-answering"},
      {"data.columns.words", "token-classification"},  {"data.columns.tags", "token-classification"},
      {"data.columns.question", "question-answering"}, {"data.columns.context", "question-answering"},
      {"data.columns.answers", "question-answering"},  {"data.columns.prompt", "text-generation"},
      {"data.columns.completion", "text-generation"},  {"data.columns.messages", "text-generation"},
      {"data.columns.conversations", "text-generation"}, {"data.format", "text-generation"},
      {"data.text_unit", "text-generation"},           {"data.append_eos", "text-generation"},
      {"data.length_policy", "text-generation"},       {"data.chat_template", "text-generation"}};
  for (const auto& [key, task] : owners) {
    refuse_if(changed(key) && o_.model.task != task, {key, "model.task"},
              concat("belongs to ", task, ", and the task is ", o_.model.task), "remove it, or set model.task");
  }
}

void Rules::loss() {
  const auto& training = o_.training;
  const bool weighted = training.class_weights != "none";
  const bool smoothed = training.label_smoothing_factor > 0;
  const bool numbers = o_.data.labels == "regression";
  const bool several = o_.data.labels == "multi";
  const bool no_classes = !classifies() && o_.model.task != "token-classification";
  refuse_if(weighted && (numbers || several || no_classes), {"training.class_weights", "data.labels", "model.task"},
            "weights of classes need one class for each prediction", "remove it");
  refuse_if(training.class_weights == "given" && training.class_weight_values.empty(), {"training.class_weights"},
            "names no class", "give a weight for at least one label, or \"balanced\"");
  refuse_if(smoothed && (numbers || several || o_.model.task == "question-answering"),
            {"training.label_smoothing_factor", "data.labels", "model.task"},
            "label smoothing needs one class for each prediction", "remove it");
}

void Rules::optimizer() {
  const std::string& optim = o_.training.optim;
  refuse_if(optim != "sgd" && changed("training.sgd_momentum"), {"training.sgd_momentum", "training.optim"},
            concat("has no effect with optimiser \"", optim, "\""), "remove it, or set training.optim to \"sgd\"");
  for (const char* key : {"training.adam_beta1", "training.adam_beta2", "training.adam_epsilon"}) {
    refuse_if(optim == "sgd" && changed(key), {key, "training.optim"}, "has no effect with optimiser \"sgd\"",
              "remove it");
  }
  order();
  schedule();
  auto seeds = o_.seeds;
  std::sort(seeds.begin(), seeds.end());
  refuse_if(std::adjacent_find(seeds.begin(), seeds.end()) != seeds.end(), {"seeds"}, "a seed is listed twice",
            "two runs with one seed are the same run: remove one");
}

void Rules::order() {
  refuse_if(o_.training.train_sampling_strategy == "sequential" && o_.training.group_by_length,
            {"training.train_sampling_strategy", "training.group_by_length"}, "the rows have one order only",
            "keep one of them");
  refuse_if(o_.training.train_sampling_strategy == "sequential" && o_.training.data_seed,
            {"training.train_sampling_strategy", "training.data_seed"}, "nothing is drawn when the rows come as in the files",
            "remove the seed");
}

void Rules::schedule() {
  const std::string& type = o_.training.lr_scheduler_type;
  refuse_if(type == "constant" && o_.training.warmup_steps > 0, {"training.warmup_steps", "training.lr_scheduler_type"},
            "the schedule \"constant\" has no warm-up", "set training.lr_scheduler_type to \"constant_with_warmup\"");
  std::vector<std::string> known;
  if (type == "cosine" || type == "cosine_with_restarts") known = {"num_cycles"};
  if (type == "polynomial") known = {"lr_end", "power"};
  for (const auto& entry : o_.training.lr_scheduler_kwargs) {
    const bool unknown = std::find(known.begin(), known.end(), entry.first) == known.end();
    refuse_if(unknown, {"training.lr_scheduler_kwargs", "training.lr_scheduler_type"},
              concat("the schedule \"", type, "\" has no setting '", entry.first, "'"),
              known.empty() ? "it has none: remove it" : "it has " + join(known, " and "));
  }
}

/// Whether `path` is `folder` or lies in it, links followed as far as they lead somewhere.
bool lies_in(const std::string& path, const std::string& folder) {
  if (path.empty() || folder.empty()) return false;
  const auto normal = [](const std::string& name) {
    std::error_code error;
    const std::filesystem::path absolute = std::filesystem::absolute(name, error);
    const std::filesystem::path found = std::filesystem::weakly_canonical(absolute, error);
    return ((error ? absolute : found) / "").lexically_normal().parent_path();
  };
  const auto inner = normal(path), outer = normal(folder);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

void Rules::places() {
  refuse_if(lies_in(o_.output_dir, o_.model.path), {"output_dir", "model.path"},
            concat("'", o_.output_dir, "' is the folder of the model that is read, or lies in it"),
            "name another folder");
  if (!o_.overwrite_output_dir) return;
  refuse_if(lies_in(o_.model.path, o_.output_dir), {"overwrite_output_dir", "model.path", "output_dir"},
            concat("the model '", o_.model.path, "' lies in the folder that would be overwritten"),
            "name another output_dir");
  for (const auto& [key, files] :
       {std::pair("data.train", &o_.data.train), std::pair("data.validation", &o_.data.validation),
        std::pair("data.test", &o_.data.test)}) {
    for (const auto& file : *files) {
      refuse_if(lies_in(file, o_.output_dir), {"overwrite_output_dir", key, "output_dir"},
                concat("'", file, "' lies in the folder that would be overwritten"), "name another output_dir");
    }
  }
}

void Rules::device() {
  if (!o_.device.starts_with("cuda")) return;
  const std::string number = o_.device == "cuda" ? "0" : o_.device.substr(std::string_view("cuda:").size());
  refuse_if(
      !machine_.has_cuda, {"device"},
      concat("'", o_.device, "' is asked for, and the LibTorch of this program was built without CUDA"),
      "set it to \"auto\" or \"cpu\", or build attune with a CUDA LibTorch (cmake -DCMAKE_PREFIX_PATH=<its folder>)");
  refuse_if(machine_.has_cuda && std::stoi(number) >= machine_.cuda_devices, {"device"},
            machine_.cuda_devices == 0
                ? concat("'", o_.device, "' is asked for, and no GPU is to be seen")
                : concat("'", o_.device, "' is asked for, and the GPUs are cuda:0 to cuda:", machine_.cuda_devices - 1),
            "look at nvidia-smi and CUDA_VISIBLE_DEVICES, or set it to \"auto\"");
}

}  // namespace

std::vector<Violation> broken_rules(const RunOptions& options, const Machine& machine) {
  return Rules(options, machine).check();
}

}  // namespace attune::config
