// What the filters and the methods of texts share.
#pragma once

#include <string>
#include <string_view>

#include "template_heap.h"

namespace attune::text::jinja {

/// str.center: where the blanks cannot be halved the extra one goes where Python puts it.
std::string centered(Heap& heap, std::string_view text, Integer width, std::string_view fill);

/// replaced() with the size of the result checked first.
std::string replaced_within(Heap& heap, std::string_view text, std::string_view old, std::string_view replacement,
                            Integer count);

}  // namespace attune::text::jinja
