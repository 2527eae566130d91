// Openings of a test set: noted once a run, counted by content.
#include "attune/job/openings.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "attune/files/storage.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;
using attune::job::note_opening;
using attune::job::openings_file;
using files::Json;

namespace {

job::RunOptions run_with(const std::string& folder, std::vector<std::string> test) {
  job::RunOptions run;
  run.output_dir = folder;
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/config.resolved.json") << "{}";  // which makes it the folder of a run
  run.data.test = std::move(test);
  return run;
}

std::vector<Json> lines_in(const std::string& file) {
  std::istringstream text(files::read_file(file));
  std::vector<Json> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(Json::parse(line));
  return lines;
}

}  // namespace

TEST_CASE("openings are counted by content, the last five are told", "[job]") {
  const testing::TemporaryFolder folder;
  const std::string rows = folder.write("rows.jsonl", "{}\n"), copy = folder.write("copy.jsonl", "{}\n"),
                    others = folder.write("others.jsonl", "{ }\n");
  for (int i = 0; i < 7; ++i) {
    const Json opening = note_opening(run_with(folder.path() + "/run-" + std::to_string(i), {i % 2 == 0 ? rows : copy}),
                                      "attune compare");
    CHECK(opening["before"] == i);
    CHECK(opening["test_sha256"] == files::sha256_file(rows));
    CHECK(opening["by"].size() == static_cast<std::size_t>(std::min(i, 5)));
    if (i > 0) CHECK(opening["by"].back()["output_dir"] == folder.path() + "/run-" + std::to_string(i - 1));
    if (i == 6) CHECK(opening["by"].front()["output_dir"] == folder.path() + "/run-1");
    if (i > 0) CHECK_FALSE(opening["by"].back().contains("test_sha256"));
  }
  CHECK(note_opening(run_with(folder.path() + "/others", {others}), "attune compare")["before"] == 0);
  CHECK(note_opening(run_with(folder.path() + "/both", {rows, others}), "attune learning-curve")["before"] == 0);
  CHECK(note_opening(run_with(folder.path() + "/both-again", {rows, others}), "attune compare")["before"] == 1);
  const std::vector<Json> lines = lines_in(folder.path() + "/test_openings.jsonl");
  REQUIRE(lines.size() == 10);
  CHECK(lines[8]["by"] == "attune learning-curve");
  CHECK(lines[8]["files"] == Json{rows, others});

  // A run that goes on remembers its opening and notes none.
  const Json again = note_opening(run_with(folder.path() + "/run-3", {rows}), "attune compare");
  CHECK(again["before"] == 3);
  CHECK(lines_in(folder.path() + "/test_openings.jsonl").size() == 10);
}

TEST_CASE("lines that are no openings, and a file that is none, stop no run", "[job]") {
  const testing::TemporaryFolder folder;
  const std::string rows = folder.write("rows.jsonl", "{}\n");
  note_opening(run_with(folder.path() + "/one", {rows}), "attune compare");
  std::ofstream(folder.path() + "/test_openings.jsonl", std::ios::app) << "{\"test_sha256\": 5}\n";
  CHECK(note_opening(run_with(folder.path() + "/two", {rows}), "attune compare")["before"] == 1);
  job::RunOptions run = run_with(folder.path() + "/three", {rows});
  run.data.openings_file = folder.path();
  CHECK(note_opening(run, "attune compare")["before"].is_null());
  CHECK(std::filesystem::exists(folder.path() + "/three/opening.json"));
}
