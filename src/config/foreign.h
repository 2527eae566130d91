// Keys of other trainers' configurations that have no counterpart here, with what to do instead.
#pragma once

#include <string_view>

namespace attune::config {

/// A sentence for the user, or "" when the key is not known from elsewhere.
std::string_view foreign_key_hint(std::string_view key);

}  // namespace attune::config
