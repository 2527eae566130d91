// What scores at several numbers of labels say together: laws that are known beforehand are found, and told.
#include "../../src/study/curve_statistics.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "../../src/study/curve_sentences.h"
#include "catch.h"

using namespace attune;
using namespace attune::study;

namespace {

using files::Json;

CurvePoint point_of(std::int64_t size, std::uint64_t seed, double accuracy) {
  return {.size = size,
          .seed = seed,
          .accuracy = accuracy,
          .told = {{"size", size},
                   {"seed", seed},
                   {"accuracy", accuracy},
                   {"f1", accuracy},
                   {"loss", 1 - accuracy},
                   {"seconds", 2.0}}};
}

/// asymptote - gap / n, shifted by up to `scatter` from seed to seed.
MethodCurve curve_of(const std::string& name, double asymptote, double gap, double scatter) {
  MethodCurve curve{.name = name, .kind = "train"};
  for (const std::int64_t size : {8, 16, 32, 64}) {
    for (const std::uint64_t seed : {1, 2, 3}) {
      curve.points.push_back(point_of(
          size, seed, asymptote - gap / static_cast<double>(size) + scatter * (static_cast<double>(seed) - 2)));
    }
  }
  return curve;
}

MethodCurve level_curve(const std::string& name, double accuracy) {
  MethodCurve curve{.name = name, .kind = "prompt", .learns = false};
  curve.points.push_back(point_of(0, 1, accuracy));
  curve.points.back().told["size"] = nullptr;
  return curve;
}

const CurveFacts kFacts{
    .sizes = {8, 16, 32, 64}, .per_class = true, .more = 100, .test_rows = 288, .validation_rows = 160};

bool says(const Json& sentences, const std::string& part) {
  return std::any_of(sentences.begin(), sentences.end(),
                     [&](const Json& one) { return one.get<std::string>().find(part) != std::string::npos; });
}

}  // namespace

TEST_CASE("the law behind the scores is found, with what more labels would bring", "[study][curve]") {
  const Json told = curve_statistics({curve_of("LoRA", 0.9, 1.6, 0.01), level_curve("zero-shot", 0.8)}, kFacts);
  INFO(told.dump(1));
  const Json& method = told["methods"][0];
  CHECK(method["law"]["asymptote"].get<double>() == Approx(0.9).margin(1e-4));
  CHECK(method["law"]["gap"].get<double>() == Approx(1.6).epsilon(1e-3));
  CHECK(method["law"]["exponent"].get<double>() == Approx(1).epsilon(1e-3));
  CHECK(method["law"]["misfit"].get<double>() < 1e-3);
  CHECK(method["gain"]["value"].get<double>() == Approx(1.6 / 64 - 1.6 / 164).epsilon(1e-3));
  CHECK(method["by_size"].size() == 4);
  CHECK(method["by_size"][0]["accuracy"]["mean"].get<double>() == Approx(0.7));
  CHECK(method["by_size"][0]["accuracy"]["sd"].get<double>() == Approx(0.01));
  CHECK(method["by_size"][3]["seconds"]["mean"] == 2.0);
  CHECK(method["curve"].front()["labels"] == 8);
  CHECK(method["curve"].back()["labels"] == 64);
  for (const Json& place : method["curve"]) {
    CHECK(place["interval"][0].get<double>() <= place["value"].get<double>());
    CHECK(place["interval"][1].get<double>() >= place["value"].get<double>());
  }
  const Json& level = told["methods"][1];
  CHECK_FALSE(level.contains("law"));
  CHECK(level["curve"].front()["value"] == 0.8);
  CHECK(level["by_size"][0]["size"].is_null());

  // 0.9 - 1.6 / 16 = 0.8
  CHECK(told["crossings"][0]["labels"].get<double>() == Approx(16).epsilon(1e-2));
  CHECK(told["crossings"][0]["ahead"] == "zero-shot");
  const Json& sentences = told["sentences"];
  CHECK(says(sentences, "With 64 labels per class LoRA has the highest mean, right on 0.8"));
  CHECK(says(sentences, "100 more labels per class would bring LoRA about +0.015 of accuracy"));
  CHECK(says(sentences, " by this law; beyond 64 per class nothing was measured, and that is 2.6 times as many."));
  CHECK(says(sentences, "Where curves cross, in labels per class: LoRA passes zero-shot at about 16 ["));
  CHECK(says(sentences, "the same 288 test rows. Other test rows would move a score by up to about 0.05"));
  CHECK(says(sentences, "160 validation rows were there to choose among epochs and candidates."));
}

TEST_CASE("the best that are level are told as level", "[study][curve]") {
  const Json tied = curve_statistics(
      {level_curve("words", 0.8), level_curve("zero-shot", 0.1 * 3 + 0.5), level_curve("majority", 0.1)}, kFacts);
  INFO(tied["sentences"].dump(1));
  CHECK(says(tied["sentences"],
             "With 64 labels per class words and zero-shot are level, right on 0.80 of the test rows; majority 0.10."));
  const Json all =
      curve_statistics({level_curve("a", 1), level_curve("b", 1 - 1e-15), level_curve("c", 1 + 1e-15)}, kFacts);
  CHECK(says(all["sentences"], " are level, right on 1.00 of the test rows."));
  CHECK_FALSE(says(all["sentences"], "highest mean"));
  const Json apart = curve_statistics({level_curve("words", 0.8), level_curve("majority", 0.799)}, kFacts);
  CHECK(says(apart["sentences"], "words has the highest mean, right on 0.80 of the test rows; majority 0.80."));
}

TEST_CASE("of curves that lie on one another none is ahead, and they do not cross", "[study][curve]") {
  const auto crossing_of = [](const std::vector<MethodCurve>& methods) {
    return curve_statistics(methods, kFacts)["crossings"][0];
  };
  const MethodCurve level = level_curve("zero-shot", 1), learner = curve_of("full", 1, 0, 0);
  for (const Json& crossing : {crossing_of({curve_of("slow", 0.9, 1.6, 0.01), curve_of("same", 0.9, 1.6, 0.01)}),
                               crossing_of({level, learner}), crossing_of({level, level})}) {
    INFO(crossing.dump(1));
    CHECK(crossing["ahead"].is_null());
    CHECK(crossing["labels"].is_null());
  }
  CHECK(crossing_of({level_curve("a", 0.5), level_curve("b", 0.6)})["ahead"] == "b");
}

TEST_CASE("nothing is said of a crossing at which neither is ahead", "[study][curve]") {
  Json told = {{"methods", Json::array()}, {"crossings", Json::array()}};
  told["crossings"].push_back({{"first", "words"},
                               {"second", "pairs"},
                               {"ahead", nullptr},
                               {"labels", 20.0},
                               {"interval", {10.0, 40.0}},
                               {"share", 1.0}});
  CHECK_FALSE(says(curve_sentences(told, kFacts), "words"));
  told["crossings"][0].update({{"labels", nullptr}, {"interval", nullptr}, {"share", 0.5}});
  CHECK_FALSE(says(curve_sentences(told, kFacts), "words"));
}

TEST_CASE("an interval of a gain is told where it has a width", "[study][curve]") {
  Json method = {{"name", "LoRA"},
                 {"learns", true},
                 {"by_size", Json::array({{{"size", 64}, {"accuracy", {{"mean", 1.0}}}}})},
                 {"law", {{"misfit", 0.0}}},
                 {"gain", {{"from", 64}, {"more", 100}, {"value", 0.0}, {"interval", {-1e-17, 2e-17}}}}};
  const auto sentences_of = [&] {
    return Json(curve_sentences({{"methods", Json::array({method})}, {"crossings", Json::array()}}, kFacts));
  };
  CHECK(says(sentences_of(), "would bring LoRA about 0.000 of accuracy by this law"));
  method["gain"]["interval"] = {0.01, 0.03};
  CHECK(says(sentences_of(), "would bring LoRA about 0.000 of accuracy [+0.010, +0.030] by this law"));
}

TEST_CASE("how far other test rows move a score of all rows is the whole of Wilson's interval", "[study][curve]") {
  const auto sentences_of = [](double accuracy) {
    CurveFacts facts = kFacts;
    facts.test_rows = 40;
    return curve_statistics({level_curve("words", accuracy)}, facts)["sentences"];
  };
  for (const double accuracy : {0.0, 1.0})
    CHECK(says(sentences_of(accuracy), "move a score by up to about 0.09 (95 %)"));
}

TEST_CASE("seeds with equal scores scatter by nothing", "[study][curve]") {
  const Json told = curve_statistics({curve_of("LoRA", 0.1, 0, 0)}, kFacts);  // (three times 0.1 is not 0.3)
  for (const Json& size : told["methods"][0]["by_size"]) CHECK(size["accuracy"]["sd"] == 0.0);
  const Json one = curve_statistics({level_curve("words", 0.1)}, kFacts);
  CHECK(one["methods"][0]["by_size"][0]["accuracy"]["sd"].is_null());
}

TEST_CASE("curves that do not cross are told apart, and rows in all are no rows per class", "[study][curve]") {
  CurveFacts facts = kFacts;
  facts.per_class = false;
  facts.more = 20;
  const Json told = curve_statistics({curve_of("full", 0.9, 1.6, 0.01), curve_of("head", 0.7, 1.6, 0.01)}, facts);
  CHECK(told["crossings"][0]["labels"].is_null());
  CHECK(told["crossings"][0]["ahead"] == "full");
  CHECK_FALSE(says(told["sentences"], "cross"));
  CHECK(says(told["sentences"], "20 more labels would bring head about +0.006"));
  CHECK(says(told["sentences"], "beyond 64 nothing was measured."));
}

TEST_CASE("scores that no law of this kind gives are told", "[study][curve]") {
  MethodCurve late = curve_of("late", 0.9, 1.6, 0);
  for (CurvePoint& point : late.points) {  // nothing for long, then all at once
    point.accuracy = point.size == 64 ? 0.8 : 0.1;
    point.told["accuracy"] = *point.accuracy;
  }
  const Json told = curve_statistics({late}, kFacts);
  INFO(told["sentences"].dump(1));
  CHECK(told["methods"][0]["law"]["misfit"].get<double>() > 0.1);
  CHECK(says(told["sentences"], "The law misses mean scores by up to 0."));
}

TEST_CASE("points that diverged are left out, and too few numbers of labels give no law", "[study][curve]") {
  MethodCurve curve = curve_of("full", 0.9, 1.6, 0.01);
  for (CurvePoint& point : curve.points) {
    if (point.size < 32 || (point.size == 64 && point.seed == 1)) {
      point.accuracy.reset();
      point.told = {{"size", point.size}, {"seed", point.seed}, {"failed", "the loss is not finite"}};
    }
  }
  const Json told = curve_statistics({curve}, kFacts);
  const Json& method = told["methods"][0];
  CHECK_FALSE(method.contains("law"));
  CHECK_FALSE(method.contains("curve"));
  CHECK(method["by_size"][0]["accuracy"]["mean"].is_null());
  CHECK(method["by_size"][3]["seeds"] == 2);
  CHECK(method["by_size"][3]["accuracy"]["mean"].get<double>() == Approx(0.875 + 0.005));
  CHECK_FALSE(says(told["sentences"], "would bring"));
}

TEST_CASE("a method without a score at the largest number of labels is not ranked there", "[study][curve]") {
  const Json early = {
      {"name", "early"}, {"learns", true}, {"by_size", Json::array({{{"size", 32}, {"accuracy", {{"mean", 0.95}}}}})}};
  const Json level = {{"name", "words"},
                      {"learns", false},
                      {"by_size", Json::array({{{"size", nullptr}, {"accuracy", {{"mean", 0.8}}}}})}};
  const Json told = curve_sentences({{"methods", {early, level}}, {"crossings", Json::array()}}, kFacts);
  CHECK(says(told, "With 64 labels per class words is right on 0.80 of the test rows."));
}

TEST_CASE("a decision needs few sentences, however many methods there are", "[study][curve]") {
  std::vector<MethodCurve> methods = {level_curve("zero-shot", 0.8), level_curve("majority", 0.1)};
  for (const auto& [name, asymptote] : {std::pair{"LoRA", 0.9}, {"full", 0.95}, {"head", 0.7}, {"IA3", 0.85}})
    methods.push_back(curve_of(name, asymptote, 1.6, 0.01));
  MethodCurve late = curve_of("late", 0.9, 1.6, 0);
  for (CurvePoint& point : late.points) {  // nothing for long, then all at once
    point.accuracy = point.size == 64 ? 0.6 : 0.1;
    point.told["accuracy"] = *point.accuracy;
  }
  methods.push_back(late);
  const Json told = curve_statistics(methods, kFacts);
  const Json& decision = told["sentences"];
  INFO(decision.dump(1));
  CHECK(decision.size() <= 8);
  CHECK(says(decision, "With 64 labels per class full has the highest mean"));
  CHECK(says(decision, "Where curves cross, in labels per class: LoRA passes zero-shot at about 16 ["));
  CHECK(says(decision, "more labels per class would bring full"));
  CHECK(says(decision, "more labels per class would bring LoRA"));
  CHECK_FALSE(says(decision, "would bring IA3"));
  CHECK_FALSE(says(decision, "looks at no training rows"));
  CHECK(says(decision, "Laws miss mean scores of late (by up to 0."));
  CHECK(says(decision, "Other test rows would move a score"));
  CHECK(says(decision, "160 validation rows"));
}

TEST_CASE("what depends on the seeds is told apart from what does not", "[study][curve]") {
  Json told = {{"methods", Json::array()}, {"crossings", Json::array()}};
  const auto cross = [&](const char* second, const Json& labels, const Json& interval, const Json& share) {
    told["crossings"].push_back({{"first", "words"},
                                 {"second", second},
                                 {"ahead", "words"},
                                 {"labels", labels},
                                 {"interval", interval},
                                 {"share", share}});
  };
  cross("sure", 20.0, {10.0, 40.0}, 1.0);
  cross("never", nullptr, nullptr, 0.01);
  cross("often", 30.0, {10.0, 60.0}, 0.7);
  cross("rarely", nullptr, nullptr, 0.2);
  cross("unknown", 12.0, nullptr, nullptr);
  const Json three = curve_sentences(told, kFacts);
  INFO(three.dump(1));
  CHECK(says(three, "Where curves cross, in labels per class: sure passes words at about 20 [10, 40]."));
  CHECK(says(three, "for often and words (in 70 % of cases), rarely and words (in 20 % of cases), unknown and words."));
  CHECK_FALSE(says(three, "never"));
  cross("fourth", 12.0, {8.0, 30.0}, 0.5);
  CHECK(says(Json(curve_sentences(told, kFacts)), "unknown and words and 1 more pair."));
}
