// config.json and tokenizer.json that a stranger made or damaged, through the built program.
#include <sys/stat.h>

#include "app/bad_input.h"

namespace {

using namespace attune::testing;
using Json = nlohmann::ordered_json;

const std::string kConfig = "model/config.json";
const std::string kTokenizer = "model/tokenizer.json";

std::function<void(const Workspace&)> config_text(const std::string& text) {
  return model_file("config.json", [=](const std::string&) { return text; });
}
std::function<void(const Workspace&)> config_key(const std::string& key, const Json& value) {
  return model_json("config.json", [=](Json& config) { config[key] = value; });
}
std::function<void(const Workspace&)> tokenizer_text(const std::string& text) {
  return model_file("tokenizer.json", [=](const std::string&) { return text; });
}
std::function<void(const Workspace&)> tokenizer(const std::function<void(Json&)>& change) { return model_json("tokenizer.json", change); }

Json split_by(const std::string& pattern) {
  return {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
}

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
}

}  // namespace

TEST_CASE("a bad config.json ends with its key and nothing written", "[app][shell][bad]") {
  check_bad_inputs({
      {"not JSON", kModel, kConfig, {"not valid JSON", "line 1, column 16"}, config_text(R"({"model_type": )")},
      {"a list", kModel, kConfig, {"expected a JSON object"}, config_text("[]")},
      {"byte-order mark", kModel, kConfig, {"byte-order mark"}, config_text("\xef\xbb\xbf{}")},
      {"depth of 100,000", kModel, kConfig, {"nesting deeper than 64"}, config_text("{\"a\": " + nested(100'000) + "}")},
      {"more than 16 MB", kModel, kConfig, {"the limit is 16777216"}, config_text(std::string((16u << 20) + 1, ' '))},
      {"a key twice", kModel, kConfig, {"key 'hidden_size' is given twice"}, config_text(R"({"hidden_size": 1, "hidden_size": 2})")},
      {"a folder", kModel, kConfig, {"this is a folder"},
       [](const Workspace& w) {
         use_own_model(w);
         fs::remove(w.path(kConfig));
         fs::create_directory(w.path(kConfig));
       }},
      {"unknown architecture", kModel, kConfig, {"does not know the model type 'wurst'", "known types are", "bert"}, config_key("model_type", "wurst")},
      {"quantised", kModel, kConfig, {"quantised", "quantization_config"}, config_key("quantization_config", {{"bits", 4}})},
      {"hidden size of 2^60", kModel, kConfig, {"found 1152921504606846976", "key hidden_size"}, config_key("hidden_size", std::int64_t{1} << 60)},
      {"hidden size as text", kModel, kConfig, {"found \"768\", expected a whole number", "key hidden_size"}, config_key("hidden_size", "768")},
      {"heads do not divide", kModel, kConfig, {"3 heads do not divide hidden_size 16"}, config_key("num_attention_heads", 3)},
      {"no heads", kModel, kConfig, {"found 0", "key num_attention_heads"}, config_key("num_attention_heads", 0)},
      {"a billion layers", kModel, kConfig, {"found 1000000000", "key num_hidden_layers"}, config_key("num_hidden_layers", 1'000'000'000)},
      {"epsilon 0", kModel, kConfig, {"key layer_norm_eps"}, config_key("layer_norm_eps", 0)},
      {"dropout 1.5", kModel, kConfig, {"found 1.5", "key hidden_dropout_prob"}, config_key("hidden_dropout_prob", 1.5)},
  });
}

TEST_CASE("code that a config.json names is warned of and never run", "[app][shell][bad]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  config_key("auto_map", {{"AutoModel", "evil.py"}})(workspace);
  workspace.write("model/evil.py", "open('pwned', 'w')");
  const Finished finished = run_attune(workspace, "train run.json --quiet");
  CHECK(finished.exit_code == 0);
  CHECK(finished.err.find("warning: model/config.json: key auto_map ignored: this program never runs model code") != std::string::npos);
  CHECK_FALSE(fs::exists(workspace.path("pwned")));
  CHECK_FALSE(fs::exists(workspace.path("out/evil.py")));
}

TEST_CASE("a bad tokenizer ends with the part at fault and nothing written", "[app][shell][bad]") {
  check_bad_inputs({
      {"missing", kModel, "model", {"neither tokenizer.json nor vocab.txt"},
       [](const Workspace& w) {
         use_own_model(w);
         fs::remove(w.path(kTokenizer));
       }},
      {"links in a circle", kModel, kTokenizer, {"Too many levels of symbolic links"},
       [](const Workspace& w) {
         use_own_model(w);
         fs::remove(w.path(kTokenizer));
         fs::create_symlink("tokenizer.json", w.path(kTokenizer));
       }},
      {"a FIFO", kModel, kTokenizer, {"not a regular file"},
       [](const Workspace& w) {
         use_own_model(w);
         fs::remove(w.path(kTokenizer));
         REQUIRE(::mkfifo(w.path(kTokenizer).c_str(), 0600) == 0);
       }},
      {"cut short", kModel, kTokenizer, {"not valid JSON"}, model_file("tokenizer.json", [](std::string s) { return s.substr(0, 100); })},
      {"lone surrogate", kModel, kTokenizer, {"surrogate"}, tokenizer_text(R"({"model": "\ud800"})")},
      {"a Sequence of 3,000 levels", kModel, kTokenizer, {"nesting deeper than 64"}, tokenizer_text("{\"normalizer\": " + nested(3000) + "}")},
      {"unknown normaliser", kModel, kTokenizer, {"WurstNormalizer", "normalizer.type"}, tokenizer([](Json& t) { t["normalizer"]["type"] = "WurstNormalizer"; })},
      {"unknown model", kModel, kTokenizer, {"'Quantum'", "model.type"}, tokenizer([](Json& t) { t["model"]["type"] = "Quantum"; })},
      {"id 2^31", kModel, kTokenizer, {"found 2147483648", "model.vocab.card"}, tokenizer([](Json& t) { t["model"]["vocab"]["card"] = std::int64_t{1} << 31; })},
      {"two tokens of one id", kModel, kTokenizer, {"the id 3 belongs to '[SEP]' and to 'card'"}, tokenizer([](Json& t) { t["model"]["vocab"]["card"] = 3; })},
      {"more ids than embedding rows", kModel, "model", {"ids up to 200, the model's embedding only up to 162"}, tokenizer([](Json& t) { t["model"]["vocab"]["card"] = 200; })},
      {"unknown token outside the vocabulary", kModel, kTokenizer, {"'nope' is not in the vocabulary", "model.unk_token"}, tokenizer([](Json& t) { t["model"]["unk_token"] = "nope"; })},
      {"empty added token", kModel, kTokenizer, {"an added token is empty", "added_tokens[0].content"}, tokenizer([](Json& t) { t["added_tokens"][0]["content"] = ""; })},
      {"special token of another id", kModel, kTokenizer, {"'[SEP]' is given the id 99999, its id in the vocabulary is 3"},
       tokenizer([](Json& t) { t["post_processor"] = {{"type", "BertProcessing"}, {"sep", {"[SEP]", 99999}}, {"cls", {"[CLS]", 2}}}; })},
      {"pattern that never ends", kModel, kTokenizer, {"([a-z ]*)*[^a-z]!", "takes too long", "match limit"},
       tokenizer([](Json& t) { t["pre_tokenizer"] = split_by("(x+x+)+y|[a-z ]*([a-z ]*)*[^a-z]!"); })},
      {"pattern of another syntax", kModel, kTokenizer, {"'(?<name>a)' is not supported"}, tokenizer([](Json& t) { t["pre_tokenizer"] = split_by("(?<name>a)"); })},
      {"settings of another type", kModel, "model/tokenizer_config.json", {"model_max_length"},
       model_file("tokenizer_config.json", [](const std::string&) { return std::string(R"({"model_max_length": "long"})"); })},
  });
}
