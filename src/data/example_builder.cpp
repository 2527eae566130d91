// See example_builder.h.
#include "attune/data/example_builder.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "answers.h"
#include "attune/base/strings.h"
#include "attune/data/columns.h"
#include "attune/data/time_value.h"
#include "field_json.h"
#include "language_row.h"

namespace attune::data {

ExampleBuilder::ExampleBuilder(const DataOptions& options, RowKind kind, LabelNeed need)
    : options_(options), kind_(kind), need_(need) {
  if (!options.template_text.empty()) template_.emplace(options.template_text);
}

Example ExampleBuilder::build(const Record& record, std::int64_t row) const {
  Example example;
  example.row = row;
  example.origin = record.origin;
  example.id = std::to_string(row);
  read_keys(record, example);
  if (!options_.kept_columns.empty()) keep_columns(record, example);
  switch (kind_) {
    case RowKind::classification:
      read_text(record, example);
      if (const Field* label = label_field(record, options_.columns.label, "data.columns.label")) {
        example.target = read_label(record, *label);
      }
      break;
    case RowKind::masked_lm:
      read_text(record, example);
      break;
    case RowKind::token_labels:
      read_words(record, example);
      break;
    case RowKind::span_qa:
      read_question(record, example);
      break;
    case RowKind::language:
      read_language(record, example);
      break;
  }
  return example;
}

void ExampleBuilder::read_keys(const Record& record, Example& example) const {
  const ColumnOptions& columns = options_.columns;
  if (columns.id) {
    example.id = key_of(record, {*columns.id, "data.columns.id"});
  } else if (const Field* own = record.columns.find("id"); own != nullptr && !own->text.empty()) {
    example.id = own->text;
  }
  if (columns.group) example.group = key_of(record, {*columns.group, "data.columns.group"});
  if (columns.time) {
    example.time = key_of(record, {*columns.time, "data.columns.time"});
    TimeValue time;
    if (!parse_time(*example.time, time)) {
      wrong_field(record, *columns.time, *record.columns.find(*columns.time),
                  "a number or a date like 2026-11-23 or 2026-11-23T14:05:00Z");
    }
  }
  if (columns.weight) {
    const Field& field = require(record, {*columns.weight, "data.columns.weight"});
    example.weight = number_of(record, *columns.weight, field);
    if (example.weight <= 0) wrong_field(record, *columns.weight, field, "a weight above 0");
  }
}

void ExampleBuilder::keep_columns(const Record& record, Example& example) const {
  files::Json kept = files::Json::object();
  for (const std::string& name : options_.kept_columns) {
    const Field* field = record.columns.find(name);
    if (field != nullptr && !field->is(Field::Kind::null)) kept[name] = to_json(*field);
  }
  if (!kept.empty()) example.columns = kept.dump();
}

void ExampleBuilder::read_text(const Record& record, Example& example) const {
  const ColumnOptions& columns = options_.columns;
  if (!template_ && record.columns.find("input_ids") != nullptr) return read_ids(record, example);
  example.text = template_ ? template_->render(record) : text_of(record, {columns.text, "data.columns.text"});
  if (trim(example.text).empty()) throw BadRow(record.origin, "the text that data.template gives is empty");
  if (kind_ == RowKind::classification && columns.text_pair) {
    example.text_pair = text_of(record, {*columns.text_pair, "data.columns.text_pair"});
    example.has_pair = true;
  }
}

void ExampleBuilder::read_ids(const Record& record, Example& example) const {
  example.input_ids = ids_of(record, "input_ids", *record.columns.find("input_ids"));
  if (example.input_ids.empty()) throw BadRow(record.origin, "column 'input_ids' is empty");
  if (const Field* types = record.columns.find("token_type_ids")) {
    example.token_type_ids = ids_of(record, "token_type_ids", *types);
    if (example.token_type_ids.size() != example.input_ids.size()) {
      throw BadRow(record.origin, concat("token_type_ids has ", example.token_type_ids.size(),
                                         " numbers, input_ids has ", example.input_ids.size()));
    }
  }
  if (const Field* mask = record.columns.find("attention_mask")) {
    const auto values = ids_of(record, "attention_mask", *mask);
    const bool padded = values.size() != example.input_ids.size() ||
                        std::any_of(values.begin(), values.end(), [](std::int32_t value) { return value != 1; });
    if (padded) {
      throw BadRow(record.origin, "attention_mask is not one 1 for each of input_ids", "",
                   "write rows without padding");
    }
  }
}

void ExampleBuilder::read_words(const Record& record, Example& example) const {
  const ColumnOptions& columns = options_.columns;
  example.words = names_of(record, columns.words, require(record, {columns.words, "data.columns.words"}));
  if (example.words.empty()) throw BadRow(record.origin, concat("column '", columns.words, "' is empty"));
  const Field* tags = label_field(record, columns.tags, "data.columns.tags");
  if (tags == nullptr) return;
  TokenTags target{names_of(record, columns.tags, *tags)};
  if (target.tags.size() != example.words.size()) {
    throw BadRow(record.origin, concat("column '", columns.tags, "' has ", target.tags.size(), " tags for the ",
                                       example.words.size(), " words of '", columns.words, "'"));
  }
  example.target = std::move(target);
}

void ExampleBuilder::read_question(const Record& record, Example& example) const {
  const ColumnOptions& columns = options_.columns;
  example.text = text_of(record, {columns.question, "data.columns.question"});
  example.text_pair = text_of(record, {columns.context, "data.columns.context"});
  example.has_pair = true;
  const Field* answers = record.columns.find(columns.answers);
  if (answers == nullptr && need_ != LabelNeed::required) return;
  require(record, {columns.answers, "data.columns.answers"});
  example.target = read_answers(record, columns.answers, *example.text_pair);
}

void ExampleBuilder::read_language(const Record& record, Example& example) const {
  const ColumnOptions& columns = options_.columns;
  const bool awaits = need_ == LabelNeed::awaited;
  const LanguageFormat format = language_format(record, options_, {.has_template = template_.has_value(), .awaits_answer = awaits});
  if (format == LanguageFormat::text) {
    if (awaits && !template_) check_beginning(record);
    if (!template_) check_layout(record);
    return read_text(record, example);
  }
  if (format != LanguageFormat::prompt_completion) return read_chat(record, format, {columns, awaits}, example);
  example.awaits_answer = awaits && !has_text(record, columns.completion);
  if (!template_ && completes_chat(record, columns)) return read_chat_completion(record, columns, example);
  example.text = template_ ? template_->render(record) : text_of(record, {columns.prompt, "data.columns.prompt"});
  if (!example.awaits_answer) example.text_pair = text_of(record, {columns.completion, "data.columns.completion"});
  example.has_pair = true;
}

/// A row from which a text is to go on has something to go on from.
void ExampleBuilder::check_beginning(const Record& record) const {
  const ColumnOptions& columns = options_.columns;
  if (record.columns.find(columns.text) != nullptr || record.columns.find("input_ids") != nullptr) return;
  throw BadRow(record.origin, concat("there is nothing to go on from: neither '", columns.prompt, "' nor '", columns.messages, "' nor '", columns.text, "'"),
               "data.columns", "columns: " + list_names(record.columns.keys));
}

/// A row without a text that no other shape fits: half of a shape, or none that is known.
void ExampleBuilder::check_layout(const Record& record) const {
  const ColumnOptions& columns = options_.columns;
  const auto has = [&](const std::string& column) { return record.columns.find(column) != nullptr; };
  const bool names_text = options_.format != "auto" || columns.text != ColumnOptions().text;
  if (names_text || has(columns.text) || has("input_ids")) return;
  std::string what = concat("there is no column '", columns.text, "'", did_you_mean(columns.text, record.columns.keys),
                            " and none of another known shape");
  const auto tell_of_half = [&](const std::string& there, const std::string& missing) {
    if (has(there) && !has(missing)) what = concat("the row has '", there, "' without '", missing, "'");
  };
  tell_of_half("instruction", "output");
  tell_of_half(columns.completion, columns.prompt);
  tell_of_half(columns.prompt, columns.completion);
  throw BadRow(record.origin, what, "columns: " + list_names(record.columns.keys), std::string(kKnownShapes));
}

const Field* ExampleBuilder::label_field(const Record& record, const std::string& column,
                                         std::string_view option) const {
  if (need_ == LabelNeed::required) return &require(record, {column, option});
  const Field* field = record.columns.find(column);
  if (field == nullptr || field->is(Field::Kind::null)) return nullptr;
  const bool empty_cell = !record.typed && options_.labels != "multi" && field->text.empty();
  return empty_cell ? nullptr : field;
}

Target ExampleBuilder::read_label(const Record& record, const Field& label) const {
  const std::string& column = options_.columns.label;
  const std::string& wanted = options_.labels;
  if (wanted == "regression") return Value{number_of(record, column, label)};
  if (wanted == "multi" && !record.typed) {
    LabelSet set;
    if (trim(label.text).empty()) return set;
    for (const std::string& name : split(label.text, '|')) {
      if (trim(name).empty()) wrong_field(record, column, label, "names with | between them");
      set.names.emplace_back(trim(name));
    }
    return set;
  }
  if (wanted == "multi" || (wanted == "auto" && label.is(Field::Kind::list))) {
    return LabelSet{names_of(record, column, label)};
  }
  if (label.is(Field::Kind::real)) {
    const double number = number_of(record, column, label);
    if (wanted == "auto") return Value{number};
    if (number != std::floor(number)) wrong_field(record, column, label, "a class", "set data.labels to regression");
    return ClassLabel{format_number(number)};
  }
  return ClassLabel{class_name(record, column, label)};
}

}  // namespace attune::data
