// See learned_text.h.
#include "task/learned_text.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "attune/data/record.h"
#include "attune/task/task.h"

namespace attune::task {

namespace {

using Json = nlohmann::ordered_json;

std::uint32_t code_points(std::string_view text) {
  const auto count = std::count_if(text.begin(), text.end(), [](char byte) { return !is_continuation_byte(byte); });
  return static_cast<std::uint32_t>(count);
}

RowError at_row(const Error& error, const data::Example& example) {
  const ErrorText& text = error.text();
  const std::string where = text.where.empty() ? "" : concat(text.file.empty() ? "" : text.file + " ", text.where, ": ");
  return {error.kind(), {.file = data::place_of(example.origin), .what = where + text.what, .where = "", .hint = text.hint}};
}

/// Such a turn calls tools; null and nothing are the same to a template.
bool lacks_content(const Json& message) {
  const auto content = message.find("content");
  return content == message.end() || content->is_null();
}

/// One chat under one template.
class Conversation {
 public:
  Conversation(const text::ChatTemplates& templates, const text::ChatTemplate& chosen, const data::Example& example)
      : templates_(templates), template_(chosen), messages_(Json::parse(*example.messages)), prompt_messages_(example.prompt_messages) {
    if (!example.tools.empty()) tools_ = Json::parse(*example.tools);
  }

  text::RenderedChat whole() const { return render(messages_, false); }
  /// Up to where the assistant says its last message, or is to say the next.
  std::string before_answer(bool awaits_answer) const { return render(first(messages_.size() - (awaits_answer ? 0 : 1)), true).text; }

  /// Those of the template's generation spans that lie behind the messages of which nothing is learned.
  std::vector<Span> marked(std::vector<Span> spans) const {
    if (prompt_messages_ == 0) return spans;
    const std::size_t asked = render(first(prompt_messages_), false).generation_spans.size();
    spans.erase(spans.begin(), spans.begin() + static_cast<std::ptrdiff_t>(std::min(asked, spans.size())));
    return spans;
  }

  /// What the template writes between each prompt and the end of the answer to it.
  std::vector<Span> answers(const std::string& whole) const {
    std::vector<Span> spans;
    for (std::size_t i = prompt_messages_; i < messages_.size(); ++i) {
      if (messages_[i].value("role", "") != "assistant") continue;
      const bool goes_on = i + 1 < messages_.size() && messages_[i + 1].value("role", "") == "assistant";
      const std::string prompt = i == 0 ? "" : render(first(i), true).text;
      const std::string answered = i + 1 == messages_.size() ? whole : render(first(i + 1), false).text;
      if (goes_on || !answered.starts_with(prompt) || !whole.starts_with(answered)) throw not_nested(i);
      spans.emplace_back(code_points(prompt), code_points(answered));
    }
    return spans;
  }

  /// Where the chat cannot be rendered: the error with file and line, which names the turn without content if that is why.
  RowError explained(const Error& error, const data::Example& example) const {
    const std::optional<std::size_t> turn = turn_without_content();
    if (!turn) return at_row(error, example);
    const Json& message = messages_[*turn];
    return {ErrorKind::data,
            {.file = data::place_of(example.origin),
             .what = concat("turn ", *turn + 1, " (", message.value("role", ""), ") has tool_calls and ",
                            message.contains("content") ? "null as content" : "no content",
                            ", and the chat template cannot write that: ", error.text().what),
             .where = "",
             .hint = "give the turn a text, or name a template that writes tool_calls in data.chat_template"}};
  }

 private:
  /// What the template says against the messages; "" where it renders them.
  std::string fault(const Json& messages) const {
    try {
      render(messages, false);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }

  /// The first turn whose missing content the template stops at, whatever it refuses behind that.
  std::optional<std::size_t> turn_without_content() const {
    Json filled = messages_;
    for (Json& message : filled) {
      if (lacks_content(message)) message["content"] = "";
    }
    const std::string found = fault(messages_), otherwise = fault(filled);
    if (found.empty() || found == otherwise) return std::nullopt;
    for (std::size_t i = 0; i < messages_.size(); ++i) {
      if (!lacks_content(messages_[i])) continue;
      Json one = filled;
      one[i] = messages_[i];
      if (fault(one) != otherwise) return i;
    }
    return std::nullopt;
  }

  text::RenderedChat render(const Json& messages, bool add_generation_prompt) const {
    const Json variables = templates_.variables({.messages = messages, .tools = tools_.is_null() ? nullptr : &tools_,
                                                 .add_generation_prompt = add_generation_prompt});
    return template_.render(variables);
  }

  Json first(std::size_t count) const {
    Json messages = Json::array();
    for (std::size_t i = 0; i < count; ++i) messages.push_back(messages_[i]);
    return messages;
  }

  static Error not_nested(std::size_t message) {
    return {ErrorKind::model,
            {.file = "",
             .what = concat("which part of the rendered chat is the answer of message ", message + 1,
                            " cannot be proven: the template has no {% generation %} block, and it renders the chat up to "
                            "there otherwise than the beginning of the whole"),
             .where = "",
             .hint = "put {% generation %} … {% endgeneration %} around what the assistant writes and name the file in "
                     "data.chat_template"}};
  }

  const text::ChatTemplates& templates_;
  const text::ChatTemplate& template_;
  Json messages_;
  std::size_t prompt_messages_;
  Json tools_;
};

LearnedText prompt_and_completion(const data::Example& example) {
  const std::uint32_t begin = code_points(example.text);
  LearnedText learned{.text = example.text + *example.text_pair, .spans = {}};
  learned.spans.emplace_back(begin, begin + code_points(*example.text_pair));
  return learned;
}

}  // namespace

const text::ChatTemplate& ChatRenderer::chosen(bool with_tools, const data::Example& example) {
  std::optional<text::ChatTemplate>& parsed = with_tools ? with_tools_ : plain_;
  if (parsed) return *parsed;
  if (templates_ == nullptr || templates_->empty()) {
    throw Error(ErrorKind::model, {.file = data::place_of(example.origin), .what = "the row is a chat, and the model has no chat template",
                                   .where = "",
                                   .hint = "set data.chat_template to \"chatml\", \"alpaca\" or a file, or start from a chat model"});
  }
  parsed = templates_->choose("", with_tools);
  return *parsed;
}

LearnedText ChatRenderer::render(const data::Example& example) {
  const text::ChatTemplate& chosen_template = chosen(!example.tools.empty(), example);
  const Conversation conversation(*templates_, chosen_template, example);
  try {
    text::RenderedChat rendered = conversation.whole();
    LearnedText learned;
    learned.adds_special = false;
    learned.spans = chosen_template.marks_generation() ? conversation.marked(std::move(rendered.generation_spans)) : conversation.answers(rendered.text);
    learned.text = std::move(rendered.text);
    std::erase_if(learned.spans, [](const Span& span) { return span.first == span.second; });
    const bool at_end = !learned.spans.empty() && learned.spans.back().second > 0;
    const std::u32string points = at_end ? to_utf32(learned.text) : std::u32string();
    learned.ends_with_answer =
        at_end && std::all_of(points.begin() + learned.spans.back().second, points.end(), [](char32_t c) { return c == ' ' || c == '\n'; });
    return learned;
  } catch (const Error& error) {
    throw conversation.explained(error, example);
  }
}

std::string ChatRenderer::prompt(const data::Example& example) {
  const Conversation conversation(*templates_, chosen(!example.tools.empty(), example), example);
  try {
    return conversation.before_answer(example.awaits_answer);
  } catch (const Error& error) {
    throw conversation.explained(error, example);
  }
}

LearnedText learned_text(const data::Example& example, ChatRenderer& chats) {
  if (!example.messages.empty()) return chats.render(example);
  if (example.has_pair) return prompt_and_completion(example);
  return {.text = example.text, .spans = {}, .is_document = true};
}

std::optional<PromptedAnswer> answer_text(const data::Example& example, ChatRenderer& chats) {
  if (!example.input_ids.empty()) return std::nullopt;
  if (example.messages.empty()) {
    if (!example.has_pair) return std::nullopt;
    PromptedAnswer answer{.prompt = example.text, .reference = std::nullopt};
    if (!example.awaits_answer) answer.reference = *example.text_pair;
    return answer;
  }
  if (example.awaits_answer) return PromptedAnswer{.prompt = chats.prompt(example), .reference = std::nullopt};
  const Json messages = Json::parse(*example.messages);
  const Json& last = messages.back();
  const auto content = last.find("content");
  const bool is_answer = last.value("role", "") == "assistant" && content != last.end() && content->is_string();
  if (!is_answer || messages.size() < 2) return std::nullopt;
  return PromptedAnswer{.prompt = chats.prompt(example), .reference = content->get<std::string>()};
}

std::optional<PromptedAnswer> beginning_text(const data::Example& example, ChatRenderer& chats) {
  auto answer = answer_text(example, chats);
  if (answer || !example.input_ids.empty()) return answer;
  if (example.messages.empty()) return PromptedAnswer{.prompt = example.text, .reference = std::nullopt};
  data::Example open = example;
  open.awaits_answer = true;
  return answer_text(open, chats);
}

}  // namespace attune::task
