// Texts that a language model goes on from as they stand. Rows become prompts in Task::encode (TaskOptions::generates, only_prompts).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "attune/text/tokenizer.h"

namespace attune::task {

/// The ids of texts that are to go on, as training has them in front of what is learned: behind exactly one beginning-of-text
/// token where the tokenizer adds one to plain text, also where a chat template writes none; without what ends a text.
std::vector<std::vector<std::int32_t>> encode_prompts(std::span<const std::string> texts, const text::Tokenizer& tokenizer);

}  // namespace attune::task
