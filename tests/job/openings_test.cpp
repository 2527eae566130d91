// Openings of test rows: counted by content in a file that many runs write, and never in the way of a run.
#include "attune/job/openings.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "attune/files/storage.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;
using files::Json;

namespace {

const job::TestRows kRows = {.sha256 = "abc", .files = {"test.jsonl"}};

std::vector<Json> lines_of(const std::string& file) {
  std::istringstream text(files::read_file(file, ErrorKind::data));
  std::vector<Json> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(Json::parse(line));
  return lines;
}

job::RunOptions run_with(const std::string& folder, std::vector<std::string> test) {
  job::RunOptions run;
  run.output_dir = folder;
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/config.resolved.json") << "{}";  // which makes it the folder of a run
  run.data.test = std::move(test);
  return run;
}

}  // namespace

TEST_CASE("test rows are known by what is in them", "[job]") {
  const testing::TemporaryFolder folder;
  const std::string a = folder.write("a.jsonl", "one\n"), b = folder.write("b.jsonl", "one\n"),
                    c = folder.write("c.jsonl", "two\n");
  CHECK(job::test_rows({a}).sha256 == job::test_rows({b}).sha256);
  CHECK(job::test_rows({a}).sha256 == files::sha256_file(a));
  CHECK(job::test_rows({a}).sha256 != job::test_rows({c}).sha256);
  CHECK(job::test_rows({a, c}).sha256 != job::test_rows({c, a}).sha256);

  job::Prepared prepared;
  prepared.options.data.train = {"train.jsonl"};
  prepared.options.data.test = {a};
  prepared.fingerprints = {{"data", {{"train.jsonl", "t"}, {a, files::sha256_file(a)}}}, {"split", "s"}};
  CHECK(job::test_rows(prepared).sha256 == job::test_rows({a}).sha256);
  prepared.options.data.test.clear();  // drawn from the training rows
  const std::string drawn = job::test_rows(prepared).sha256;
  prepared.fingerprints["split"] = "another";
  CHECK(job::test_rows(prepared).sha256 != drawn);
}

TEST_CASE("runs side by side do not tear each other's lines", "[job]") {
  const testing::TemporaryFolder folder;
  const std::string file = folder / "openings.jsonl";
  std::vector<std::jthread> runs;
  for (int run = 0; run < 8; ++run) {
    runs.emplace_back([&, run] {
      for (int i = 0; i < 25; ++i) job::note_opening(file, kRows, "attune train", std::string(200 + run, 'x'));
    });
  }
  runs.clear();
  CHECK(lines_of(file).size() == 200);
  CHECK(job::note_opening(file, kRows, "attune train", "last")["before"] == 200);
}

TEST_CASE("a file of openings that cannot be read or written stops nothing", "[job]") {
  const testing::TemporaryFolder folder;
  std::filesystem::create_directories(folder / "taken");
  const Json opening = job::note_opening(folder / "taken", kRows, "attune train", "out");
  CHECK(opening["before"].is_null());
  CHECK(opening["noted"] == false);
  const std::string below = folder.write("file", "") + "/openings.jsonl";  // no folder can be made there
  CHECK(job::note_opening(below, kRows, "attune train", "out")["noted"] == false);
  const std::string damaged = folder.write("damaged.jsonl", "nonsense\n[1]\n{\"test_sha256\": \"abc\"}\n");
  CHECK(job::note_opening(damaged, kRows, "attune train", "out")["before"] == 1);
}

TEST_CASE("a run counts once, beside the whole of it", "[job]") {
  const testing::TemporaryFolder folder;
  folder.write("runs/mine/config.resolved.json", "{}");
  folder.write("runs/mine/seed-1/config.resolved.json", "{}");
  data::DataOptions data;
  const std::string beside = std::filesystem::weakly_canonical(folder.path()).string() + "/runs/test_openings.jsonl";
  const auto canonical = [&](const std::string& run) {
    return std::filesystem::weakly_canonical(job::openings_file(data, run)).string();
  };
  CHECK(canonical(folder / "runs/mine") == beside);
  CHECK(canonical(folder / "runs/mine/") == beside);
  CHECK(canonical(folder / "runs/mine/seed-1") == beside);
  CHECK(job::openings_file(data, folder / "models/base") == "test_openings.jsonl");
  data.openings_file = "own.jsonl";
  CHECK(job::openings_file(data, folder / "runs/mine") == "own.jsonl");

  job::RunOptions options;
  options.output_dir = folder / "runs/mine";
  options.data.test = {folder.write("test.jsonl", "row\n")};
  CHECK(job::noted_opening(options).is_null());
  const Json first = job::note_opening(options, "attune compare");
  CHECK(job::note_opening(options, "attune compare") == first);
  CHECK(job::noted_opening(options) == first);
  CHECK(lines_of(beside).size() == 1);
}

TEST_CASE("openings are counted by content, the last five are told", "[job]") {
  const testing::TemporaryFolder folder;
  const std::string rows = folder.write("rows.jsonl", "{}\n"), copy = folder.write("copy.jsonl", "{}\n"),
                    others = folder.write("others.jsonl", "{ }\n");
  for (int i = 0; i < 7; ++i) {
    const Json opening = job::note_opening(run_with(folder.path() + "/run-" + std::to_string(i), {i % 2 == 0 ? rows : copy}),
                                      "attune compare");
    CHECK(opening["before"] == i);
    CHECK(opening["test_sha256"] == files::sha256_file(rows));
    CHECK(opening["by"].size() == static_cast<std::size_t>(std::min(i, 5)));
    if (i > 0) CHECK(opening["by"].back()["output_dir"] == folder.path() + "/run-" + std::to_string(i - 1));
    if (i == 6) CHECK(opening["by"].front()["output_dir"] == folder.path() + "/run-1");
    if (i > 0) CHECK_FALSE(opening["by"].back().contains("test_sha256"));
  }
  CHECK(job::note_opening(run_with(folder.path() + "/others", {others}), "attune compare")["before"] == 0);
  CHECK(job::note_opening(run_with(folder.path() + "/both", {rows, others}), "attune learning-curve")["before"] == 0);
  CHECK(job::note_opening(run_with(folder.path() + "/both-again", {rows, others}), "attune compare")["before"] == 1);
  const std::vector<Json> lines = lines_of(folder.path() + "/test_openings.jsonl");
  REQUIRE(lines.size() == 10);
  CHECK(lines[8]["by"] == "attune learning-curve");
  CHECK(lines[8]["files"] == Json{rows, others});

  // A run that goes on remembers its opening and notes none.
  const Json again = job::note_opening(run_with(folder.path() + "/run-3", {rows}), "attune compare");
  CHECK(again["before"] == 3);
  CHECK(lines_of(folder.path() + "/test_openings.jsonl").size() == 10);
}
