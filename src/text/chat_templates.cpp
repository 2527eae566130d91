// Finding the chat templates of a model folder, and the variables they are rendered with; see chat_template.h.
#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/sha256.h"
#include "attune/base/strings.h"
#include "attune/text/chat_template.h"
#include "built_in_templates.h"
#include "json_node.h"
#include "text_file.h"

namespace attune::text {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::array<const char*, 7> kTemplateRoles{"bos_token", "eos_token", "unk_token", "sep_token",
                                            "pad_token", "cls_token", "mask_token"};
// The names under which templates look for what a model thought; the first is the usual one.
constexpr std::array<const char*, 3> kReasoning{"reasoning_content", "thinking", "reasoning"};

[[noreturn]] void bad_chat(const std::string& what, const std::string& where) {
  throw Error(ErrorKind::data, {.file = "", .what = what, .where = where, .hint = ""});
}

nlohmann::json read_object(const std::string& path) {
  if (!fs::exists(path)) return nlohmann::json::object();
  nlohmann::json json = parse_tokenizer_json(read_text_file(path), path);
  if (!json.is_object()) JsonNode(json, path).fail("this is not a JSON object");
  return json;
}

/// A special token: a string, or an object that holds it as `content`.
std::string token_text(const JsonNode& node) {
  return node.is_object() ? node.at("content").string() : node.string();
}

void check_objects(const Json& list, const std::string& name) {
  if (!list.is_array()) bad_chat(concat("'", name, "' holds ", list.type_name(), ", expected a list of objects"), name);
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i].is_object()) continue;
    bad_chat(concat("found ", list[i].type_name(), ", expected an object"), concat(name, "[", i, "]"));
  }
}

/// The message without its null keys, and with its reasoning under the names that templates read.
Json prepared(const Json& message) {
  Json out = Json::object();
  for (auto member = message.begin(); member != message.end(); ++member) {
    if (!member->is_null()) out[member.key()] = *member;
  }
  const auto found =
      std::find_if(kReasoning.begin(), kReasoning.end(), [&](const char* name) { return out.contains(name); });
  if (found == kReasoning.end()) return out;
  const Json reasoning = out.at(*found);
  Json with_reasoning = Json::object({{"thinking", reasoning}});
  for (auto member = out.begin(); member != out.end(); ++member) with_reasoning[member.key()] = *member;
  with_reasoning["reasoning_content"] = reasoning;
  return with_reasoning;
}

}  // namespace

ChatTemplates ChatTemplates::from_folder(const std::string& folder) {
  ChatTemplates out;
  out.folder_ = folder;
  const auto add_file = [&](const std::string& name, const std::string& path) {
    out.sources_.push_back({name, read_text_file(path), path});
  };
  const std::string default_file = folder + "/chat_template.jinja", more = folder + "/additional_chat_templates";
  if (fs::exists(default_file)) add_file("default", default_file);
  if (fs::is_directory(more)) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(more)) {
      if (entry.path().extension() == ".jinja") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) add_file(file.stem().string(), file.string());
  }
  out.read_config();
  return out;
}

void ChatTemplates::read_config() {
  const std::string file = folder_ + "/tokenizer_config.json";
  nlohmann::json config = read_object(file);
  if (!config.contains("added_tokens_decoder")) {  // files of that age keep their special tokens beside it
    const std::string old_file = folder_ + "/special_tokens_map.json";
    config.update(read_object(old_file));
  }
  const JsonNode top(config, file);
  for (const char* role : kTemplateRoles) {
    if (const auto node = top.find(role)) special_tokens_.emplace_back(role, token_text(*node));
  }
  const auto node = top.find("chat_template");
  if (!sources_.empty() || !node) return;  // files of templates win over the key
  if (!node->is_array()) {
    sources_.push_back({"default", node->string(), file});
    return;
  }
  node->each_element([&](const JsonNode& row) {
    sources_.push_back({row.at("name").string(), row.at("template").string(), file});
  });
}

void ChatTemplates::set_default(const std::string& name_or_file) {
  const std::string_view built_in = built_in_template(name_or_file);
  own_default_ = built_in.empty() ? read_text_file(name_or_file) : std::string(built_in);
  std::erase_if(sources_, [](const Source& source) { return source.name == "default"; });
  sources_.push_back({"default", own_default_, name_or_file});
}

std::vector<std::string> ChatTemplates::names() const {
  std::vector<std::string> names;
  for (const Source& source : sources_) names.push_back(source.name);
  return names;
}

std::string ChatTemplates::fingerprint() const {
  std::string parts;
  const auto add = [&](const std::string& name, const std::string& text) {
    parts += concat(name.size(), " ", name, " ", text.size(), " ", text, "\n");
  };
  for (const Source& source : sources_) add(source.name, source.text);
  for (const auto& [role, text] : special_tokens_) add(role, text);
  return sha256_hex(parts);
}

bool ChatTemplates::asks_for_time() const {
  return std::any_of(sources_.begin(), sources_.end(),
                     [](const Source& source) { return source.text.find("strftime_now") != std::string::npos; });
}

ChatTemplate ChatTemplates::choose(std::string_view name, bool with_tools) const {
  const auto find = [&](std::string_view wanted) {
    return std::find_if(sources_.begin(), sources_.end(), [&](const Source& source) { return source.name == wanted; });
  };
  auto found = name.empty() && with_tools ? find("tool_use") : find(name);
  if (name.empty() && found == sources_.end()) found = find("default");
  if (found != sources_.end()) return ChatTemplate::parse(found->text, found->origin);
  const std::string what = sources_.empty() ? "the model has no chat template"
                           : name.empty()   ? "none of the chat templates is the default"
                                            : concat("there is no chat template '", name, "'");
  const std::string hint = sources_.empty() ? "give one of your own" : "choose one of: " + join(names(), ", ");
  throw Error(ErrorKind::model, {.file = folder_, .what = what, .where = "", .hint = hint});
}

Json ChatTemplates::variables(const ChatInput& input) const {
  check_objects(input.messages, "messages");
  if (input.messages.empty()) bad_chat("there are no messages", "messages");
  Json out = Json::object();
  Json& messages = out["messages"] = Json::array();
  for (const Json& message : input.messages) messages.push_back(prepared(message));
  for (const auto& [name, list] : {std::pair{"tools", input.tools}, std::pair{"documents", input.documents}}) {
    if (list != nullptr && !list->is_null()) check_objects(*list, name);
    out[name] = list != nullptr ? *list : Json();
  }
  out["add_generation_prompt"] = input.add_generation_prompt;
  for (const auto& [role, text] : special_tokens_) out[role] = text;
  if (input.variables == nullptr) return out;
  for (auto member = input.variables->begin(); member != input.variables->end(); ++member) {
    const bool is_own = member.key() == "messages" || member.key() == "tools" || member.key() == "documents" ||
                        member.key() == "add_generation_prompt";
    if (is_own) bad_chat(concat("'", member.key(), "' cannot be given as a variable"), "variables");
    out[member.key()] = *member;
  }
  return out;
}

}  // namespace attune::text
