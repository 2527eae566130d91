// Folders without tokenizer.json: vocab.txt (BERT), or vocab.json and merges.txt (GPT-2, RoBERTa and others),
// translated into the tokenizer.json that Transformers would build from them.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "json_node.h"

namespace attune::text {

struct MadeTokenizer {
  nlohmann::json json;
  std::string file;                          ///< what messages about it should name
  std::map<std::string, std::string> roles;  ///< special tokens by role ("eos_token") before tokenizer_config.json
};

/// `settings` is tokenizer_config.json, or an empty object. Throws Error{model}, also when there is no vocabulary.
MadeTokenizer tokenizer_from_vocabulary(const std::string& folder, const JsonNode& settings);

/// The part for vocab.json and merges.txt.
MadeTokenizer tokenizer_from_merges(const std::string& folder, const JsonNode& settings);

/// The text of a special token in a settings file: a string, or {"content": …}.
std::string special_token_text(const JsonNode& node);

}  // namespace attune::text
