// How text is generated. Names and defaults are those of Transformers' GenerationConfig, except where a comment says
// otherwise; generation_config.json of a model folder changes the defaults (generation_config.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "attune/base/fields.h"

namespace attune::infer {

struct GenerationOptions {
  std::optional<std::int64_t> max_new_tokens;
  std::optional<std::int64_t> max_length;  ///< prompt included; max_new_tokens wins
  std::int64_t min_new_tokens = 0;
  std::vector<std::int64_t> eos_token_id;
  bool do_sample = false;
  double temperature = 1.0;
  std::int64_t top_k = 50;
  double top_p = 1.0;
  std::optional<double> min_p;
  double repetition_penalty = 1.0;
  std::int64_t no_repeat_ngram_size = 0;
  std::int64_t num_beams = 1;
  double length_penalty = 1.0;
  std::string early_stopping = "false";  ///< false, true, never
  std::vector<std::string> stop_strings;
  std::uint64_t seed = 42;       ///< not a key of Transformers
  std::int64_t batch_size = 16;  ///< not a key of Transformers

  /// What is generated at most where nothing else is said; Transformers stops after 20.
  static constexpr std::int64_t kDefaultNewTokens = 256;
  /// Behind a prompt of so many tokens; may be 0 or less, where max_length leaves no room.
  std::int64_t new_tokens_behind(std::int64_t prompt) const {
    if (max_new_tokens) return *max_new_tokens;
    return max_length ? *max_length - prompt : kDefaultNewTokens;
  }
};

template <class Visitor>
void visit_length_fields(Visitor& visit, GenerationOptions& options) {
  visit(options.max_new_tokens, {.key = "max_new_tokens",
                                 .help = "Tokens generated at most. By default what max_length leaves, else 256.",
                                 .range = count_from(1)});
  visit(options.max_length, {.key = "max_length",
                             .help = "Tokens of prompt and answer together; max_new_tokens wins over it.",
                             .range = count_from(1),
                             .aliases = {"generation_max_length"}});
  visit(options.min_new_tokens,
        {.key = "min_new_tokens", .help = "No end of text before so many tokens.", .range = count_from(0)});
  visit(options.eos_token_id, {.key = "eos_token_id",
                               .help = "Ids of the tokens that end a text. By default the checkpoint's.",
                               .range = count_from(0)});
  visit(options.stop_strings, {.key = "stop_strings", .help = "Texts that end the answer, which is cut before them."});
}

template <class Visitor>
void visit_sampling_fields(Visitor& visit, GenerationOptions& options) {
  visit(options.do_sample,
        {.key = "do_sample", .help = "Draw each token at random; else the most likely one is taken."});
  visit(options.temperature, {.key = "temperature",
                              .help = "Logits are divided by it: below 1 safer, above 1 more varied (do_sample).",
                              .range = above(0)});
  visit(options.top_k, {.key = "top_k",
                        .help = "Draw from so many most likely tokens; 0 = from all (do_sample).",
                        .range = count_from(0)});
  visit(options.top_p, {.key = "top_p",
                        .help = "Draw from the most likely tokens that together have this probability (do_sample).",
                        .range = between(0, 1)});
  visit(options.min_p,
        {.key = "min_p",
         .help = "Draw from tokens with at least this share of the most likely one's probability (do_sample).",
         .range = between(0, 1)});
  visit(options.seed, {.key = "seed", .help = "Of the random draws: the same seed gives the same texts."});
}

template <class Visitor>
void visit_fields(Visitor& visit, GenerationOptions& options) {
  visit_length_fields(visit, options);
  visit_sampling_fields(visit, options);
  visit(options.repetition_penalty, {.key = "repetition_penalty",
                                     .help = "Above 1 makes tokens that occurred before less likely.",
                                     .range = above(0)});
  visit(options.no_repeat_ngram_size, {.key = "no_repeat_ngram_size",
                                       .help = "No run of so many tokens occurs twice; 0 = off.",
                                       .range = count_from(0)});
  visit(options.num_beams, {.key = "num_beams",
                            .help = "Beams of beam search; 1 = none.",
                            .range = between(1, 1000),
                            .aliases = {"generation_num_beams"}});
  visit(options.length_penalty,
        {.key = "length_penalty",
         .help = "Beam scores are divided by length to this power: above 0 prefers long texts."});
  visit(options.early_stopping,
        {.key = "early_stopping",
         .help = "Beam search ends: `true` as soon as there are num_beams whole texts, `false` when better ones are "
                 "unlikely, `never` when there can be none.",
         .choices = {"false", "true", "never"},
         .literals = {{"false", "false"}, {"true", "true"}, {"null", "false"}}});
  visit(options.batch_size,
        {.key = "batch_size", .help = "Texts (or beams) that are continued at the same time.", .range = count_from(1)});
}

/// What a configuration says of generation: the same options, each of which it may leave to the model folder.
struct GenerationSettings {
  GenerationOptions values;           ///< an option that is not optional itself counts where `given` says so
  std::map<std::string, bool> given;  ///< by key
};

/// Shows a visitor of settings the options' own field list.
template <class Visitor>
struct GivenFields {
  Visitor& visit;
  std::map<std::string, bool>& given;

  template <class T>
  void operator()(T& value, Field field) const {
    std::erase_if(field.literals, [](const Literal& literal) { return literal.json == "null"; });  // null: not given
    visit(Given<T>{value, given[std::string(field.key)]}, field);
  }
  template <class T>
  void operator()(std::optional<T>& value, const Field& field) const {
    visit(value, field);
  }
};

template <class Visitor>
void visit_fields(Visitor& visit, GenerationSettings& settings) {
  const GivenFields<Visitor> fields{visit, settings.given};
  visit_fields(fields, settings.values);
}

}  // namespace attune::infer
