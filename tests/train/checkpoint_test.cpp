// Rotation and fingerprints of checkpoints.
#include "attune/train/checkpoint.h"

#include <ATen/ops/ones.h>

#include <algorithm>
#include <optional>
#include <set>

#include "attune/base/random.h"
#include "attune/files/storage.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;
using testing::TemporaryFolder;
using train::Checkpoints;

namespace {

train::CheckpointData small_data() {
  return {.weights = {{"w", at::ones({2})}}, .moments = {}, .best = {}, .state = {{"global_step", 1}}};
}

}  // namespace

TEST_CASE("a checkpoint comes back as it was saved", "[train]") {
  const TemporaryFolder folder;
  const Checkpoints checkpoints(folder.path(), "{}");
  checkpoints.save(3, small_data());
  const train::CheckpointData loaded = checkpoints.load(checkpoints.newest_whole());
  CHECK(loaded.weights.at("w").sum().item<float>() == 2);
  CHECK(loaded.best.empty());
  CHECK(loaded.state == small_data().state);
}

TEST_CASE("rotation keeps the newest and the best, whatever the order of events", "[train]") {
  const RandomKey key(1, "rotation");
  for (std::uint64_t trial = 0; trial < 12; ++trial) {
    const TemporaryFolder folder;
    const Checkpoints checkpoints(folder.path(), "{}");
    const auto keep = static_cast<std::int64_t>(1 + key.with(trial).bits(0) % 3);
    std::set<std::int64_t> saved;
    std::optional<std::int64_t> best;
    for (std::int64_t step = 1; step <= 12; ++step) {
      const std::uint64_t draw = key.with(trial).bits(step);
      if (draw % 3 == 0) continue;  // not saved, or saving failed
      checkpoints.save(step, small_data());
      saved.insert(step);
      if (draw % 5 == 0 || !best) best = step;
      checkpoints.rotate(keep, step, best);
      std::set<std::int64_t> expected{*best};
      for (auto it = saved.rbegin(); it != saved.rend() && std::distance(saved.rbegin(), it) < keep; ++it)
        expected.insert(*it);
      const std::vector<std::int64_t> there = checkpoints.steps();
      INFO("trial " << trial << ", step " << step << ", keep " << keep << ", best " << *best);
      CHECK(std::set<std::int64_t>(there.begin(), there.end()) == expected);
      CHECK(checkpoints.newest_whole() == checkpoints.folder(step));
      CHECK(files::manifest_defect(checkpoints.folder(*best)).empty());
    }
  }
}

TEST_CASE("a run resumed at an earlier step never loses the checkpoint it just wrote", "[train]") {
  const TemporaryFolder folder;
  const Checkpoints checkpoints(folder.path(), "{}");
  for (const std::int64_t step : {10, 20, 30}) checkpoints.save(step, small_data());
  checkpoints.save(12, small_data());
  checkpoints.rotate(1, 12, 10);
  CHECK(checkpoints.steps() == std::vector<std::int64_t>{10, 12});
  checkpoints.rotate(0, 12, std::nullopt);
  CHECK(checkpoints.steps().size() == 2);
}

TEST_CASE("the difference of fingerprints names keys, old and new values", "[train]") {
  CHECK(train::fingerprint_difference(R"({"a": 1})", R"({"a": 1})").empty());
  CHECK(train::fingerprint_difference(R"({"a": 1})", R"({"a":  1})").empty());
  CHECK(train::fingerprint_difference(R"({"a": {"b": 1}, "c": "x"})", R"({"a": {"b": 2}, "d": null})") ==
        "a.b: 1 → 2; c: \"x\" → absent; d: absent → null");
  CHECK(train::fingerprint_difference("abc", "def") == "fingerprint: \"abc\" → \"def\"");
}
