// Rules for what trains.
#include <algorithm>
#include <iterator>
#include <string>
#include <tuple>
#include <vector>

#include "attune/base/strings.h"
#include "rule_topics.h"

namespace attune::config {

namespace {

/// Settings of a block that its method does not read.
void refuse_unread(Rules& rules, const std::string& block, bool is_read, const std::string& hint) {
  Rules::Keys keys = {"tuning.method", block};
  std::ranges::copy_if(rules.changed_paths(), std::back_inserter(keys),
                       [&](const std::string& path) { return path.starts_with(block + "."); });
  rules.refuse_if(keys.size() > 2 && !is_read, keys,
                  concat("the method is \"", rules.options.tuning.method, "\", which does not read ", block), hint);
}

void check_tuning(Rules& rules) {
  const auto& freeze = rules.options.tuning.freeze;
  const std::string& method = rules.options.tuning.method;
  const bool freezes = !freeze.layers.empty() || freeze.trainable_layers || freeze.embeddings.value_or(false) ||
                       !freeze.patterns.empty();
  const Rules::Keys keys = {"tuning.method",
                            "tuning.freeze",
                            "tuning.freeze.layers",
                            "tuning.freeze.trainable_layers",
                            "tuning.freeze.embeddings",
                            "tuning.freeze.patterns"};
  rules.refuse_if(method != "freeze" && (freezes || freeze.embeddings), keys,
                  concat("the method is \"", method, "\", and tuning.freeze says what is to be frozen"),
                  "set tuning.method to \"freeze\", or remove tuning.freeze");
  rules.refuse_if(method == "freeze" && !freezes, keys,
                  "the method is \"freeze\", and tuning.freeze names nothing to freeze",
                  "give tuning.freeze.layers, as in \"0-3\", or set the method to \"full\"");
  rules.refuse_if(
      !freeze.layers.empty() && freeze.trainable_layers, {"tuning.freeze.trainable_layers", "tuning.freeze.layers"},
      "frozen layers are given twice: by their numbers and by how many of the last ones train", "keep one of the two");
  rules.refuse_if(rules.options.model.init == "random" && method != "full", {"model.init", "tuning.method"},
                  "layers that start from random weights would stay random", "set tuning.method to \"full\"");
  rules.refuse_if(rules.options.model.init == "random" && rules.options.model.new_head,
                  {"model.new_head", "model.init"}, "has no effect: with random weights the head is new in any case",
                  "remove it");
  rules.refuse_if(rules.options.training.layerwise_lr_decay && method == "head",
                  {"training.layerwise_lr_decay", "tuning.method"}, "has no effect while only the head trains",
                  "remove it");
  rules.refuse_if(
      rules.options.training.head_learning_rate && method == "head", {"training.head_learning_rate", "tuning.method"},
      "only the head trains, and training.learning_rate is its rate too", "give training.learning_rate alone");
  rules.refuse_if(rules.options.training.frozen_dropout && method == "full",
                  {"training.frozen_dropout", "tuning.method"}, "has no effect while nothing is frozen", "remove it");
}

/// A block that describes an adapter belongs to the method of its name.
void check_adapter_blocks(Rules& rules) {
  for (const std::string kind : {"lora", "ia3", "prompt_tuning", "p_tuning", "prefix_tuning"}) {
    const std::string block = concat("tuning.", kind);
    refuse_unread(rules, block, rules.options.tuning.method == kind,
                  concat("set tuning.method to \"", kind, "\", or remove ", block));
  }
}

void check_virtual_tokens(Rules& rules) {
  const adapt::PromptTuningOptions& prompt = rules.options.tuning.prompt_tuning;
  const bool has_text = !prompt.prompt_tuning_init_text.empty();
  const bool takes_text = prompt.prompt_tuning_init == "TEXT";
  const Rules::Keys text_keys = {"tuning.prompt_tuning.prompt_tuning_init_text",
                                 "tuning.prompt_tuning.prompt_tuning_init"};
  rules.refuse_if(has_text && !takes_text, text_keys,
                  "a text to start from is given, and virtual tokens do not start from one",
                  "set tuning.prompt_tuning.prompt_tuning_init to \"TEXT\", or remove the text");
  const bool has_study = !prompt.init_from.empty();
  rules.refuse_if(takes_text && !has_text && !has_study && prompt.adapter.empty(), text_keys,
                  "virtual tokens are to start from a text, and none is given",
                  "give tuning.prompt_tuning.prompt_tuning_init_text");
  rules.refuse_if(has_study && (has_text || prompt.prompt_tuning_init == "SAMPLE_VOCAB" || !prompt.adapter.empty()),
                  {"tuning.prompt_tuning.init_from", "tuning.prompt_tuning.prompt_tuning_init",
                   "tuning.prompt_tuning.prompt_tuning_init_text", "tuning.prompt_tuning.adapter"},
                  "virtual tokens are to start at the words of a study and somewhere else too", "keep one of the two");
  rules.refuse_if(!prompt.tokenizer_name_or_path.empty() && !takes_text && !has_study,
                  {"tuning.prompt_tuning.tokenizer_name_or_path"},
                  "has no effect: virtual tokens do not start from a text", "remove it");
  const adapt::PTuningOptions& encoder = rules.options.tuning.p_tuning;
  rules.refuse_if(encoder.encoder_num_layers != adapt::PTuningOptions().encoder_num_layers &&
                      encoder.encoder_reparameterization_type == "MLP",
                  {"tuning.p_tuning.encoder_num_layers", "tuning.p_tuning.encoder_reparameterization_type"},
                  "has no effect: an MLP has three layers", "remove it, or set the type to \"LSTM\"");
  const adapt::PrefixTuningOptions& prefix = rules.options.tuning.prefix_tuning;
  rules.refuse_if(prefix.encoder_hidden_size && !prefix.prefix_projection && prefix.adapter.empty(),
                  {"tuning.prefix_tuning.encoder_hidden_size", "tuning.prefix_tuning.prefix_projection"},
                  "has no effect: no network makes the keys and values",
                  "set tuning.prefix_tuning.prefix_projection to true, or remove it");
}

void check_ia3(Rules& rules) {
  const adapt::Ia3Options& ia3 = rules.options.tuning.ia3;
  rules.refuse_if(ia3.target_modules.is_empty_list && ia3.adapter.empty(), {"tuning.ia3.target_modules"},
                  "names no layer, so that no layer would change",
                  "name some, write \"all-linear\", or leave it out for the usual ones");
}

void check_lora(Rules& rules) {
  const adapt::LoraOptions& lora = rules.options.tuning.lora;
  rules.refuse_if(lora.target_modules.is_empty_list && lora.adapter.empty(), {"tuning.lora.target_modules"},
                  "names no layer, so that no layer would change",
                  "name some, write \"all-linear\", or leave it out for the usual ones");
  const std::string& pattern = lora.target_modules.pattern;
  rules.refuse_if(!lora.layers_to_transform.empty() && !pattern.empty() && to_lower_ascii(pattern) != "all-linear",
                  {"tuning.lora.layers_to_transform", "tuning.lora.target_modules"},
                  "blocks are numbered beside a regular expression over whole paths",
                  "name the blocks in the expression");
  rules.refuse_if(!lora.layers_pattern.empty() && lora.layers_to_transform.empty(),
                  {"tuning.lora.layers_pattern", "tuning.lora.layers_to_transform"},
                  "it says where blocks are numbered, and no block is named",
                  "give tuning.lora.layers_to_transform, or remove it");
}

/// Batches of pairs that share texts: counted in pairs, and in an order of their own.
void check_shared_texts(Rules& rules) {
  const auto& [tuning, training] = std::tie(rules.options.tuning, rules.options.training);
  if (!tuning.contrastive.texts_per_batch) return;
  const auto refuse = [&](bool found, const char* key, const char* what) {
    rules.refuse_if(found, {"tuning.contrastive.texts_per_batch", key}, what, concat("remove it, or ", key));
  };
  refuse(!tuning.contrastive.merge_texts, "tuning.contrastive.merge_texts", "without tuning.contrastive.merge_texts a text costs as much in any batch");
  refuse(training.batch_by != "rows", "training.batch_by", "batches of shared texts are counted in pairs, not in tokens");
  refuse(training.group_by_length, "training.group_by_length", "pairs are not grouped by length too");
  refuse(training.train_sampling_strategy == "sequential", "training.train_sampling_strategy", "pairs do not stay in their own order");
}

/// Heads on vectors are computed once, at the end, from rows of one class each.
void check_vector_head(Rules& rules) {
  const auto& [data, tuning, training] = std::tie(rules.options.data, rules.options.tuning, rules.options.training);
  const bool is_contrastive = tuning.method == "contrastive";
  refuse_unread(rules, "tuning.contrastive", is_contrastive, "set tuning.method to \"contrastive\", or remove it");
  refuse_unread(rules, "tuning.prototype",
                tuning.method == "prototype" || (is_contrastive && tuning.contrastive.head == "prototype"),
                "set tuning.method (or tuning.contrastive.head) to \"prototype\", or remove it");
  rules.refuse_if(is_contrastive && tuning.contrastive.head != "logistic" && rules.changed("tuning.contrastive.head_c"),
                  {"tuning.contrastive.head_c", "tuning.contrastive.head"}, "belongs to the head \"logistic\"",
                  "remove it");
  check_shared_texts(rules);
  if (!adapt::has_vector_head(tuning)) return;
  const std::string why = concat("under tuning.method \"", tuning.method, "\" ");
  const auto refuse = [&](bool found, const char* key, const char* what, const char* hint) {
    rules.refuse_if(found, {key, "tuning.method"}, why + what, hint);
  };
  refuse(rules.options.model.task != "text-classification", "model.task", "texts are classified",
         "set model.task to \"text-classification\", or another method");
  refuse(rules.options.early_stopping.enabled, "early_stopping",
         "the head is made after training, so that nothing is evaluated before", "remove the block");
  refuse(training.eval_strategy != "no", "training.eval_strategy",
         "validation rows are scored once, when the head is made", "remove it");
  refuse(training.label_smoothing_factor > 0, "training.label_smoothing_factor", "no loss over classes is trained",
         "remove it");
  refuse(training.head_learning_rate.has_value(), "training.head_learning_rate", "the head is computed, not trained",
         "remove it");
  refuse(!data.train_weights.empty(), "data.train_weights", "files are not mixed by weight", "remove it");
}

/// Labels that are said in words, by wordings that may differ.
void check_self_training(Rules& rules) {
  const auto& [data, tuning] = std::tie(rules.options.data, rules.options.tuning);
  const bool is_on = tuning.self_training.enabled;
  rules.refuse_if(!is_on && !data.unlabelled.empty(), {"data.unlabelled", "tuning.self_training"},
                  "unlabelled rows are named, and nothing trains on them", "add tuning.self_training, or remove it");
  if (!is_on) return;
  const std::string block = "tuning.self_training";
  rules.refuse_if(data.unlabelled.empty(), {block, "data.unlabelled"}, "there are no rows without labels", "name data.unlabelled");
  rules.refuse_if(!job::asks_labels(rules.options), {block, "data.prompts", "prompting.answer"},
                  "labels are taken from wordings that agree, and rows are not asked for labels in words",
                  "name data.prompts, with prompting.answer \"likelihood\"");
  const bool are_several = data.train_wordings.size() > 1 || data.train_wordings == std::vector<std::string>{"*"};
  rules.refuse_if(job::asks_labels(rules.options) && !are_several, {block, "data.train_wordings"},
                  "one wording agrees with itself", "name several data.train_wordings, or \"*\" for all of the prompt set");
  rules.refuse_if(!data.train_weights.empty(), {block, "data.train_weights"},
                  "the rows that a round takes belong to no training file", "remove data.train_weights");
  rules.refuse_if(rules.options.model.init == "random" && tuning.self_training.start == "untouched",
                  {"tuning.self_training.start", "model.init"}, "random weights know no labels", "set it to \"tuned\"");
}

}  // namespace

void check_tuning_rules(Rules& rules) {
  check_tuning(rules);
  check_adapter_blocks(rules);
  check_lora(rules);
  check_ia3(rules);
  check_virtual_tokens(rules);
  check_vector_head(rules);
  check_self_training(rules);
}

}  // namespace attune::config
