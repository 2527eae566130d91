// See language_row.h.
#include "language_row.h"

#include <array>
#include <nlohmann/json.hpp>

#include "attune/base/strings.h"
#include "attune/data/columns.h"
#include "attune/files/json.h"
#include "field_json.h"

namespace attune::data {

namespace {

using files::Json;

constexpr std::array<std::pair<std::string_view, LanguageFormat>, 5> kFormats = {{
    {"text", LanguageFormat::text},
    {"prompt_completion", LanguageFormat::prompt_completion},
    {"messages", LanguageFormat::messages},
    {"sharegpt", LanguageFormat::sharegpt},
    {"alpaca", LanguageFormat::alpaca},
}};

/// ShareGPT's speakers, and the role that each has in a chat template.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kSpeakers = {{
    {"human", "user"},
    {"user", "user"},
    {"gpt", "assistant"},
    {"assistant", "assistant"},
    {"model", "assistant"},
    {"function_call", "assistant"},
    {"system", "system"},
    {"tool", "tool"},
    {"observation", "tool"},
    {"function_response", "tool"},
}};

/// Reads the messages of one column; where names it and the message for errors.
class MessageReader {
 public:
  MessageReader(const Record& record, std::string_view column) : record_(record), column_(column) {}

  Json message(const Field& item, std::size_t index) const {
    const std::string place = concat(column_, "[", index, "]");
    if (!item.is(Field::Kind::object)) wrong_field(record_, place, item, "an object with role and content");
    const Field* role = item.find("role");
    if (role == nullptr || !role->is(Field::Kind::text)) throw missing(place, "role", item);
    Json message = {{"role", role->text}};
    const Field* content = item.find("content");
    const Field* calls = item.find("tool_calls");
    const bool has_calls = is_given(calls) && !(calls->is(Field::Kind::list) && calls->items.empty());
    if (!is_given(content) && !has_calls) throw silent(place, index, role->text, item);
    if (content != nullptr) message["content"] = content_of(*content, concat(place, ".content"));
    for (std::size_t i = 0; i < item.items.size(); ++i) {
      if (!message.contains(item.keys[i])) message[item.keys[i]] = to_json(item.items[i]);
    }
    return message;
  }

  /// {"from": "human", "value": "…"}.
  Json spoken(const Field& item, std::size_t index) const {
    const std::string place = concat(column_, "[", index, "]");
    if (!item.is(Field::Kind::object)) wrong_field(record_, place, item, "an object with from and value");
    const Field *from = item.find("from"), *value = item.find("value");
    if (from == nullptr || !from->is(Field::Kind::text)) throw missing(place, "from", item);
    if (value == nullptr || !value->is(Field::Kind::text)) throw missing(place, "value", item);
    std::vector<std::string> names;
    for (const auto& [speaker, role] : kSpeakers) {
      if (speaker == from->text) return {{"role", role}, {"content", value->text}};
      names.emplace_back(speaker);
    }
    throw BadRow(record_.origin, concat("the speaker ", in_quotes(from->text), " is not known", did_you_mean(from->text, names)),
                 concat(place, ".from"), "speakers are " + list_names(names));
  }

  const std::vector<Field>& items(const Field& list) const {
    if (!list.is(Field::Kind::list)) wrong_field(record_, column_, list, "a list of messages");
    if (list.items.empty()) throw BadRow(record_.origin, concat("column '", column_, "' is empty"));
    return list.items;
  }

 private:
  BadRow missing(const std::string& place, const char* key, const Field& item) const {
    return {record_.origin, concat("the message has no text '", key, "'"), place, "it has " + list_names(item.keys)};
  }

  static bool is_given(const Field* field) { return field != nullptr && !field->is(Field::Kind::null); }

  /// Of a turn that neither says nor calls anything.
  BadRow silent(const std::string& place, std::size_t index, const std::string& role, const Field& item) const {
    const Field* content = item.find("content");
    const std::string found = content == nullptr ? "it has " + list_names(item.keys) : "content is " + describe(*content);
    return {record_.origin, concat("turn ", index + 1, " (", role, ") has neither a content nor tool_calls: ", found), place,
            "give it a text (\"\" where nothing is said) or remove it"};
  }

  /// A text, or the joined texts of a list of parts {"type": "text", "text": …}.
  Json content_of(const Field& content, const std::string& place) const {
    if (content.is(Field::Kind::text) || content.is(Field::Kind::null)) return to_json(content);
    if (!content.is(Field::Kind::list)) wrong_field(record_, place, content, "a text or a list of texts");
    std::string text;
    for (const Field& part : content.items) {
      const Field *type = part.find("type"), *said = part.find("text");
      if (said == nullptr) said = part.find("value");
      if (type == nullptr || type->text != "text" || said == nullptr || !said->is(Field::Kind::text)) {
        wrong_field(record_, place, part, "parts of type \"text\"", "only text can be learned");
      }
      text += said->text;
    }
    return text;
  }

  const Record& record_;
  std::string column_;
};

/// The text of an optional column; "" where it is missing, null or blank.
std::string optional_text(const Record& record, const std::string& column) {
  const Field* field = record.columns.find(column);
  if (field == nullptr || field->is(Field::Kind::null) || trim(field->text).empty()) return "";
  return text_of(record, {column, "data.format"});
}

void add(Json& messages, std::string_view role, const std::string& content) {
  messages.push_back({{"role", role}, {"content", content}});
}

Json alpaca(const Record& record, bool awaits_answer) {
  Json messages = Json::array();
  if (const std::string system = optional_text(record, "system"); !system.empty()) add(messages, "system", system);
  if (const Field* history = record.columns.find("history"); history != nullptr && !history->is(Field::Kind::null)) {
    if (!history->is(Field::Kind::list)) wrong_field(record, "history", *history, "a list of pairs of texts");
    for (const Field& turn : history->items) {
      const bool is_pair = turn.is(Field::Kind::list) && turn.items.size() == 2 && turn.items[0].is(Field::Kind::text) &&
                           turn.items[1].is(Field::Kind::text);
      if (!is_pair) wrong_field(record, "history", turn, "pairs of texts");
      add(messages, "user", turn.items[0].text);
      add(messages, "assistant", turn.items[1].text);
    }
  }
  std::string asked = text_of(record, {"instruction", "data.format"});
  if (const std::string input = optional_text(record, "input"); !input.empty()) asked += "\n\n" + input;
  add(messages, "user", asked);
  if (!awaits_answer || has_text(record, "output")) add(messages, "assistant", text_of(record, {"output", "data.format"}));
  return messages;
}

Json sharegpt(const Record& record, const std::string& column) {
  const MessageReader reader(record, column);
  Json messages = Json::array();
  if (const std::string system = optional_text(record, "system"); !system.empty()) add(messages, "system", system);
  for (const Field& item : reader.items(require(record, {column, "data.columns.conversations"}))) {
    messages.push_back(reader.spoken(item, messages.size()));
  }
  return messages;
}

Json plain_messages(const Record& record, const Column& column) {
  const MessageReader reader(record, column.name);
  Json messages = Json::array();
  for (const Field& item : reader.items(require(record, column))) {
    messages.push_back(reader.message(item, messages.size()));
  }
  return messages;
}

/// The list of tools as JSON: a list, or a text that spells one.
std::string tools_of(const Record& record) {
  const Field* tools = record.columns.find("tools");
  if (tools == nullptr || tools->is(Field::Kind::null)) return "";
  if (tools->is(Field::Kind::text) && trim(tools->text).empty()) return "";
  if (tools->is(Field::Kind::list)) return tools->items.empty() ? "" : to_json(*tools).dump();
  if (!tools->is(Field::Kind::text)) wrong_field(record, "tools", *tools, "a list of tools");
  const Json parsed = Json::parse(tools->text, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_array()) wrong_field(record, "tools", *tools, "a list of tools, or a text that spells one in JSON");
  return parsed.empty() ? "" : parsed.dump();
}

void set_chat(const Record& record, const Json& messages, Example& example) {
  example.messages = messages.dump();
  example.tools = tools_of(record);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const Json& message = messages[i];
    const Json& content = message.value("content", Json());
    const std::string role = message["role"].get<std::string>(),
                      said = content.is_string() ? content.get<std::string>() : "";
    example.text += concat(example.text.empty() ? "" : "\n", role, ": ", said);
    const bool is_answer = role == "assistant" && i >= example.prompt_messages;
    if (is_answer && trim(said).empty() && !message.contains("tool_calls")) example.has_empty_answer = true;
  }
}

}  // namespace

LanguageFormat language_format(const Record& record, const DataOptions& options, const LanguageShape& shape) {
  for (const auto& [name, format] : kFormats) {
    if (options.format == name) return format;
  }
  const auto has = [&](const std::string& column) { return record.columns.find(column) != nullptr; };
  // A column that a user named is meant, and missed where it is not there.
  const ColumnOptions& columns = options.columns;
  const ColumnOptions defaults;
  if (columns.messages != defaults.messages) return LanguageFormat::messages;
  if (columns.conversations != defaults.conversations) return LanguageFormat::sharegpt;
  if (columns.completion != defaults.completion) return LanguageFormat::prompt_completion;
  if (has(columns.messages)) return LanguageFormat::messages;
  if (has(columns.conversations)) return LanguageFormat::sharegpt;
  const auto has_answer = [&](const std::string& column) { return shape.awaits_answer || has(column); };
  if (has_answer(columns.completion) && (shape.has_template || has(columns.prompt))) {
    return LanguageFormat::prompt_completion;
  }
  if (has("instruction") && has_answer("output") && !shape.has_template) return LanguageFormat::alpaca;
  return LanguageFormat::text;
}

void read_chat(const Record& record, LanguageFormat format, const ChatColumns& columns, Example& example) {
  const ColumnOptions& names = columns.names;
  const Json messages = format == LanguageFormat::alpaca     ? alpaca(record, columns.awaits_answer)
                        : format == LanguageFormat::sharegpt ? sharegpt(record, names.conversations)
                                                             : plain_messages(record, {names.messages, "data.columns.messages"});
  set_chat(record, messages, example);
  example.awaits_answer = columns.awaits_answer && messages.back()["role"] != "assistant";
}

bool has_text(const Record& record, const std::string& column) {
  const Field* field = record.columns.find(column);
  if (field == nullptr || field->is(Field::Kind::null)) return false;
  return field->is(Field::Kind::list) || field->is(Field::Kind::object) || !trim(field->text).empty();
}

bool completes_chat(const Record& record, const ColumnOptions& columns) {
  const Field *prompt = record.columns.find(columns.prompt), *completion = record.columns.find(columns.completion);
  if (prompt == nullptr) return false;
  const bool asks = prompt->is(Field::Kind::list), has_answer = has_text(record, columns.completion);
  if (!has_answer) return asks;
  const bool answers = completion->is(Field::Kind::list);
  if (asks == answers) return asks;
  const std::string& text = asks ? columns.completion : columns.prompt;
  wrong_field(record, text, asks ? *completion : *prompt,
              concat("a list of messages as in '", asks ? columns.prompt : columns.completion, "'"));
}

void read_chat_completion(const Record& record, const ColumnOptions& columns, Example& example) {
  Json messages = plain_messages(record, {columns.prompt, "data.columns.prompt"});
  example.prompt_messages = static_cast<std::uint32_t>(messages.size());
  if (example.awaits_answer) return set_chat(record, messages, example);
  for (Json& message : plain_messages(record, {columns.completion, "data.columns.completion"}))
    messages.push_back(std::move(message));
  set_chat(record, messages, example);
}

}  // namespace attune::data
