// Predictions of methods as lines: written, read again, refused where they are another's.
#include "../../src/study/answer_files.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "catch.h"
#include "raises.h"
#include "temporary_folder.h"

using namespace attune;
using namespace attune::study;

namespace {

const data::LabelMap kLabels{.kind = data::TargetKind::single, .names = {"card", "refund"}};

std::vector<data::Example> two_rows() {
  std::vector<data::Example> rows(2);
  rows[0].id = "a";
  rows[0].target = data::ClassLabel{"refund"};
  rows[1].id = "b";
  rows[1].target = data::ClassLabel{"card"};
  for (std::size_t i = 0; i < 2; ++i) rows[i].origin = {"test.jsonl", static_cast<std::int64_t>(i) + 1};
  return rows;
}

}  // namespace

TEST_CASE("answers are read as they were written, to the bit", "[study][compare]") {
  const testing::TemporaryFolder folder;
  const Answers answers{.predicted = {1, 0}, .probabilities = {1.0 / 3, 2.0 / 3, 0.1 + 0.2, 1 - (0.1 + 0.2)}};
  const std::string path = folder.write("answers.jsonl", answer_lines(answers, kLabels, two_rows()));
  const Answers read = read_answers(path, kLabels, two_rows());
  CHECK(read.predicted == answers.predicted);
  CHECK(read.probabilities == answers.probabilities);

  const Answers texts{.predicted = {2, 1}, .probabilities = {}};
  const std::string lines = answer_lines(texts, kLabels, two_rows());
  CHECK(files::Json::parse(lines.substr(0, lines.find('\n'))) ==
        files::Json{{"id", "a"}, {"label", "(no answer)"}, {"gold", "refund"}});
  CHECK(read_answers(folder.write("texts.jsonl", lines), kLabels, two_rows()).predicted == texts.predicted);
}

TEST_CASE("answers to other rows, labels or in other shapes are refused", "[study][compare]") {
  const testing::TemporaryFolder folder;
  const std::string first = R"({"id": "a", "label": "card", "gold": "refund"})",
                    second = R"({"id": "b", "label": "card", "gold": "card"})";
  const auto refused = [&](const std::string& lines, const std::string& said) {
    CHECK_RAISES(read_answers(folder.write("answers.jsonl", lines), kLabels, two_rows()), data, said);
  };
  CHECK(read_answers(folder.write("answers.jsonl", first + "\n" + second + "\n"), kLabels, two_rows()).predicted ==
        std::vector<std::int64_t>{0, 0});
  refused(second + "\n" + first, "answers.jsonl:1: it answers another row than test.jsonl:1 holds now");
  refused(R"({"id": "a", "label": "card", "gold": "card"})", "it answers another row");
  refused(first, "it answers 1 rows, there are 2");
  refused(first + "\n" + second + "\n" + second, "there are only 2 rows");
  refused(R"({"id": "a", "label": "loan", "gold": "refund"})", "the label 'loan' is none of the training rows");
  refused(R"({"id": "a", "label": 1, "gold": "refund"})", "this is no prediction of a label");
  refused(R"({"id": "a", "label": "card", "scores": {"card": 0.5}, "gold": "refund"})",
          "the label 'refund' has no score");
  refused(R"({"id": "a", "label": "card", "scores": {"card": 0.5, "refund": 0.5}, "gold": "refund"})" + ("\n" + second),
          "some rows have scores and some have not");
}

TEST_CASE("losses are those of the right labels, and finite", "[study][compare]") {
  const Answers answers{.predicted = {0, 0, 1}, .probabilities = {0.75, 0.25, 1.0, 0.0, 0.0, 1.0}};
  const std::vector<double> losses = losses_of(answers, {1, 1, 1}, 2);
  REQUIRE(losses.size() == 3);
  CHECK(losses[0] == Approx(std::log(4.0)));
  CHECK(losses[1] == Approx(-std::log(std::numeric_limits<double>::min())));
  CHECK(losses[2] == 0);
  CHECK(!std::signbit(losses[2]));
  CHECK(losses_of({.predicted = {0}, .probabilities = {}}, {0}, 2).empty());
}

TEST_CASE("losses tell how sure a method was of another label", "[study][compare]") {
  const Answers answers{.predicted = {0, 0, 1}, .probabilities = {1.0, 1e-20, 1.0, 1e-300, 0.0, 1 + 1e-15}};
  const std::vector<double> losses = losses_of(answers, {1, 1, 1}, 2);
  CHECK(losses[0] == Approx(20 * std::log(10.0)));
  CHECK(losses[1] == Approx(300 * std::log(10.0)));
  CHECK(losses[2] == 0);
}
