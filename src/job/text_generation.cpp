// See text_generation.h.
#include "attune/job/text_generation.h"

#include <algorithm>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/data/record.h"
#include "attune/infer/generation_config.h"
#include "attune/report/phase.h"

namespace attune::job {

infer::GenerationOptions generation_options(const std::string& folder, const text::Tokenizer& tokenizer) {
  infer::GenerationOptions options = infer::folder_options(folder);
  if (!options.eos_token_id.empty()) return options;
  if (const auto end = tokenizer.special_id("eos_token")) options.eos_token_id = {*end};
  return options;
}

std::optional<train::TextGeneration> text_generation(const RunOptions& options, const std::string& folder,
                                                     const text::Tokenizer& tokenizer) {
  if (!options.training.predict_with_generate) return std::nullopt;
  return train::TextGeneration{
      .tokenizer = &tokenizer,
      .options = infer::with_settings(generation_options(folder, tokenizer), options.generation)};
}

void check_prompts(std::span<const data::Example> examples, std::span<const task::Encoded> rows,
                   const train::TextGeneration& generation, const std::string& split) {
  bool has_prompt = rows.empty();
  for (const task::Encoded& row : rows) {
    if (row.prompt.empty()) continue;
    has_prompt = true;
    const auto tokens = static_cast<std::int64_t>(row.prompt->ids.size());
    if (generation.options.new_tokens_behind(tokens) > 0) continue;
    throw Error(ErrorKind::data,
                {.file = data::place_of(examples[static_cast<std::size_t>(row.example)].origin),
                 .what = concat("the prompt has ", tokens, " tokens, and prompt and answer together may have ",
                                *generation.options.max_length),
                 .where = "",
                 .hint = "set generation.max_new_tokens, or raise generation.max_length"});
  }
  if (has_prompt) return;
  throw Error(ErrorKind::data, {.file = examples.front().origin.file,
                                .what = concat("no row of ", split, " ends with an answer that could be generated"),
                                .where = "training.predict_with_generate",
                                .hint = "give prompts with completions, or chats whose last message is the assistant's; "
                                        "for documents set it to false"});
}

void generate_texts(const models::Model& model, const train::TextGeneration& generation,
                    std::vector<task::Prediction>& predictions, const report::EventBus& events) {
  report::Phase generating(events, "generating", train::count_prompts(predictions));
  bool signalled = false;
  train::generate_texts(model, generation, predictions, [&](std::int64_t complete) {
    generating.progress(complete);
    if (!signalled && stop_signal() != 0) log::warning("stopping once the results are written; a second signal ends at once");
    signalled = stop_signal() != 0;
    return false;
  });
  generating.end();
}

void tell_of_cut_texts(const std::vector<task::Prediction>& predictions) {
  const auto cut = std::ranges::count_if(predictions, &task::Prediction::generated_to_limit);
  if (cut == 0) return;
  log::info(concat(cut, " of ", train::count_prompts(predictions), " generated texts ended at the limit of tokens, not at an end token: ",
                   "raise generation.max_new_tokens where answers are longer"));
}

}  // namespace attune::job
