// See vocabulary_files.h: the choice, and vocab.txt.
#include "vocabulary_files.h"

#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "text_file.h"

namespace attune::text {

namespace {

using nlohmann::json;

[[noreturn]] void bad_file(const std::string& file, const std::string& what, const std::string& hint) {
  throw Error(ErrorKind::model, {.file = file, .what = what, .where = "", .hint = hint});
}

/// One token a line; the line's number is the id.
json read_vocabulary(const std::string& text, const std::string& file) {
  if (const auto bad = find_invalid_utf8(text))
    bad_file(file, concat("not valid UTF-8 at byte ", *bad), "fetch the file again");
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
json bert_tokenizer(const JsonNode& settings, json vocabulary, const std::string& vocab_file) {
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
    return node ? special_token_text(*node) : std::string(usual);
  };
  const std::string unk = special("unk_token", "[UNK]"), cls = special("cls_token", "[CLS]"),
                    sep = special("sep_token", "[SEP]");
  const std::string pad = special("pad_token", "[PAD]"), mask = special("mask_token", "[MASK]");
  for (const std::string& token : {unk, cls, sep, pad, mask}) {
    if (!vocabulary.contains(token))
      bad_file(vocab_file, concat("the special token '", token, "' is not in the vocabulary"),
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

std::string special_token_text(const JsonNode& node) {
  return node.is_object() ? node.at("content").string() : node.string();
}

MadeTokenizer tokenizer_from_vocabulary(const std::string& folder, const JsonNode& settings) {
  const auto there = [&](const char* name) { return path_exists(folder + "/" + name, ErrorKind::model); };
  if (there("vocab.txt")) {
    const std::string file = folder + "/vocab.txt";
    return {bert_tokenizer(settings, read_vocabulary(read_text_file(file), file), file), file, {}};
  }
  if (there("vocab.json") && there("merges.txt")) return tokenizer_from_merges(folder, settings);
  bad_file(folder, "neither tokenizer.json nor vocab.txt nor vocab.json with merges.txt is there",
           "copy the tokenizer files of the checkpoint into this folder");
}

}  // namespace attune::text
