// See examples.h.
#include "attune/job/examples.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "attune/base/strings.h"
#include "attune/job/prepare.h"
#include "attune/report/table.h"

namespace attune::job {

namespace {

std::string heading(const task::Encoded& row, const data::Example& example) {
  std::string text = concat(example.origin.file, ":", example.origin.line);
  if (row.window > 0) text += concat(", window ", row.window + 1);
  text += concat(": ", row.ids.size(), " tokens");
  if (!row.learned.empty()) text += concat(", ", std::count(row.learned.begin(), row.learned.end(), 1), " learned");
  if (row.cut > 0) text += concat(", ", row.cut, " cut off");
  return text + "\n";
}

std::string token_text(const text::Tokenizer& tokenizer, std::int32_t id) {
  std::string text = tokenizer.decode({&id, 1}, /*skip_special_tokens=*/false);
  if (text.empty()) text = tokenizer.id_to_token(id).value_or("");
  return files::json_text(text, -1);
}

std::string token_table(const task::Encoded& row, const text::Tokenizer& tokenizer) {
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < row.ids.size(); ++i) {
    rows.push_back({std::to_string(i), std::to_string(row.ids[i]), token_text(tokenizer, row.ids[i])});
    if (!row.learned.empty()) rows.back().emplace_back(row.learned[i] != 0 ? "learned" : "");
  }
  std::vector<std::string> header = {"position", "id", "token"};
  if (!row.learned.empty()) header.emplace_back("loss");
  return report::text_table(header, rows);
}

}  // namespace

std::string show_examples(const RunOptions& options, std::int64_t count, const report::EventBus& events) {
  const Prepared prepared = prepare(options, events);
  const std::vector<task::Encoded>& encoded = prepared.train.encoded;
  std::string text;
  for (std::size_t i = 0; i < std::min(encoded.size(), static_cast<std::size_t>(count)); ++i) {
    text += heading(encoded[i], prepared.train.examples[static_cast<std::size_t>(encoded[i].example)]);
    text += token_table(encoded[i], *prepared.tokenizer) + "\n";
  }
  return text;
}

}  // namespace attune::job
