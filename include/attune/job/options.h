// The whole configuration of a run: the blocks of the modules and what belongs to none of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/adapt/options.h"
#include "attune/base/fields.h"
#include "attune/data/options.h"
#include "attune/infer/options.h"
#include "attune/job/learning_curve_options.h"
#include "attune/job/meta_options.h"
#include "attune/job/method_options.h"
#include "attune/models/options.h"
#include "attune/prompt/options.h"
#include "attune/train/options.h"

namespace attune::job {

struct CrossValidationOptions {
  bool enabled = false;  ///< set by the presence of the block
  std::int64_t folds = 5;
  std::int64_t repeats = 1;
  bool by_time = false;  ///< default: where data.columns.time is named and no group column is
  bool stratify = true;
  std::optional<std::string> group_column;  ///< default: data.columns.group
  double inner_validation = 0.1;  ///< share of the training folds that early stopping and best-model choice see
  bool refit = false;
  std::optional<std::uint64_t> seed;
};

struct CostOptions {
  std::optional<double> price_per_hour, price_per_kwh;
  std::string currency = "USD";
  std::string measure_rate = "auto";  ///< auto, true, false
};

/// What `attune prompt stability` varies beside the wordings.
struct StabilityOptions {
  std::vector<std::string> choose;                ///< of FewShotOptions; empty = as it is there
  std::vector<std::string> order;                 ///< likewise
  std::vector<std::string> label_words = {"all"};  ///< all, first
  std::optional<double> max_flip_rate;
};

/// How `attune prompt optimise` searches.
struct OptimiseOptions {
  std::optional<std::int64_t> budget;  ///< rows asked, over all candidates and rounds
  std::int64_t reduction = 3;
};

/// What `attune prompt` asks an untouched model.
struct PromptingOptions {
  std::string prompts;  ///< file of the prompt set; "" = nothing is asked
  std::vector<std::string> wordings;  ///< of the set, by name; empty = all
  prompt::FewShotOptions examples;
  std::string split = "validation";   ///< validation, test
  std::string answer = "likelihood";  ///< likelihood, generation, text
  std::string score = "sum";          ///< prompt::WordScore
  bool calibrate = false;
  std::vector<std::string> content_free = {"N/A", "[MASK]", ""};
  std::string metric = "auto";  ///< of texts: what variants are compared by
  std::optional<double> min_assertion_rate;
  StabilityOptions stability;
  OptimiseOptions optimise;
};

struct RunOptions {
  std::int64_t config_version = 1;
  std::string about;
  models::ModelOptions model;
  data::DataOptions data;
  adapt::TuningOptions tuning;
  train::TrainingOptions training;
  infer::GenerationSettings generation;
  train::EarlyStoppingOptions early_stopping;
  CrossValidationOptions cross_validation;
  CostOptions cost;
  PromptingOptions prompting;
  CompareOptions compare;
  LearningCurveOptions learning_curve;
  MetaOptions meta;
  std::vector<std::uint64_t> seeds = {42};
  std::string output_dir;
  std::string device = "auto";         ///< auto, cpu, cuda, cuda:i
  std::int64_t threads = 0;            ///< 0 = all cores
  std::string resume_from_checkpoint;  ///< "", "auto" or a checkpoint folder
  bool overwrite_output_dir = false;
};

/// Whether a language model is tuned to say labels in words (data.prompts).
inline bool asks_labels(const RunOptions& options) {
  return !options.data.prompts.empty() && options.prompting.answer != "text";
}

template <class Visitor>
void visit_fields(Visitor& visit, CrossValidationOptions& options) {
  visit(options.folds, {.key = "folds",
                        .help = "Parts of the rows; each is held out once and predicted by a model of the others.",
                        .range = count_from(2),
                        .aliases = {"n_splits", "num_folds"}});
  visit(options.repeats, {.key = "repeats",
                          .help = "How often the whole is done, each time with other folds.",
                          .range = count_from(1),
                          .aliases = {"n_repeats"}});
  visit(options.by_time, {.key = "by_time",
                          .help = "Folds in order of `data.columns.time`: each trains on the rows before a block and "
                                  "holds that block out, and the oldest rows are never held out. By default where a "
                                  "time column is named and no group column is.",
                          .aliases = {"time_series_split"}});
  visit(options.stratify, {.key = "stratify",
                           .help = "Gives every fold the same shares of the classes. By default for classes, not for "
                                   "several labels a row, numbers or other tasks, and not by time."});
  visit(options.group_column, {.key = "group_column",
                               .help = "Column whose values keep rows together in one fold, such as patient or "
                                       "account. By default `data.columns.group`."});
  visit(options.inner_validation, {.key = "inner_validation",
                                   .help = "Share of the training folds that early stopping and the choice of the best "
                                           "model look at, by time the newest of them; the held-out fold is never used "
                                           "for either.",
                                   .range = share()});
  visit(options.refit,
        {.key = "refit", .help = "Afterwards trains one model on all rows, for the median of the folds' best epochs."});
  visit(options.seed, {.key = "seed", .help = "Seed of the folds. By default the first of the run's seeds."});
}

template <class Visitor>
void visit_fields(Visitor& visit, CostOptions& options) {
  visit(options.price_per_hour, {.key = "price_per_hour",
                                 .help = "What an hour of the machine costs, for the money that a run is said to have cost. By "
                                         "default no money is spoken of.",
                                 .range = at_least(0),
                                 .part_of_job = false});
  visit(options.price_per_kwh, {.key = "price_per_kwh",
                                .help = "What a kilowatt hour costs, on top of that. It counts where the energy can be read; "
                                        "elsewhere no money is given, because a part would be missing.",
                                .range = at_least(0),
                                .part_of_job = false});
  visit(options.currency, {.key = "currency", .help = "What stands behind sums of money.", .part_of_job = false});
  visit(options.measure_rate,
        {.key = "measure_rate",
         .help = "Measures at the end, in some tenths of a second, how fast the machine multiplies matrices, and says which "
                 "share of that the training steps reached; `auto` after a run of a minute or longer.",
         .choices = {"auto", "true", "false"},
         .literals = {{"false", "false"}, {"true", "true"}},
         .part_of_job = false});
}

template <class Visitor>
void visit_fields(Visitor& visit, StabilityOptions& options) {
  visit(options.choose, {.key = "choose",
                         .help = "Ways in which examples are chosen, each tried. By default that of `examples`.",
                         .choices = {"random", "balanced", "nearest"}});
  visit(options.order, {.key = "order",
                        .help = "Orders in which they stand, each tried. By default that of `examples`.",
                        .choices = {"random", "as_chosen", "nearest_last", "by_label"}});
  visit(options.label_words, {.key = "label_words",
                              .help = "Whether all words of a label count or the first alone; with both, both are tried. Different words are "
                                      "`verbalizers` of the prompt set.",
                              .choices = {"all", "first"}});
  visit(options.max_flip_rate, {.key = "max_flip_rate",
                                .help = "Gate: exit 20 where two variants give a row different labels more often than this; of texts where "
                                        "one keeps all assertions and the other does not.",
                                .range = share()});
}

template <class Visitor>
void visit_fields(Visitor& visit, OptimiseOptions& options) {
  visit(options.budget, {.key = "budget",
                         .help = "Rows that may be asked, over all candidates and rounds. By default a quarter of what asking every candidate "
                                 "for every row would take.",
                         .range = count_from(1)});
  visit(options.reduction,
        {.key = "reduction", .help = "After each round one of so many candidates is kept, and sees so many times the rows.", .range = between(2, 100)});
}

template <class Visitor>
void visit_fields(Visitor& visit, PromptingOptions& options) {
  visit(options.prompts, {.key = "prompts",
                          .help = "File of the prompt set (docs/prompts.md). By default `data.prompts`.",
                          .aliases = {"prompt_set"},
                          .literals = {{"null", ""}}});
  visit(options.wordings, {.key = "wordings", .help = "Which wordings of the set are asked, by name, as results have it. By default all."});
  visit(options.examples, {.key = "examples", .help = "Training rows that stand, with their answers, in front of each row."});
  visit(options.split, {.key = "split",
                        .help = "Rows that are answered. Wordings are compared on the validation rows; the test rows are for the "
                                "wording that was chosen by them.",
                        .choices = {"validation", "test"}});
  visit(options.answer,
        {.key = "answer",
         .help = "How a label is found: by the `likelihood` of its words behind the prompt (of models that fill gaps: in the gap), "
                 "or by reading the text that the model writes (`generation`, under the block of that name). With `text` no label is "
                 "asked for but a text, which is scored against the row's own (`data.columns.completion`) and held to the "
                 "prompt set's assertions.",
         .choices = {"likelihood", "generation", "text"}});
  visit(options.score,
        {.key = "score",
         .help = "What a label word counts: its log probability (`sum`), or the same a token (`mean`) or a character of the answer as it "
                 "stands behind the prompt (`per_character`; a blank before the word counts), so that long words are not at a disadvantage.",
         .choices = {"sum", "mean", "per_character"}});
  visit(options.calibrate, {.key = "calibrate",
                            .help = "Divides by how likely each label is behind inputs without content (Zhao et al. 2021)."});
  visit(options.content_free,
        {.key = "content_free", .help = "What stands for the columns of a row in inputs without content."});
  visit(options.metric,
        {.key = "metric",
         .help = "What `attune prompt stability` and `optimise` compare texts by (`answer: text`): a metric of generated texts, or "
                 "`all_assertions`, the share of the texts that keep all assertions. `auto`: rougeL where the validation rows have texts "
                 "of their own, else all_assertions. Labels are compared by accuracy.",
         .choices = {"auto", "rouge1", "rouge2", "rougeL", "rougeLsum", "bleu", "chrf", "chrf++", "exact_match", "f1",
                     "all_assertions"}});
  visit(options.min_assertion_rate, {.key = "min_assertion_rate",
                                     .help = "Gate of `attune prompt run`: exit 20 where a smaller share of the texts of any wording "
                                             "passes an assertion of the prompt set.",
                                     .range = {.min = 0, .max = 1}});
  visit(options.stability, {.key = "stability", .help = "What `attune prompt stability` and `optimise` try beside the wordings and the run's seeds."});
  visit(options.optimise, {.key = "optimise", .help = "How `attune prompt optimise` searches among the same variants."});
}

template <class Visitor>
void visit_run_fields(Visitor& visit, RunOptions& options) {
  visit(options.seeds, {.key = "seeds",
                        .help = "Seeds of the head, the order of rows and dropout; with several the run is done once "
                                "with each, and mean and standard deviation are reported.",
                        .aliases = {"seed"},
                        .required = true});
  visit(options.output_dir, {.key = "output_dir",
                             .help = "Folder for the tuned model and everything that is said about it.",
                             .aliases = {"out_dir"},
                             .required = true,
                             .part_of_job = false});
  visit(options.device, {.key = "device",
                         .help = "Where the model runs; `auto` takes the first GPU if there is one.",
                         .pattern = "auto|cpu|cuda(:[0-9]{1,4})?",
                         .pattern_words = "\"auto\", \"cpu\", \"cuda\" or \"cuda:<number>\"",
                         .part_of_job = false});
  visit(options.threads,
        {.key = "threads",
         .help = "Threads of the CPU; 0 for one a core. Two runs give the same bits only with the same "
                 "number.",
         .range = between(0, 4096),
         .aliases = {"num_threads"},
         .part_of_job = false});
  visit(options.resume_from_checkpoint,
        {.key = "resume_from_checkpoint",
         .help = "Goes on from a checkpoint folder, or from the newest one in `output_dir` (`auto`).",
         .literals = {{"null", ""}, {"false", ""}, {"true", "auto"}},
         .part_of_job = false});
  visit(options.overwrite_output_dir, {.key = "overwrite_output_dir",
                                       .help = "Replaces the results of an earlier run in `output_dir`.",
                                       .part_of_job = false});
}

template <class Visitor>
void visit_fields(Visitor& visit, RunOptions& options) {
  visit(options.config_version, {.key = "config_version",
                                 .help = "Version of the shape of this file.",
                                 .range = between(1, 1),
                                 .part_of_job = false});
  visit(options.about, {.key = "about", .help = "What the run is for, in your own words.", .part_of_job = false});
  visit(options.model, {.key = "model", .help = "The checkpoint to start from and its head."});
  visit(options.data, {.key = "data", .help = "The rows and how they are read and divided."});
  visit(options.tuning, {.key = "tuning", .help = "Which part of the model trains."});
  visit(options.training,
        {.key = "training", .help = "How it trains, under the names of Transformers' TrainingArguments."});
  visit(options.generation,
        {.key = "generation",
         .help = "How evaluation generates texts (`training.predict_with_generate`, without which it is unused), under the names "
                 "of Transformers' GenerationConfig. What is null is as the checkpoint's generation_config.json has it, except that texts "
                 "are only drawn at random where `do_sample` is true here."});
  visit(options.early_stopping, {.key = "early_stopping",
                                 .help = "Stops when the validation rows get no better. Null or left out: never.",
                                 .present = &options.early_stopping.enabled});
  visit(options.cross_validation, {.key = "cross_validation",
                                   .help = "Trains and tests on folds of the rows. Null or left out: no folds.",
                                   .present = &options.cross_validation.enabled});
  visit(options.cost, {.key = "cost", .help = "What is said about what the run costs (`cost_results.json`, the report)."});
  visit(options.prompting, {.key = "prompting",
                            .help = "What `attune prompt` asks the model as it is; training looks at it only where `data.prompts` "
                                    "is given.",
                            .part_of_job = false});
  visit(options.compare,
        {.key = "compare", .help = "Methods that `attune compare` puts to the same test rows (docs/compare.md)."});
  visit(options.learning_curve,
        {.key = "learning_curve", .help = "What `attune learning-curve` trains on how many labels (docs/learning_curve.md)."});
  visit(options.meta, {.key = "meta",
                       .help = "What `attune meta-train` learns from; training does not look at it.",
                       .part_of_job = false});
  visit_run_fields(visit, options);
}

}  // namespace attune::job
