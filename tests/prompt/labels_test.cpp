// Words of labels, and answers read as labels.
#include "attune/prompt/labels.h"

#include "catch.h"
#include "raises.h"
#include "support.h"

using namespace attune;
using namespace attune::prompt;

TEST_CASE("a label without words goes by its own name", "[prompt]") {
  PromptSet set = small_set();
  set.label_words["refund"] = {"money back", "refund"};
  const LabelWords words = label_words(set, {"lost_card_abroad", "refund", "3"});
  CHECK(words.labels == std::vector<std::string>{"lost_card_abroad", "refund", "3"});
  CHECK(words.words == std::vector<std::vector<std::string>>{{"lost card abroad"}, {"money back", "refund"}, {"3"}});
}

TEST_CASE("words must be of a label that there is, and of one only", "[prompt]") {
  PromptSet set = small_set();
  set.label_words["refnd"] = {"x"};
  CHECK_RAISES(label_words(set, {"refund", "lost"}), usage,
               "set.json: there is no label 'refnd' (label_words); did you mean 'refund'?");
  set.label_words.clear();
  set.label_words["a"] = {"one", "lost card"};
  CHECK_RAISES(label_words(set, {"a", "lost_card"}), usage,
               "the labels 'a' and 'lost_card' share the word 'lost card'");
  CHECK_RAISES(label_words(small_set(), {"a_b", "a b"}), usage, "share the word 'a b'");
}

TEST_CASE("a verbalizer's words take the place of the set's", "[prompt]") {
  PromptSet set = small_set();
  set.label_words["good"] = {"fine"};
  set.verbalizers = {{.name = "signs", .label_words = {{"good", {"+", "plus"}}}}, {.name = "other", .label_words = {}}};
  const std::vector<std::string> labels = {"good", "not_good"};
  using Words = std::vector<std::vector<std::string>>;
  CHECK(label_words(set, labels, "signs").words == Words{{"+", "plus"}, {"not good"}});
  CHECK(label_words(set, labels, "other").words == Words{{"fine"}, {"not good"}});
  CHECK(label_words(set, labels).words == Words{{"fine"}, {"not good"}});
  set.verbalizers[1].label_words["godo"] = {"x"};
  CHECK_RAISES(label_words(set, labels, "other"), usage,
               "set.json: there is no label 'godo' (verbalizers, 'other'); did you mean 'good'?");
  set.verbalizers[0].label_words["not_good"] = {"plus"};
  CHECK_RAISES(label_words(set, labels, "signs"), usage,
               "the labels 'good' and 'not_good' share the word 'plus' (verbalizers, 'signs')");
}

TEST_CASE("an answer is read as the label that it names", "[prompt]") {
  const LabelWords words = {.labels = {"spam", "not_spam", "unsure"},
                            .words = {{"spam", "junk"}, {"not spam", "ham"}, {"unsure", "can't say"}}};
  const auto read = [&](const std::string& answer) {
    const auto label = parse_answer(answer, words);
    return label ? words.labels[*label] : std::string("-");
  };
  CHECK(read("spam") == "spam");
  CHECK(read(" Spam.\n") == "spam");
  CHECK(read("NOT_SPAM") == "not_spam");
  CHECK(read("\"Can't say!\"") == "unsure");
  CHECK(read("Not spam, because it is from a friend") == "not_spam");
  CHECK(read("spam\n\nMessage: next\nnot spam") == "spam");
  CHECK(read("I think this is junk") == "spam");
  CHECK(read("It is not spam") == "not_spam");
  CHECK(read("It is not spam but spam-like, so: spam") == "-");
  CHECK(read("either ham or junk") == "-");
  CHECK(read("hamster") == "-");
  CHECK(read("") == "-");
  CHECK(read(" ?! ") == "-");
}

TEST_CASE("labels of signs are told apart as they are written", "[prompt]") {
  const LabelWords grades = {.labels = {"good", "bad"}, .words = {{"A+", ":)"}, {"A-", ":("}}};
  CHECK(parse_answer(" A+ ", grades) == std::optional<std::size_t>(0));
  CHECK(parse_answer("A-", grades) == std::optional<std::size_t>(1));
  CHECK(parse_answer(":(", grades) == std::optional<std::size_t>(1));
  CHECK(parse_answer("a", grades) == std::nullopt);  // both without their sign
}
