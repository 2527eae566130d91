// Truncation of one text or a pair before special tokens are added, and padding of finished encodings.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "attune/text/tokenizer.h"
#include "draft.h"

namespace attune::text {

/// Cuts texts of `first` and `second` tokens to `rule` less `num_special` tokens. Throws Error{usage} for a rule that
/// cannot be met at all, Error{data} for a text that is too long for it.
std::pair<Windows, Windows> truncate(std::size_t first, std::optional<std::size_t> second, const Truncation& rule,
                                     std::size_t num_special);

/// Pads to the longest (or `padding.fixed`). `marks_sequences`: single texts have a post-processor; without one the
/// reference counts their pads as sequence 0.
void pad(std::vector<Encoding>& encodings, const Padding& padding, bool marks_sequences);

}  // namespace attune::text
