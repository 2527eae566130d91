// A byte-level tokenizer with as many ids as the golden causal LMs have (32): 0 to 2 are special, then a space, a line
// end, "." and 26 letters, without merges.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace attune::testing {

/// `adds_bos`: the beginning-of-text token stands in front of every text.
inline std::string tiny_tokenizer_json(bool adds_bos = false) {
  using Json = nlohmann::ordered_json;
  Json vocabulary = {{"<pad>", 0}, {"<s>", 1}, {"</s>", 2}, {"\u0120", 3}, {"\u010a", 4}, {".", 5}};
  for (char letter = 'a'; letter <= 'z'; ++letter) vocabulary[std::string(1, letter)] = 6 + letter - 'a';
  Json added = Json::array();
  for (const char* token : {"<pad>", "<s>", "</s>"}) {
    added.push_back({{"id", vocabulary[token]},
                     {"content", token},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  const Json byte_level = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
  const Json model = {{"type", "BPE"},
                      {"dropout", nullptr},
                      {"unk_token", nullptr},
                      {"continuing_subword_prefix", nullptr},
                      {"end_of_word_suffix", nullptr},
                      {"fuse_unk", false},
                      {"byte_fallback", false},
                      {"ignore_merges", false},
                      {"vocab", vocabulary},
                      {"merges", Json::array()}};
  Json post = nullptr;
  if (adds_bos) {
    const Json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
    post = {{"type", "TemplateProcessing"},
            {"single", {{{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}}, text}},
            {"pair", {text, {{"Sequence", {{"id", "B"}, {"type_id", 1}}}}}},
            {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", {1}}, {"tokens", {"<s>"}}}}}}};
  }
  return Json{{"version", "1.0"},          {"truncation", nullptr}, {"padding", nullptr},
              {"added_tokens", added},     {"normalizer", nullptr}, {"pre_tokenizer", byte_level},
              {"post_processor", post}, {"decoder", byte_level}, {"model", model}}
      .dump();
}

}  // namespace attune::testing
