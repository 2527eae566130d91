// Text overlap metrics against rouge-score and sacrebleu.
#include "attune/metrics/overlap.h"

#include "attune/base/error.h"
#include "attune/metrics/intervals.h"
#include "metrics/goldens.h"

using namespace attune::metrics;
using attune::testing::check_number;
using attune::testing::check_numbers;
using attune::testing::overlap_goldens;
using Json = nlohmann::json;

namespace {

struct Texts {
  std::vector<std::string> predicted;
  std::vector<std::vector<std::string>> references;
};

Texts golden_texts() {
  Texts texts;
  for (const auto& row : overlap_goldens("texts")) {
    texts.predicted.push_back(row["predicted"]);
    texts.references.push_back(row["references"]);
  }
  REQUIRE(texts.predicted.size() > 10);
  return texts;
}

std::vector<double> numbers(const RougeScore& score) {
  return {score.precision, score.recall, score.f1};
}

BleuTokenizer tokenizer_named(const std::string& name) {
  return name == "13a" ? BleuTokenizer::v13a : name == "intl" ? BleuTokenizer::intl : BleuTokenizer::none;
}

BleuSmoothing smoothing_named(const std::string& name) {
  return name == "floor"   ? BleuSmoothing::floor
         : name == "add-k" ? BleuSmoothing::add_k
         : name == "exp"   ? BleuSmoothing::exp
                           : BleuSmoothing::none;
}

}  // namespace

TEST_CASE("words and stems of ROUGE equal those of rouge-score and NLTK", "[metrics][golden]") {
  const Json stems = overlap_goldens("stems"), rouge = overlap_goldens("rouge");
  for (const auto& [word, stem] : stems.items()) {
    INFO(word);
    const std::string expected = word.size() > 3 ? stem.get<std::string>() : word;
    CHECK(rouge_words(word, {.stem = true}) == std::vector<std::string>{expected});
  }
  const Texts texts = golden_texts();
  for (const auto& golden : rouge) {
    for (std::size_t i = 0; i < texts.predicted.size(); ++i) {
      INFO(texts.predicted[i]);
      CHECK(rouge_words(texts.predicted[i], {.stem = golden["stem"]}) ==
            golden["words"][i].get<std::vector<std::string>>());
    }
  }
}

TEST_CASE("ROUGE equals rouge-score's, with and without stems", "[metrics][golden]") {
  const Texts texts = golden_texts();
  for (const auto& golden : overlap_goldens("rouge")) {
    for (std::size_t i = 0; i < texts.predicted.size(); ++i) {
      INFO(texts.predicted[i]);
      const RougeScores scores = rouge_scores(texts.predicted[i], texts.references[i], {.stem = golden["stem"]});
      const Json& expected = golden["scores"][i];
      check_numbers("rouge1", numbers(scores.rouge1), expected[0]);
      check_numbers("rouge2", numbers(scores.rouge2), expected[1]);
      check_numbers("rougeL", numbers(scores.rougeL), expected[2]);
      check_numbers("rougeLsum", numbers(scores.rougeLsum), expected[3]);
    }
  }
}

TEST_CASE("words of BLEU equal sacrebleu's", "[metrics][golden]") {
  const Texts texts = golden_texts();
  const Json goldens = overlap_goldens("bleu_words");
  for (const auto& [tokenizer, golden] : goldens.items()) {
    for (std::size_t i = 0; i < texts.predicted.size(); ++i) {
      INFO(tokenizer << ": " << texts.predicted[i]);
      CHECK(bleu_words(texts.predicted[i], {.tokenizer = tokenizer_named(tokenizer)}) ==
            golden[i].get<std::vector<std::string>>());
    }
  }
}

TEST_CASE("BLEU of texts and of the corpus equals sacrebleu's", "[metrics][golden]") {
  const Texts texts = golden_texts();
  for (const auto& golden : overlap_goldens("bleu")) {
    INFO(golden["tokenizer"] << " " << golden["smoothing"] << " " << golden["effective_order"]);
    BleuOptions options{.tokenizer = tokenizer_named(golden["tokenizer"]),
                        .smoothing = smoothing_named(golden["smoothing"]),
                        .lowercase = golden["lowercase"],
                        .effective_order = golden["effective_order"]};
    if (golden["value"].is_number()) options.smooth_value = golden["value"].get<double>();
    BleuStatistics corpus;
    for (std::size_t i = 0; i < texts.predicted.size(); ++i) {
      INFO(texts.predicted[i]);
      const BleuStatistics text = bleu_statistics(texts.predicted[i], texts.references[i], options);
      check_number("sentence", bleu_score(text, options).score, golden["sentences"][i]);
      corpus.add(text, 1);
    }
    const BleuScore score = bleu_score(corpus, options);
    check_number("score", score.score, golden["score"]);
    check_number("brevity_penalty", score.brevity_penalty, golden["brevity_penalty"]);
    check_numbers("precisions", score.precisions, golden["precisions"]);
    check_numbers("lengths", std::vector<double>{corpus.length, corpus.reference_length}, golden["lengths"]);
  }
}

TEST_CASE("chrF and chrF++ of texts and of the corpus equal sacrebleu's", "[metrics][golden]") {
  const Texts texts = golden_texts();
  for (const auto& golden : overlap_goldens("chrf")) {
    ChrfOptions options;
    options.char_order = golden.value("char_order", options.char_order);
    options.word_order = golden["word_order"];
    options.beta = golden.value("beta", options.beta);
    options.lowercase = golden.value("lowercase", options.lowercase);
    options.whitespace = golden.value("whitespace", options.whitespace);
    options.eps_smoothing = golden["eps_smoothing"];
    ChrfStatistics corpus;
    for (std::size_t i = 0; i < texts.predicted.size(); ++i) {
      INFO(options.word_order << ", " << options.eps_smoothing << ": " << texts.predicted[i]);
      const ChrfStatistics text = chrf_statistics(texts.predicted[i], texts.references[i], options);
      check_number("sentence", chrf_score(text, options), golden["sentences"][i]);
      corpus.add(text, 1);
    }
    check_number("corpus", chrf_score(corpus, options), golden["score"]);
  }
}

TEST_CASE("all overlap measures of a corpus, and those of a resample without reading a text again", "[metrics]") {
  const Texts texts = golden_texts();
  const OverlapScorer scorer(texts.predicted, texts.references);
  const Values values = scorer.values();
  check_number("bleu", value_of(values, "bleu"), overlap_goldens("bleu")[7]["score"]);  // 13a, exp: the defaults
  check_number("chrf", value_of(values, "chrf"), overlap_goldens("chrf")[0]["score"]);
  check_number("chrf++", value_of(values, "chrf++"), overlap_goldens("chrf")[2]["score"]);
  const Json rouge = overlap_goldens("rouge");
  double rouge2 = 0;
  for (const auto& scores : rouge[0]["scores"]) rouge2 += scores[1][2].get<double>();
  CHECK(value_of(values, "rouge2") == Approx(rouge2 / static_cast<double>(texts.predicted.size())));
  CHECK(value_of(values, "exact_match") == value_of(answer_values(texts.predicted, texts.references), "exact_match"));
  CHECK(value_of(values, "f1") == Approx(value_of(answer_values(texts.predicted, texts.references), "f1")));

  std::vector<double> weights(texts.predicted.size());
  weights[1] = 2;
  weights[3] = 1;
  const auto& [p, r] = texts;
  const OverlapScorer drawn(std::vector{p[1], p[1], p[3]}, std::vector{r[1], r[1], r[3]});
  for (const auto& [name, value] : scorer.values(weights)) {
    INFO(name);
    CHECK(value == Approx(value_of(drawn.values(), name)).epsilon(1e-12));
  }
  const auto intervals = bootstrap(p.size(), [&](auto w) { return scorer.values(w); }, {.resamples = 200});
  for (const auto& [name, interval] : intervals) {
    INFO(name);
    CHECK(interval.low <= value_of(values, name));
    CHECK(interval.high >= value_of(values, name));
  }
}

TEST_CASE("overlap needs references, and no texts have no scores", "[metrics]") {
  CHECK_THROWS_AS(rouge_scores("x", {}, {}), attune::Error);
  CHECK_THROWS_AS(bleu_statistics("x", {}, {}), attune::Error);
  CHECK_THROWS_AS(chrf_statistics("x", {}, {}), attune::Error);
  const std::vector<std::string> one = {"x"};
  CHECK_THROWS_AS(OverlapScorer(one, {}), attune::Error);
  CHECK_THROWS_AS(OverlapScorer(one, std::vector<std::vector<std::string>>{{"y"}}).values(std::vector<double>{1, 2}),
                  attune::Error);
  for (const auto& [name, value] : OverlapScorer({}, {}).values()) {
    INFO(name);
    CHECK(std::isnan(value));
  }
}
