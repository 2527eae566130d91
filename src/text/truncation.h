// Truncation of one text or a pair before special tokens are added.
#pragma once

#include <cstddef>

#include "attune/text/tokenizer.h"

namespace attune::text {

/// Cuts `first` (and `second`, unless nullptr) to `rule` less `num_special` tokens; what was cut off is in
/// `overflowing`. Throws Error{usage} for a rule that cannot be met at all, Error{data} for a text that is too long for
/// it.
void truncate(Encoding& first, Encoding* second, const Truncation& rule, std::size_t num_special);

}  // namespace attune::text
