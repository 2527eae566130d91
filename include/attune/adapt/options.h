// Which part of the model is trained.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/base/fields.h"
#include "attune/files/adapter_config.h"

namespace attune::adapt {

struct FreezeOptions {
  std::string layers;  ///< "0-3", "0,2,4-5", "all" or "" for none: encoder layers that stay as they are
  std::optional<std::int64_t> trainable_layers;  ///< instead of `layers`: all but the last n stay as they are
  std::optional<bool> embeddings;                ///< default: true when layers are frozen
  std::vector<std::string> patterns;             ///< globs over parameter names; one that matches nothing is an error
};

/// PEFT's LoraConfig, and where the values start.
struct LoraOptions : files::LoraSettings {
  std::string adapter;  ///< folder of an adapter to go on from; "" = a new one
};

/// Training an encoder by pairs of rows, then a head on its vectors (SetFit, Tunstall et al. 2022).
struct ContrastiveOptions {
  std::string sampling_strategy = "oversampling";  ///< data::PairSampling::strategy
  std::optional<std::int64_t> num_iterations;
  std::uint64_t pair_seed = 42;
  bool merge_texts = true;
  std::string head = "logistic";  ///< logistic, prototype
  double head_c = 1.0;
};

/// A class is the mean of its rows' vectors (Snell et al. 2017).
struct PrototypeOptions {
  std::string distance = "cosine";  ///< cosine, euclidean
};

struct TuningOptions {
  std::string method = "full";  ///< full, head, freeze, lora, contrastive, prototype
  FreezeOptions freeze;
  LoraOptions lora = {};
  ContrastiveOptions contrastive = {};
  PrototypeOptions prototype = {};
};

/// Whether the head reads the vectors of texts, and is computed instead of trained.
inline bool has_vector_head(const TuningOptions& options) {
  return options.method == "contrastive" || options.method == "prototype";
}

template <class Visitor>
void visit_fields(Visitor& visit, FreezeOptions& options) {
  visit(options.layers,
        {.key = "layers",
         .help = "Encoder layers that stay as they are, counted from 0, as in `0-3` or `0,2,4-5`; `all` "
                 "for every layer.",
         .pattern = "|all|[0-9]{1,4}(-[0-9]{1,4})?(,[0-9]{1,4}(-[0-9]{1,4})?)*",
         .pattern_words = "layer numbers such as \"0-3\" or \"0,2,4-5\", or \"all\"",
         .literals = {{"null", ""}}});
  visit(options.trainable_layers, {.key = "trainable_layers",
                                   .help = "Instead of `layers`: only this many of the last layers train.",
                                   .range = count_from(0),
                                   .aliases = {"freeze_trainable_layers"}});
  visit(options.embeddings,
        {.key = "embeddings", .help = "Whether the embeddings stay as they are. By default they do when layers do."});
  visit(
      options.patterns,
      {.key = "patterns",
       .help =
           "Parameters that stay as they are, by glob over their names: `*` stands for any characters, dots included. "
           "A pattern that matches nothing is an error."});
}

template <class Visitor>
void visit_lora_size(Visitor& visit, LoraOptions& options) {
  visit(options.r, {.key = "r",
                    .help = "Rank of the change that each layer gets.",
                    .range = between(1, 1 << 20),
                    .aliases = {"lora_r", "lora_rank"}});
  visit(options.lora_alpha,
        {.key = "lora_alpha", .help = "The change is multiplied by `lora_alpha` / `r`.", .range = above(0)});
  visit(options.lora_dropout, {.key = "lora_dropout", .help = "Dropout of what the change reads.", .range = share()});
  visit(options.use_rslora, {.key = "use_rslora", .help = "Multiplies by `lora_alpha` / sqrt(`r`) instead (rsLoRA)."});
  visit(options.use_dora,
        {.key = "use_dora", .help = "Learns the length of every output row beside its direction (DoRA)."});
  visit(options.rank_pattern, {.key = "rank_pattern",
                               .help = "Other ranks for layers whose path ends with, or matches, a key.",
                               .range = between(1, 1 << 20)});
  visit(options.alpha_pattern, {.key = "alpha_pattern",
                                .help = "Other values of `lora_alpha` for layers, as in `rank_pattern`.",
                                .range = above(0)});
  visit(options.init_lora_weights,
        {.key = "init_lora_weights",
         .help = "How A starts: true for uniform numbers as PEFT's, or normal ones. B starts at 0.",
         .choices = {"true", "gaussian"},
         .literals = {{"true", "true"}}});
}

template <class Visitor>
void visit_fields(Visitor& visit, LoraOptions& options) {
  visit_lora_size(visit, options);
  visit(options.target_modules,
        {.key = "target_modules",
         .help = "Layers that change: ends of their paths, a regular expression over whole paths, "
                 "or `all-linear`. By default those that PEFT takes for the model type. A name "
                 "that no layer has is an error.",
         .aliases = {"lora_target", "lora_target_modules"}});
  visit(options.exclude_modules, {.key = "exclude_modules", .help = "Layers that do not, named in the same ways."});
  visit(options.layers_to_transform, {.key = "layers_to_transform",
                                      .help = "Only in these blocks, counted from 0. Not with a regular expression.",
                                      .range = count_from(0)});
  visit(
      options.layers_pattern,
      {.key = "layers_pattern", .help = "What stands before the number of a block in paths, where that is not clear."});
  visit(options.modules_to_save,
        {.key = "modules_to_save",
         .help = "Modules that train as they are and are saved with the adapter. A classification head and "
                 "whatever the checkpoint lacks is always among them.",
         .aliases = {"lora_modules_to_save"}});
  visit(options.bias, {.key = "bias",
                       .help = "Biases that train too: none, all, or those of the layers that change.",
                       .choices = {"none", "all", "lora_only"}});
  visit(options.fan_in_fan_out,
        {.key = "fan_in_fan_out",
         .help = "Whether the layers store their weights as [in, out], as GPT-2's do. By default as they do."});
  visit(options.adapter,
        {.key = "adapter",
         .help = "Folder of an adapter of the same base to go on from. It decides all other settings of this block.",
         .aliases = {"adapter_name_or_path"}});
}

template <class Visitor>
void visit_fields(Visitor& visit, ContrastiveOptions& options) {
  visit(options.sampling_strategy,
        {.key = "sampling_strategy",
         .help = "Pairs an epoch: `unique` takes every pair of rows once; `oversampling` repeats pairs of the rarer kind "
                 "(of one class, or of two) until there are as many of both; `undersampling` leaves out pairs of the other.",
         .choices = {"oversampling", "undersampling", "unique"}});
  visit(options.num_iterations, {.key = "num_iterations",
                                 .help = "Instead: so many pairs of either kind for each row, so that there are 2 · "
                                         "`num_iterations` · rows. (SetFit's paper has 20.)",
                                 .range = between(1, 1000000)});
  visit(options.pair_seed, {.key = "pair_seed",
                            .help = "Seed of which pairs are taken, whatever the run's `seeds` are; SetFit's is always 42.",
                            .range = between(0, 4294967295)});
  visit(options.merge_texts, {.key = "merge_texts",
                              .help = "A text that several pairs of a batch have goes through the network once, with one "
                                      "dropout mask (paired with itself, twice). False: once for each, as in SetFit."});
  visit(options.head, {.key = "head",
                       .help = "What is put on the trained vectors: `logistic` regression, or each class's mean "
                               "(`prototype`, as `tuning.prototype` says).",
                       .choices = {"logistic", "prototype"}});
  visit(options.head_c, {.key = "head_c",
                         .help = "Inverse strength of the penalty of logistic regression (scikit-learn's `C`).",
                         .range = above(0)});
}

template <class Visitor>
void visit_fields(Visitor& visit, PrototypeOptions& options) {
  visit(options.distance, {.key = "distance",
                           .help = "How far a text is from a class's mean: one minus the `cosine` of their vectors, which "
                                   "are scaled to length 1, or the squared distance (`euclidean`).",
                           .choices = {"cosine", "euclidean"}});
}

template <class Visitor>
void visit_fields(Visitor& visit, TuningOptions& options) {
  visit(options.method,
        {.key = "method",
         .help = "`full` trains everything, `head` only the head on top, `freeze` what the block `freeze` leaves, `lora` "
                 "low-rank changes of a frozen model, `contrastive` an encoder by pairs of rows (few examples); "
                 "`prototype` trains nothing.",
         .choices = {"full", "head", "freeze", "lora", "contrastive", "prototype"},
         .aliases = {"finetuning_type"}});
  visit(options.freeze, {.key = "freeze", .help = "What stays as it is under `method: freeze`."});
  visit(options.lora,
        {.key = "lora", .help = "The adapter under `method: lora`, under the names of PEFT's LoraConfig."});
  visit(options.contrastive,
        {.key = "contrastive",
         .help = "Pairs and head under `method: contrastive` (docs/few_examples.md). What `training` does not say is as in "
                 "SetFit: 1 epoch, batches of 16 pairs, learning rate 2e-5, warm-up over 0.1 of the steps, weight decay "
                 "0.01."});
  visit(options.prototype, {.key = "prototype",
                            .help = "Classes as the means of their rows' vectors, under `method: prototype`, or as the head "
                                    "of `method: contrastive`."});
}

}  // namespace attune::adapt
