// See row_prompts.h.
#include "attune/job/row_prompts.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/files/json.h"

namespace attune::job {

namespace {

prompt::WriterSettings writer_settings(prompt::AnswerKind kind, prompt::LabelWords words,
                                       const text::Tokenizer& tokenizer) {
  prompt::WriterSettings settings{.kind = kind, .words = std::move(words)};
  if (const auto mask = tokenizer.special_id("mask_token"))
    settings.mask_token = tokenizer.id_to_token(*mask).value_or("");
  return settings;
}

void check_gap(const prompt::PromptSet& set, const prompt::Wording& wording, bool has_gap, models::Task task) {
  if (has_gap == (task == models::Task::masked_lm)) return;
  throw Error(ErrorKind::usage, {.file = set.file,
                                 .what = has_gap ? "the input has a gap, and the model writes on behind a text"
                                                 : "the model fills gaps, and the input has none",
                                 .where = concat("wording '", wording.name, "'"),
                                 .hint = has_gap ? "remove {{ mask }}, or take a masked language model"
                                                 : "write {{ mask }} where the label word is to stand"});
}

bool begins_with_system(const files::Json& messages) {
  return messages.size() > 1 && messages.front()["role"] == "system";
}

files::Json without_first(const files::Json& messages) {
  files::Json others = files::Json::array();
  for (std::size_t i = 1; i < messages.size(); ++i) others.push_back(messages[i]);
  return others;
}

}  // namespace

void check_chat(const prompt::PromptSet& set, const PromptReader& reader) {
  if (!set.chat) return;
  if (reader.task == models::Task::masked_lm) {
    throw Error(
        ErrorKind::usage,
        {.file = set.file, .what = "a model that fills gaps has no chats", .where = "chat", .hint = "set it to false"});
  }
  if (!reader.chats->empty()) return;
  throw Error(ErrorKind::model, {.file = reader.folder,
                                 .what = "the model has no chat template",
                                 .where = "",
                                 .hint = "set data.chat_template, or chat to false in the prompt set"});
}

RowPrompts::RowPrompts(const prompt::PromptSet& set, const prompt::Wording& wording, prompt::AnswerKind kind,
                       prompt::LabelWords words, const PromptReader& reader)
    : writer_(set, wording, writer_settings(kind, std::move(words), *reader.tokenizer)),
      chats_(reader.chats),
      file_(set.file),
      wording_(wording.name) {
  check_chat(set, reader);
  check_gap(set, wording, writer_.fills_gap(), reader.task);
  if (set.chat) template_.emplace(chats_->choose("", /*with_tools=*/false));
}

std::string RowPrompts::text_of(const prompt::PromptText& prompt) const {
  if (!template_) return prompt.text;
  const files::Json messages = files::Json::parse(prompt.messages);
  try {
    return rendered(messages);
  } catch (const Error& error) {
    if (refuses_system_turn(messages)) throw system_turn_refused(error);
    throw;
  }
}

std::string RowPrompts::rendered(const files::Json& messages) const {
  return template_->render(chats_->variables({.messages = messages, .add_generation_prompt = true})).text;
}

bool RowPrompts::refuses_system_turn(const files::Json& messages) const {
  if (!begins_with_system(messages)) return false;
  try {
    rendered(without_first(messages));
    return true;
  } catch (const Error&) {
    return false;
  }
}

Error RowPrompts::system_turn_refused(const Error& error) const {
  const std::string& chat_template = error.text().file;
  return {
      ErrorKind::usage,
      {.file = file_,
       .what = concat("the header becomes the turn of the system, which the chat template",
                      chat_template.empty() ? "" : " in " + chat_template, " refuses: ", error.text().what),
       .where = concat("wording '", wording_, "'"),
       .hint = "set rules.order to \"examples_first\": the header then begins the turn that shows the row; or leave "
               "it out (\"header\": \"\"), or name another template in data.chat_template"}};
}

}  // namespace attune::job
