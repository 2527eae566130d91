// The table of models, and the vocabulary they share.
#include "model.h"

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

constexpr PartRow<Model> kRows[] = {
    {"WordLevel", make_part<Model, WordLevel>},
    {"WordPiece", make_word_piece},
};

}  // namespace

Vocabulary::Vocabulary(const JsonNode& node) {
  std::int64_t bound = 0;
  node.each_member(
      [&](const std::string&, const JsonNode& id) { bound = std::max(bound, id.integer(0, kMaxIds - 1) + 1); });
  if (bound == 0) node.fail("the vocabulary is empty");
  tokens_.resize(static_cast<std::size_t>(bound));
  present_.resize(static_cast<std::size_t>(bound));
  ids_.reserve(node.size());
  node.each_member([&](const std::string& token, const JsonNode& value) {
    const auto id = static_cast<std::size_t>(value.integer(0, kMaxIds - 1));
    if (present_[id]) value.fail(concat("the id ", id, " belongs to '", tokens_[id], "' and to '", token, "'"));
    tokens_[id] = token;
    present_[id] = true;
    ids_.emplace(tokens_[id], static_cast<std::int32_t>(id));
  });
}

std::optional<std::int32_t> Vocabulary::id(std::string_view token) const {
  const auto found = ids_.find(token);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
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
  return make_from_table<Model>(node, kRows, "model");
}

}  // namespace attune::text
