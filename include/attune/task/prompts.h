// What a language model goes on from: built here for evaluation, `predict` and `generate` alike.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "attune/data/example.h"
#include "attune/text/chat_template.h"
#include "attune/text/tokenizer.h"

namespace attune::task {

/// What stands before the answer that each example ends with or awaits, of chats through the template; of documents their text.
/// RowError or Error{model} for a chat that cannot be written.
std::vector<std::string> prompt_texts(std::span<const data::Example> examples, const text::ChatTemplates& chats);

/// The ids of texts that are to go on, as training has them in front of what is learned: behind exactly one beginning-of-text
/// token where the tokenizer adds one to plain text, also where a chat template writes none; without what ends a text.
std::vector<std::vector<std::int32_t>> encode_prompts(std::span<const std::string> texts, const text::Tokenizer& tokenizer);

}  // namespace attune::task
