// See writer.h.
#include "attune/prompt/writer.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/data/record.h"
#include "attune/files/json.h"
#include "attune/text/template.h"
#include "literal_rules.h"

namespace attune::prompt {

namespace {

using files::Json;
using text::Template;

constexpr const char* kMask = "mask";
/// What the input is given beside the row's columns.
constexpr std::array<const char*, 3> kOwnVariables = {"text", "text_pair", kMask};

bool is_named(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// "intents.json: input of wording 'short'".
std::string origin_of(const PromptSet& set, const Wording& wording, const char* key) {
  return concat(set.file, set.file.empty() ? "" : ": ", key, " of wording '", wording.name, "'");
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

[[noreturn]] void bad_row(const data::Example& row, std::string what, std::string where = "", std::string hint = "") {
  throw data::BadRow(row.origin, std::move(what), std::move(where), std::move(hint));
}

}  // namespace

std::vector<std::string> columns_of(const PromptSet& set, const data::ColumnOptions& columns, AnswerKind kind) {
  const std::string& answer = kind == AnswerKind::label ? columns.label : columns.completion;
  std::vector<std::string> named;
  for (const Wording& wording : wordings(set)) {
    const std::string origin = origin_of(set, wording, "input");
    const Template input = Template::parse(wording.input, origin);
    for (const std::string& name : input.names()) {
      if (std::find(kOwnVariables.begin(), kOwnVariables.end(), name) != kOwnVariables.end()) continue;
      if (name == answer) {
        throw Error(ErrorKind::usage,
                    {.file = origin,
                     .what = concat("the input names the column '", name, "', which holds the answer"),
                     .where = "",
                     .hint = "show only what is known before the answer"});
      }
      if (!is_named(named, name)) named.push_back(name);
    }
  }
  return named;
}

std::string header_of(const PromptSet& set, const Wording& wording) {
  return Template::parse(wording.header, origin_of(set, wording, "header"))
      .render({{"instruction", wording.instruction}, {"background", wording.background}, {"tone", wording.tone}});
}

struct PromptWriter::Parts {
  Parts(const PromptSet& set, const Wording& wording, WriterSettings given);

  Json variables_of(const data::Example& row) const;
  std::string input_of(const data::Example& row, const std::string& in_gap) const;
  std::string answer_text(const Json& answer) const;
  std::string word_of(const data::Example& row) const;
  std::string raw_answer_of(const data::Example& row) const;
  std::string answer_of(const data::Example& row) const { return answer_text(raw_answer_of(row)); }
  std::string whole_text(const data::Example& row, ExampleList examples) const;
  Json messages(const data::Example& row, ExampleList examples) const;
  void check_gap(const data::Example& row, const std::string& text) const;

  WriterSettings settings;
  bool is_chat;
  bool examples_first;
  std::string separator;
  Template input, answer;
  std::string input_origin;
  bool has_gap;
  std::string header;
  std::vector<Continuation> continuations;
};

PromptWriter::Parts::Parts(const PromptSet& set, const Wording& wording, WriterSettings given)
    : settings(std::move(given)),
      is_chat(set.chat),
      examples_first(wording.examples_first),
      separator(wording.separator),
      input(Template::parse(wording.input, origin_of(set, wording, "input"), literal_rule(wording))),
      answer(Template::parse(wording.answer, origin_of(set, wording, "answer"), literal_rule(wording))),
      input_origin(origin_of(set, wording, "input")),
      has_gap(is_named(input.names(), kMask)) {
  if (has_gap && settings.mask_token.empty()) {
    throw Error(ErrorKind::usage, {.file = input_origin,
                                   .what = "the input has a gap, the model has no mask token",
                                   .where = "",
                                   .hint = "take a model that fills gaps (fill-mask), or remove {{ mask }}"});
  }
  header = header_of(set, wording);
  if (settings.kind == AnswerKind::text) return;
  for (std::size_t label = 0; label < settings.words.labels.size(); ++label) {
    for (const std::string& word : settings.words.words[label]) {
      continuations.push_back({label, word, answer_text(word)});
      if (!trim(continuations.back().text).empty()) continue;
      throw Error(ErrorKind::usage, {.file = origin_of(set, wording, "answer"),
                                     .what = concat("the word '", word, "' of the label '",
                                                    settings.words.labels[label], "' becomes an empty answer"),
                                     .where = "",
                                     .hint = "let the template write {{ answer }}"});
    }
  }
}

Json PromptWriter::Parts::variables_of(const data::Example& row) const {
  if (!row.messages.empty())
    bad_row(row, "the row is a chat, a prompt set needs texts", "", "give prompt and completion, or text and label");
  Json variables = row.columns.empty() ? Json::object() : Json::parse(*row.columns);
  if (!row.text.empty()) variables["text"] = row.text;
  if (row.has_pair && settings.kind == AnswerKind::label) variables["text_pair"] = *row.text_pair;
  return variables;
}

std::string PromptWriter::Parts::input_of(const data::Example& row, const std::string& in_gap) const {
  Json variables = variables_of(row);
  if (has_gap) variables[kMask] = in_gap;
  try {
    return input.render(variables);
  } catch (const text::UndefinedVariable& error) {
    bad_row(row, concat("there is no value for '", error.name(), "'"), input_origin,
            concat("give the column to every row, or write {{ ", error.name(), " | default('') }}"));
  } catch (const Error& error) {
    bad_row(row, error.text().what, input_origin, error.text().hint);
  }
}

std::string PromptWriter::Parts::answer_text(const Json& raw) const {
  const std::string text = answer.render({{"answer", raw}});
  return is_chat || has_gap ? std::string(trim(text)) : text;
}

std::string PromptWriter::Parts::word_of(const data::Example& row) const {
  const auto* label = std::get_if<data::ClassLabel>(&row.target);
  if (label == nullptr) bad_row(row, "an example needs one class, the row has none");
  const auto& labels = settings.words.labels;
  const auto found = std::find(labels.begin(), labels.end(), label->name);
  if (found == labels.end())
    bad_row(row, concat("there is no label ", data::in_quotes(label->name), data::did_you_mean(label->name, labels)));
  return settings.words.words[static_cast<std::size_t>(found - labels.begin())].front();
}

std::string PromptWriter::Parts::raw_answer_of(const data::Example& row) const {
  if (settings.kind == AnswerKind::label) return word_of(row);
  if (!row.has_pair || row.awaits_answer) bad_row(row, "an example needs an answer, the row has none");
  return *row.text_pair;
}

/// The mask token stands exactly where the row's gap is.
void PromptWriter::Parts::check_gap(const data::Example& row, const std::string& text) const {
  const std::size_t found = count_of(text, settings.mask_token);
  if (found != 1)
    bad_row(row, concat("the prompt holds ", settings.mask_token, " ", found, " times, one gap was expected"),
            input_origin, "no text of a row may hold it, and the input names mask once");
}

std::string PromptWriter::Parts::whole_text(const data::Example& row, ExampleList examples) const {
  std::vector<std::string> parts;
  if (!header.empty() && !examples_first) parts.push_back(header);
  for (const data::Example* example : examples) {
    const std::string said = answer_of(*example);
    parts.push_back(has_gap ? input_of(*example, said) : input_of(*example, "") + said);
  }
  if (!header.empty() && examples_first) parts.push_back(header);
  parts.push_back(input_of(row, settings.mask_token));
  std::string text = join(parts, separator);
  if (has_gap) check_gap(row, text);
  return text;
}

Json PromptWriter::Parts::messages(const data::Example& row, ExampleList examples) const {
  Json turns = Json::array();
  const auto add = [&](const char* role, std::string content) {
    turns.push_back({{"role", role}, {"content", std::move(content)}});
  };
  if (!header.empty() && !examples_first) add("system", header);
  for (const data::Example* example : examples) {
    add("user", input_of(*example, ""));
    add("assistant", answer_of(*example));
  }
  std::string asked = input_of(row, "");
  if (!header.empty() && examples_first) asked = header + separator + asked;
  add("user", std::move(asked));
  return turns;
}

PromptWriter::PromptWriter(const PromptSet& set, const Wording& wording, WriterSettings settings)
    : parts_(std::make_shared<const Parts>(set, wording, std::move(settings))) {}

PromptText PromptWriter::write(const data::Example& row, ExampleList examples) const {
  PromptText prompt;
  if (parts_->is_chat) {
    prompt.messages = files::json_text(parts_->messages(row, examples), -1);
  } else {
    prompt.text = parts_->whole_text(row, examples);
  }
  return prompt;
}

std::string PromptWriter::answer_of(const data::Example& row) const {
  return parts_->answer_of(row);
}

const std::vector<Continuation>& PromptWriter::answers() const {
  return parts_->continuations;
}

bool PromptWriter::fills_gap() const {
  return parts_->has_gap;
}

FittedPrompt fit_prompt(const PromptWriter& writer, const data::Example& row, ExampleList examples,
                        const std::function<bool(const PromptText&)>& fits) {
  FittedPrompt fitted;
  while (true) {
    fitted.prompt = writer.write(row, examples.subspan(fitted.dropped));
    fitted.fits = fits(fitted.prompt);
    if (fitted.fits || fitted.dropped == examples.size()) return fitted;
    ++fitted.dropped;
  }
}

}  // namespace attune::prompt
