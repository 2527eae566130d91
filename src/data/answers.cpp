// See answers.h.
#include "answers.h"

#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "attune/data/columns.h"

namespace attune::data {

namespace {

/// Byte position of the code point numbered `start`, or the text's size when it has fewer.
std::size_t byte_of(std::string_view text, std::int64_t start) {
  std::size_t position = 0;
  for (std::int64_t i = 0; i < start && position < text.size(); ++i) next_code_point(text, position);
  return position;
}

void check_place(const Record& record, const std::string& column, const Answer& answer, std::string_view context) {
  const std::string_view there = context.substr(byte_of(context, answer.start));
  if (there.starts_with(answer.text)) return;
  throw BadRow(record.origin,
               concat("the answer ", in_quotes(answer.text), " does not stand at character ", answer.start,
                      " of the context, which reads ", in_quotes(there)),
               concat("column '", column, "'"), "answer_start counts characters of the context from 0");
}

Answer one_answer(const Record& record, const std::string& column, const Field& text, const Field& start) {
  if (!text.is(Field::Kind::text) || text.text.empty()) wrong_field(record, column + ".text", text, "a text");
  Answer answer{text.text, 0};
  const double place = number_of(record, column + ".answer_start", start);
  if (!start.is(Field::Kind::integer) || place < 0 || place > 1e15) {
    wrong_field(record, column + ".answer_start", start, "a whole number from 0 on");
  }
  answer.start = static_cast<std::int64_t>(place);
  return answer;
}

const Field& member(const Record& record, const std::string& column, const Field& object, std::string_view name) {
  const Field* field = object.find(name);
  if (field != nullptr) return *field;
  throw BadRow(record.origin, concat("column '", column, "' lacks '", name, "'"), "",
               "write {\"text\": [\"…\"], \"answer_start\": [0]}");
}

}  // namespace

Answers read_answers(const Record& record, const std::string& column, std::string_view context) {
  const Field& field = *record.columns.find(column);
  Answers answers;
  if (field.is(Field::Kind::null)) return answers;
  if (field.is(Field::Kind::list)) {
    for (const Field& item : field.items) {
      answers.answers.push_back(one_answer(record, column, member(record, column, item, "text"),
                                           member(record, column, item, "answer_start")));
    }
  } else if (field.is(Field::Kind::object)) {
    const Field& texts = member(record, column, field, "text");
    const Field& starts = member(record, column, field, "answer_start");
    if (!texts.is(Field::Kind::list)) wrong_field(record, column + ".text", texts, "a list of texts");
    if (!starts.is(Field::Kind::list)) wrong_field(record, column + ".answer_start", starts, "a list of numbers");
    if (texts.items.size() != starts.items.size()) {
      throw BadRow(record.origin, concat("column '", column, "' has ", texts.items.size(), " texts and ",
                                         starts.items.size(), " starts"));
    }
    for (std::size_t i = 0; i < texts.items.size(); ++i) {
      answers.answers.push_back(one_answer(record, column, texts.items[i], starts.items[i]));
    }
  } else {
    wrong_field(record, column, field, "an object {\"text\": […], \"answer_start\": […]}");
  }
  for (const Answer& answer : answers.answers) check_place(record, column, answer, context);
  return answers;
}

}  // namespace attune::data
