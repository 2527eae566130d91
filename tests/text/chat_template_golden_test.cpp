// Every feature of the chat-template engine against Transformers' own renderer (scripts/goldens/chat_templates.py).
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "attune/base/error.h"
#include "attune/text/chat_template.h"
#include "catch.h"

using attune::text::ChatTemplate;
using Json = nlohmann::ordered_json;

namespace {

/// What the goldens' strftime_now was given: a Sunday.
std::tm golden_time() {
  std::tm now{};
  now.tm_year = 126;
  now.tm_mon = 6;
  now.tm_mday = 26;
  now.tm_hour = 12;
  return now;
}

Json outcome(const std::string& source, const Json& variables) {
  try {
    const auto chat = ChatTemplate::parse(source, "golden").render(variables, {.now = golden_time()});
    return {{"text", chat.text}, {"generation_spans", chat.generation_spans}};
  } catch (const attune::Error& error) {
    return {{"error", error.what()}};
  }
}

}  // namespace

TEST_CASE("Templates render as Transformers renders them", "[text][chat_template]") {
  std::ifstream file(std::string(ATTUNE_SOURCE_DIR) + "/tests/goldens/chat_templates/rendered.json");
  REQUIRE(file.good());
  const Json goldens = Json::parse(file);
  int texts = 0, errors = 0;
  for (const Json& golden : goldens.at("cases")) {
    INFO(golden.at("name").get<std::string>() << ": " << golden.at("template").get<std::string>());
    const Json found = outcome(golden.at("template").get<std::string>(), goldens.at("variables"));
    if (golden.contains("error")) {
      ++errors;
      INFO("the reference fails with " << golden.at("error").get<std::string>() << ", found " << found.dump());
      CHECK(found.contains("error"));
    } else {
      ++texts;
      CHECK(found.value("text", found.dump()) == golden.at("text").get<std::string>());
      CHECK(found.value("generation_spans", Json()) == golden.at("generation_spans"));
    }
  }
  CHECK(texts > 190);
  CHECK(errors > 50);
}
