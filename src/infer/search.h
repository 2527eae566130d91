// How the continuation of one prompt is looked for: one text that grows by the best or a drawn token, or beams. The
// loop over prompts (generate.cpp) feeds the rows of all searches through the network together.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "attune/infer/generate.h"
#include "passes.h"

namespace attune::infer {

/// What the searches of one call have in common.
struct SearchSettings {
  const GenerationOptions& options;
  const GenerationHooks& hooks;
  std::int64_t vocab;
  std::int64_t most_tokens;  ///< that a text may have so that its next one can be computed
};

class Search {
 public:
  virtual ~Search() = default;
  /// The rows whose next token's scores are wanted; none = the search is over.
  virtual std::vector<Row*> rows() = 0;
  /// scores [rows, vocab] of these rows; they are used up.
  virtual void advance(std::span<float> scores) = 0;
  virtual Generated result() = 0;
  /// The text that the result belongs to, as far as it is cached.
  virtual Row last_row() = 0;
};

/// `prompt`: its index. `row` holds the prompt.
std::unique_ptr<Search> make_single_search(const SearchSettings& settings, std::size_t prompt, Row row);
std::unique_ptr<Search> make_beam_search(const SearchSettings& settings, std::size_t prompt, Row row);

/// Why a text ends with these new tokens; what is asked first wins.
struct Ending {
  bool ends = false;
  FinishReason reason = FinishReason::length;
};
Ending ending_of(const SearchSettings& settings, std::size_t prompt, std::span<const std::int32_t> ids,
                 std::int64_t prompt_length);

}  // namespace attune::infer
