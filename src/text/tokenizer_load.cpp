// Loading: tokenizer.json, or vocab.txt translated into the tokenizer.json that Transformers would write for it.
#include <cmath>
#include <filesystem>

#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/sha256.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "json_node.h"
#include "text_file.h"
#include "tokenizer_impl.h"

namespace attune::text {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kRoles[] = {"cls_token", "sep_token", "pad_token", "mask_token",
                                  "unk_token", "bos_token", "eos_token"};

[[noreturn]] void model_error(const std::string& file, const std::string& what, const std::string& hint) {
  throw Error(ErrorKind::model, {.file = file, .what = what, .where = "", .hint = hint});
}

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
  for (const TemplatePiece& piece : impl.post_processor.special_pieces()) {
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
  if (const auto node = top.find("pre_tokenizer")) impl->pre_tokenizer = make_pre_tokenizer(*node);
  if (const auto node = top.find("decoder")) impl->decoder = make_decoder(*node);
  if (const auto node = top.find("added_tokens"))
    impl->added = AddedTokens(*node, *impl->model, impl->normalizer.get());
  if (const auto node = top.find("truncation")) impl->truncation = read_truncation(*node);
  if (const auto node = top.find("padding")) impl->padding = read_padding(*node);
  if (const auto node = top.find("post_processor")) {
    impl->post_processor = PostProcessor(*node);
    check_special_ids(*node, *impl);
  }
  return impl;
}

/// A special token is written as a string or as {"content": …}.
std::string token_text(const JsonNode& node) {
  return node.is_object() ? node.at("content").string() : node.string();
}

void read_config(const json& config, const std::string& file, Tokenizer::Impl& impl) {
  const JsonNode top(config, file);
  impl.config_file = file;
  for (const char* role : kRoles) {
    if (const auto node = top.find(role)) impl.roles[role] = token_text(*node);
  }
  const auto limit = config.find("model_max_length");
  constexpr double kNoLimit = 1e9;  // Transformers writes 1e30 for "none"
  if (limit == config.end() || limit->is_null()) return;
  if (!limit->is_number() || !(limit->get<double>() >= 1))
    top.at("model_max_length").fail(concat("found ", limit->dump(), ", expected a number from 1 on"));
  if (limit->get<double>() < kNoLimit) impl.max_length = static_cast<std::size_t>(limit->get<double>());
}

/// One token a line; the line's number is the id.
json read_vocabulary(const std::string& text, const std::string& file) {
  if (const auto bad = find_invalid_utf8(text))
    model_error(file, concat("not valid UTF-8 at byte ", *bad), "fetch the file again");
  json vocabulary = json::object();
  std::vector<std::string> lines = split(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].ends_with('\r')) lines[i].pop_back();
    const auto [at, added] = vocabulary.emplace(lines[i], i);
    if (!added) {
      throw Error(ErrorKind::model, {.file = file,
                                     .what = concat("the token '", lines[i], "' stands in lines ",
                                                    at->get<std::size_t>() + 1, " and ", i + 1),
                                     .where = concat("line ", i + 1),
                                     .hint = "a vocabulary lists every token once"});
    }
  }
  return vocabulary;
}

/// The settings of tokenizer_config.json that Transformers' BertTokenizer takes.
json bert_tokenizer(const json& config, const std::string& config_file, json vocabulary,
                    const std::string& vocab_file) {
  const JsonNode settings(config, config_file);
  if (const auto name = settings.find("tokenizer_class")) {
    std::string base = name->string();
    if (base.ends_with("Fast")) base.resize(base.size() - 4);
    if (base != "BertTokenizer" && base != "DistilBertTokenizer" && base != "ElectraTokenizer") {
      name->fail(concat("a vocab.txt of a ", name->string(), " is not supported"),
                 "save the tokenizer with Transformers, which writes a tokenizer.json");
    }
  }
  const auto special = [&](const char* role, const char* usual) {
    const auto node = settings.find(role);
    return node ? token_text(*node) : std::string(usual);
  };
  const std::string unk = special("unk_token", "[UNK]"), cls = special("cls_token", "[CLS]"),
                    sep = special("sep_token", "[SEP]");
  const std::string pad = special("pad_token", "[PAD]"), mask = special("mask_token", "[MASK]");
  for (const std::string& token : {unk, cls, sep, pad, mask}) {
    if (!vocabulary.contains(token))
      model_error(vocab_file, concat("the special token '", token, "' is not in the vocabulary"),
                  "use the vocab.txt of this checkpoint");
  }
  const auto strip_accents = settings.find("strip_accents");
  json added = json::array();
  for (const std::string& token : {pad, unk, cls, sep, mask}) {
    added.push_back({{"id", vocabulary[token]},
                     {"content", token},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  return {{"added_tokens", std::move(added)},
          {"normalizer",
           {{"type", "BertNormalizer"},
            {"clean_text", true},
            {"handle_chinese_chars", settings.boolean_or("tokenize_chinese_chars", true)},
            {"strip_accents", strip_accents ? json(strip_accents->boolean()) : json()},
            {"lowercase", settings.boolean_or("do_lower_case", true)}}},
          {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
          {"post_processor",
           {{"type", "BertProcessing"},
            {"sep", json::array({sep, vocabulary[sep]})},
            {"cls", json::array({cls, vocabulary[cls]})}}},
          {"decoder", {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}},
          {"model",
           {{"type", "WordPiece"},
            {"unk_token", unk},
            {"continuing_subword_prefix", "##"},
            {"max_input_chars_per_word", 100},
            {"vocab", std::move(vocabulary)}}}};
}

}  // namespace

Tokenizer Tokenizer::from_file(const std::string& tokenizer_json) {
  const std::string text = read_text_file(tokenizer_json);
  auto impl = build(parse_tokenizer_json(text, tokenizer_json), tokenizer_json);
  impl->fingerprint = sha256_hex(text);
  return Tokenizer(std::move(impl));
}

Tokenizer Tokenizer::from_folder(const std::string& folder) {
  const std::string json_file = folder + "/tokenizer.json", vocab_file = folder + "/vocab.txt";
  const std::string config_file = folder + "/tokenizer_config.json";
  const bool has_config = path_exists(config_file, ErrorKind::model);
  const json config = has_config ? parse_tokenizer_json(read_text_file(config_file), config_file) : json::object();
  std::unique_ptr<Impl> impl;
  if (path_exists(json_file, ErrorKind::model)) {
    impl = std::move(from_file(json_file).impl_);
  } else if (path_exists(vocab_file, ErrorKind::model)) {
    const json made =
        bert_tokenizer(config, config_file, read_vocabulary(read_text_file(vocab_file), vocab_file), vocab_file);
    impl = build(made, vocab_file);
    impl->fingerprint = sha256_hex(made.dump());
  } else {
    model_error(folder, "neither tokenizer.json nor vocab.txt is there",
                "copy the tokenizer files of the checkpoint into this folder");
  }
  if (has_config) read_config(config, config_file, *impl);
  return Tokenizer(std::move(impl));
}

}  // namespace attune::text
