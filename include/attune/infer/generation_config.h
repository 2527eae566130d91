// The generation options that a model folder asks for, and those that a user sets over them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "attune/files/json.h"
#include "attune/infer/options.h"

namespace attune::infer {

/// The defaults under generation_config.json of the folder; without that file config.json says which tokens end a text.
/// A key that changes texts and that attune does not follow is warned of, unless it has Transformers' default.
/// Error{model} for a value of the wrong kind.
GenerationOptions folder_options(const std::string& folder);

/// Error{model} where the same file names a token that ends a text and that a vocabulary of so many tokens has not.
void check_folder_end_tokens(const std::string& folder, std::int64_t vocab_size);

/// Options by name with their texts, as on a command line: {"top_k", {"5"}}, {"stop_strings", {"\n", "."}}.
/// Error{usage} for a wrong value, and for an option that would change nothing: warpers without do_sample, penalties
/// without beams.
void set_options(const std::map<std::string, std::vector<std::string>>& given, GenerationOptions& options);

/// The options under what a configuration says, for texts that are scored: drawn at random only where the settings say
/// so. A max_length that is given wins over the folder's max_new_tokens. Error{usage} for a setting that would change
/// nothing.
GenerationOptions with_settings(GenerationOptions options, const GenerationSettings& settings);

}  // namespace attune::infer
