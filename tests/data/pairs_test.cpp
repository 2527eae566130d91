// Pairs of rows against SetFit's ContrastiveDataset and numpy's shuffle.
#include "attune/data/pairs.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "catch.h"
#include "raises.h"

using namespace attune::data;
using Json = nlohmann::ordered_json;
using Labels = std::vector<std::int64_t>;

namespace {

Json pair_goldens() {
  std::ifstream file(ATTUNE_SOURCE_DIR "/tests/goldens/vectors/pairs.json");
  REQUIRE(file.good());
  return Json::parse(file);
}

PairSampling sampling_of(const Json& options) {
  PairSampling sampling;
  if (options.contains("sampling_strategy")) sampling.strategy = options["sampling_strategy"].get<std::string>();
  if (options.contains("num_iterations")) sampling.iterations = options["num_iterations"].get<std::int64_t>();
  if (options.contains("max_pairs")) sampling.at_most = options["max_pairs"].get<std::int64_t>();
  return sampling;
}

Json as_lists(const std::vector<Pair>& pairs) {
  Json lists = Json::array();
  for (const Pair& pair : pairs) lists.push_back({pair.first, pair.second, pair.alike ? 1 : 0});
  return lists;
}

using Numbers = std::vector<std::uint32_t>;

/// Different rows of each batch of 16.
std::vector<std::size_t> rows_of_batches(const std::vector<Pair>& pairs, const Numbers& order) {
  std::map<std::size_t, std::set<std::uint32_t>> batches;
  for (std::size_t i = 0; i < order.size(); ++i) batches[i / 16].insert({pairs[order[i]].first, pairs[order[i]].second});
  std::vector<std::size_t> counts;
  for (const auto& [batch, rows] : batches) counts.push_back(rows.size());
  return counts;
}

double mean(const std::vector<std::size_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), 0.0) / static_cast<double>(counts.size());
}

}  // namespace

TEST_CASE("numpy's permutations", "[data][golden]") {
  const Json goldens = pair_goldens();
  for (const Json& golden : goldens["permutations"]) {
    CHECK(Json(numpy_permutation(golden["count"], golden["seed"])) == golden["order"]);
  }
}

TEST_CASE("the pairs are SetFit's, in its order, and as many as was said", "[data][golden]") {
  const Json goldens = pair_goldens();
  for (const Json& golden : goldens["cases"]) {
    INFO(golden["options"].dump());
    const Labels labels = golden["labels"];
    const PairSampling sampling = sampling_of(golden["options"]);
    const std::vector<Pair> pairs = draw_pairs(labels, sampling);
    CHECK(as_lists(pairs) == golden["pairs"]);
    const PairCounts counts = count_pairs(labels, sampling);
    CHECK(counts.drawn() == static_cast<std::int64_t>(pairs.size()));
    CHECK(counts.alike == std::count_if(pairs.begin(), pairs.end(), [](const Pair& pair) { return pair.alike; }));
  }
}

TEST_CASE("distinct pairs are counted, a row with itself among them", "[data]") {
  const PairCounts counts = count_pairs(Labels{0, 0, 0, 1, 1}, {.iterations = 4});
  CHECK(counts.distinct_alike == 6 + 3);
  CHECK(counts.distinct_unlike == 3 * 2);
  CHECK(counts.alike == 20);
  CHECK(counts.unlike == 20);
}

TEST_CASE("another seed gives other pairs", "[data]") {
  const Labels labels = {0, 0, 0, 1, 1, 1, 2, 2};
  const PairSampling one{.strategy = "unique", .iterations = {}, .at_most = {}, .seed = 1};
  CHECK(as_lists(draw_pairs(labels, one)) != as_lists(draw_pairs(labels, {.strategy = "unique"})));
}

TEST_CASE("a batch begins with the next pairs that bring rows, and goes on with pairs between these rows", "[data]") {
  const std::vector<Pair> pairs = {{0, 1}, {2, 3}, {0, 2}, {4, 5}, {1, 3}, {4, 4}};
  CHECK(share_rows(pairs, Numbers{0, 3, 1, 2, 4, 5}, 3, 4) == Numbers{0, 3, 5, 1, 2, 4});
  CHECK(share_rows(pairs, Numbers{0, 1, 2, 3, 4, 5}, 3, 2) == Numbers{0, 2, 4, 1, 3, 5});  // more rows where none share
  CHECK(share_rows(pairs, Numbers{5, 4, 3, 2, 1, 0}, 4, 2) == Numbers{5, 3, 4, 2, 1, 0});  // the last batch is not full
  CHECK(share_rows({}, {}, 3, 2).empty());
}

TEST_CASE("batches that share rows read each pair once and have about as many rows as is wanted", "[data]") {
  Labels labels(80);
  for (std::size_t row = 0; row < labels.size(); ++row) labels[row] = static_cast<std::int64_t>(row % 10);
  const std::vector<Pair> pairs = draw_pairs(labels, {.iterations = 20});
  const Numbers order = numpy_permutation(static_cast<std::uint32_t>(pairs.size()), 7);
  Numbers shared = share_rows(pairs, order, 16, 12);
  const std::vector<std::size_t> rows = rows_of_batches(pairs, shared);
  CHECK(mean(rows_of_batches(pairs, order)) > 25);
  CHECK(mean(rows) < 13);
  CHECK(std::ranges::all_of(rows.begin(), rows.begin() + 100, [](std::size_t count) { return count == 12; }));
  std::ranges::sort(shared);
  for (std::uint32_t number = 0; number < shared.size(); ++number) REQUIRE(shared[number] == number);
  CHECK(shared.size() == pairs.size());
}

TEST_CASE("pairs of one class, and of more rows than memory holds, are refused", "[data]") {
  const Labels one_class(3, 1);
  CHECK_RAISES(count_pairs(one_class, {}), data, "need two classes");
  Labels many(20000, 0);
  many.back() = 1;
  CHECK_RAISES(count_pairs(many, {}), data, "20000 training rows make 200010000 pairs");
}
