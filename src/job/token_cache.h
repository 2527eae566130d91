// Encoded rows of language modelling, kept in a file so that the next start need not tokenise them again.
//
// A file tokens-<key>.bin holds its format, the key, the rows packed as in temporary files (files/packed.h), and the
// SHA-256 of all this. The key is a hash of all that decides the tokens: the rows themselves as read, the tokenizer, the
// chat templates, the settings, and the program. A file is used only when its key and its checksum hold; another is
// written anew.
#pragma once

#include <string>

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
  /// Fills rows.encoded from the file of rows.tokens_key; numbers and weights, no matter of tokens, are those of rows.examples.
  /// Error{model} for a file that is damaged or another's, Error{internal} for rows under a right checksum that are none.
  static void read(const std::string& path, Rows& rows);

  const Prepared& prepared_;
};

}  // namespace attune::job
