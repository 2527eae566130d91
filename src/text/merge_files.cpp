// See vocabulary_files.h: vocab.json with merges.txt. The class that Transformers would take decides the rest.
#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "text_file.h"
#include "vocabulary_files.h"

namespace attune::text {

namespace {

using nlohmann::json;

/// Roles in the order in which Transformers adds the tokens that a vocabulary lacks.
constexpr std::string_view kTokenRoles[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                       "pad_token", "cls_token", "mask_token"};

/// A tokenizer class of Transformers 5.
struct Family {
  std::string_view tokenizer_class;
  std::vector<std::string_view> model_types;  ///< of config.json, when tokenizer_config.json names no class
  bool nfc;
  std::string_view pattern;  ///< of a Split in front of ByteLevel; "" = GPT-2's own
  bool roberta;              ///< <s> … </s> around a text
  std::map<std::string_view, std::string_view> tokens;
};

const std::vector<Family>& families() {
  static const std::vector<Family> kFamilies = {
      {"GPT2Tokenizer",
       {"gpt2", "gptj", "gpt_neo", "opt", "codegen", "phi", "starcoder2"},
       false,
       "",
       false,
       {{"bos_token", "<|endoftext|>"}, {"eos_token", "<|endoftext|>"}, {"unk_token", "<|endoftext|>"}}},
      {"RobertaTokenizer",
       {"roberta", "roberta-prelayernorm", "bart", "longformer"},
       false,
       "",
       true,
       {{"bos_token", "<s>"},
        {"eos_token", "</s>"},
        {"unk_token", "<unk>"},
        {"sep_token", "</s>"},
        {"pad_token", "<pad>"},
        {"cls_token", "<s>"},
        {"mask_token", "<mask>"}}},
      {"GPTNeoXTokenizer",
       {"gpt_neox", "mpt", "olmo"},
       true,
       "",
       false,
       {{"bos_token", "<|endoftext|>"},
        {"eos_token", "<|endoftext|>"},
        {"unk_token", "<|endoftext|>"},
        {"pad_token", "<|padding|>"}}},
      {"Qwen2Tokenizer",
       {"qwen2", "qwen2_moe", "qwen3", "qwen3_moe"},
       true,
       R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
       false,
       {{"eos_token", "<|endoftext|>"}, {"unk_token", "<|endoftext|>"}, {"pad_token", "<|endoftext|>"}}},
  };
  return kFamilies;
}

[[noreturn]] void bad_file(const std::string& file, const std::string& what, const std::string& where,
                           const std::string& hint) {
  throw Error(ErrorKind::model, {.file = file, .what = what, .where = where, .hint = hint});
}

/// A JSON file of the folder, or an empty object where there is none.
struct OptionalFile {
  explicit OptionalFile(std::string path) : file(std::move(path)) {
    if (path_exists(file, ErrorKind::model)) value = parse_tokenizer_json(read_text_file(file), file);
  }
  JsonNode node() const { return {value, file}; }

  std::string file;
  json value = json::object();
};

const Family& family_of(const std::string& folder, const JsonNode& settings) {
  std::vector<std::string> known;
  if (const auto name = settings.find("tokenizer_class")) {
    std::string base = name->string();
    if (base.ends_with("Fast")) base.resize(base.size() - 4);
    for (const Family& family : families()) {
      if (family.tokenizer_class == base) return family;
      known.emplace_back(family.tokenizer_class);
    }
    name->fail(concat("vocab.json and merges.txt of a ", name->string(), " are not supported (supported are ",
                      join(known, ", "), ")"),
               "save the tokenizer with Transformers, which writes a tokenizer.json");
  }
  const OptionalFile config(folder + "/config.json");
  const auto type = config.node().find("model_type");
  if (!type) {
    bad_file(folder, "nothing says which tokenizer vocab.json and merges.txt belong to", "",
             "add a tokenizer_config.json with \"tokenizer_class\", or the model's config.json");
  }
  for (const Family& family : families()) {
    if (std::count(family.model_types.begin(), family.model_types.end(), type->string()) > 0) return family;
  }
  type->fail(concat("no tokenizer class is known for vocab.json and merges.txt of a ", type->string()),
             "add a tokenizer_config.json with \"tokenizer_class\"");
}

/// Lines "FIRST SECOND"; those that begin with #version are passed over.
json read_merges(const std::string& file) {
  const std::string text = read_text_file(file);
  if (const auto bad = find_invalid_utf8(text)) {
    bad_file(file, "not valid UTF-8", concat("byte ", *bad), "fetch the file again");
  }
  std::vector<std::string> lines = split(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  json merges = json::array();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].ends_with('\r')) lines[i].pop_back();
    if (lines[i].starts_with("#version")) continue;
    if (std::count(lines[i].begin(), lines[i].end(), ' ') != 1) {
      bad_file(file, concat("found '", lines[i], "', expected two tokens with a blank between"), concat("line ", i + 1),
               "fetch the file again");
    }
    merges.push_back(std::move(lines[i]));
  }
  return merges;
}

/// The added tokens of a folder: what the settings list, the special tokens, and legacy files.
class AddedTokenList {
 public:
  AddedTokenList(const json& vocabulary, const Family& family) : vocabulary_(vocabulary), next_id_(vocabulary.size()) {
    for (const auto& [role, token] : family.tokens) roles_[std::string(role)] = plain(std::string(token), true);
  }

  void read(const std::string& folder, const JsonNode& settings) {
    read_roles(settings);
    if (const auto listed = settings.find("added_tokens_decoder")) {
      read_listed(*listed);
    } else {
      read_legacy(folder);
    }
    for (const std::string_view role : kTokenRoles) {
      if (const auto found = roles_.find(role); found != roles_.end()) add(found->second);
    }
    for (const char* key : {"extra_special_tokens", "additional_special_tokens"}) {
      const auto list = settings.find(key);
      if (list && list->is_array()) list->each_element([&](const JsonNode& token) { add(read_token(token, true)); });
    }
  }

  const json& list() const { return list_; }
  std::optional<std::string> token(std::string_view role) const {
    const auto found = roles_.find(role);
    if (found == roles_.end()) return std::nullopt;
    return found->second["content"].get<std::string>();
  }
  std::size_t id(const std::string& content) const { return ids_.at(content); }
  std::map<std::string, std::string> roles() const {
    std::map<std::string, std::string> names;
    for (const auto& [role, token] : roles_) names[role] = token["content"];
    return names;
  }

 private:
  static json plain(const std::string& content, bool special) {
    return {{"content", content}, {"single_word", false},   {"lstrip", false},
            {"rstrip", false},    {"normalized", !special}, {"special", special}};
  }

  static json read_token(const JsonNode& node, bool special) {
    if (!node.is_object()) return plain(node.string(), special);
    json token = plain(special_token_text(node), special || node.boolean_or("special", false));
    for (const char* flag : {"single_word", "lstrip", "rstrip"}) token[flag] = node.boolean_or(flag, false);
    token["normalized"] = node.boolean_or("normalized", true);
    return token;
  }

  void read_roles(const JsonNode& settings) {
    for (const std::string_view role : kTokenRoles) {
      if (const auto node = settings.find(role)) roles_[std::string(role)] = read_token(*node, true);
    }
  }

  /// {"50264": {"content": "<mask>", "lstrip": true, …}}, added in the order of their ids.
  void read_listed(const JsonNode& listed) {
    std::map<std::int64_t, json> tokens;
    listed.each_member([&](const std::string& key, const JsonNode& node) {
      if (key.empty() || key.size() > 9 || key.find_first_not_of("0123456789") != std::string::npos) {
        node.fail("the key '" + key + "' is not a token id");
      }
      tokens[std::stoll(key)] = read_token(node, false);
    });
    for (auto& [id, token] : tokens) {
      for (auto& [role, named] : roles_) {
        if (named["content"] != token["content"]) continue;
        token["special"] = true;
        named = token;
      }
      add(token);
    }
  }

  /// special_tokens_map.json and added_tokens.json, which older releases wrote.
  void read_legacy(const std::string& folder) {
    const OptionalFile map(folder + "/special_tokens_map.json"), added(folder + "/added_tokens.json");
    read_roles(map.node());
    std::map<std::int64_t, std::string> tokens;
    added.node().each_member(
        [&](const std::string& token, const JsonNode& id) { tokens[id.integer(0, INT32_MAX)] = token; });
    for (const auto& [id, token] : tokens) add(plain(token, has_role(token)));
  }

  bool has_role(const std::string& token) const {
    return std::any_of(roles_.begin(), roles_.end(), [&](const auto& role) { return role.second["content"] == token; });
  }

  void add(json token) {
    const std::string content = token["content"];
    if (ids_.contains(content)) return;
    const auto known = vocabulary_.find(content);
    const std::size_t id =
        known != vocabulary_.end() && known->is_number_unsigned() ? known->get<std::size_t>() : next_id_++;
    ids_[content] = id;
    token["id"] = id;
    list_.push_back(std::move(token));
  }

  const json& vocabulary_;
  std::size_t next_id_;
  std::map<std::string, json, std::less<>> roles_;
  std::map<std::string, std::size_t> ids_;
  json list_ = json::array();
};

json pre_tokenizer(const Family& family, const JsonNode& settings) {
  json byte_level = {{"type", "ByteLevel"},
                     {"add_prefix_space", settings.boolean_or("add_prefix_space", false)},
                     {"trim_offsets", true},
                     {"use_regex", family.pattern.empty()}};
  if (family.pattern.empty()) return byte_level;
  const json split = {{"type", "Split"}, {"pattern", {{"Regex", family.pattern}}}, {"behavior", "Isolated"}};
  return {{"type", "Sequence"}, {"pretokenizers", json::array({split, std::move(byte_level)})}};
}

json roberta_processing(const JsonNode& settings, const AddedTokenList& tokens) {
  const auto entry = [&](const char* role) {
    const std::string token = *tokens.token(role);
    return json::array({token, tokens.id(token)});
  };
  return {{"type", "RobertaProcessing"},
          {"sep", entry("sep_token")},
          {"cls", entry("cls_token")},
          {"trim_offsets", settings.boolean_or("trim_offsets", true)},
          {"add_prefix_space", settings.boolean_or("add_prefix_space", false)}};
}

/// The beginning and end of a text, where the settings ask for them.
json template_processing(const JsonNode& settings, const AddedTokenList& tokens) {
  json special_tokens = json::object();
  const auto side = [&](const char* flag, const char* role) -> std::optional<std::string> {
    const auto token = settings.boolean_or(flag, false) ? tokens.token(role) : std::nullopt;
    if (token) special_tokens[*token] = {{"id", *token}, {"ids", {tokens.id(*token)}}, {"tokens", {*token}}};
    return token;
  };
  const auto begin = side("add_bos_token", "bos_token"), end = side("add_eos_token", "eos_token");
  json single = json::array(), pair = json::array();
  const auto append = [&](json& pieces, const char* sequence, int type_id) {
    const auto special = [&](const std::string& token) {
      pieces.push_back({{"SpecialToken", {{"id", token}, {"type_id", type_id}}}});
    };
    if (begin) special(*begin);
    pieces.push_back({{"Sequence", {{"id", sequence}, {"type_id", type_id}}}});
    if (end) special(*end);
  };
  append(single, "A", 0);
  append(pair, "A", 0);
  append(pair, "B", 1);
  return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", special_tokens}};
}

}  // namespace

MadeTokenizer tokenizer_from_merges(const std::string& folder, const JsonNode& settings) {
  const Family& family = family_of(folder, settings);
  const std::string file = folder + "/vocab.json";
  json vocabulary = parse_tokenizer_json(read_text_file(file), file);
  if (!vocabulary.is_object()) bad_file(file, "this is not a JSON object", "", "fetch the file again");
  AddedTokenList tokens(vocabulary, family);
  tokens.read(folder, settings);
  json made = {
      {"added_tokens", tokens.list()},
      {"normalizer", family.nfc ? json{{"type", "NFC"}} : json()},
      {"pre_tokenizer", pre_tokenizer(family, settings)},
      {"post_processor", family.roberta ? roberta_processing(settings, tokens) : template_processing(settings, tokens)},
      {"decoder", {{"type", "ByteLevel"}}},
      {"model", {{"type", "BPE"}, {"merges", read_merges(folder + "/merges.txt")}}}};
  made["model"]["vocab"] = std::move(vocabulary);
  return {std::move(made), file, tokens.roles()};
}

}  // namespace attune::text
