// Room for what a run writes: judged from bytes alone, and counted for prepared jobs.
#include "../../src/job/disk_space.h"

#include "catch.h"
#include "raises.h"

using namespace attune;
using job::DiskNeeds;
using job::judge_space;

namespace {

constexpr std::int64_t kMegabyte = 1'000'000;
constexpr DiskNeeds kNeeds = {.models = 400 * kMegabyte, .checkpoint = 1200 * kMegabyte, .checkpoints = 3};

}  // namespace

TEST_CASE("a disk on which the model has no room is refused before training", "[job][space]") {
  CHECK_RAISES(judge_space(kNeeds, 400 * kMegabyte - 1, "out"), storage,
               "out: the trained model takes about 400.0 MB, and 400.0 MB are free (output_dir); free some space or choose another folder");
  CHECK_FALSE(judge_space(kNeeds, 400 * kMegabyte, "out").empty());
}

TEST_CASE("a disk on which the checkpoints have no room is warned of, with what would help", "[job][space]") {
  CHECK(judge_space(kNeeds, 4000 * kMegabyte, "out").empty());
  const std::string warning = judge_space(kNeeds, 4000 * kMegabyte - 1, "out");
  CHECK(warning.starts_with("out: the run writes up to 4.0 GB (model 400.0 MB, 3 checkpoints of 1.2 GB at a time), and 4.0 GB are free"));
  CHECK(warning.find("training.save_total_limit") != std::string::npos);
  const std::string alone = judge_space({.models = 5 * kMegabyte, .tokens = 3'000}, 5 * kMegabyte, "out");
  CHECK(alone.find("up to 5.0 MB (model 5.0 MB, caches 3 kB)") != std::string::npos);
  CHECK(alone.find("save_total_limit") == std::string::npos);
}

TEST_CASE("rows that lie on the disk already are named beside what is free", "[job][space]") {
  DiskNeeds needs = kNeeds;
  needs.rows = 2300 * kMegabyte;
  CHECK_RAISES(judge_space(needs, 300 * kMegabyte, "out"), storage,
               "and 300.0 MB are free beside 2.3 GB of training rows in a temporary file (output_dir); free some space, raise data.rows_in_memory_mib or");
  CHECK(judge_space(needs, 4000 * kMegabyte, "out").empty());
  const std::string warning = judge_space(needs, 3000 * kMegabyte, "out");
  CHECK(warning.find("up to 4.0 GB (model 400.0 MB, 3 checkpoints of 1.2 GB at a time), and 3.0 GB are free beside 2.3 GB of training rows") != std::string::npos);
  CHECK(warning.find("raise data.rows_in_memory_mib, lower training.save_total_limit") != std::string::npos);
}

TEST_CASE("states of frozen layers take half of what is free, and no more", "[job][space]") {
  const DiskNeeds needs = {.models = 40 * kMegabyte, .states = 900'000 * kMegabyte};
  CHECK(judge_space(needs, 80 * kMegabyte, "out").empty());
  CHECK(judge_space(needs, 78 * kMegabyte, "out").find("caches 39.0 MB") != std::string::npos);
}
