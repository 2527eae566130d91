// Finds models that Hugging Face's tools downloaded earlier. Nothing is ever downloaded here.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace attune::files {

/// "name" or "organisation/name", as the Hub allows them: what else is given can only be a path.
bool is_hub_id(const std::string& text);

/// The cache folders in the order they are looked through: $HF_HUB_CACHE, $HF_HOME/hub,
/// $XDG_CACHE_HOME/huggingface/hub,
/// ~/.cache/huggingface/hub; unset ones are left out.
std::vector<std::string> hub_cache_places();

/// The snapshot folder that the branch `main` of `repo_id` points at, from the first cache that has it:
///   find_in_hub_cache("sentence-transformers/all-MiniLM-L6-v2")
///     == "…/models--sentence-transformers--all-MiniLM-L6-v2/snapshots/<revision>"
std::optional<std::string> find_in_hub_cache(const std::string& repo_id);

}  // namespace attune::files
