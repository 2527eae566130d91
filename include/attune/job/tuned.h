// A tuned model folder opened for prediction and evaluation: model, tokenizer and a task with the model's own labels.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "attune/job/prepare.h"
#include "attune/models/model.h"
#include "attune/task/task.h"

namespace attune::job {

struct Tuned {
  models::LoadedModel loaded;
  std::shared_ptr<const text::Tokenizer> tokenizer;
  std::shared_ptr<const text::ChatTemplates> chats;
  std::optional<train::TextGeneration> generation;  ///< rows get texts (training.predict_with_generate)
  std::unique_ptr<task::Task> task;
  models::Task kind = models::Task::sequence_classification;
  data::LabelMap labels;
  RunOptions options;  ///< of the run that made the folder (config.resolved.json), else defaults
  std::optional<std::int64_t> batch_tokens;  ///< about so many make a batch, where nobody said how many rows do
};

/// A folder that no run made takes rows as long as its positions and its tokenizer's model_max_length allow, unless
/// data.max_length is set. `overrides` change the options read from the folder ("data.columns.text=note"). Error{model} when the folder holds no head.
Tuned open_tuned(const std::string& folder, const std::vector<std::string>& overrides);

/// Rows of files, without or with labels, numbered from 0.
Rows read_rows(const Tuned& tuned, const std::vector<std::string>& paths, bool labels_wanted);
/// In the order of the rows, with generated texts where the options ask for them, as phases that `events` are told of.
std::vector<task::Prediction> predict_rows(const Tuned& tuned, const Rows& rows, const report::EventBus& events);
/// One row a text.
Rows rows_of_texts(const Tuned& tuned, const std::vector<std::string>& texts);

}  // namespace attune::job
