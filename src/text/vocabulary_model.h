// What models over a plain vocabulary with an unknown token (WordPiece, WordLevel) share.
#pragma once

#include "model.h"

namespace attune::text {

class VocabularyModel : public Model {
 public:
  /// Reads "vocab" and "unk_token", which must be in it.
  explicit VocabularyModel(const JsonNode& node);

  std::optional<std::int32_t> token_to_id(std::string_view token) const final { return vocabulary_.id(token); }
  const std::string* id_to_token(std::int32_t id) const final { return vocabulary_.token(id); }
  std::size_t size() const final { return vocabulary_.size(); }
  std::size_t id_bound() const final { return vocabulary_.id_bound(); }

 protected:
  std::int32_t unknown_id() const { return unknown_id_; }

  Vocabulary vocabulary_;

 private:
  std::int32_t unknown_id_ = 0;
};

}  // namespace attune::text
