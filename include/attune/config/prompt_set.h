// The file of a prompt set (docs/prompts.md): read and checked as a configuration is, dumped, described.
#pragma once

#include <string>

#include "attune/config/config.h"
#include "attune/prompt/options.h"

namespace attune::config {

/// Reads a prompt set (comments allowed). Throws ConfigError with everything that is wrong, flaws of templates, label
/// words and assertions included (prompt::flaws), or Error{usage} for a text that is no JSON object.
prompt::PromptSet parse_prompt_set(const std::string& text, const std::string& file);

/// The same of the file at `path`; logs which aliases were read as what. Error{usage} for a file that cannot be read.
prompt::PromptSet load_prompt_set(const std::string& path);

/// Every key with its value: parse_prompt_set(effective(set)) gives the set again.
Json effective(const prompt::PromptSet& set);

/// JSON Schema (draft 2020-12) of the file.
Json prompt_set_schema();

/// The tables of keys in docs/prompts.md.
std::string prompt_set_documentation();

}  // namespace attune::config
