// Encoded rows of language modelling, kept in a file so that the next start need not tokenise them again.
//
// A file is a safetensors file tokens-<key>.bin with one tensor of bytes: the rows, packed as in temporary files
// (files/packed.h). The key is a hash of all that decides the tokens: the rows themselves as read, the tokenizer, the
// chat templates, the settings, and the program. A file is used only when its key and its checksum hold; another is
// written anew.
#pragma once

#include <string>
#include <vector>

#include "attune/job/prepare.h"

namespace attune::job {

class TokenCache {
 public:
  /// The cache in data.token_cache_dir; off without one, and for chats whose template asks for the time. `prepared` must
  /// outlive it.
  explicit TokenCache(const Prepared& prepared);

  /// Fills rows.encoded from the cache and returns true, or sets rows.tokens_key, under which they are to be kept.
  /// Warns of a file that is damaged or another's. Error{usage} where data.token_cache_dir is no folder.
  bool load(Rows& rows) const;

  /// Writes rows.encoded under rows.tokens_key, atomically; nothing when that is "". What cannot be written is warned
  /// of.
  void keep(const Rows& rows) const;

 private:
  std::string key_of(const Rows& rows) const;
  std::string path_of(const std::string& key) const;
  /// Error{model} for a file that is damaged or another's.
  std::vector<task::Encoded> read_rows_of(const std::string& path, const Rows& rows) const;

  const Prepared& prepared_;
};

}  // namespace attune::job
