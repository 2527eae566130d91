// A task: how rows become batches, what the loss is, what a prediction is and how it is scored.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "attune/base/boxed.h"
#include "attune/base/error.h"
#include "attune/data/example.h"
#include "attune/data/labels.h"
#include "attune/files/json.h"
#include "attune/files/long_list.h"
#include "attune/models/model.h"
#include "attune/nn/losses.h"
#include "attune/task/answer_texts.h"
#include "attune/text/chat_template.h"
#include "attune/text/tokenizer.h"

namespace attune::task {

/// What a text is generated from in evaluation, and what it should be.
struct AnswerPrompt {
  std::vector<std::int32_t> ids;
  std::optional<std::string> reference;  ///< nothing where the row has no answer yet
  bool is_chat = false;  ///< a chat template wrote it: the answer is a text of its own and does not go on from it
  std::int64_t cut = 0;  ///< tokens that the length policy left out of its beginning
  bool empty() const { return ids.empty(); }
};

/// Not the model's fault but that of one row under it, such as a chat that the template does not expect. Like Error{data} it is
/// passed over under on_bad_row "skip".
class RowError : public Error {
 public:
  using Error::Error;
};

/// One row, or one window of a long row (span QA), ready for the model. What only some tasks have is boxed.
struct Encoded {
  std::int64_t example = 0;  ///< index into the examples it was made from
  std::int64_t row = 0;      ///< Example::row, the key of dropout
  std::int64_t window = 0;   ///< 0 except for further windows of a long row
  std::vector<std::int32_t> ids;
  Boxed<std::vector<std::int32_t>> type_ids;  ///< empty where all are 0
  double weight = 1.0;                        ///< row weight

  std::int64_t label = nn::kIgnoreIndex;          ///< single label; span QA: start token
  std::int64_t end = nn::kIgnoreIndex;            ///< span QA: end token
  Boxed<std::vector<float>> targets;              ///< multi-label (0/1 a label) or regression
  Boxed<std::vector<std::int32_t>> token_labels;  ///< token classification, -100 = not supervised
  Boxed<std::vector<std::uint8_t>> maskable;      ///< masked LM: tokens that may be chosen
  std::vector<std::uint8_t> learned;              ///< causal LM: tokens that are learned from those before them, never the first
  std::int64_t cut = 0;                           ///< causal LM: tokens of the row that the length policy left out
  Boxed<AnswerPrompt> prompt;                     ///< causal LM that generates: of a row that ends with an answer or awaits one, in its first window
  Boxed<AnswerTexts> answers;                     ///< label words: how likely each is; `ids` are those of the text that is learned
  bool joined = false;                            ///< causal LM: the prompt's tokens alone are not those it has before its completion
  Boxed<std::vector<std::pair<std::uint32_t, std::uint32_t>>> offsets;  ///< span QA and token labels: code points of the context; (0,0) elsewhere
  Boxed<std::vector<std::int32_t>> word_ids;                            ///< token labels: word of each token, -1 for special tokens
};

// For files::LongList.
void pack(const Encoded& row, files::Packer& packer);
void unpack(files::Unpacker& packed, Encoded& row);
std::size_t memory_of(const Encoded& row);

/// The tokens of each row.
std::vector<std::uint32_t> lengths_of(const files::ListView<Encoded>& rows);

/// What keys the random choices of a batch.
struct BatchKey {
  std::uint64_t seed = 0;
  std::int64_t step = 0;   ///< optimiser step (dropout)
  std::int64_t epoch = 0;  ///< occurrence of a row: passes over the data
  bool training = false;
};

struct Batch {
  models::Input input;
  at::Tensor labels;   ///< int64: [B], [T], [N wanted] or [B, 2] (start, end); on the CPU
  at::Tensor targets;  ///< float [B, C]
  at::Tensor weights;  ///< float: row weights per supervised item, undefined when all are 1
  std::vector<const Encoded*> rows;
  std::int64_t tokens = 0;  ///< live tokens
};

/// What was predicted for one Encoded.
struct Prediction {
  const Encoded* encoded = nullptr;
  std::vector<float> logits;  ///< [labels]; token classification [tokens × labels]; span QA: start logits then end logits; LMs: log p of each learned token
  double loss_sum = 0;        ///< Σ w·loss of the row, Σ w beside it; 0 and 0 when unlabelled
  double loss_weight = 0;
  std::vector<std::vector<std::pair<std::int32_t, float>>> fills;  ///< masked LM: a mask of the text → (id, probability), best first
  std::optional<std::string> generated;  ///< the text for Encoded::prompt; whoever predicts has it generated, no task does
  bool generated_to_limit = false;       ///< its text ended because no more tokens were allowed
};

class Scoring;  // src/task/scores.h

/// A split's predictions scored: what metrics and intervals have in common is computed once, when it is made. Predictions and
/// examples must outlive it.
class Scores {
 public:
  virtual ~Scores() = default;
  /// Metrics under their plain names (accuracy, f1, …, loss) of all predictions.
  virtual files::Json metrics() const = 0;
  /// 95 % intervals of the main metrics by bootstrap over rows (groups as clusters): {"accuracy": [low, high], …}; of
  /// majority_rate, which is no estimate, none.
  virtual files::Json intervals() const;
  /// What belongs into reports but is no single number: {"per_class", "confusion_matrix", "reliability"} or {"per_type"}.
  virtual files::Json detail() const;
  /// Of generated texts the best and the worst by a metric (`metric`, or ROUGE-L where that is none of texts), at most ten, best
  /// first: {"metric", "texts": how many there are, "rows": [{"id", "prompt": its end as people read it, "generated", "reference", "score"}]}.
  /// Null where there are none.
  virtual files::Json samples(std::string_view metric) const;
  /// What can be scored again under other row weights; null where nothing can.
  virtual const Scoring* scoring() const { return nullptr; }
};

/// 95 % intervals of the means of the main metrics over predictions of the same rows, one a seed: by bootstrap over rows × seeds
/// (metrics::bootstrap_over_seeds). With one they are its intervals(); empty where it has none.
files::Json intervals_over_seeds(std::span<const std::unique_ptr<Scores>> seeds, std::span<const data::Example> examples);

/// The loss of a model that says the same of every row, and how far above it a loss that lasts is no chance any more.
struct BlindLoss {
  double loss = 0;
  double margin = 0;
};

class Task {
 public:
  virtual ~Task() = default;

  /// Row by row, whatever rows come together; thread-safe. Rows without a target are allowed (prediction). Throws Error{data}
  /// or RowError with file and line.
  virtual std::vector<Encoded> encode(std::span<const data::Example> examples, const text::Tokenizer& tokenizer) const = 0;
  /// Packs rows into one stream, on the CPU.
  virtual Batch collate(std::span<const Encoded* const> rows, const BatchKey& key) const = 0;
  /// Whether a batch holds the token ids of its rows and no others.
  virtual bool keeps_ids() const { return true; }
  /// The row's share of Σ w: known before the forward pass, so that the whole global batch divides once.
  virtual double loss_weight(const Encoded& row, const BatchKey& key) const = 0;
  virtual nn::LossSum loss(const models::Output& output, const Batch& batch) const = 0;
  /// Of these rows; nothing where that is not known.
  virtual std::optional<BlindLoss> blind_loss(const files::ListView<Encoded>&) const { return std::nullopt; }
  /// One Prediction a row of the batch, in order (no gradient).
  virtual std::vector<Prediction> predict(const models::Output& output, const Batch& batch) const = 0;
  /// How many answers in words each row is asked for; 0 where rows are no such prompts. Behind prompts of causal models whoever
  /// predicts has them scored (infer/answers.h); the other predict() is not called then.
  virtual std::size_t answers() const { return 0; }
  virtual std::vector<Prediction> predict(std::span<const Encoded* const>, std::span<const AnswerScores>) const {
    internal_error("rows are asked for no answers");
  }
  /// Names of the metrics that Scores can give and a model can be chosen by; `rows` and baselines are not among them.
  virtual std::vector<std::string> metric_names() const = 0;
  virtual std::unique_ptr<Scores> scores(std::span<const Prediction> predictions, std::span<const data::Example> examples) const = 0;
  /// One line of predictions.jsonl: {"id", "label", "score", "scores", …}; windows of one example come together.
  virtual files::Json describe(std::span<const Prediction> windows, const data::Example& example, bool with_logits) const = 0;
};

struct TaskOptions {
  models::Task kind = models::Task::sequence_classification;
  data::LabelMap labels;
  std::int64_t max_length = 128;
  std::int64_t doc_stride = 64;
  double mlm_probability = 0.15;
  double label_smoothing = 0.0;
  std::vector<double> class_weights;  ///< by label id; empty = none
  const text::Tokenizer* tokenizer = nullptr;  ///< LMs: special tokens and vocabulary; must outlive the task
  const text::ChatTemplates* chats = nullptr;  ///< causal LM: for rows that are chats; must outlive the task
  bool append_eos = true;                      ///< causal LM: texts and completions end with the end-of-text token
  std::string length_policy = "auto";          ///< causal LM: as DataOptions::length_policy
  bool generates = false;                      ///< causal LM: rows get a prompt, and generated texts are scored
  std::vector<prompt::Continuation> answers;   ///< LMs: what labels are said with; rows are then prompts, and one of `labels` is asked for
  prompt::WordScore word_score = prompt::WordScore::sum;  ///< of `answers`
  bool only_prompts = false;                   ///< causal LM: rows are nothing but what a text is to go on from, also documents
};
std::unique_ptr<Task> make_task(const TaskOptions& options);

}  // namespace attune::task
