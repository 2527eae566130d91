// The wordings of a set: all combinations, in order, with stable names and the levels of what varies.
#include "attune/prompt/wordings.h"

#include <set>

#include "catch.h"
#include "raises.h"
#include "support.h"

using namespace attune;
using namespace attune::prompt;
using Levels = std::map<std::string, std::string>;

TEST_CASE("a set in which nothing varies has one wording", "[prompt]") {
  const auto all = wordings(small_set());
  REQUIRE(all.size() == 1);
  CHECK(all[0].name == "default");
  CHECK(all[0].levels.empty());
  CHECK(all[0].instruction == "Which intent?");
  CHECK(all[0].input == "Message: {{ text }}\nIntent:");
  CHECK(all[0].answer == " {{ answer }}");
  CHECK(all[0].separator == "\n\n");
  CHECK_FALSE(all[0].examples_first);
}

TEST_CASE("wordings are all combinations of named wordings, variants and rules", "[prompt]") {
  PromptSet set = small_set();
  set.texts.instruction = {"A", "B"};
  set.texts.separator = {"\n", "\n\n"};
  set.rules.letter_case = {"as_is", "upper"};
  NamedWording full{.name = "full", .texts = {}}, brief{.name = "brief", .texts = {}};
  brief.texts.instruction = {"short"};
  brief.texts.header = {""};
  set.wordings = {full, brief};

  const auto all = wordings(set);
  std::vector<std::string> names;
  for (const Wording& wording : all) names.push_back(wording.name);
  CHECK(names ==
        std::vector<std::string>{"full/instruction=1/separator=1/as_is", "full/instruction=1/separator=1/upper",
                                 "full/instruction=1/separator=2/as_is", "full/instruction=1/separator=2/upper",
                                 "full/instruction=2/separator=1/as_is", "full/instruction=2/separator=1/upper",
                                 "full/instruction=2/separator=2/as_is", "full/instruction=2/separator=2/upper",
                                 "brief/instruction=1/separator=1/as_is", "brief/instruction=1/separator=1/upper",
                                 "brief/instruction=1/separator=2/as_is", "brief/instruction=1/separator=2/upper"});
  CHECK(all[5].levels == Levels{{"wording", "full"}, {"instruction", "2"}, {"separator", "1"}, {"case", "upper"}});
  CHECK(all[5].instruction == "B");
  CHECK(all[5].separator == "\n");
  CHECK(all[5].letter_case == "upper");
  CHECK(all[8].instruction == "short");
  CHECK(all[8].header.empty());
  CHECK(all[8].input == set.texts.input[0]);
}

TEST_CASE("punctuation goes by number, order by name", "[prompt]") {
  PromptSet set = small_set();
  set.rules.punctuation = {":", " -"};
  set.rules.order = {"header_first", "examples_first"};
  const auto all = wordings(set);
  REQUIRE(all.size() == 4);
  CHECK(all[3].name == "default/punctuation=2/examples_first");
  CHECK(all[3].levels == Levels{{"punctuation", "2"}, {"order", "examples_first"}});
  CHECK(all[3].punctuation == " -");
  CHECK(all[3].examples_first);
}

TEST_CASE("every wording is put with every verbalizer", "[prompt]") {
  PromptSet set = small_set();
  set.texts.instruction = {"A", "B"};
  set.verbalizers = {{.name = "plain", .label_words = {}}, {.name = "signs", .label_words = {}}};
  const auto all = wordings(set);
  REQUIRE(all.size() == 4);
  CHECK(all[1].name == "default/instruction=1/verbalizer=signs");
  CHECK(all[1].levels == Levels{{"instruction", "1"}, {"verbalizer", "signs"}});
  CHECK(all[1].verbalizer == "signs");
  CHECK(all[2].verbalizer == "plain");
  set.verbalizers.pop_back();
  CHECK(wordings(set)[0].name == "default/instruction=1");  // one alone varies nothing, and counts
  CHECK(wordings(set)[0].verbalizer == "plain");
}

TEST_CASE("a single named wording is called by its name", "[prompt]") {
  PromptSet set = small_set();
  set.wordings.push_back({.name = "only", .texts = {}});
  CHECK(wordings(set)[0].name == "only");
  CHECK(wordings(set)[0].levels.empty());
}

TEST_CASE("more than 10,000 wordings are refused before they are made", "[prompt]") {
  PromptSet set = small_set();
  for (int i = 1; i < 100; ++i) {
    set.texts.instruction.push_back("i" + std::to_string(i));
    set.texts.tone.push_back("t" + std::to_string(i));
  }
  const auto all = wordings(set);
  CHECK(all.size() == 10'000);
  std::set<std::string> names;
  for (const Wording& wording : all) names.insert(wording.name);
  CHECK(names.size() == all.size());
  set.texts.background.push_back("b");
  CHECK_RAISES(wordings(set), usage, "set.json: the prompt set has more than 10000 wordings");
  set.texts.header = set.texts.input = set.texts.answer = set.texts.separator =
      set.texts.tone;  // 100^6 overflow nothing
  CHECK_RAISES(wordings(set), usage, "more than 10000 wordings");
}
