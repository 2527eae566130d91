// Which part of the model is trained.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
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

struct Ia3Options : files::Ia3Settings {
  std::string adapter;
};

struct PromptTuningOptions : files::PromptTuningSettings {
  /// Folder of a study of prompts; "" = none. Module job puts the words that it chose in its place.
  std::string init_from;
  std::string adapter;
};

struct PTuningOptions : files::PTuningSettings {
  std::string adapter;
};

struct PrefixTuningOptions : files::PrefixTuningSettings {
  std::string adapter;
};

/// Training an encoder by pairs of rows, then a head on its vectors (SetFit, Tunstall et al. 2022).
struct ContrastiveOptions {
  std::string sampling_strategy = "oversampling";  ///< data::PairSampling::strategy
  std::optional<std::int64_t> num_iterations;
  std::int64_t pair_seed = 42;
  bool merge_texts = true;
  std::optional<std::int64_t> texts_per_batch;
  std::string head = "logistic";  ///< logistic, prototype
  double head_c = 1.0;
};

/// A class is the mean of its rows' vectors (Snell et al. 2017).
struct PrototypeOptions {
  std::string distance = "cosine";  ///< cosine, euclidean
};

/// Training on rows without labels that several wordings label alike (job/self_training.h).
struct SelfTrainingOptions {
  bool enabled = false;  ///< set by the presence of the block
  std::int64_t rounds = 1;
  std::string start = "tuned";  ///< tuned, untouched
  double min_agreement = 1.0;
  double min_probability = 0.0;
  std::optional<std::int64_t> max_per_class;
};

struct TuningOptions {
  /// full, head, freeze, contrastive, prototype, or that of an adapter: one of the blocks below
  std::string method = "full";
  FreezeOptions freeze;
  LoraOptions lora = {};
  Ia3Options ia3 = {};
  PromptTuningOptions prompt_tuning = {};
  PTuningOptions p_tuning = {};
  PrefixTuningOptions prefix_tuning = {};
  ContrastiveOptions contrastive = {};
  PrototypeOptions prototype = {};
  SelfTrainingOptions self_training = {};
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

template <class Visitor, class Options>
void visit_modules_to_save(Visitor& visit, Options& options, std::vector<Alias> aliases = {}) {
  visit(options.modules_to_save,
        {.key = "modules_to_save",
         .help = "Modules that train as they are and are saved with the adapter. A classification head and "
                 "whatever the checkpoint lacks is always among them.",
         .aliases = std::move(aliases)});
}

template <class Visitor, class Options>
void visit_adapter(Visitor& visit, Options& options, std::vector<Alias> aliases = {}) {
  visit(options.adapter,
        {.key = "adapter",
         .help = "Folder of an adapter of the same base to go on from. It decides all other settings of this block.",
         .aliases = std::move(aliases)});
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
  visit_modules_to_save(visit, options, {"lora_modules_to_save"});
  visit(options.bias, {.key = "bias",
                       .help = "Biases that train too: none, all, or those of the layers that change.",
                       .choices = {"none", "all", "lora_only"}});
  visit(options.fan_in_fan_out,
        {.key = "fan_in_fan_out",
         .help = "Whether the layers store their weights as [in, out], as GPT-2's do. By default as they do."});
  visit_adapter(visit, options, {"adapter_name_or_path"});
}

template <class Visitor>
void visit_fields(Visitor& visit, Ia3Options& options) {
  visit(options.target_modules,
        {.key = "target_modules",
         .help = "Layers that change: ends of their paths, a regular expression over whole paths, or `all-linear`. By "
                 "default those that PEFT takes for the model type. A name that no layer has is an error."});
  visit(options.feedforward_modules,
        {.key = "feedforward_modules",
         .help = "Those among them whose input is scaled instead of their output, named in the same ways. By default "
                 "those that PEFT takes for the model type."});
  visit(options.exclude_modules,
        {.key = "exclude_modules", .help = "Layers that do not change, named in the same ways."});
  visit_modules_to_save(visit, options);
  visit(options.fan_in_fan_out,
        {.key = "fan_in_fan_out",
         .help = "Whether the layers store their weights as [in, out], as GPT-2's do. By default as they do."});
  visit(options.init_ia3_weights,
        {.key = "init_ia3_weights", .help = "Scales start at 1; false: at normal numbers, which changes the model."});
  visit_adapter(visit, options);
}

template <class Visitor, class Options>
void visit_virtual_tokens(Visitor& visit, Options& options) {
  visit(options.num_virtual_tokens, {.key = "num_virtual_tokens",
                                     .help = "Virtual tokens in front of every text. They take positions of the model.",
                                     .range = between(1, 1 << 20)});
}

template <class Visitor>
void visit_fields(Visitor& visit, PromptTuningOptions& options) {
  visit_virtual_tokens(visit, options);
  visit(options.prompt_tuning_init,
        {.key = "prompt_tuning_init",
         .help = "Where virtual tokens start: `RANDOM` at normal numbers, `SAMPLE_VOCAB` at the embeddings of tokens "
                 "drawn at random, `TEXT` at those of `prompt_tuning_init_text`.",
         .choices = {"RANDOM", "SAMPLE_VOCAB", "TEXT"}});
  visit(options.prompt_tuning_init_text,
        {.key = "prompt_tuning_init_text",
         .help = "The text under `prompt_tuning_init: TEXT`; its tokens are cut or repeated to `num_virtual_tokens`.",
         .literals = {{"null", ""}}});
  visit(
      options.init_from,
      {.key = "init_from",
       .help = "Output folder of `attune prompt optimise`, `stability` or `run`: virtual tokens start at the header of "
               "the wording that is best there, as if it were written in `prompt_tuning_init_text` under `TEXT`.",
       .literals = {{"null", ""}}});
  visit(options.tokenizer_name_or_path, {.key = "tokenizer_name_or_path",
                                         .help = "Folder of the tokenizer for that text. By default the base's.",
                                         .literals = {{"null", ""}}});
  visit_modules_to_save(visit, options);
  visit_adapter(visit, options);
}

template <class Visitor>
void visit_fields(Visitor& visit, PTuningOptions& options) {
  visit_virtual_tokens(visit, options);
  visit(options.encoder_reparameterization_type,
        {.key = "encoder_reparameterization_type",
         .help = "The network that makes the virtual tokens' embeddings of numbers that train, while they do.",
         .choices = {"MLP", "LSTM"}});
  visit(
      options.encoder_hidden_size,
      {.key = "encoder_hidden_size", .help = "Its inner size. By default the model's.", .range = between(1, 1 << 24)});
  visit(options.encoder_num_layers,
        {.key = "encoder_num_layers", .help = "Layers of the LSTM; an MLP has three.", .range = between(1, 1 << 10)});
  visit_modules_to_save(visit, options);
  visit_adapter(visit, options);
}

template <class Visitor>
void visit_fields(Visitor& visit, PrefixTuningOptions& options) {
  visit_virtual_tokens(visit, options);
  visit(options.prefix_projection,
        {.key = "prefix_projection",
         .help = "Whether keys and values are made by a network of two layers of numbers that train, while they do; "
                 "else they train themselves."});
  visit(options.encoder_hidden_size, {.key = "encoder_hidden_size",
                                      .help = "Its inner size. By default that of all keys of a token.",
                                      .range = between(1, 1 << 24)});
  visit(options.init_weights, {.key = "init_weights",
                               .help = "`zero`: keys and values start at 0. By default they start at normal numbers.",
                               .choices = {"zero"},
                               .literals = {{"null", ""}}});
  visit_modules_to_save(visit, options);
  visit_adapter(visit, options);
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
                                         "`num_iterations` · rows. SetFit's paper takes 20.",
                                 .range = between(1, 1000000)});
  visit(options.pair_seed, {.key = "pair_seed",
                            .help = "Seed of which pairs are taken, whatever the run's `seeds` are; SetFit's is always 42.",
                            .range = between(0, 4294967295)});
  visit(options.merge_texts, {.key = "merge_texts",
                              .help = "A text that several pairs of a batch have goes through the network once, with one "
                                      "dropout mask (paired with itself, twice). False: once for each, as in SetFit."});
  visit(options.texts_per_batch,
        {.key = "texts_per_batch",
         .help = "Batches are put together of pairs that share their texts, about so many different ones a batch, which takes "
                 "less time (12 for 16 pairs: about half). Null: of pairs in random order, as in SetFit.",
         .range = between(2, 1000000)});
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
void visit_fields(Visitor& visit, SelfTrainingOptions& options) {
  visit(options.rounds, {.key = "rounds",
                         .help = "How often the unlabelled rows are asked, each time by the newest model; then comes the last training.",
                         .range = between(1, 100)});
  visit(options.start, {.key = "start",
                        .help = "Who is asked in the first round: a model `tuned` on the labelled rows, or the `untouched` base.",
                        .choices = {"tuned", "untouched"}});
  visit(options.min_agreement, {.key = "min_agreement",
                                .help = "Share of the wordings that must give a row the same label for the row to be taken with it.",
                                .range = {.min = 0, .max = 1, .min_excluded = true}});
  visit(options.min_probability, {.key = "min_probability",
                                  .help = "How likely that label must be, in the mean over the wordings.",
                                  .range = {.min = 0, .max = 1}});
  visit(options.max_per_class, {.key = "max_per_class",
                                .help = "So many rows of a label at most: the surest, by agreement and then by probability, so that a label "
                                        "that is said too readily does not drown the others. By default all.",
                                .range = count_from(1)});
}

template <class Visitor>
void visit_fields(Visitor& visit, TuningOptions& options) {
  visit(options.method,
        {.key = "method",
         .help = "`full` trains everything, `head` only the head on top, `freeze` what the block "
                 "`freeze` leaves, `contrastive` an encoder by pairs of rows (few examples); `prototype` trains nothing. "
                 "The others train an adapter of a frozen model: `lora` low-rank "
                 "changes of its layers, `ia3` scales of their outputs or inputs, `prompt_tuning` and "
                 "`p_tuning` embeddings in front of every text, `prefix_tuning` keys and values there.",
         .choices = {"full", "head", "freeze", "lora", "ia3", "prompt_tuning", "p_tuning", "prefix_tuning", "contrastive",
                     "prototype"},
         .aliases = {"finetuning_type"}});
  visit(options.freeze, {.key = "freeze", .help = "What stays as it is under `method: freeze`."});
  visit(options.lora,
        {.key = "lora", .help = "The adapter under `method: lora`, under the names of PEFT's LoraConfig."});
  visit(options.ia3, {.key = "ia3", .help = "The adapter under `method: ia3`, under the names of PEFT's IA3Config."});
  visit(options.prompt_tuning,
        {.key = "prompt_tuning",
         .help = "The adapter under `method: prompt_tuning`, under the names of PEFT's PromptTuningConfig."});
  visit(options.p_tuning,
        {.key = "p_tuning",
         .help = "The adapter under `method: p_tuning`, under the names of PEFT's PromptEncoderConfig."});
  visit(options.prefix_tuning,
        {.key = "prefix_tuning",
         .help = "The adapter under `method: prefix_tuning`, under the names of PEFT's PrefixTuningConfig."});
  visit(options.contrastive,
        {.key = "contrastive",
         .help = "Pairs and head under `method: contrastive` (docs/few_examples.md). What `training` does not say is as in "
                 "SetFit: 1 epoch, batches of 16 pairs, learning rate 2e-5, warm-up over 0.1 of the steps, weight decay "
                 "0.01."});
  visit(options.prototype, {.key = "prototype",
                            .help = "Classes as the means of their rows' vectors, under `method: prototype`, or as the head "
                                    "of `method: contrastive`."});
  visit(options.self_training,
        {.key = "self_training",
         .help = "Trains in rounds, beside the labelled rows on those of `data.unlabelled` that the wordings of "
                 "`data.train_wordings` label alike (docs/few_examples.md). Null or left out: on labelled rows alone.",
         .present = &options.self_training.enabled});
}

}  // namespace attune::adapt
