// See examples.h.
#include "attune/job/examples.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "attune/base/strings.h"
#include "attune/job/prepare.h"
#include "attune/report/table.h"

namespace attune::job {

namespace {

std::string token_text(const text::Tokenizer& tokenizer, std::int32_t id) {
  std::string text = tokenizer.decode({&id, 1}, /*skip_special_tokens=*/false);
  return text.empty() ? tokenizer.id_to_token(id).value_or("") : text;
}

files::Json example_of(const task::Encoded& row, const data::Origin& origin, const text::Tokenizer& tokenizer) {
  files::Json example = {{"file", std::string(origin.file)}, {"line", origin.line}, {"window", row.window}, {"cut", row.cut}, {"ids", row.ids}};
  example["tokens"] = files::Json::array();
  for (const std::int32_t id : row.ids) example["tokens"].push_back(token_text(tokenizer, id));
  if (!row.learned.empty()) example["learned"] = row.learned;
  return example;
}

std::string heading(const files::Json& example) {
  std::string text = concat(example["file"].get<std::string>(), ":", example["line"].dump());
  if (const auto window = example["window"].get<std::int64_t>(); window > 0) text += concat(", window ", window + 1);
  text += concat(": ", example["ids"].size(), " tokens");
  if (example.contains("learned")) {
    const auto learned = example["learned"].get<std::vector<int>>();
    text += concat(", ", std::count(learned.begin(), learned.end(), 1), " learned");
  }
  if (const auto cut = example["cut"].get<std::int64_t>(); cut > 0) text += concat(", ", cut, " cut off");
  return text + "\n";
}

std::string token_table(const files::Json& example) {
  const bool is_language = example.contains("learned");
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < example["ids"].size(); ++i) {
    rows.push_back({std::to_string(i), example["ids"][i].dump(), files::json_text(example["tokens"][i], -1)});
    if (is_language) rows.back().emplace_back(example["learned"][i] != 0 ? "learned" : "");
  }
  std::vector<std::string> header = {"position", "id", "token"};
  if (is_language) header.emplace_back("loss");
  return report::text_table(header, rows);
}

}  // namespace

std::vector<files::Json> examples(const RunOptions& options, std::int64_t count, const report::EventBus& events) {
  const Prepared prepared = prepare(options, events);
  const auto& [rows, encoded, key] = prepared.train;
  std::vector<files::Json> found;
  for (std::size_t i = 0; i < std::min(encoded.size(), static_cast<std::size_t>(count)); ++i) {
    const std::shared_ptr<const task::Encoded> row = encoded.get(i);
    found.push_back(example_of(*row, rows.get(static_cast<std::size_t>(row->example))->origin, *prepared.tokenizer));
  }
  return found;
}

std::string examples_text(const std::vector<files::Json>& examples) {
  std::string text;
  for (const files::Json& example : examples) text += concat(heading(example), token_table(example), "\n");
  return text;
}

}  // namespace attune::job
