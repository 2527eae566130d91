// Every shipped configuration is read and checked, and its files, columns and layers exist: a dry run with the model that it names
// (the project's own tiny GPT, which also stands for the small causal model that scripts/make_small_lm.py makes, or the real encoder
// where that was fetched).
#include <nlohmann/json.hpp>

#include "app/program.h"
#include "catch.h"

using attune::testing::run_attune;
using attune::testing::Workspace;

namespace {

constexpr const char* kEncoder = "models/all-MiniLM-L6-v2";
constexpr const char* kShippedGpt = "data/tiny-gpt";
constexpr const char* kMadeGpt = "build/small-lm/causal/model";

/// The shipped configurations over `model`.
std::vector<std::string> configurations_of(const std::string& model) {
  std::vector<std::string> found;
  for (const auto& entry : attune::testing::fs::directory_iterator(ATTUNE_SOURCE_DIR "/configs")) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream file(entry.path());
    if (nlohmann::json::parse(file).at("model").at("path") == model) found.push_back(entry.path().string());
  }
  return found;
}

void check_dry_run(const Workspace& workspace, const std::string& configuration, const std::string& more = "") {
  const auto dry = run_attune(workspace, "train '" + configuration + "' --quiet --dry-run" + more);
  INFO(configuration << "\n" << dry.err);
  CHECK(dry.exit_code == 0);
  CHECK_FALSE(attune::testing::fs::exists(workspace.path("runs")));
}

}  // namespace

TEST_CASE("every shipped configuration of the encoder passes a dry run", "[app][shell]") {
  const char* model = std::getenv("ATTUNE_MINILM");
  if (model == nullptr) {
    WARN("skipped: ATTUNE_MINILM does not name the folder of all-MiniLM-L6-v2 (scripts/test.sh sets it)");
    return;
  }
  const Workspace workspace;
  for (const std::string folder : {"data", "configs"}) {
    attune::testing::fs::create_directory_symlink(ATTUNE_SOURCE_DIR "/" + folder, workspace.path(folder));
  }
  const auto configurations = configurations_of(kEncoder);
  CHECK(configurations.size() >= 6);
  for (const std::string& path : configurations) check_dry_run(workspace, path, " --set model.path='" + std::string(model) + "'");
}

TEST_CASE("every shipped configuration of the tiny GPT passes a dry run", "[app][shell]") {
  const Workspace workspace;
  for (const std::string folder : {"data", "configs"}) {
    attune::testing::fs::create_directory_symlink(ATTUNE_SOURCE_DIR "/" + folder, workspace.path(folder));
  }
  const auto configurations = configurations_of(kShippedGpt);
  CHECK(configurations.size() >= 6);
  for (const std::string& path : configurations) check_dry_run(workspace, path);
  for (const std::string& path : configurations_of(kMadeGpt)) check_dry_run(workspace, path, std::string(" --set model.path=") + kShippedGpt);
}

TEST_CASE("no shipped configuration is of another model", "[app]") {
  std::size_t all = 0;
  for (const auto& entry : attune::testing::fs::directory_iterator(ATTUNE_SOURCE_DIR "/configs")) all += entry.path().extension() == ".json" ? 1 : 0;
  CHECK(configurations_of(kEncoder).size() + configurations_of(kShippedGpt).size() + configurations_of(kMadeGpt).size() == all);
}
