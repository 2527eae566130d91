// The kinds of task, one constructor each; make_task (task.h) is the table over them.
#pragma once

#include <memory>

#include "attune/task/task.h"

namespace attune::task {

/// One label, several labels, or a number a row: what options.labels.kind says.
std::unique_ptr<Task> make_classification(const TaskOptions& options);
/// One tag a word; the word's first token is supervised, as in Transformers' run_ner.
std::unique_ptr<Task> make_token_labels(const TaskOptions& options);
/// BERT's masked language modelling: 80 % mask token, 10 % another token, 10 % unchanged.
std::unique_ptr<Task> make_masked_lm(const TaskOptions& options);
/// Language modelling from left to right: documents, completions of prompts, and what the assistant of a chat says.
std::unique_ptr<Task> make_causal_lm(const TaskOptions& options);
/// A label said with words behind a prompt (causal LM) or in its gap (masked LM): tuning with templates (PET, Schick & Schütze 2021).
/// The rows' texts are the prompts.
std::unique_ptr<Task> make_label_words(const TaskOptions& options);
/// Extractive question answering over windows of the context, as in Transformers' run_qa.
std::unique_ptr<Task> make_span_qa(const TaskOptions& options);

}  // namespace attune::task
