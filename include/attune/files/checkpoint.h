// Files of a checkpoint folder that came from strangers: names stay inside the folder. open_checkpoint is in
// safetensors.h.
#pragma once

#include <string>

namespace attune::files {

/// folder/name. Error{model} unless `name` is a plain file name and, where the file is a symbolic link, its target lies
/// inside the folder. In a snapshot of the Hugging Face cache (…/models--x--y/snapshots/<revision>) it may lie anywhere
/// inside models--x--y. A file that does not exist is the caller's business.
std::string contained_file(const std::string& folder, const std::string& name);

}  // namespace attune::files
