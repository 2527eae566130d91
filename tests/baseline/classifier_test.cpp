// The majority class and logistic regression against scikit-learn's.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

#include "attune/baseline/majority.h"
#include "attune/baseline/word_classifier.h"
#include "attune/metrics/probabilities.h"
#include "baseline/goldens.h"
#include "raises.h"
#include "shared.h"

using namespace attune::baseline;
using attune::testing::largest_difference;
using attune::testing::Texts;
using Labels = std::vector<std::int64_t>;

namespace {

struct LabelledTexts {
  Texts texts;
  std::vector<std::string> labels;
};

LabelledTexts read_labelled(const std::string& path) {
  std::ifstream file(path);
  REQUIRE(file.good());
  LabelledTexts rows;
  for (std::string line; std::getline(file, line);) {
    const auto row = nlohmann::json::parse(line);
    rows.texts.push_back(row["text"].get<std::string>());
    rows.labels.push_back(row["label"].get<std::string>());
  }
  return rows;
}

/// Places in the sorted list of labels, as scikit-learn numbers classes.
Labels numbers_of(const std::vector<std::string>& labels, const std::set<std::string>& classes) {
  Labels numbers;
  for (const std::string& label : labels) numbers.push_back(std::distance(classes.begin(), classes.find(label)));
  return numbers;
}

}  // namespace

TEST_CASE("probabilities of logistic regression and shares of classes equal scikit-learn's", "[baseline][golden]") {
  for (const auto& golden : attune::testing::read_goldens("baseline/regression.json")) {
    INFO(golden["name"].get<std::string>());
    const auto texts = golden["texts"].get<Texts>(), asked = golden["asked"].get<Texts>();
    const auto labels = golden["labels"].get<Labels>();
    const auto weights = golden["weights"].get<std::vector<double>>();
    const std::size_t classes = golden["classes"];
    const WordClassifier classifier(texts, labels, classes, {.c = golden["c"], .weights = weights});
    CHECK(largest_difference(classifier.probabilities(asked), golden["probabilities"]) < 1e-6);
    const MajorityClass majority = majority_class(labels, classes, weights);
    attune::testing::check_numbers("prior", majority.shares, golden["prior"]);
    CHECK(majority.shares[static_cast<std::size_t>(majority.label)] == std::ranges::max(majority.shares));
  }
}

TEST_CASE("of equally frequent classes the first is the majority", "[baseline]") {
  CHECK(majority_class(Labels{2, 1, 2, 1, 0}, 4).label == 1);
  CHECK(majority_class(Labels{2, 1, 2, 1, 0}, 4).shares == std::vector<double>{0.2, 0.4, 0.4, 0});
  CHECK(majority_class(Labels{2, 1}, 3, std::vector<double>{1, 3}).label == 1);
  CHECK_RAISES(majority_class({}, 2), internal, "rows");
  CHECK_RAISES(majority_class(Labels{2}, 2), internal, "outside of its classes");
  CHECK_RAISES(majority_class(Labels{-1}, 2), internal, "outside of its classes");
  CHECK_RAISES(majority_class(Labels{1}, 2, std::vector<double>{1, 1}), internal, "weight");
}

TEST_CASE("a single class is certain, and texts without words get the shares of the classes", "[baseline]") {
  const WordClassifier single(Texts{"one text", "another text"}, Labels{1, 1}, 3);
  CHECK(single.probabilities(Texts{"whatever"}) == std::vector<double>{0, 1, 0});
  const WordClassifier wordless(Texts{"?", "!", "a", "b"}, Labels{0, 0, 0, 1}, 2);
  CHECK(largest_difference(wordless.probabilities(Texts{"hello there"}), {0.75, 0.25}) < 1e-6);
  const WordClassifier three(Texts{"?", "!", "a", "b"}, Labels{0, 0, 2, 1}, 3);
  CHECK(largest_difference(three.probabilities(Texts{"hello there"}), {0.5, 0.25, 0.25}) < 1e-6);
}

TEST_CASE("logistic regression refuses what does not fit together", "[baseline]") {
  const Texts texts = {"one text", "another text"};
  const auto rows = TfidfVectorizer(texts).transform(texts);
  CHECK_RAISES(LogisticRegression(rows, Labels{0}, 2), internal, "a label for each row");
  CHECK_RAISES(LogisticRegression(rows, Labels{0, 1}, 2, {.c = 0}), internal, "c > 0");
  CHECK_RAISES(LogisticRegression(rows, Labels{0, 5}, 2), internal, "outside of its classes");
  const LogisticRegression regression(rows, Labels{0, 1}, 2);
  CHECK_RAISES(regression.probabilities({}), internal, "other columns");
}

TEST_CASE("on BANKING77 the word classifier is as right as scikit-learn's", "[baseline][golden]") {
  ATTUNE_NEEDS_SHARED(shared);
  const auto golden = attune::testing::read_goldens("baseline/banking77.json");
  const LabelledTexts train = read_labelled(shared + "/data/banking77/train.jsonl"),
                      test = read_labelled(shared + "/data/banking77/test.jsonl");
  const std::set<std::string> classes(train.labels.begin(), train.labels.end());
  const WordClassifier classifier(train.texts, numbers_of(train.labels, classes), classes.size());
  const auto probabilities = classifier.probabilities(test.texts);
  const Labels gold = numbers_of(test.labels, classes),
               predicted = attune::metrics::argmax_rows(probabilities, classes.size());
  double right = 0, loss = 0;
  for (std::size_t row = 0; row < gold.size(); ++row) {
    right += gold[row] == predicted[row] ? 1 : 0;
    loss -= std::log(probabilities[row * classes.size() + static_cast<std::size_t>(gold[row])]);
  }
  const auto rows = static_cast<double>(gold.size());
  INFO("accuracy " << right / rows << ", log loss " << loss / rows);
  CHECK(std::abs(right / rows - golden["accuracy"].get<double>()) <= 0.002);
  CHECK(std::abs(loss / rows - golden["log_loss"].get<double>()) < 1e-5);
  CHECK(largest_difference({probabilities.begin(), probabilities.begin() + static_cast<std::ptrdiff_t>(classes.size())},
                           golden["first"]) < 1e-4);
}
