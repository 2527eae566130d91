// Templates of real models against what Transformers renders with them (the oracle beside the project).
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/text/chat_template.h"
#include "catch.h"
#include "shared.h"

using Json = nlohmann::ordered_json;

namespace {

Json read(const std::filesystem::path& path) {
  std::ifstream in(path);
  return Json::parse(in);
}

std::tm oracle_time() {
  std::tm now{};
  now.tm_year = 126;
  now.tm_mon = 6;
  now.tm_mday = 26;
  now.tm_hour = 12;
  return now;
}

/// The text, or nothing for an error.
std::optional<attune::text::RenderedChat> rendered(const attune::text::ChatTemplate& source, const Json& variables) {
  try {
    return source.render(variables, {.now = oracle_time()});
  } catch (const attune::Error&) {
    return std::nullopt;
  }
}

}  // namespace

TEST_CASE("Chat templates of real models render as in Transformers", "[text][chat_template]") {
  ATTUNE_NEEDS_SHARED(shared);
  const std::filesystem::path folder = shared + "/oracle/chat_templates";
  const Json inputs = read(folder / "_inputs.json");
  int rows = 0, files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename() == "_inputs.json") continue;
    const Json expected = read(entry.path());
    const auto source = attune::text::ChatTemplate::parse(expected.at("template").get<std::string>(), entry.path());
    ++files;
    for (const Json& row : expected.at("cases")) {
      ++rows;
      Json variables = expected.at("special_tokens");
      variables["messages"] = inputs.at("chats").at(row.at("chat").get<std::string>());
      variables["tools"] = row.at("tools").get<bool>() ? inputs.at("tools") : Json();
      variables["documents"] = Json();
      variables["add_generation_prompt"] = row.at("add_generation_prompt");
      const auto chat = rendered(source, variables);
      INFO(entry.path().filename().string() << " " << row.dump());
      CHECK(chat.has_value() == row.contains("text"));
      if (!chat || !row.contains("text")) continue;
      CHECK(chat->text == row.at("text").get<std::string>());
      CHECK(Json(chat->generation_spans) == row.at("generation_spans"));
    }
  }
  CHECK(files == 76);
  CHECK(rows == 1064);
}
