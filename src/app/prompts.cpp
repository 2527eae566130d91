// See prompts.h.
#include "app/prompts.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "attune/files/line_reader.h"
#include "attune/files/standard_input.h"
#include "attune/task/prompts.h"

namespace attune::app {

namespace {

using files::Json;

[[noreturn]] void bad_row(const std::string& file, std::int64_t line, const std::string& what) {
  throw Error(ErrorKind::data,
              {.file = file,
               .what = what,
               .where = concat("line ", line),
               .hint = "a row has \"prompt\": \"TEXT\", or \"messages\": [{\"role\": …, \"content\": …}]"});
}

text::ChatTemplate chosen_template(const text::ChatTemplates& templates, const std::string& folder) {
  if (!templates.empty()) return templates.choose("", /*with_tools=*/false);
  throw Error(ErrorKind::model,
              {.file = folder,
               .what = "the model has no chat template",
               .where = {},
               .hint = "continue texts with --prompt or --file, or put a chat_template.jinja into the folder"});
}

Prompt prompt_of_row(const Json& row, const std::string& file, std::int64_t line,
                     const std::function<const ChatFormat&()>& format) {
  if (!row.is_object()) bad_row(file, line, concat("found ", row.type_name(), ", expected an object"));
  Prompt prompt{.id = std::to_string(line - 1),
                .text = "",
                .shown = "",
                .origin = concat(file, " line ", line),
                .is_chat = row.contains("messages")};
  if (const auto id = row.find("id"); id != row.end())
    prompt.id = id->is_string() ? id->get<std::string>() : id->dump();
  if (prompt.is_chat) {
    const Json& messages = row["messages"];
    prompt.text = format().text_of(messages);
    prompt.shown = messages.back().value("content", Json("")).dump();
    return prompt;
  }
  const auto found = row.find("prompt");
  if (found == row.end()) bad_row(file, line, "there is neither `prompt` nor `messages`");
  if (!found->is_string()) bad_row(file, line, concat("`prompt` is ", found->type_name(), ", expected a text"));
  prompt.text = prompt.shown = found->get<std::string>();
  return prompt;
}

bool is_json_lines(std::string file) {
  if (file.ends_with(".gz")) file.resize(file.size() - 3);
  return file.ends_with(".jsonl") || file.ends_with(".json");
}

/// Rotary positions whose frequencies grow with the text have no end.
bool has_end(const models::ModelSpec& spec) {
  return std::none_of(spec.decoder.rotary.begin(), spec.decoder.rotary.end(),
                      [](const nn::RotarySpec& rotary) { return rotary.scaling == nn::RotaryScaling::dynamic; });
}

}  // namespace

std::vector<Prompt> prompts_of_stdin() {
  std::vector<Prompt> prompts;
  files::StandardInput input;
  for (std::string line; input.next(line);) {
    prompts.push_back({.id = std::to_string(prompts.size()),
                       .text = line,
                       .shown = line,
                       .origin = concat("<stdin> line ", input.line_number())});
  }
  return prompts;
}

std::vector<Prompt> read_prompts(const std::string& file, const std::string& folder) {
  std::vector<Prompt> prompts;
  std::optional<ChatFormat> opened;  // by the first row with messages
  const auto format = [&]() -> const ChatFormat& { return opened ? *opened : opened.emplace(folder); };
  files::LineReader reader(file);
  for (std::string line; reader.next(line);) {
    const std::int64_t number = reader.line_number();
    if (find_invalid_utf8(line)) bad_row(file, number, "the line is not valid UTF-8");
    if (trim(line).empty()) continue;
    if (is_json_lines(file)) {
      const Json row = files::parse_json(line, concat(file, " line ", number), {.kind = ErrorKind::data});
      prompts.push_back(prompt_of_row(row, file, number, format));
    } else {
      prompts.push_back(
          {.id = std::to_string(number - 1), .text = line, .shown = line, .origin = concat(file, " line ", number)});
    }
  }
  if (prompts.empty()) {
    throw Error(ErrorKind::data,
                {.file = file, .what = "there is no prompt in it", .where = "", .hint = "write one a line"});
  }
  return prompts;
}

ChatFormat::ChatFormat(const std::string& folder)
    : templates_(text::ChatTemplates::from_folder(folder)), chosen_(chosen_template(templates_, folder)) {}

std::string ChatFormat::text_of(const files::Json& messages) const {
  return chosen_.render(templates_.variables({.messages = messages, .add_generation_prompt = true})).text;
}

std::vector<std::vector<std::int32_t>> encode_prompts(const std::vector<Prompt>& prompts,
                                                      const text::Tokenizer& tokenizer, const models::ModelSpec& spec) {
  std::vector<std::string> texts;
  for (const Prompt& prompt : prompts) texts.push_back(prompt.text);
  auto all = task::encode_prompts(texts, tokenizer);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const auto length = static_cast<std::int64_t>(all[i].size());
    if (length > 0 && (length <= spec.max_position_embeddings || !has_end(spec))) continue;
    throw Error(ErrorKind::data,
                {.file = prompts[i].origin,
                 .what = length == 0 ? "the prompt has no tokens"
                                     : concat("the prompt has ", length, " tokens, the model takes at most ",
                                              spec.max_position_embeddings),
                 .where = {},
                 .hint = length == 0 ? "begin with a text" : "shorten it, or begin the chat anew"});
  }
  return all;
}

}  // namespace attune::app
