// Recognises files that are often mistaken for safetensors: pickles, Git LFS pointers, HTML pages. Private to the
// module.
#pragma once

#include <string>
#include <string_view>

namespace attune::files {

/// "" for anything that may be safetensors, otherwise "pickle", "lfs" or "html", by the first bytes.
std::string describe_foreign_format(std::string_view bytes);

/// Error{model} that says what `path` is and what to do about it.
[[noreturn]] void throw_foreign_format(const std::string& path, const std::string& format);

}  // namespace attune::files
