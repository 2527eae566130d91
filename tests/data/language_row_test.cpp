// Rows of language modelling: the shapes they come in, as one list of messages or as prompt and completion.
#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/data/read.h"
#include "catch.h"
#include "raises.h"
#include "temporary_folder.h"

namespace {

using namespace attune::data;
using attune::ErrorKind;
using attune::testing::error_of;
using attune::testing::TemporaryFolder;
using Json = nlohmann::ordered_json;

std::vector<Example> read_language(const std::string& name, const std::string& content, const DataOptions& options = {}) {
  const TemporaryFolder folder;
  ReadReport report;
  return read_examples({folder.write(name, content)}, options, RowKind::language, report, LabelNeed::optional);
}

Example read_row(const Json& row, const DataOptions& options = {}) { return read_language("x.jsonl", row.dump(), options).at(0); }

std::string error_of_row(const Json& row) {
  return error_of([&] { read_language("x.jsonl", "\n" + row.dump()); }, ErrorKind::data);
}

const Json kAsked = {{"role", "user"}, {"content", "where?"}};
const Json kAnswered = {{"role", "assistant"}, {"content", "there"}};

}  // namespace

TEST_CASE("a column that was named and is missing is an error, never another shape", "[data][language]") {
  DataOptions options;
  options.columns.completion = "answr";
  options.template_text = "{{question}}";
  const std::string line = R"({"question": "where?", "answer": "there", "text": "a document"})";
  const std::string missing = error_of([&] { read_language("x.jsonl", line, options); }, ErrorKind::data);
  CHECK(missing.find("answr") != std::string::npos);
  DataOptions chats;
  chats.columns.messages = "chat";
  CHECK(error_of([&] { read_language("x.jsonl", line, chats); }, ErrorKind::data).find("chat") != std::string::npos);
}

TEST_CASE("the shape of a language row is seen from its columns", "[data][language]") {
  CHECK(read_row({{"text", "a document"}}).text == "a document");
  const Example completed = read_row({{"prompt", "Q: "}, {"completion", "A"}});
  CHECK(completed.text == "Q: ");
  CHECK(completed.text_pair == "A");
  CHECK(completed.has_pair);
  const Json messages = {kAsked, kAnswered};
  CHECK(Json::parse(*read_row({{"messages", messages}}).messages) == messages);
  const Json spoken = {{{"from", "human"}, {"value", "where?"}}, {{"from", "gpt"}, {"value", "there"}}};
  CHECK(Json::parse(*read_row({{"conversations", spoken}}).messages) == messages);
  CHECK(Json::parse(*read_row({{"instruction", "where?"}, {"input", ""}, {"output", "there"}}).messages) == messages);
  CHECK(read_row({{"messages", messages}}).text == "user: where?\nassistant: there");
}

TEST_CASE("systems, histories, inputs, tools and parts of text are kept", "[data][language]") {
  const Json history = Json::array({Json::array({"who?", "me"})});
  const Example alpaca = read_row(
      {{"instruction", "where?"}, {"input", "now"}, {"output", "there"}, {"system", "brief"}, {"history", history}});
  const Json messages = Json::parse(*alpaca.messages);
  REQUIRE(messages.size() == 5);
  CHECK(messages[0] == Json({{"role", "system"}, {"content", "brief"}}));
  CHECK(messages[2]["content"] == "me");
  CHECK(messages[3]["content"] == "where?\n\nnow");
  const Json parts = {{"role", "user"}, {"content", {{{"type", "text"}, {"text", "a"}}, {{"type", "text"}, {"value", "b"}}}}};
  CHECK(Json::parse(*read_row({{"messages", {parts, kAnswered}}}).messages)[0]["content"] == "ab");
  CHECK(read_row({{"messages", {kAsked, kAnswered}}, {"tools", "[{\"name\": \"f\"}]"}}).tools == R"([{"name":"f"}])");
}

TEST_CASE("a turn that calls tools may be without content, and the calls are kept", "[data][language]") {
  const Json calls = Json::array({{{"type", "function"}, {"function", {{"name", "find"}, {"arguments", {{"days", 1.50}}}}}}});
  for (const Json& turn : {Json({{"role", "assistant"}, {"content", nullptr}, {"tool_calls", calls}}),
                           Json({{"role", "assistant"}, {"tool_calls", calls}})}) {
    const Json messages = Json::parse(read_row({{"messages", {kAsked, turn, {{"role", "tool"}, {"content", "x"}}, kAnswered}}}).messages);
    CHECK(messages[1]["tool_calls"] == calls);
    CHECK(messages[1].value("content", Json()).is_null());
  }
  for (const Json& nothing : {Json(), Json::array()}) {
    const Json turn = {{"role", "assistant"}, {"content", nullptr}, {"tool_calls", nothing}};
    const std::string said = error_of_row({{"messages", {kAsked, turn}}});
    CHECK(said.find("x.jsonl:2: turn 2 (assistant) has neither a content nor tool_calls: content is null (messages[1]); ") != std::string::npos);
  }
  CHECK(error_of_row({{"messages", {kAsked, {{"role", "assistant"}, {"name", "a"}}}}}).find("tool_calls: it has role, name (messages[1])") != std::string::npos);
}

TEST_CASE("a prompt and a completion that are lists of messages are one chat", "[data][language]") {
  const Json system = {{"role", "system"}, {"content", "brief"}};
  const Example row = read_row({{"prompt", {system, kAsked}}, {"completion", Json::array({kAnswered})}, {"tools", Json::array({{{"name", "f"}}})}});
  CHECK(Json::parse(*row.messages) == Json({system, kAsked, kAnswered}));
  CHECK(row.prompt_messages == 2);
  CHECK(row.tools == R"([{"name":"f"}])");
  CHECK_FALSE(row.has_pair);
  CHECK(row.text == "system: brief\nuser: where?\nassistant: there");
  CHECK(read_row({{"messages", {kAsked, kAnswered}}}).prompt_messages == 0);
  const std::string half = error_of_row({{"prompt", Json::array({kAsked})}, {"completion", "there"}});
  CHECK(half.find("x.jsonl:2: column 'completion'") != std::string::npos);
  CHECK(half.find("as in 'prompt'") != std::string::npos);
  CHECK(error_of_row({{"prompt", "where?"}, {"completion", Json::array({kAnswered})}}).find("column 'prompt'") != std::string::npos);
  CHECK(error_of_row({{"prompt", Json::array()}, {"completion", Json::array({kAnswered})}}).find("'prompt' is empty") != std::string::npos);
  CHECK(error_of_row({{"prompt", Json::array({kAsked})}, {"completion", Json::array({{{"role", "assistant"}}})}}).find("completion[0]") != std::string::npos);
}

TEST_CASE("a template makes the prompt of a completion", "[data][language]") {
  DataOptions options;
  options.template_text = "Sum up: {{dialogue}}\n";
  options.columns.completion = "summary";
  const Example row = read_row({{"dialogue", "a b"}, {"summary", "a"}}, options);
  CHECK(row.text == "Sum up: a b\n");
  CHECK(row.text_pair == "a");
}

TEST_CASE("a .json file may be one list of rows, which keep their lines", "[data][language]") {
  const auto rows = read_language("x.json", "[\n {\"text\": \"a, ] \\\" b\"},\n\n {\"text\": \"c\",\n  \"more\": [{}]}\n]\n");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].text == "a, ] \" b");
  CHECK(rows[1].origin.line == 4);
  for (const char* broken : {"[{\"text\": \"a\"}", "[{\"text\": \"a\"} {\"text\": \"b\"}]", "[{\"text\": \"a\"}]]", "[{\"text\": \"a\"},]"}) {
    INFO(broken);
    CHECK_THROWS_AS(read_language("x.json", broken), attune::Error);
  }
  CHECK(error_of([] { read_language("x.json", "[{\"text\": \"a\"},\n{\"text\": \"b\"} 3]"); }, ErrorKind::data).find("x.json:2: the list of rows is not JSON; write [") != std::string::npos);
  CHECK(error_of([] { read_language("x.json", "[]"); }, ErrorKind::data).find("no rows") != std::string::npos);
}

TEST_CASE("what a row of a text file is can be chosen", "[data][language]") {
  const std::string content = "one\ntwo\n\n\nthree\n";
  DataOptions options;
  CHECK(read_language("x.txt", content, options).size() == 3);
  options.text_unit = "paragraph";
  const auto paragraphs = read_language("x.txt", content, options);
  REQUIRE(paragraphs.size() == 2);
  CHECK(paragraphs[0].text == "one\ntwo");
  CHECK(paragraphs[1].origin.line == 5);
  options.text_unit = "file";
  CHECK(read_language("x.txt", content, options).at(0).text == "one\ntwo\n\n\nthree");
}

TEST_CASE("bad chats are errors with line and place", "[data][language]") {
  CHECK(error_of_row({{"messages", Json::array()}}).find("x.jsonl:2") != std::string::npos);
  CHECK(error_of_row({{"messages", {{{"role", "user"}}}}}).find("messages[0]") != std::string::npos);
  CHECK(error_of_row({{"messages", {{{"content", "a"}}}}}).find("role") != std::string::npos);
  CHECK(error_of_row({{"conversations", {{{"from", "humann"}, {"value", "a"}}}}}).find("did you mean 'human'?") != std::string::npos);
  const Json image = {{"role", "user"}, {"content", {{{"type", "image"}, {"value", "x.png"}}}}};
  CHECK(error_of_row({{"messages", {image}}}).find("only text") != std::string::npos);
  CHECK(error_of_row({{"prompt", "a"}, {"completion", 3}}).find("completion") != std::string::npos);
}

TEST_CASE("rows whose answer is to be generated may lack it, in every shape", "[data][language]") {
  const auto read = [](const std::string& content, const DataOptions& options = {}) {
    const TemporaryFolder folder;
    ReadReport report;
    return read_examples({folder.write("x.jsonl", content)}, options, RowKind::language, report, LabelNeed::awaited).at(0);
  };
  const Example asked = read(Json({{"prompt", "where?"}}).dump());
  CHECK(asked.awaits_answer);
  CHECK(asked.has_pair);
  CHECK(asked.text == "where?");
  CHECK(asked.text_pair.empty());
  CHECK(read(R"({"prompt": "where?", "completion": null})").awaits_answer);
  const Example answered = read(Json({{"prompt", "where?"}, {"completion", "there"}}).dump());
  CHECK_FALSE(answered.awaits_answer);
  CHECK(answered.text_pair == "there");
  DataOptions templated;
  templated.template_text = "Q: {{q}}";
  templated.columns.completion = "a";
  const Example rendered = read(R"({"q": "where?"})", templated);
  CHECK(rendered.awaits_answer);
  CHECK(rendered.text == "Q: where?");
  templated.columns.completion = ColumnOptions().completion;
  CHECK(read(R"({"q": "where?"})", templated).awaits_answer);

  const Json open = Json::array({kAsked});
  for (const Json& row : {Json({{"messages", open}}), Json({{"conversations", Json::array({{{"from", "human"}, {"value", "where?"}}})}}),
                          Json({{"instruction", "where?"}}), Json({{"prompt", open}})}) {
    INFO(row.dump());
    const Example chat = read(row.dump());
    CHECK(chat.awaits_answer);
    CHECK(Json::parse(*chat.messages) == open);
  }
  CHECK_FALSE(read(Json({{"messages", {kAsked, kAnswered}}}).dump()).awaits_answer);
  CHECK_FALSE(read(R"({"text": "a document"})").awaits_answer);
  const std::string empty = error_of([&] { read(R"({"title": "x"})"); }, ErrorKind::data);
  CHECK(empty.find("nothing to go on from: neither 'prompt' nor 'messages' nor 'text'") != std::string::npos);
}

TEST_CASE("a row of half a shape is told what it lacks, any other the shapes that are known", "[data][language]") {
  const std::vector<std::pair<Json, std::string>> cases = {
      {{{"prompt", "where?"}}, "x.jsonl:2: the row has 'prompt' without 'completion' (columns: prompt)"},
      {{{"completion", "there"}, {"id", 3}}, "x.jsonl:2: the row has 'completion' without 'prompt' (columns: completion, id)"},
      {{{"instruction", "where?"}, {"input", ""}}, "x.jsonl:2: the row has 'instruction' without 'output'"},
      {{{"source", "where?"}, {"target", "there"}}, "x.jsonl:2: there is no column 'text' and none of another known shape (columns: source, target)"},
      {{{"txt", "a document"}}, "x.jsonl:2: there is no column 'text', did you mean 'txt'? and none of"}};
  for (const auto& [row, message] : cases) {
    const std::string error = error_of_row(row);
    INFO(error);
    CHECK(error.find(message) != std::string::npos);
    for (const char* shape : {"messages", "prompt and completion", "source and target", "ShareGPT", "Alpaca", "data.columns.text"}) {
      CHECK(error.find(shape) != std::string::npos);
    }
  }
  DataOptions documents;
  documents.format = "text";
  const std::string meant = error_of([&] { read_language("x.jsonl", R"({"prompt": "where?"})", documents); }, ErrorKind::data);
  CHECK(meant.find("there is no column 'text' (columns: prompt); name the right one in data.columns.text") != std::string::npos);
}
