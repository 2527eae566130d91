// Linear layers: those of logistic regression give its probabilities, those of class means numpy's.
#include "attune/baseline/prototypes.h"

#include <cmath>
#include <numeric>

#include "attune/baseline/logistic.h"
#include "attune/baseline/tfidf.h"
#include "baseline/goldens.h"
#include "raises.h"

using namespace attune::baseline;
using attune::testing::largest_difference;
using Labels = std::vector<std::int64_t>;
using Values = std::vector<double>;

namespace {

/// [rows × classes] of rows [rows × columns].
Values softmax_of(const LinearLayer& layer, const Values& rows) {
  Values probabilities;
  for (auto row = rows.begin(); row != rows.end(); row += static_cast<std::ptrdiff_t>(layer.columns)) {
    double sum = 0;
    const std::size_t begin = probabilities.size();
    for (std::size_t label = 0; label < layer.biases.size(); ++label) {
      const auto weights = layer.weights.begin() + static_cast<std::ptrdiff_t>(label * layer.columns);
      const auto columns = static_cast<std::ptrdiff_t>(layer.columns);
      probabilities.push_back(std::exp(std::inner_product(weights, weights + columns, row, layer.biases[label])));
      sum += probabilities.back();
    }
    for (std::size_t i = begin; i < probabilities.size(); ++i) probabilities[i] /= sum;
  }
  return probabilities;
}

Values dense(const SparseRows& rows) {
  Values values(rows.rows() * rows.columns);
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    for (std::size_t i = rows.begins[row]; i < rows.begins[row + 1]; ++i) {
      values[row * rows.columns + rows.column[i]] = rows.value[i];
    }
  }
  return values;
}

}  // namespace

TEST_CASE("logistic regression as a linear layer has its probabilities", "[baseline][golden]") {
  for (const auto& golden : attune::testing::read_goldens("baseline/regression.json")) {
    INFO(golden["name"].get<std::string>());
    const TfidfVectorizer vectorizer(golden["texts"].get<attune::testing::Texts>());
    const SparseRows asked = vectorizer.transform(golden["asked"].get<attune::testing::Texts>());
    const Values weights = golden["weights"];
    const LogisticRegression regression(vectorizer.transform(golden["texts"].get<attune::testing::Texts>()),
                                        golden["labels"].get<Labels>(), golden["classes"],
                                        {.c = golden["c"], .weights = weights});
    CHECK(largest_difference(softmax_of(regression.layer(), dense(asked)), regression.probabilities(asked)) < 1e-12);
  }
}

TEST_CASE("dense rows are rows of which every entry is kept", "[baseline]") {
  const Values values = {1, 0, 2, 3, 4, 0};
  const SparseRows rows = dense_rows(values, 3);
  CHECK(rows.rows() == 2);
  CHECK(dense(rows) == values);
}

TEST_CASE("a single class has all probability in the linear layer", "[baseline]") {
  const Values values = {1, 2, 3, 4};
  const LogisticRegression regression(dense_rows(values, 2), Labels{1, 1}, 3);
  CHECK(softmax_of(regression.layer(), values) == Values{0, 1, 0, 0, 1, 0});
}

TEST_CASE("class means give the probabilities of their distances", "[baseline][golden]") {
  for (const auto& golden : attune::testing::read_goldens("vectors/prototypes.json")) {
    INFO(golden["distance"].get<std::string>());
    const Values values = golden["values"], weights = golden["weights"];
    const Labels labels = golden["labels"];
    const auto distance = golden["distance"] == "cosine" ? PrototypeDistance::cosine : PrototypeDistance::euclidean;
    const LinearLayer layer =
        prototype_layer({values, golden["columns"], labels, weights}, golden["classes"], distance);
    CHECK(largest_difference(softmax_of(layer, golden["asked"]), golden["probabilities"]) < 1e-12);
  }
}
