// See prompts.h.
#include "app/prompts.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "attune/data/example_builder.h"
#include "attune/data/record_reader.h"
#include "attune/files/line_reader.h"
#include "attune/files/standard_input.h"
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

/// The row's own name where it has one and no option says which column holds it.
void take_id(const data::Record& record, data::Example& example) {
  const data::Field* id = record.columns.find("id");
  if (id != nullptr && !id->text.empty()) example.id = id->text;
}

/// What the user wrote: the last message of a chat, else the whole prompt.
std::string shown_of(const data::Example& example, const std::string& prompt) {
  if (example.messages.empty()) return prompt;
  Json said;
  for (const Json& message : Json::parse(example.messages)) {
    if (message["role"] == "user") said = message.value("content", Json());
  }
  return said.is_string() ? said.get<std::string>() : prompt;
}

std::vector<Prompt> prompts_of_rows(const std::string& file, const job::LanguageModel& opened) {
  data::DataOptions options = opened.data;
  options.columns.weight = options.columns.group = options.columns.time = std::nullopt;  // of training, no part of a prompt
  const data::ExampleBuilder builder(options, data::RowKind::language, data::LabelNeed::awaited);
  const auto records = data::open_records(file);
  std::vector<data::Example> examples;
  for (data::Record record; records->next(record); record = {}) {
    examples.push_back(builder.build(record, static_cast<std::int64_t>(examples.size())));
    if (!options.columns.id) take_id(record, examples.back());
  }
  const std::vector<std::string> texts = task::prompt_texts(examples, *opened.chats);
  std::vector<Prompt> prompts;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    prompts.push_back({.id = examples[i].id,
                       .text = texts[i],
                       .shown = shown_of(examples[i], texts[i]),
                       .origin = concat(file, " line ", examples[i].origin.line),
                       .is_chat = !examples[i].messages.empty()});
  }
  return prompts;
}

std::vector<Prompt> prompts_of_lines(const std::string& file) {
  std::vector<Prompt> prompts;
  files::LineReader reader(file);
  for (std::string line; reader.next(line);) {
    const std::int64_t number = reader.line_number();
    if (find_invalid_utf8(line)) {
      throw Error(ErrorKind::data, {.file = file, .what = "the line is not valid UTF-8", .where = concat("line ", number), .hint = "save the file as UTF-8"});
    }
    if (trim(line).empty()) continue;
    prompts.push_back({.id = std::to_string(number - 1), .text = line, .shown = line, .origin = concat(file, " line ", number)});
  }
  return prompts;
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

std::vector<Prompt> read_prompts(const std::string& file, const job::LanguageModel& opened) {
  std::vector<Prompt> prompts = data::has_columns(file) ? prompts_of_rows(file, opened) : prompts_of_lines(file);
  if (prompts.empty()) {
    throw Error(ErrorKind::data,
                {.file = file, .what = "there is no prompt in it", .where = "", .hint = "write one a line"});
  }
  return prompts;
}

ChatFormat::ChatFormat(const job::LanguageModel& opened) : templates_(*opened.chats), chosen_(chosen_template(templates_, opened.folder)) {}

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
