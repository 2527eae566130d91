// Models: a piece of text to ids. One row in model.cpp per type.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aligned_text.h"
#include "json_node.h"

namespace attune::text {

struct ModelToken {
  std::int32_t id;
  Span span;  ///< bytes of the piece
};

class Model {
 public:
  virtual ~Model() = default;
  /// Appends the tokens of a non-empty piece; their spans follow one another from byte 0. Thread-safe.
  virtual void tokenize(std::string_view piece, std::vector<ModelToken>& out) const = 0;
  /// The end of the part of a piece that begins at byte `begin` and can be tokenised on its own: what stands behind it
  /// does not change its tokens, nor the other way round.
  virtual std::size_t part_end(std::string_view piece, std::size_t begin) const {
    (void)begin;
    return piece.size();
  }
  /// Whether it reads raw bytes as it reads characters of the byte alphabet, only faster.
  virtual bool can_take_raw_bytes() const { return false; }
  /// Pieces are raw bytes from now on. Only where it can.
  virtual void take_raw_bytes() {}
  virtual std::optional<std::int32_t> token_to_id(std::string_view token) const = 0;
  /// nullptr when no token has this id.
  virtual const std::string* id_to_token(std::int32_t id) const = 0;
  /// Number of tokens (ids may have holes).
  virtual std::size_t size() const = 0;
  /// Largest id + 1.
  virtual std::size_t id_bound() const = 0;
};

/// Tokens and ids both ways.
class Vocabulary {
 public:
  /// From {"token": id, …}. Ids lie in 0 … 2^22 - 1 and occur once, else Error{model}.
  explicit Vocabulary(const JsonNode& node);

  std::optional<std::int32_t> id(std::string_view token) const;
  const std::string* token(std::int32_t id) const;
  std::size_t size() const { return size_; }
  std::size_t id_bound() const { return tokens_.size(); }

  template <typename Visit>
  void each(Visit visit) const {
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
      if (present_[id]) visit(tokens_[id], static_cast<std::int32_t>(id));
    }
  }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::int32_t id = -1;  ///< -1 = free
  };
  static std::uint32_t hash_of(std::string_view token);
  void index();

  std::vector<std::string> tokens_;
  std::vector<bool> present_;
  std::size_t size_ = 0;
  std::vector<Slot> slots_;  ///< open addressing, a power of two, at most half full
};

/// Throws Error{model} for a type that is unknown or not supported yet.
std::unique_ptr<Model> make_model(const JsonNode& node);
std::unique_ptr<Model> make_bpe(const JsonNode& node);
std::unique_ptr<Model> make_word_piece(const JsonNode& node);

}  // namespace attune::text
