// The table of models, and the vocabulary they share.
#include "model.h"

#include <algorithm>
#include <bit>
#include <functional>

#include "attune/base/strings.h"
#include "parts.h"
#include "vocabulary_model.h"

namespace attune::text {

namespace {

constexpr std::int64_t kMaxIds = std::int64_t{1} << 22;  // bounds the memory that a forged id can ask for

/// Every piece is one token or unknown.
class WordLevel final : public VocabularyModel {
 public:
  explicit WordLevel(const JsonNode& node) : VocabularyModel(node) {}
  void tokenize(std::string_view piece, std::vector<ModelToken>& out) const override {
    const auto id = vocabulary_.id(piece);
    out.push_back({id ? *id : unknown_id(), {0, static_cast<std::uint32_t>(piece.size())}});
  }
};

constexpr PartRow<Model> kModels[] = {
    {"BPE", make_bpe},
    {"WordLevel", make_part<Model, WordLevel>},
    {"WordPiece", make_word_piece},
};

}  // namespace

Vocabulary::Vocabulary(const JsonNode& node) : size_(node.size()) {
  node.each_member([&](const std::string& token, const JsonNode& value) {
    const auto id = static_cast<std::size_t>(value.integer(0, kMaxIds - 1));
    if (id >= tokens_.size()) {
      tokens_.resize(std::max(id + 1, size_));
      present_.resize(tokens_.size());
    }
    if (present_[id]) value.fail(concat("the id ", id, " belongs to '", tokens_[id], "' and to '", token, "'"));
    tokens_[id] = token;
    present_[id] = true;
  });
  if (size_ == 0) node.fail("the vocabulary is empty");
  while (!present_.back()) {
    tokens_.pop_back();
    present_.pop_back();
  }
  index();
}

std::uint32_t Vocabulary::hash_of(std::string_view token) {
  return static_cast<std::uint32_t>(std::hash<std::string_view>{}(token));
}

void Vocabulary::index() {
  slots_.resize(std::bit_ceil(size_ * 2));
  each([&](const std::string& token, std::int32_t id) {
    const std::uint32_t hash = hash_of(token);
    std::size_t i = hash & (slots_.size() - 1);
    while (slots_[i].id >= 0) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = {hash, id};
  });
}

std::optional<std::int32_t> Vocabulary::id(std::string_view token) const {
  const std::uint32_t hash = hash_of(token);
  for (std::size_t i = hash & (slots_.size() - 1); slots_[i].id >= 0; i = (i + 1) & (slots_.size() - 1)) {
    if (slots_[i].hash == hash && tokens_[static_cast<std::size_t>(slots_[i].id)] == token) return slots_[i].id;
  }
  return std::nullopt;
}

const std::string* Vocabulary::token(std::int32_t id) const {
  const auto index = static_cast<std::size_t>(id);
  return id >= 0 && index < tokens_.size() && present_[index] ? &tokens_[index] : nullptr;
}

VocabularyModel::VocabularyModel(const JsonNode& node) : vocabulary_(node.at("vocab")) {
  const JsonNode unknown = node.at("unk_token");
  const auto id = vocabulary_.id(unknown.string());
  if (!id) unknown.fail(concat("the token '", unknown.string(), "' is not in the vocabulary"));
  unknown_id_ = *id;
}

std::unique_ptr<Model> make_model(const JsonNode& node) {
  if (!node.find("type")) {  // files of old releases: the keys tell
    if (node.find("merges")) return make_bpe(node);
    if (node.find("max_input_chars_per_word")) return make_word_piece(node);
  }
  return make_from_table<Model>(node, kModels, "model");
}

}  // namespace attune::text
