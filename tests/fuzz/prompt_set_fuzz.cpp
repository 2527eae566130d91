// libFuzzer target: a prompt set, and behind a NUL byte a text that a model wrote. What is accepted must dump as
// itself, its wordings must write a row as valid text or say why not, and its assertions and label words must read the
// text.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "attune/base/error.h"
#include "attune/base/utf8.h"
#include "attune/config/prompt_set.h"
#include "attune/prompt/assertions.h"
#include "attune/prompt/labels.h"
#include "attune/prompt/writer.h"

namespace {

using namespace attune;

std::optional<prompt::PromptSet> accepted(const std::string& text) {
  try {
    return config::parse_prompt_set(text, "fuzz.json");
  } catch (const config::ConfigError& error) {
    if (error.problems().empty() || error.lines().empty()) std::abort();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::usage) std::abort();
  }
  return std::nullopt;
}

data::Example row_of(const std::string& text, const std::string& label) {
  data::Example row;
  row.origin = {"rows.jsonl", 1};
  row.text = text;
  row.columns = std::string(R"({"shop":"Kiosk","amount":12.5,"list":[1,"zwei"]})");
  row.target = data::ClassLabel{label};
  return row;
}

/// What an assertion says of a text without any reading of words or expressions.
bool plainly_fails(const prompt::Assertion& assertion, const std::string& text) {
  const auto characters = static_cast<std::int64_t>(to_utf32(text).size());
  if (assertion.min_chars && characters < *assertion.min_chars) return true;
  if (assertion.max_chars && characters > *assertion.max_chars) return true;
  if (assertion.ignore_case) return false;
  const auto occurs = [&](const std::string& part) { return text.find(part) != std::string::npos; };
  return !std::all_of(assertion.contains.begin(), assertion.contains.end(), occurs) ||
         std::any_of(assertion.not_contains.begin(), assertion.not_contains.end(), occurs);
}

void check_text(const prompt::PromptSet& set, const std::string& text) {
  const auto failed =
      prompt::Assertions(set.assertions, set.file).check(text, [](std::string_view) { return std::int64_t(5); });
  for (const prompt::FailedAssertion& one : failed) {
    if (one.why.empty()) std::abort();
  }
  for (const prompt::Assertion& assertion : set.assertions) {
    const auto is_it = [&](const prompt::FailedAssertion& one) { return one.name == assertion.name; };
    if (plainly_fails(assertion, text) && std::none_of(failed.begin(), failed.end(), is_it)) std::abort();
  }
  const prompt::LabelWords words = prompt::label_words(set, {"yes", "no"}, prompt::wordings(set).front().verbalizer);
  if (prompt::parse_answer(text, words).value_or(0) > 1) std::abort();
  if (prompt::parse_answer(words.words[1].front(), words) != 1) std::abort();  // a label's own word
}

void check(const prompt::PromptSet& set) {
  constexpr std::size_t kMost = 20;
  const data::Example row = row_of("Wo ist Köln?", "yes"), example = row_of("Here: there", "no");
  const data::Example* const examples[] = {&example};
  std::size_t number = 0;
  for (const prompt::Wording& wording : prompt::wordings(set)) {
    if (++number > kMost) return;
    const prompt::PromptWriter writer(set, wording,
                                      {.kind = prompt::AnswerKind::label,
                                       .words = prompt::label_words(set, {"yes", "no"}, wording.verbalizer),
                                       .mask_token = "[MASK]"});
    const prompt::PromptText prompt = writer.write(row, examples);
    if (find_invalid_utf8(prompt.text) || writer.answers().size() < 2) std::abort();
    if (set.chat && !config::Json::parse(prompt.messages).is_array()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\0');
  const std::string text = end == std::string::npos ? "Sorry, no refund." : input.substr(end + 1);
  const auto set = accepted(input.substr(0, end));
  if (!set || find_invalid_utf8(text)) return 0;
  const config::Json dump = config::effective(*set);
  const auto again = accepted(dump.dump());
  if (!again || config::effective(*again) != dump) std::abort();
  try {
    check(*set);
    check_text(*set, text);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::usage && error.kind() != ErrorKind::data) std::abort();
  }
  return 0;
}
