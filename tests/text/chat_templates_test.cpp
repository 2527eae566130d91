// Where the chat templates of a model folder are found, and the variables they are rendered with.
#include <nlohmann/json.hpp>
#include <string>

#include "attune/text/chat_template.h"
#include "catch.h"
#include "raises.h"
#include "temporary_folder.h"

using namespace attune;
using attune::testing::TemporaryFolder;
using text::ChatTemplates;
using Json = nlohmann::ordered_json;

namespace {

std::string chosen(const ChatTemplates& templates, std::string_view name = "", bool with_tools = false) {
  return templates.choose(name, with_tools).source();
}

}  // namespace

TEST_CASE("A folder without a chat template has none", "[text][chat_template]") {
  const TemporaryFolder folder;
  const ChatTemplates none = ChatTemplates::from_folder(folder.path());
  CHECK(none.empty());
  CHECK_RAISES(none.choose("", false), model, "the model has no chat template");
}

TEST_CASE("tokenizer_config.json holds one template or several", "[text][chat_template]") {
  const TemporaryFolder folder;
  folder.write("tokenizer_config.json", R"({"chat_template": "one"})");
  CHECK(chosen(ChatTemplates::from_folder(folder.path())) == "one");

  folder.write("tokenizer_config.json", R"({"chat_template": [{"name": "default", "template": "plain"},
      {"name": "tool_use", "template": "tools"}, {"name": "rag", "template": "documents"}]})");
  const ChatTemplates several = ChatTemplates::from_folder(folder.path());
  CHECK(several.names() == std::vector<std::string>{"default", "tool_use", "rag"});
  CHECK(chosen(several) == "plain");
  CHECK(chosen(several, "", true) == "tools");
  CHECK(chosen(several, "rag", true) == "documents");
  CHECK_RAISES(several.choose("nope", false), model,
               "there is no chat template 'nope'; choose one of: default, tool_use, rag");

  folder.write("tokenizer_config.json", R"({"chat_template": [{"name": "rag", "template": "documents"}]})");
  CHECK_RAISES(ChatTemplates::from_folder(folder.path()).choose("", false), model,
               "none of the chat templates is the default");
}

TEST_CASE("Files of templates win over tokenizer_config.json", "[text][chat_template]") {
  const TemporaryFolder folder;
  folder.write("tokenizer_config.json", R"({"chat_template": "of the config"})");
  folder.write("chat_template.jinja", "of the file");
  CHECK(chosen(ChatTemplates::from_folder(folder.path())) == "of the file");
  folder.write("additional_chat_templates/tool_use.jinja", "tools");
  folder.write("additional_chat_templates/notes.txt", "no template");
  const ChatTemplates both = ChatTemplates::from_folder(folder.path());
  CHECK(both.names() == std::vector<std::string>{"default", "tool_use"});
  CHECK(chosen(both, "", true) == "tools");
}

TEST_CASE("Broken files are named", "[text][chat_template]") {
  const TemporaryFolder folder;
  folder.write("chat_template.jinja", "\n{% if %}");
  CHECK_RAISES(ChatTemplates::from_folder(folder.path()).choose("", false), model,
               "chat_template.jinja: found '%}', expected an expression (line 2)");
  folder.write("tokenizer_config.json", R"({"bos_token": 3})");
  CHECK_RAISES(ChatTemplates::from_folder(folder.path()), model, "bos_token");
  folder.write("tokenizer_config.json", "[]");
  CHECK_RAISES(ChatTemplates::from_folder(folder.path()), model, "not a JSON object");
}

TEST_CASE("Special tokens are variables, from whichever file holds them", "[text][chat_template]") {
  const TemporaryFolder folder;
  const Json messages = Json::parse(R"([{"role": "user", "content": "a"}])");
  folder.write("tokenizer_config.json", R"({"bos_token": {"__type": "AddedToken", "content": "<s>", "lstrip": false},
      "eos_token": "</s>", "pad_token": null, "added_tokens_decoder": {}})");
  folder.write("special_tokens_map.json", R"({"eos_token": {"content": "<old>"}, "unk_token": "<unk>"})");
  const Json read = ChatTemplates::from_folder(folder.path()).variables({.messages = messages});
  CHECK(read.at("bos_token") == "<s>");
  CHECK(read.at("eos_token") == "</s>");
  CHECK_FALSE(read.contains("pad_token"));
  CHECK_FALSE(read.contains("unk_token"));

  folder.write("tokenizer_config.json", R"({"eos_token": "</s>"})");  // of the time before added_tokens_decoder
  const Json old = ChatTemplates::from_folder(folder.path()).variables({.messages = messages});
  CHECK(old.at("eos_token") == "<old>");
  CHECK(old.at("unk_token") == "<unk>");
}

TEST_CASE("The variables are those of apply_chat_template", "[text][chat_template]") {
  const TemporaryFolder folder;
  folder.write("tokenizer_config.json", R"({"bos_token": "<s>"})");
  const ChatTemplates templates = ChatTemplates::from_folder(folder.path());
  const Json messages = Json::parse(R"([{"content": null, "role": "assistant", "reasoning": "hm"}])");
  const Json tools = Json::parse(R"([{"type": "function"}])"),
             more = {{"enable_thinking", false}, {"bos_token", "<b>"}};
  const Json variables =
      templates.variables({.messages = messages, .tools = &tools, .variables = &more, .add_generation_prompt = true});
  CHECK(
      variables.dump() ==
      R"({"messages":[{"thinking":"hm","role":"assistant","reasoning":"hm","reasoning_content":"hm"}],)"
      R"("tools":[{"type":"function"}],"documents":null,"add_generation_prompt":true,"bos_token":"<b>","enable_thinking":false})");
}

TEST_CASE("Conversations of a wrong shape are refused", "[text][chat_template]") {
  const TemporaryFolder folder;
  const ChatTemplates templates = ChatTemplates::from_folder(folder.path());
  const Json good = Json::parse(R"([{"role": "user"}])"), text = "a", row = Json::parse("[1]"), none = Json::array();
  const Json taken = {{"tools", 1}};
  CHECK_RAISES(templates.variables({.messages = text}), data, "'messages' holds string, expected a list of objects");
  CHECK_RAISES(templates.variables({.messages = row}), data, "found number, expected an object (messages[0])");
  CHECK_RAISES(templates.variables({.messages = none}), data, "there are no messages");
  CHECK_RAISES(templates.variables({.messages = good, .tools = &row}), data, "tools[0]");
  CHECK_RAISES(templates.variables({.messages = good, .documents = &text}), data, "'documents'");
  CHECK_RAISES(templates.variables({.messages = good, .variables = &taken}), data,
               "'tools' cannot be given as a variable");
}
