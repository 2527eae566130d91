// The settings that the pre-tokeniser and the decoder Metaspace share.
#pragma once

#include "json_node.h"

namespace attune::text {

enum class PrependScheme { always, first, never };

struct MetaspaceOptions {
  char32_t replacement = U'\u2581';
  PrependScheme scheme = PrependScheme::always;
};

/// Old files have `add_prefix_space` for `prepend_scheme`: true says nothing, false asks for "never".
MetaspaceOptions read_metaspace(const JsonNode& node);

}  // namespace attune::text
