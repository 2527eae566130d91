// libFuzzer target: a chat template, and behind a NUL byte the JSON object of its variables (a short conversation where
// there is none). What renders must be valid UTF-8 with spans inside it, and render to the same again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "attune/base/error.h"
#include "attune/base/utf8.h"
#include "attune/text/chat_template.h"

namespace {

using namespace attune;
using Json = nlohmann::ordered_json;

/// The variables that the seeds name: without them a template is mostly undefined values.
const Json& conversation() {
  static const Json made = Json::parse(R"({"messages": [
      {"role": "system", "content": "Be brief."},
      {"role": "user", "content": [{"type": "text", "text": "Wie heißt Köln <b>?"}, {"type": "image"}]},
      {"role": "assistant", "content": " 21.5 °C\n",
       "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1.5, "b": [true, null]}}}]}],
      "tools": null, "add_generation_prompt": true, "bos_token": "<s>", "eos_token": "</s>",
      "text": "Hello, Wörld", "umlauts": " äöü ß ΑΣ ΣΑ\t😀", "whole": 7, "real": 2.5, "nothing": null,
      "numbers": [3, 1, 2, 1], "words": ["pear", "Äpfel", "fig", "äpfel"],
      "rows": [{"k": "a", "n": 2}, {"k": "B", "n": 1}, {"k": "ß", "n": 3}, {"n": 4}],
      "tree": [{"name": "a", "children": [{"name": "b", "children": []}]}],
      "mapping": {"z": 1, "y": [1, "zwei", null, 2.5], "items": "shadowed"}, "html": "<a href='x'>&\"ö</a>",
      "large": 18446744073709551615})");
  return made;
}

Json variables_of(std::string_view text) {
  const Json given = Json::parse(text, nullptr, false);
  return given.is_object() ? given : conversation();
}

text::RenderOptions options() {
  text::RenderOptions small;
  small.now = std::tm{};
  small.limits = {.steps = 200'000, .text_bytes = 1u << 20, .depth = 400};
  return small;
}

void check(const text::RenderedChat& chat) {
  if (find_invalid_utf8(chat.text)) std::abort();
  if (chat.text.size() > options().limits.text_bytes) std::abort();
  const std::size_t length = to_utf32(chat.text).size();
  for (const auto& [begin, end] : chat.generation_spans) {
    if (begin > end || begin > length) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\0'), size);
  const Json variables = variables_of(input.substr(std::min(end + 1, size)));
  try {
    const text::ChatTemplate chat_template = text::ChatTemplate::parse(input.substr(0, end), "template");
    const text::RenderedChat chat = chat_template.render(variables, options());
    check(chat);
    if (chat_template.render(variables, options()).text != chat.text) std::abort();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::model && error.kind() != ErrorKind::data) std::abort();
  }
  return 0;
}
