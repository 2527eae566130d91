// The file of a prompt set: read, refused with everything that is wrong, dumped, described; and those that are shipped.
#include "attune/config/prompt_set.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "attune/base/strings.h"
#include "attune/data/labels.h"
#include "attune/data/read.h"
#include "attune/prompt/examples.h"
#include "attune/prompt/writer.h"
#include "catch.h"
#include "raises.h"
#include "temporary_folder.h"

using namespace attune;
using namespace attune::config;

namespace {

std::string set_problems(const std::string& text) {
  try {
    parse_prompt_set(text, "set.json");
  } catch (const ConfigError& error) {
    return error.lines();
  }
  return "";
}

std::string content_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

constexpr const char* kFullSet = R"({
  // every key
  "about": "a", "instruction": ["A", "B"], "background": "b", "tone": "t", "header": "{{ instruction }}",
  "input": "{{ text }} {{ shop }}", "answer": ": {{ answer }}", "separator": "\n", "chat": true,
  "label_words": {"x": "one", "y": ["two", "three"]},
  "verbalizers": {"name": "v", "label_words": {"x": "eins"}},
  "wordings": [{"name": "short", "instruction": "C", "header": ""}, {"name": "long"}],
  "rules": {"case": "lower", "punctuation": [":", " -"], "order": ["examples_first"]},
  "assertions": {"name": "n", "contains": "c", "matches": ["m"], "max_words": 7, "unwanted_words": ["u"], "ignore_case": false}
})";

}  // namespace

TEST_CASE("a prompt set is read with all its keys", "[config][prompt]") {
  const prompt::PromptSet set = parse_prompt_set(kFullSet, "set.json");
  CHECK(set.file == "set.json");
  CHECK(set.texts.instruction == std::vector<std::string>{"A", "B"});
  CHECK(set.texts.input == std::vector<std::string>{"{{ text }} {{ shop }}"});
  CHECK(set.chat);
  CHECK(set.label_words.at("x") == std::vector<std::string>{"one"});
  CHECK(set.label_words.at("y") == std::vector<std::string>{"two", "three"});
  REQUIRE(set.verbalizers.size() == 1);
  CHECK(set.verbalizers[0].name == "v");
  CHECK(set.verbalizers[0].label_words.at("x") == std::vector<std::string>{"eins"});
  REQUIRE(set.wordings.size() == 2);
  CHECK(set.wordings[0].texts.header == std::vector<std::string>{""});
  CHECK(set.wordings[1].name == "long");
  CHECK(set.wordings[1].texts.header.empty());
  CHECK(set.rules.letter_case == std::vector<std::string>{"lower"});
  REQUIRE(set.assertions.size() == 1);
  CHECK(set.assertions[0].max_words == 7);
  CHECK_FALSE(set.assertions[0].ignore_case);
  CHECK(prompt::wordings(set).size() == 6);
}

TEST_CASE("an empty prompt set shows the text and answers with the label", "[config][prompt]") {
  const prompt::PromptSet set = parse_prompt_set("{}", "set.json");
  CHECK(set.texts.input == std::vector<std::string>{"{{ text }}"});
  CHECK(prompt::wordings(set).size() == 1);
}

TEST_CASE("the dump of a prompt set reads back as the same", "[config][prompt]") {
  for (const std::string& text : {std::string(kFullSet), std::string("{}")}) {
    const Json dump = effective(parse_prompt_set(text, "set.json"));
    CHECK(effective(parse_prompt_set(dump.dump(), "set.json")) == dump);
  }
  const Json full = effective(parse_prompt_set(kFullSet, "s"));
  CHECK(full.at("wordings").at(0).at("instruction") == Json::array({"C"}));
  CHECK(full.at("label_words") == Json::parse(R"({"x": ["one"], "y": ["two", "three"]})"));
  CHECK(full.at("verbalizers").at(0).at("label_words") == Json::parse(R"({"x": ["eins"]})"));
  CHECK(full.at("assertions").at(0).at("max_words") == 7);
}

TEST_CASE("all that is wrong with a prompt set is told at once, by its place", "[config][prompt]") {
  CHECK(set_problems(R"({"instuction": "x", "chat": 1, "separator": [], "tone": ["a", "a"],
      "input": ["{{ text }}", "{{ text", "plain"], "header": "{{ instruktion }}", "answer": "none",
      "wordings": [{"name": "a", "inputt": "x"}, {"instruction": 3}], "rules": {"case": ["title"], "order": []},
      "label_words": {"x": ["one", " "], "y": "one", "z": []}})") ==
        R"(set.json: 16 problems
  - unknown key 'instuction' (instuction); did you mean 'instruction'?
  - found 1, expected true or false (chat)
  - unknown key 'inputt' (wordings[0].inputt); did you mean 'input'?
  - required key 'name' is missing (wordings[1].name); How results name the wording.
  - found 3, expected a text, or a list of such (wordings[1].instruction)
  - found ["title"], expected one of "as_is", "lower", "upper", or a list of such (rules.case)
  - found 'a' twice (tone); remove one of them
  - the template names 'instruktion', it is given instruction, background, tone (header); did you mean 'instruction'?
  - the template does not name the answer (answer); write {{ answer }} where it stands
  - found the end of the template, expected '}}', line 1 (input[1])
  - the template shows nothing of the row (input[2]); name its text as {{ text }}, or columns
  - found an empty list (separator); give at least one text
  - found an empty word (label_words.x); give a text that the model can answer
  - the word 'one' is the label 'x' too (label_words.y); give each label words of its own
  - the label has no words (label_words.z); give one, or leave the label out
  - found an empty list (rules.order); give at least one value, or leave the key out)");
}

TEST_CASE("the wordings and assertions of a set are checked too", "[config][prompt]") {
  CHECK(set_problems(R"({"chat": true, "wordings": [
      {"name": "a", "input": "{{ text }} {{ mask }}"}, {"name": "a", "answer": ["{{ answer }}", "{{ word }}"]}]})") ==
        R"(set.json: 3 problems
  - a chat has no gap to be filled (wordings[0].input); remove {{ mask }}, or "chat": true
  - two wordings are called 'a' (wordings[1].name); rename one
  - the template names 'word', it is given answer (wordings[1].answer[1]))");
  CHECK(set_problems(R"({"verbalizers": [
      {"name": "a", "label_words": {"x": "one", "y": ["one", ""]}}, {"name": "a", "label_words": {"z": []}}]})") ==
        R"(set.json: 4 problems
  - the word 'one' is the label 'x' too (verbalizers[0].label_words.y); give each label words of its own
  - found an empty word (verbalizers[0].label_words.y); give a text that the model can answer
  - two verbalizers are called 'a' (verbalizers[1].name); rename one
  - the label has no words (verbalizers[1].label_words.z); give one, or leave the label out)");
  CHECK(set_problems(R"({"assertions": [{"name": "a"}, {"name": "a", "contains": ["x", ""], "matches": "(",
      "min_words": 5, "max_words": 4, "wanted_words": "?!"}]})") ==
        R"(set.json: 6 problems
  - the assertion asks for nothing (assertions[0].name); give contains, matches, max_words, …
  - two assertions are called 'a' (assertions[1].name); rename one
  - found an empty text (assertions[1].contains); every text contains it; remove it
  - '(' is no regular expression: missing closing parenthesis (assertions[1].matches)
  - found '?!', which has no letters (assertions[1].wanted_words); give a word, or use contains
  - found 4, the least is 5 (assertions[1].max_words); no text can be so)");
  CHECK_RAISES(parse_prompt_set("[]", "set.json"), usage, "set.json: the prompt set is not a JSON object");
  CHECK_RAISES(parse_prompt_set(R"({"wordings": 3})", "set.json"), usage,
               "set.json: found 3, expected an object, or a list of such (wordings)");
  CHECK_RAISES(parse_prompt_set(R"({"wordings": [3]})", "set.json"), usage,
               "found [3], expected an object, or a list of such");
  CHECK_RAISES(parse_prompt_set(R"({"wordings": {"name": "a/b"}})", "set.json"), usage,
               "found \"a/b\", expected a text without / and = (wordings[0].name)");
  CHECK_RAISES(parse_prompt_set(R"({"label_words": {"x": 3}})", "set.json"), usage,
               "found an object, expected an object of texts or lists of texts (label_words)");
  CHECK_RAISES(load_prompt_set("/nowhere.json"), usage, "/nowhere.json: ");
}

TEST_CASE("other names of a key are taken", "[config][prompt]") {
  const prompt::PromptSet set =
      parse_prompt_set(R"({"template": "{{ text }}!", "verbalizer": {"x": "one"}})", "set.json");
  CHECK(set.texts.input == std::vector<std::string>{"{{ text }}!"});
  CHECK(set.label_words.at("x") == std::vector<std::string>{"one"});
}

TEST_CASE("the schema of prompt sets knows what is in their lists", "[config][prompt]") {
  const Json all = prompt_set_schema();
  CHECK(all.at("properties").at("wordings").at("items").at("properties").at("instruction").at("anyOf").size() == 2);
  CHECK(all.at("properties").at("wordings").at("items").at("required") == Json::array({"name"}));
  CHECK(all.at("properties").at("rules").at("properties").contains("case"));
  CHECK_FALSE(all.contains("required"));
}

TEST_CASE("docs/prompts.md explains every key", "[config][prompt]") {
  const std::string path = ATTUNE_SOURCE_DIR "/docs/prompts.md";
  std::string page = content_of(path);
  const std::size_t keys = page.find("## Keys\n");
  REQUIRE(keys != std::string::npos);
  if (std::getenv("ATTUNE_UPDATE_DOCS") != nullptr) {
    page = page.substr(0, keys) + prompt_set_documentation();
    std::ofstream(path) << page;
  }
  INFO("renew it: ATTUNE_UPDATE_DOCS=1 build/dev/tests/attune_plain_tests [config]");
  CHECK((page.substr(keys) == prompt_set_documentation()));
  for (const char* heading : {"### `rules`", "### `verbalizers[…]`", "### `wordings[…]`", "### `assertions[…]`"}) {
    CHECK(page.find(heading) != std::string::npos);
  }
}

namespace {

/// The rows of a shipped set's data, with the columns that it shows.
struct Shipped {
  Shipped(const std::string& name, const std::string& folder, data::ColumnOptions columns = {})
      : set(load_prompt_set(ATTUNE_SOURCE_DIR "/configs/prompts/" + name)) {
    data::DataOptions options;
    options.columns = std::move(columns);
    options.kept_columns = prompt::columns_of(set, options.columns, prompt::AnswerKind::label);
    data::ReadReport report;
    train = data::read_examples({ATTUNE_SOURCE_DIR "/data/" + folder + "/train.jsonl"}, options,
                                data::RowKind::classification, report);
    test = data::read_examples({ATTUNE_SOURCE_DIR "/data/" + folder + "/test.jsonl"}, options,
                               data::RowKind::classification, report);
    words = prompt::label_words(set, data::collect_labels(train).names);
  }

  /// The first test row behind `k` examples.
  std::string first_prompt(const prompt::Wording& wording, std::int64_t k) const {
    prompt::ExamplePool pool(train);
    pool.forbid_texts_of(test);
    prompt::FewShotOptions shots;
    shots.k = k;
    const auto chosen = prompt::choose_examples(pool, test[0], shots);
    const prompt::PromptWriter writer(set, wording, {.kind = prompt::AnswerKind::label, .words = words});
    return writer.write(test[0], prompt::examples_at(pool, chosen)).text;
  }

  prompt::PromptSet set;
  std::vector<data::Example> train, test;
  prompt::LabelWords words;
};

}  // namespace

TEST_CASE("the shipped prompt sets write their data", "[config][prompt]") {
  const Shipped intents("intents.json", "intents");
  data::ColumnOptions columns;
  columns.text = "note";
  columns.label = "outcome";
  const Shipped triage("triage.json", "triage", columns);
  CHECK(prompt::wordings(intents.set).size() == 12);
  CHECK(prompt::wordings(triage.set).size() == 4);
  CHECK(intents.words.labels.size() == 16);
  CHECK(triage.words.labels.size() == 4);
  for (const Shipped* shipped : {&intents, &triage}) {
    for (const prompt::Wording& wording : prompt::wordings(shipped->set)) {
      INFO(wording.name);
      const std::string text = shipped->first_prompt(wording, 4);
      CHECK(text.find(shipped->test[0].text) != std::string::npos);
      CHECK(text.find(wording.instruction) != std::string::npos);
      CHECK_FALSE(text.ends_with(' '));
    }
  }
  const std::string page = content_of(ATTUNE_SOURCE_DIR "/docs/prompts.md");
  CHECK_THAT(page,
             ContainsSubstring("```\n" + intents.first_prompt(prompt::wordings(intents.set).front(), 2) + "\n```"));
}
