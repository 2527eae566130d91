// Whether tokenizer and rows fit the model and the batches, asked before the model meets them: inside it an id without an
// embedding and a row beyond the last position are only numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/job/prepare.h"
#include "attune/models/model.h"

namespace attune::job {

/// Error{model} when the tokenizer of `folder` has ids that the embedding has no row for.
void check_vocabulary(const text::Tokenizer& tokenizer, const models::ModelSpec& spec, const std::string& folder);

/// Error{usage} naming the first of the ids that end a text (the option `key`) that no token of the model has.
void check_end_tokens(const std::vector<std::int64_t>& ids, const models::ModelSpec& spec, const std::string& key);

/// So many tokens a text may have: the positions that the model has for texts, or no end where rotary frequencies grow with
/// them.
std::int64_t most_tokens(const models::Model& model);
/// The same before the model is there: virtual tokens still take of it.
std::int64_t most_tokens(const models::ModelSpec& spec);

/// Error{data} naming the first row that has more tokens than the model has positions for texts.
void check_lengths(const Rows& rows, const models::Model& model);

/// Under training.batch_by "tokens": Error{data} naming the first row that has more tokens than a batch may have.
void check_token_budget(const Rows& rows, const train::TrainingOptions& training);

}  // namespace attune::job
