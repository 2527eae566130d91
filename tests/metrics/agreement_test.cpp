// Labels by agreement, on probabilities written by hand.
#include "attune/metrics/agreement.h"

#include "catch.h"

using namespace attune::metrics;

namespace {

using Rows = std::vector<std::size_t>;

/// Three answers over three labels a row.
const std::vector<double> kAnswers = {
    0.8, 0.1, 0.1, 0.6, 0.3, 0.1, 0.7, 0.2, 0.1,  // all for the first
    0.5, 0.4, 0.1, 0.3, 0.4, 0.3, 0.2, 0.5, 0.3,  // two for the second
    0.4, 0.3, 0.3, 0.3, 0.4, 0.3, 0.1, 0.2, 0.7,  // one each
    0.1, 0.1, 0.8, 0.1, 0.0, 0.9, 0.0, 0.0, 1.0,  // all for the third, surely
};

}  // namespace

TEST_CASE("answers to a row come to the label of most, its share and its mean probability", "[metrics]") {
  const std::vector<Agreement> rows = agreements(kAnswers, 3, 3);
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].label == 0);
  CHECK(rows[0].share == 1.0);
  CHECK(rows[0].probability == Approx(0.7));
  CHECK(rows[1].label == 1);
  CHECK(rows[1].share == Approx(2.0 / 3));
  CHECK(rows[1].probability == Approx(1.3 / 3));
  CHECK(rows[2].label == 2);  // of equals the likeliest over all answers
  CHECK(rows[2].share == Approx(1.0 / 3));
  CHECK(rows[3].label == 2);
}

TEST_CASE("of equal labels the first counts", "[metrics]") {
  const std::vector<double> equal = {0.75, 0.25, 0.25, 0.75};
  CHECK(agreements(equal, 2, 2)[0].label == 0);
}

TEST_CASE("rows are taken that reach the share and the probability", "[metrics]") {
  const std::vector<Agreement> rows = agreements(kAnswers, 3, 3);
  CHECK(agreed_rows(rows, {}) == Rows{0, 3});
  CHECK(agreed_rows(rows, {.min_share = 2.0 / 3}) == Rows{0, 1, 3});
  CHECK(agreed_rows(rows, {.min_share = 0.6667}) == Rows{0, 3});
  CHECK(agreed_rows(rows, {.min_share = 0.0, .min_probability = 0.5}) == Rows{0, 3});
  CHECK(agreed_rows(rows, {.min_share = 1.0, .min_probability = 0.8}) == Rows{3});
}

TEST_CASE("of a class the surest rows are kept", "[metrics]") {
  const std::vector<Agreement> rows = {{.label = 0, .share = 1, .probability = 0.6},
                                       {.label = 0, .share = 0.5, .probability = 0.9},
                                       {.label = 1, .share = 0.5, .probability = 0.5},
                                       {.label = 0, .share = 1, .probability = 0.7},
                                       {.label = 0, .share = 1, .probability = 0.6}};
  const Rows all = {0, 1, 2, 3, 4};
  CHECK(surest_rows(rows, all, {}) == all);
  CHECK(surest_rows(rows, all, {.max_per_class = 3}) == Rows{0, 2, 3, 4});
  CHECK(surest_rows(rows, all, {.max_per_class = 2}) == Rows{0, 2, 3});  // of equals the one before
  CHECK(surest_rows(rows, Rows{1, 2}, {.max_per_class = 1}) == Rows{1, 2});
}
