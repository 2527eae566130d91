// A model asked as it is: every wording of a prompt set put to the same rows. Answers become predictions of an ordinary
// classification, or texts that are scored as training's evaluation scores them, so that metrics, intervals and files
// are those of a tuned model.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attune/data/example.h"
#include "attune/data/labels.h"
#include "attune/files/json.h"
#include "attune/infer/options.h"
#include "attune/job/options.h"
#include "attune/job/row_prompts.h"
#include "attune/models/model.h"
#include "attune/prompt/assertions.h"
#include "attune/prompt/examples.h"
#include "attune/prompt/labels.h"
#include "attune/prompt/options.h"
#include "attune/prompt/wordings.h"
#include "attune/prompt/writer.h"
#include "attune/report/events.h"
#include "attune/study/example_choice.h"
#include "attune/task/task.h"
#include "attune/text/chat_template.h"
#include "attune/text/tokenizer.h"

namespace attune::study {

/// Whether the row has an answer of its own, where texts are asked for.
bool has_answer(const data::Example& row);

/// Generated texts may name no label at all: what is then predicted.
inline constexpr const char* kNoAnswer = "(no answer)";

/// Everything that asking needs, opened and checked.
struct PromptJob {
  job::RunOptions options;
  prompt::PromptSet set;
  std::vector<prompt::Wording> wordings;
  models::LoadedModel loaded;
  std::string folder;  ///< of the tokenizer
  std::shared_ptr<const text::Tokenizer> tokenizer;
  std::shared_ptr<const text::ChatTemplates> chats;
  infer::GenerationOptions generation;
  std::int64_t max_tokens = 0;                          ///< of prompt and answer
  prompt::AnswerKind kind = prompt::AnswerKind::label;  ///< what is asked for
  std::string metric;     ///< what variants are compared by: accuracy, or of texts prompting.metric
  data::LabelMap labels;  ///< of the training rows, where labels are asked for
  std::map<std::string, prompt::LabelWords> words;  ///< by Wording::verbalizer, where labels are asked for
  std::optional<prompt::Assertions> assertions;     ///< on texts
  std::vector<data::Example> pool;                  ///< training rows, of which examples are taken
  std::vector<data::Example> rows;                  ///< that are answered
  std::vector<data::Example> validation, test;      ///< as they were read: none of their texts becomes an example
  files::Json duplicates;              ///< texts that occur twice: as the data summary of a training has them; or null
  std::vector<task::Encoded> targets;  ///< of `rows`: their labels, or as Encoded::prompt their own texts and answers
  std::unique_ptr<task::Task> task;
  at::Tensor pool_embeddings, row_embeddings;  ///< infer::embeddings of their texts, where examples go by similarity
  ExampleChoice examples;                      ///< of `rows` from `pool`

  bool asks_texts() const { return kind == prompt::AnswerKind::text; }
  /// Whether a row has an answer of its own, so that texts can be scored.
  bool has_references() const;
  /// What the predictions can be; of labels.
  std::string answer_name(std::size_t answer) const {
    return answer < labels.names.size() ? labels.names[answer] : kNoAnswer;
  }
};

/// What the job's prompts are for; views the job.
job::PromptReader reader_of(const PromptJob& job);

/// The rows of a split ("validation", "test") take the place of job.rows. Error{usage} where there are none,
/// Error{data} for labels that no training row has.
void read_split(PromptJob& job, const std::string& split);

/// Reads what the configuration names; writes nothing. Error{usage} without a prompt set or rows of the split, for
/// settings that do not go together, for columns that hold the answer, and where texts are asked for and there is
/// nothing to hold them against; Error{model}, Error{data} as elsewhere.
PromptJob open_prompt_job(const job::RunOptions& options, const report::EventBus& events);

/// What must not have changed for answers that were written down to count: settings, files, model.
files::Json identity_of(const PromptJob& job);

/// What one wording made of the rows.
struct Asked {
  std::vector<task::Prediction> predictions;  ///< one a row; their logits are log p of the labels
  std::int64_t without_answer = 0;            ///< rows whose generated text names no label: predicted as kNoAnswer
  std::int64_t cut_texts = 0;                 ///< texts that ended because no more tokens were allowed
  std::int64_t dropped_examples = 0;          ///< that did not fit into the length
  std::int64_t tokens = 0;                    ///< of all texts that were scored or continued
  std::int64_t computed_tokens = 0;           ///< of them that went through the network
  bool stopped = false;                       ///< a signal came; nothing else counts then
};

/// One way to ask.
struct Variant {
  prompt::Wording wording;
  prompt::FewShotOptions examples;
  bool first_words_only = false;                ///< of several words of a label the first alone counts
  std::optional<std::uint64_t> text_seed = {};  ///< of texts that are drawn at random; default: generation.seed
};

/// Puts the first `rows` rows to the model, all where there are no more. Error{data} for a row that does not fit even
/// without examples.
Asked ask(const PromptJob& job, const Variant& variant, std::size_t rows = static_cast<std::size_t>(-1));

struct WrittenPrompts {
  std::vector<std::string> prompts;                         ///< of the first rows, as the model reads them
  std::vector<std::vector<const data::Example*>> examples;  ///< that stand in each, of the job's pool
  std::vector<prompt::Continuation> answers = {};           ///< that are scored behind each, or in its gap
};

/// The prompts that ask() puts to the model. Errors are its.
WrittenPrompts write_prompts(const PromptJob& job, const Variant& variant, std::size_t rows);

/// Puts the rows into an order of their own, drawn under the seed: a part of them is then a fair sample.
void shuffle_rows(PromptJob& job, std::uint64_t seed);

}  // namespace attune::study
