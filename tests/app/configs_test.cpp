// Every shipped configuration is read and checked, and its files, columns and layers exist: a dry run with the real encoder.
#include "app/program.h"
#include "catch.h"

using attune::testing::run_attune;
using attune::testing::Workspace;

TEST_CASE("every shipped configuration passes a dry run", "[app][shell]") {
  namespace fs = std::filesystem;
  const char* model = std::getenv("ATTUNE_MINILM");
  if (model == nullptr) {
    WARN("skipped: ATTUNE_MINILM does not name the folder of all-MiniLM-L6-v2 (scripts/test.sh sets it)");
    return;
  }
  const Workspace workspace;
  fs::create_directory_symlink(ATTUNE_SOURCE_DIR "/data", workspace.path("data"));
  int configurations = 0;
  for (const auto& entry : fs::directory_iterator(ATTUNE_SOURCE_DIR "/configs")) {
    if (entry.path().extension() != ".json") continue;
    ++configurations;
    const auto dry = run_attune(workspace, "train '" + entry.path().string() + "' --quiet --dry-run --set model.path='" + model + "'");
    INFO(entry.path().string() << "\n" << dry.err);
    CHECK(dry.exit_code == 0);
    CHECK_FALSE(fs::exists(workspace.path("runs")));
  }
  CHECK(configurations >= 3);
}
