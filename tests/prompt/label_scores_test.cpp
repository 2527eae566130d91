// Scores of label words, worked out by hand.
#include "attune/prompt/label_scores.h"

#include <cmath>

#include "catch.h"

using namespace attune::prompt;

TEST_CASE("a word counts its tokens' sum, or that a token or a character", "[prompt]") {
  const std::vector<double> tokens = {-1.0, -2.0, -3.0};
  CHECK(score_word(tokens, 12, word_score_of("sum")) == Approx(-6));
  CHECK(score_word(tokens, 12, word_score_of("mean")) == Approx(-2));
  CHECK(score_word(tokens, 12, word_score_of("per_character")) == Approx(-0.5));
}

TEST_CASE("a label is as likely as its words together", "[prompt]") {
  const std::vector<double> words = {std::log(0.1), std::log(0.3)};
  CHECK(score_label(words) == Approx(std::log(0.4)));
  const std::vector<double> far = {-1000.0, -1001.0};
  CHECK(score_label(far) == Approx(-1000 + std::log(1 + std::exp(-1.0))));
}

TEST_CASE("calibration divides by what is likely without content", "[prompt]") {
  const std::vector<double> scores = {std::log(0.6), std::log(0.3), std::log(0.1)};
  const std::vector<std::vector<double>> empty = {{std::log(8.0), std::log(1.0), std::log(1.0)},
                                                  {std::log(2.0), std::log(1.0), std::log(1.0)}};
  const std::vector<double> prior = content_free_log_probabilities(empty);  // (0.8 + 0.5) / 2, (0.1 + 0.25) / 2 twice
  CHECK(prior[0] == Approx(std::log(0.65)));
  CHECK(prior[1] == Approx(std::log(0.175)));
  const std::vector<double> plain = label_log_probabilities(scores),
                            calibrated = label_log_probabilities(scores, prior);
  CHECK(std::exp(plain[0]) == Approx(0.6));
  const double sum = 0.6 / 0.65 + 0.3 / 0.175 + 0.1 / 0.175;
  CHECK(std::exp(calibrated[0]) == Approx(0.6 / 0.65 / sum));
  CHECK(std::exp(calibrated[2]) == Approx(0.1 / 0.175 / sum));
  CHECK(calibrated[1] > calibrated[0]);  // the choice turns
}
