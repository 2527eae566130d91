// What a Tokenizer holds. Constant after loading (workspaces aside), so that threads share it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "added_tokens.h"
#include "assembly.h"
#include "attune/text/tokenizer.h"
#include "decoder.h"
#include "model.h"
#include "normalizer.h"
#include "pre_tokenizer.h"
#include "workspace.h"

namespace attune::text {

struct Tokenizer::Impl {
  std::string file;         ///< tokenizer.json or a vocabulary, for messages
  std::string config_file;  ///< tokenizer_config.json, "" when there is none
  std::unique_ptr<Normalizer> normalizer;
  std::unique_ptr<PreTokenizer> pre_tokenizer;
  std::unique_ptr<Model> model;
  std::unique_ptr<Decoder> decoder;
  AddedTokens added;
  std::optional<Assembler> assembler;  ///< made last, from the model
  std::optional<Truncation> truncation;
  std::optional<Padding> padding;
  std::map<std::string, std::string, std::less<>> roles;  ///< "cls_token" → "[CLS]"
  std::optional<std::size_t> max_length;
  std::string fingerprint;
  mutable WorkspacePool workspaces;

  Encoding encode(const TextInput& input, const EncodeOptions& options, Workspace& workspace) const;
  Encoding encode_words(std::span<const std::string> words, const EncodeOptions& options, Workspace& workspace) const;

 private:
  /// Appends the tokens of one text. `word` is the id of all its words, or nothing: pieces are counted.
  void tokenize(std::string_view text, std::optional<std::int32_t> word, Workspace& workspace, Draft& out) const;
  Encoding finish(const Draft& first, const Draft* second, const EncodeOptions& options) const;
};

}  // namespace attune::text
