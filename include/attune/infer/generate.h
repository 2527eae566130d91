// Text generation: token ids in, token ids out. Prompts of any lengths are continued together as one packed stream, so
// a text does not depend on its neighbours; keys and values of past tokens are kept, those of a common beginning once.
// Greedy and beam ids are those of Transformers' generate(); what is drawn at random comes from attune's own streams.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "attune/infer/options.h"
#include "attune/models/model.h"

namespace attune::infer {

enum class FinishReason {
  end_token,
  stopped,  ///< GenerationHooks::stops
  length    ///< new tokens or positions used up
};

struct Generated {
  std::vector<std::int32_t> ids;  ///< without the prompt; an end token is the last one
  FinishReason reason = FinishReason::length;
  double score = 0.0;  ///< of the best beam: sum of log probabilities / length^length_penalty; 0 without beams
};

/// Those that get ids get the new ones of a prompt so far, and its index.
struct GenerationHooks {
  /// Whether the text ends here (stop strings); asked once a token, with beams once a candidate.
  std::function<bool(std::size_t prompt, std::span<const std::int32_t> ids)> stops;
  /// After each token, without beams.
  std::function<void(std::size_t prompt, std::span<const std::int32_t> ids)> on_token;
  /// After each pass through the network, with the number of prompts whose texts are complete. Yes: the others stay
  /// without a text.
  std::function<bool(std::size_t complete)> stops_all;
};

/// Generates from one model again and again. A prompt that begins like the text of the call before (a chat's next turn)
/// is computed from where it differs.
class Generator {
 public:
  /// `model` must outlive it. Error{model} when it is no causal LM.
  explicit Generator(const models::Model& model);
  ~Generator();

  /// A text a prompt, in their order. Error{data} for an empty prompt, an id beyond the vocabulary, and a prompt longer
  /// than learnt positions; Error{diverged} for logits that are no numbers. stop_strings need a tokenizer: see text.h.
  std::vector<Generated> generate(std::span<const std::vector<std::int32_t>> prompts, const GenerationOptions& options,
                                  const GenerationHooks& hooks = {});

  /// Tokens that went through the network so far: shared and kept ones count once.
  std::int64_t computed_tokens() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Generator(model).generate(…).
std::vector<Generated> generate(const models::Model& model, std::span<const std::vector<std::int32_t>> prompts,
                                const GenerationOptions& options, const GenerationHooks& hooks = {});

}  // namespace attune::infer
