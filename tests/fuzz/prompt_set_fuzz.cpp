// libFuzzer target: a prompt set. What is accepted must dump as itself, and its wordings must write a row as valid text
// or say why not.
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

void check(const prompt::PromptSet& set) {
  constexpr std::size_t kMost = 20;
  const data::Example row = row_of("Wo ist Köln?", "yes"), example = row_of("Here: there", "no");
  const data::Example* const examples[] = {&example};
  std::size_t number = 0;
  for (const prompt::Wording& wording : prompt::wordings(set)) {
    if (++number > kMost) return;
    const prompt::PromptWriter writer(
        set, wording,
        {.kind = prompt::AnswerKind::label, .words = prompt::label_words(set, {"yes", "no"}), .mask_token = "[MASK]"});
    const prompt::PromptText prompt = writer.write(row, examples);
    if (find_invalid_utf8(prompt.text) || writer.answers().size() < 2) std::abort();
    if (set.chat && !config::Json::parse(prompt.messages).is_array()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto set = accepted(std::string(reinterpret_cast<const char*>(data), size));
  if (!set) return 0;
  const config::Json dump = config::effective(*set);
  const auto again = accepted(dump.dump());
  if (!again || config::effective(*again) != dump) std::abort();
  try {
    check(*set);
    prompt::Assertions(set->assertions, set->file).check("Sorry, no refund.", [](std::string_view) {
      return std::int64_t(5);
    });
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::usage && error.kind() != ErrorKind::data) std::abort();
  }
  return 0;
}
