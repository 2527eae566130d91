// From a configuration to rows ready for a model: opens what the configuration names, writes nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "attune/data/example.h"
#include "attune/data/labels.h"
#include "attune/data/read.h"
#include "attune/files/json.h"
#include "attune/files/long_list.h"
#include "attune/job/options.h"
#include "attune/models/model.h"
#include "attune/prompt/options.h"
#include "attune/prompt/wordings.h"
#include "attune/prompt/writer.h"
#include "attune/report/events.h"
#include "attune/task/task.h"
#include "attune/text/tokenizer.h"
#include "attune/train/generation.h"
#include "attune/train/prefix_cache.h"

namespace attune::job {

class FrozenHashes;

/// The rows of one split: as read, and as the model sees them. Training rows may lie in a file (data.rows_in_memory_mib).
struct Rows {
  files::LongList<data::Example> examples;  ///< of training rows without their texts, unless folds score them
  files::LongList<task::Encoded> encoded;
  std::string tokens_key;  ///< data.token_cache_dir: under which `encoded` is to be kept; "" for not at all
  bool empty() const { return examples.empty(); }
};

/// The base, opened once to check it before anything is written; the first fit with this seed takes it over.
struct OpenedBase {
  std::mutex mutex;  ///< over what follows, as soon as fits run
  std::uint64_t seed = 0;
  std::optional<models::LoadedModel> loaded;
};

/// The wordings in which the rows are prompts (data.prompts).
struct Asked {
  prompt::PromptSet set;
  prompt::Wording wording;                    ///< of validation and test rows
  std::vector<prompt::Wording> of_training;  ///< each training row stands in all of these, one after another
  prompt::AnswerKind kind = prompt::AnswerKind::label;
  std::vector<prompt::Continuation> answers;  ///< of labels
};

struct Prepared {
  RunOptions options;
  std::string model_folder;
  std::shared_ptr<OpenedBase> base = std::make_shared<OpenedBase>();
  std::shared_ptr<const text::Tokenizer> tokenizer;
  std::shared_ptr<const text::ChatTemplates> chats;  ///< the model's, or with data.chat_template that one
  std::optional<train::TextGeneration> generation;   ///< evaluations generate texts (training.predict_with_generate)
  std::optional<Asked> asked;  ///< rows are prompts
  data::LabelMap labels;
  models::Task kind = models::Task::sequence_classification;
  Rows train, validation, test;
  /// Under self-training data.unlabelled, and the validation rows that show how far its labels can be trusted: prompts in every
  /// training wording, those of a row together.
  Rows unlabelled, asked_validation;
  bool seals_test = false;  ///< test rows are not scored: a sweep opens them once it has chosen
  std::shared_ptr<train::PrefixCache> prefix_cache;  ///< of the frozen layers, for all trainings of the run or sweep
  std::shared_ptr<FrozenHashes> frozen_hashes;  ///< of the same layers, for all trainings of the run
  files::Json data_summary;  ///< counts, skipped rows, lengths, duplicates between splits: for the log and the report
  files::Json fingerprints;  ///< SHA-256 of data files, split, tokenizer, base weights
  int kept_stages = 0;  ///< how many stages below the trained ones are frozen and kept (src/job/kept_layers.h)
  files::Json model_summary;  ///< what is loaded and what of it trains, part by part: the `model` event

  /// As how many prompts a training row or an unlabelled one stands in its list.
  std::size_t prompts_a_row() const { return asked ? asked->of_training.size() : 1; }
  bool asks_labels() const { return asked && asked->kind == prompt::AnswerKind::label; }
  /// Whether a text comes with other words hidden each time.
  bool hides_words() const { return kind == models::Task::masked_lm && !asked; }
};

/// Tells its phases, the data and the model to `events`. Writes nothing. `prefix_cache`: of runs before; null: a new one. Throws
/// what the modules throw: Error{usage}, Error{model}, Error{data}.
Prepared prepare(const RunOptions& options, const report::EventBus& events, std::shared_ptr<train::PrefixCache> prefix_cache = nullptr);

/// Keeps the tokens of the rows in data.token_cache_dir where that is set and they are not there yet; removes what a killed run
/// left half-written there.
void keep_tokens(const Prepared& prepared);

/// The kind of rows that a task reads.
data::RowKind row_kind(models::Task kind);

/// The chat templates of the folder, with data.chat_template in place of the default one.
std::shared_ptr<const text::ChatTemplates> chat_templates(const std::string& folder, const data::DataOptions& options);
/// What the settings say about language modelling. `chats` must outlive the task.
void set_language(task::TaskOptions& task, const data::DataOptions& options, const text::ChatTemplates* chats);

/// Of two labels `wanted` (data.positive_label) becomes the second. Error{usage} where it is none of two.
void place_positive_label(data::LabelMap& labels, const std::optional<std::string>& wanted);

/// Weights of the classes by label id as training.class_weights says, "balanced" for the examples of these training rows, where
/// there are any; empty for none.
std::vector<double> class_weights(const Prepared& prepared, const files::ListView<task::Encoded>& train);

/// The task with these class weights (class_weights()).
std::unique_ptr<task::Task> make_fitted_task(const Prepared& prepared, std::vector<double> class_weights);

/// The base with a head for this job's labels, initialised under `seed`.
models::LoadedModel open_base(const Prepared& prepared, std::uint64_t seed);
/// For the next fit with this seed, where it has not been trained.
void give_back_base(const Prepared& prepared, std::uint64_t seed, models::LoadedModel loaded);

}  // namespace attune::job
