// The escapes of string literals in templates.
#pragma once

#include <string>
#include <string_view>

namespace attune::text::jinja {

/// What stands between the quotes, with Python's escapes resolved. Fault for broken escapes, for \N{…} (which needs the
/// names of all characters) and for surrogates (which are no text).
std::string unescape_literal(std::string_view literal, int line);

}  // namespace attune::text::jinja
