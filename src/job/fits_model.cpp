// See fits_model.h.
#include "attune/job/fits_model.h"

#include <algorithm>
#include <limits>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/data/record.h"

namespace attune::job {

namespace {

/// The first row of more than `most` tokens is an error that says who takes no more, and what to do.
void refuse_longer(const Rows& rows, std::int64_t most, const std::string& who, const std::string& hint) {
  rows.encoded.for_each([&](const task::Encoded& row) {
    const auto tokens = static_cast<std::int64_t>(row.ids.size());
    if (tokens <= most) return;
    throw Error(ErrorKind::data, {.file = data::place_of(rows.examples.get(static_cast<std::size_t>(row.example))->origin),
                                  .what = concat("the row has ", tokens, " tokens, ", who, " at most ", most),
                                  .where = "",
                                  .hint = hint});
  });
}

}  // namespace

void check_vocabulary(const text::Tokenizer& tokenizer, const models::ModelSpec& spec, const std::string& folder) {
  if (tokenizer.vocab_size() <= static_cast<std::size_t>(spec.vocab_size)) return;
  throw Error(ErrorKind::model, {.file = folder,
                                 .what = concat("the tokenizer has ids up to ", tokenizer.vocab_size() - 1,
                                                ", the model's embedding only up to ", spec.vocab_size - 1),
                                 .where = "vocab_size",
                                 .hint = "tokenizer and weights do not belong together: download the folder again"});
}

void check_end_tokens(const std::vector<std::int64_t>& ids, const models::ModelSpec& spec, const std::string& key) {
  const auto beyond = std::ranges::find_if(ids, [&](std::int64_t id) { return id >= spec.vocab_size; });
  if (beyond == ids.end()) return;
  throw Error(ErrorKind::usage, {.file = "",
                                 .what = concat("no token has the id ", *beyond, ", the model's vocabulary has ", spec.vocab_size, " tokens"),
                                 .where = key,
                                 .hint = concat("give ids from 0 to ", spec.vocab_size - 1)});
}

namespace {

constexpr std::int64_t kEndless = std::numeric_limits<std::int32_t>::max();

bool grows_with_texts(const models::ModelSpec& spec) {
  return std::ranges::any_of(spec.decoder.rotary, [](const nn::RotarySpec& rotary) { return rotary.scaling == nn::RotaryScaling::dynamic; });
}

}  // namespace

std::int64_t most_tokens(const models::Model& model) { return grows_with_texts(model.spec()) ? kEndless : model.positions_for_texts(); }

std::int64_t most_tokens(const models::ModelSpec& spec) { return grows_with_texts(spec) ? kEndless : spec.max_tokens(); }

void check_lengths(const Rows& rows, const models::Model& model) {
  const std::int64_t most = model.positions_for_texts();
  const char* who = model.virtual_tokens() ? "the model takes, beside its virtual tokens," : "the model takes";
  refuse_longer(rows, most, who, concat("set data.max_length to at most ", most));
}

void check_token_budget(const Rows& rows, const train::TrainingOptions& training) {
  if (training.batch_by != "tokens") return;
  refuse_longer(rows, *training.tokens_per_batch, "a batch (training.tokens_per_batch) has",
                "raise training.tokens_per_batch, or lower data.max_length");
}

}  // namespace attune::job
