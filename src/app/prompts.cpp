// See prompts.h.
#include "app/prompts.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "attune/data/record_reader.h"
#include "attune/files/line_reader.h"
#include "attune/files/standard_input.h"
#include "attune/job/fits_model.h"
#include "attune/task/prompts.h"

namespace attune::app {

namespace {

using files::Json;

text::ChatTemplate chosen_template(const text::ChatTemplates& templates, const std::string& folder) {
  if (!templates.empty()) return templates.choose("", /*with_tools=*/false);
  throw Error(ErrorKind::model,
              {.file = folder,
               .what = "the model has no chat template",
               .where = {},
               .hint = "continue texts with --prompt or --file, or put a chat_template.jinja into the folder"});
}

/// What the user wrote: the last message of a chat, else the text itself.
std::string shown_of(const data::Example& example) {
  if (example.messages.empty()) return example.text;
  Json said;
  for (const Json& message : Json::parse(*example.messages)) {
    if (message["role"] == "user") said = message.value("content", Json());
  }
  return said.is_string() ? said.get<std::string>() : example.text;
}

/// Each line that is not blank as a row of its own, named by its number from 0.
job::Rows rows_of_lines(const std::string& file) {
  job::Rows rows;
  files::LineReader reader(file);
  for (std::string line; reader.next(line);) {
    const std::int64_t number = reader.line_number();
    if (find_invalid_utf8(line)) {
      throw Error(ErrorKind::data, {.file = concat(file, ":", number), .what = "the line is not valid UTF-8", .where = "", .hint = "save the file as UTF-8"});
    }
    if (trim(line).empty()) continue;
    data::Example example;
    example.row = number - 1;
    example.origin = {.file = file, .line = number};
    example.id = std::to_string(number - 1);
    example.text = line;
    rows.examples.push_back(std::move(example));
  }
  return rows;
}

/// Of texts that are taken whole or not at all. `origins`: for errors; "" = the command line.
std::vector<Prompt> whole_prompts(const std::vector<std::string>& texts, const std::vector<std::string>& origins, const job::LanguageModel& opened) {
  const std::int64_t most = job::most_tokens(*opened.loaded.model);
  auto ids = task::encode_prompts(texts, *opened.tokenizer);
  std::vector<Prompt> prompts;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto length = static_cast<std::int64_t>(ids[i].size());
    if (length == 0 || length > most) {
      throw Error(ErrorKind::data, {.file = origins[i],
                                    .what = length == 0 ? "the prompt has no tokens" : concat("the prompt has ", length, " tokens, the model takes at most ", most),
                                    .where = {},
                                    .hint = length == 0 ? "begin with a text" : "shorten it, or put it into a file for --file, whose prompts are cut (data.length_policy)"});
    }
    prompts.push_back({.id = std::to_string(i), .shown = texts[i], .ids = std::move(ids[i])});
  }
  return prompts;
}

}  // namespace

Prompt prompt_of_text(const std::string& text, const job::LanguageModel& opened) {
  return whole_prompts({text}, {""}, opened).front();
}

std::vector<Prompt> prompts_of_stdin(const job::LanguageModel& opened) {
  std::vector<std::string> texts, origins;
  files::StandardInput input;
  for (std::string line; input.next(line);) {
    texts.push_back(line);
    origins.push_back(concat("<stdin>:", input.line_number()));
  }
  return whole_prompts(texts, origins, opened);
}

std::vector<Prompt> read_prompts(const std::string& file, const job::LanguageModel& opened) {
  data::require_file(file);
  job::Rows rows;
  if (data::has_columns(file)) {
    rows = job::read_prompts(opened, file);
  } else {
    rows = rows_of_lines(file);
    if (rows.empty()) {
      throw Error(ErrorKind::data, {.file = file, .what = "there is no prompt in it", .where = "", .hint = "write one a line"});
    }
    job::encode_prompts(opened, file, rows);
  }
  std::vector<Prompt> prompts;
  for (task::Encoded& row : rows.encoded) {
    const data::Example& example = rows.examples[static_cast<std::size_t>(row.example)];
    prompts.push_back({.id = example.id, .shown = shown_of(example), .ids = std::move(row.prompt.edit().ids), .is_chat = row.prompt->is_chat});
  }
  return prompts;
}

ChatFormat::ChatFormat(const job::LanguageModel& opened) : templates_(*opened.chats), chosen_(chosen_template(templates_, opened.folder)) {}

std::string ChatFormat::text_of(const files::Json& messages) const {
  return chosen_.render(templates_.variables({.messages = messages, .add_generation_prompt = true})).text;
}

}  // namespace attune::app
