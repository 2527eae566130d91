// What a sweep finds in its points' results: the best, those that are not told from it, and what all of them cost.
#include "../../src/job/sweep_results.h"

#include <nlohmann/json.hpp>

#include "catch.h"
#include "raises.h"

using namespace attune;
using files::Json;

namespace {

Json point(const char* name, double value, const Json& cost) {
  return {
      {"name", name}, {"value", value}, {"interval", Json::array({value - 0.1, value + 0.1})}, {"cost", cost}};
}

}  // namespace

TEST_CASE("costs of points are summed as far as all know them", "[job]") {
  Json points = {
      point("point-1", 0.5,
            {{"flops", 8e9}, {"flops_frozen", 6e9}, {"seconds", 4}, {"joules", 10}, {"money", 2}, {"currency", "EUR"}}),
      point("point-2", 0.7, {{"flops", 2e9}, {"seconds", 1}, {"joules", 3}, {"money", 1}, {"currency", "EUR"}})};
  CHECK(job::total_cost(points) == Json({{"currency", "EUR"},
                                         {"seconds", 5.0},
                                         {"flops", 10e9},
                                         {"joules", 13.0},
                                         {"money", 3.0},
                                         {"flops_frozen", 6e9}}));
  points[1]["cost"].erase("joules");  // a counter stopped answering
  CHECK_FALSE(job::total_cost(points).contains("joules"));
  CHECK(job::total_cost(points)["money"] == 3.0);

  points.push_back({{"name", "point-3"}, {"failed", "the loss is nan"}, {"cost", {{"seconds", 2}}}});
  CHECK(job::total_cost(points)["seconds"] == 7.0);
  CHECK(job::total_cost(points)["flops"] == 10e9);
  CHECK(job::total_cost(points)["unknown"] == 1);
  const Json failed = Json::array({points[2]});
  CHECK(job::total_cost(failed) == Json({{"seconds", 2.0}, {"unknown", 1}}));
}

TEST_CASE("the cost of a point is that of its run", "[job]") {
  const Json run = {{"cost",
                     {{"training", {{"flops_frozen", 3.0}, {"flops_forward", 1.0}}},
                      {"evaluation", {{"flops_frozen", 2.0}}},
                      {"run", {{"flops", 9.0}, {"seconds", 1.5}, {"peak_memory", 7}, {"money", 0.25}}},
                      {"currency", "EUR"}}}};
  CHECK(job::point_cost(run) ==
        Json({{"flops", 9.0}, {"seconds", 1.5}, {"money", 0.25}, {"flops_frozen", 5.0}, {"currency", "EUR"}}));
}

TEST_CASE("the best point is the first of the best, and none may be missing", "[job]") {
  const Json points = {point("point-1", 0.5, {}), point("point-2", 0.7, {}), point("point-3", 0.65, {}),
                       point("point-4", 0.7, {})};
  CHECK(job::best_point(points, "accuracy", true)["name"] == "point-2");
  CHECK(job::best_point(points, "loss", false)["name"] == "point-1");
  CHECK(job::within_interval(points, points[1]) == Json{"point-3", "point-4"});
  const Json failed = Json::array({{{"name", "point-1"}, {"failed", "the loss is nan"}}});
  CHECK_RAISES(job::best_point(failed, "loss", false), diverged, "every point of the sweep diverged");
  const Json undefined = Json::array({{{"name", "point-1"}, {"value", nullptr}}});
  CHECK_RAISES(job::best_point(undefined, "pearson", true), data, "no point of the sweep has a value of pearson");
}
