// See checks.h.
#include "checks.h"

#include <algorithm>
#include <limits>

#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::infer {

void check_causal(const models::ModelSpec& spec, const std::string& hint) {
  if (spec.task == models::Task::causal_lm) return;
  throw Error(ErrorKind::model, {.file = {},
                                 .what = concat("the model (", spec.model_type, ") is no causal language model"),
                                 .where = {},
                                 .hint = hint});
}

std::int64_t most_tokens(const models::Model& model) {
  return model.spec().decoder.rotary.empty() ? model.positions_for_texts() : std::numeric_limits<std::int32_t>::max();
}

std::int64_t common_length(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
  return std::ranges::mismatch(a, b).in1 - a.begin();
}

void check_text(std::span<const std::int32_t> ids, const models::Model& model, const std::string& name) {
  const models::ModelSpec& spec = model.spec();
  const auto refuse = [&](const std::string& what, const std::string& hint) {
    throw Error(ErrorKind::data, {.file = {}, .what = what, .where = name, .hint = hint});
  };
  const auto length = static_cast<std::int64_t>(ids.size());
  if (length == 0) refuse("it has no tokens", "begin with a text, or with the model's begin token");
  if (length > most_tokens(model)) {
    refuse(concat("it has ", length, " tokens, the model takes at most ", most_tokens(model)), "shorten it");
  }
  for (const std::int32_t id : ids) {
    if (id < 0 || id >= spec.vocab_size) {
      refuse(concat("id ", id, " is not in the vocabulary of ", spec.vocab_size), "check the tokenizer");
    }
  }
}

}  // namespace attune::infer
