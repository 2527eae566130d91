// From examples to token rows of a causal language model: special tokens, what is learned, and the length policy.
#pragma once

#include <span>
#include <vector>

#include "attune/task/task.h"

namespace attune::task {

/// One row an example, several windows of one that is split, none of one that is dropped. Every row has one
/// beginning-of-text token where the tokenizer has the habit of adding it, and at least one learned token. Error{data}
/// with file and line for a row that has none, and under the policy "error" for a row that is too long; Error{model} where
/// append_eos asks for a token that the tokenizer lacks. The prompt that a text is generated from is cut with its row, so that a text
/// goes on from what its answer is scored behind; a prompt whose answer is awaited, and under only_prompts every prompt, is a row of its
/// own, of which "auto" keeps the end.
std::vector<Encoded> encode_language_rows(std::span<const data::Example> examples, const text::Tokenizer& tokenizer,
                                          const TaskOptions& options);

}  // namespace attune::task
