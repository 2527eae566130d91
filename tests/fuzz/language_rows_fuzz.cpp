// libFuzzer target: rows of a language model. The first byte chooses the form of the file and how it is read; the rest
// is the file. What is accepted must have valid text, and chats must be lists of messages.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "attune/base/error.h"
#include "attune/base/utf8.h"
#include "attune/data/read.h"
#include "attune/files/json.h"
#include "input_folder.h"

namespace {

using namespace attune;

constexpr std::array<const char*, 4> kNames{"rows.jsonl", "rows.csv", "rows.tsv", "rows.txt"};
constexpr std::array<data::LabelNeed, 3> kNeeds{data::LabelNeed::required, data::LabelNeed::optional,
                                                data::LabelNeed::awaited};

/// Bits 0-1: form; 2-3: need; 4: skip bad rows; 5: template; 6: columns that a prompt set keeps; 7: other names of
/// columns.
data::DataOptions options_of(unsigned char bits) {
  data::DataOptions options;
  options.on_bad_row = (bits & 16) != 0 ? "skip" : "error";
  if ((bits & 32) != 0) options.template_text = "{{text}} at {{place}}";
  if ((bits & 64) != 0) options.kept_columns = {"text", "place", "amount"};
  if ((bits & 128) != 0) {
    options.columns.prompt = "plain";
    options.columns.completion = "styled";
  }
  return options;
}

void check_text(const std::string& text) {
  if (find_invalid_utf8(text)) std::abort();
}

void check_chat(const data::Example& example) {
  const files::Json messages = files::Json::parse(*example.messages);
  if (!messages.is_array() || messages.empty() || example.prompt_messages > messages.size()) std::abort();
  for (const files::Json& message : messages) {
    if (!message.is_object() || !message.value("role", files::Json()).is_string()) std::abort();
  }
  if (!example.tools.empty() && !files::Json::parse(*example.tools).is_array()) std::abort();
}

void check(const std::vector<data::Example>& examples, data::LabelNeed need) {
  for (const data::Example& example : examples) {
    check_text(example.text);
    check_text(*example.text_pair);
    check_text(example.id);
    if (!example.messages.empty()) check_chat(example);
    if (!example.columns.empty() && !files::Json::parse(*example.columns).is_object()) std::abort();
    if (example.awaits_answer && need != data::LabelNeed::awaited) std::abort();
    if (example.awaits_answer && !example.text_pair.empty()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const fuzz::InputFolder folder;
  const unsigned char bits = data[0];
  const std::string path = folder.write(kNames[bits & 3], {reinterpret_cast<const char*>(data + 1), size - 1});
  const data::LabelNeed need = kNeeds[(bits >> 2 & 3) % kNeeds.size()];
  data::ReadReport report;
  try {
    check(data::read_examples({path}, options_of(bits), data::RowKind::language, report, need), need);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::data && error.kind() != ErrorKind::usage) std::abort();
  }
  return 0;
}
