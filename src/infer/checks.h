// Texts as ids: what they must be like for a model to read them, and what two of them have in common.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "attune/models/model.h"

namespace attune::infer {

/// Error{model} when it is no causal language model; `hint` says which are.
void check_causal(const models::ModelSpec& spec, const std::string& hint);

/// So many tokens a text may have: learnt positions end; rotary ones only get worse beyond what the model was trained
/// with.
std::int64_t most_tokens(const models::Model& model);

/// How many tokens both begin with.
std::int64_t common_length(std::span<const std::int32_t> a, std::span<const std::int32_t> b);

/// Error{data} naming the text ("prompt 3") when it is empty, too long, or has an id beyond the vocabulary.
void check_text(std::span<const std::int32_t> ids, const models::Model& model, const std::string& name);

}  // namespace attune::infer
