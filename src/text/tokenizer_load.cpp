// Loading: tokenizer.json, or what vocabulary_files.h makes of other files.
#include <cmath>

#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/sha256.h"
#include "attune/base/strings.h"
#include "json_node.h"
#include "text_file.h"
#include "tokenizer_impl.h"
#include "vocabulary_files.h"

namespace attune::text {

namespace {

using nlohmann::json;

constexpr const char* kSpecialRoles[] = {"cls_token", "sep_token", "pad_token", "mask_token",
                                  "unk_token", "bos_token", "eos_token"};

template <typename Value>
Value choose(const JsonNode& node, std::initializer_list<std::pair<std::string_view, Value>> values) {
  std::vector<std::string> names;
  for (const auto& [name, value] : values) {
    if (name == node.string()) return value;
    names.emplace_back(name);
  }
  node.fail(concat("found '", node.string(), "', expected ", join(names, " or ")));
}

Side read_side(const JsonNode& node) {
  const auto direction = node.find("direction");  // absent in old files
  return direction ? choose<Side>(*direction, {{"Left", Side::left}, {"Right", Side::right}}) : Side::right;
}

Truncation read_truncation(const JsonNode& node) {
  Truncation rule;
  rule.max_length = static_cast<std::size_t>(node.at("max_length").integer(0, INT64_MAX));
  rule.stride = static_cast<std::size_t>(node.integer_or("stride", 0));
  rule.side = read_side(node);
  rule.strategy = choose<TruncationStrategy>(node.at("strategy"), {{"LongestFirst", TruncationStrategy::longest_first},
                                                                   {"OnlyFirst", TruncationStrategy::only_first},
                                                                   {"OnlySecond", TruncationStrategy::only_second}});
  return rule;
}

Padding read_padding(const JsonNode& node) {
  Padding padding;
  const JsonNode strategy = node.at("strategy");
  if (strategy.is_object()) {
    padding.fixed = static_cast<std::size_t>(strategy.at("Fixed").integer(0, INT32_MAX));
  } else {
    choose<bool>(strategy, {{"BatchLongest", true}});
  }
  padding.side = read_side(node);
  padding.multiple_of = static_cast<std::size_t>(node.integer_or("pad_to_multiple_of", 0));
  padding.pad_id = static_cast<std::int32_t>(node.integer_or("pad_id", 0));
  padding.pad_type_id = static_cast<std::int32_t>(node.integer_or("pad_type_id", 0));
  padding.pad_token = node.at("pad_token").string();
  return padding;
}

/// A post-processor must put in the ids that its tokens have in the vocabulary.
void check_special_ids(const JsonNode& node, const Tokenizer::Impl& impl) {
  for (const TemplatePiece& piece : impl.assembler->post_processor().special_pieces()) {
    for (std::size_t i = 0; i < piece.ids.size(); ++i) {
      const auto added = impl.added.id(piece.tokens[i]);
      const auto known = added ? added : impl.model->token_to_id(piece.tokens[i]);
      if (!known) node.fail(concat("the special token '", piece.tokens[i], "' is not in the vocabulary"));
      if (*known != piece.ids[i]) {
        node.fail(concat("the special token '", piece.tokens[i], "' is given the id ", piece.ids[i],
                         ", its id in the vocabulary is ", *known));
      }
    }
  }
}

std::unique_ptr<Tokenizer::Impl> build(const json& root, const std::string& file) {
  auto impl = std::make_unique<Tokenizer::Impl>();
  impl->file = file;
  const JsonNode top(root, file);
  if (!top.is_object()) top.fail("this is not a JSON object", "name a tokenizer.json");
  if (const auto version = top.find("version"); version && version->string() != "1.0") {
    version->fail(concat("found version '", version->string(), "', expected '1.0'"));
  }
  impl->model = make_model(top.at("model"));
  if (const auto node = top.find("normalizer")) impl->normalizer = make_normalizer(*node);
  if (const auto node = top.find("pre_tokenizer")) {
    impl->pre_tokenizer = make_pre_tokenizer(*node);
    if (impl->model->can_take_raw_bytes() && impl->pre_tokenizer->leave_raw_bytes()) impl->model->take_raw_bytes();
  }
  if (const auto node = top.find("decoder")) impl->decoder = make_decoder(*node);
  if (const auto node = top.find("added_tokens"))
    impl->added = AddedTokens(*node, *impl->model, impl->normalizer.get());
  if (const auto node = top.find("truncation")) impl->truncation = read_truncation(*node);
  if (const auto node = top.find("padding")) impl->padding = read_padding(*node);
  const auto post_processor = top.find("post_processor");
  impl->assembler.emplace(*impl->model, post_processor ? std::optional(PostProcessor(*post_processor)) : std::nullopt);
  if (post_processor) check_special_ids(*post_processor, *impl);
  return impl;
}

void read_config(const json& config, const std::string& file, Tokenizer::Impl& impl) {
  const JsonNode top(config, file);
  impl.config_file = file;
  for (const char* role : kSpecialRoles) {
    if (const auto node = top.find(role)) impl.roles[role] = special_token_text(*node);
  }
  const auto limit = config.find("model_max_length");
  constexpr double kNoLimit = 1e9;  // Transformers writes 1e30 for "none"
  if (limit == config.end() || limit->is_null()) return;
  if (!limit->is_number() || !(limit->get<double>() >= 1))
    top.at("model_max_length").fail(concat("found ", limit->dump(), ", expected a number from 1 on"));
  if (limit->get<double>() < kNoLimit) impl.max_length = static_cast<std::size_t>(limit->get<double>());
}

}  // namespace

Tokenizer Tokenizer::from_file(const std::string& tokenizer_json) {
  const std::string text = read_text_file(tokenizer_json);
  auto impl = build(parse_tokenizer_json(text, tokenizer_json), tokenizer_json);
  impl->fingerprint = sha256_hex(text);
  return Tokenizer(std::move(impl));
}

Tokenizer Tokenizer::from_folder(const std::string& folder) {
  const std::string json_file = folder + "/tokenizer.json";
  const std::string config_file = folder + "/tokenizer_config.json";
  const bool has_config = path_exists(config_file, ErrorKind::model);
  const json config = has_config ? parse_tokenizer_json(read_text_file(config_file), config_file) : json::object();
  std::unique_ptr<Impl> impl;
  if (path_exists(json_file, ErrorKind::model)) {
    impl = std::move(from_file(json_file).impl_);
  } else {
    const MadeTokenizer made = tokenizer_from_vocabulary(folder, JsonNode(config, config_file));
    impl = build(made.json, made.file);
    impl->fingerprint = sha256_hex(made.json.dump());
    for (const auto& [role, token] : made.roles) impl->roles[role] = token;
  }
  if (has_config) read_config(config, config_file, *impl);
  return Tokenizer(std::move(impl));
}

}  // namespace attune::text
