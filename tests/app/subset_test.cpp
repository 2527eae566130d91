// data.subset: training on a part of the training rows.
#include <map>
#include <sstream>

#include "app/program.h"
#include "catch.h"

namespace {

using attune::testing::Finished;
using attune::testing::run_attune;
using attune::testing::tiny_rows;
using attune::testing::weights;
using attune::testing::Workspace;
using attune::testing::write_tiny_job;
using Json = nlohmann::ordered_json;

Json train(const Workspace& workspace, const std::string& settings) {
  const Finished finished = run_attune(workspace, "train run.json --json --quiet " + settings);
  INFO(settings << "\n" << finished.err);
  REQUIRE(finished.exit_code == 0);
  return Json::parse(finished.out);
}

}  // namespace

TEST_CASE("a part of the training rows is trained on, and said", "[app][shell][subset]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  const Json results = train(workspace, "--set data.subset.per_class=4");
  const Json& data = results["data"];
  CHECK(data["splits"]["train"]["rows"] == 12);
  CHECK(data["subset"] == Json{{"of", 48}, {"seed", 42}, {"rows", 12}, {"per_class", 4}});
  CHECK(data["labels"] == Json{{"address", 4}, {"card", 4}, {"refund", 4}});
  CHECK_THAT(workspace.read("out/report.html"), ContainsSubstring("Trained on 12 of 48 training rows, 4 of each label, drawn under seed 42."));
  CHECK_THAT(workspace.read("out/README.md"), ContainsSubstring("Rows: 12 train (of 48), 12 validation."));
  CHECK(run_attune(workspace, "verify out --quiet").exit_code == 0);

  SECTION("the same from a file, and other rows under another seed") {
    train(workspace, "--set data.subset.per_class=4 --set output_dir=file --set data.rows_in_memory_mib=0");
    CHECK(weights(workspace, "file") == weights(workspace, "out"));
    train(workspace, "--set data.subset.per_class=4 --set output_dir=other --set data.subset.seed=7");
    CHECK(weights(workspace, "other") != weights(workspace, "out"));
    const auto split = [&](const std::string& folder) { return Json::parse(workspace.read(folder + "/run_manifest.json"))["inputs"]["split"]; };
    CHECK(split("file") == split("out"));
    CHECK(split("other") != split("out"));
  }
  SECTION("all seeds of a run train on the same rows") {
    const Json seeds = train(workspace, "--set data.subset.per_class=4 --set output_dir=seeds --set seeds=[1,2]");
    CHECK(seeds["data"] == data);
  }
}

TEST_CASE("the labels are those of all training rows", "[app][shell][subset]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  const Json results = train(workspace, "--set data.subset.rows=2 --set training.class_weights=balanced");
  CHECK(results["data"]["labels"].size() == 2);
  CHECK(Json::parse(workspace.read("out/config.json"))["id2label"].size() == 3);
  CHECK(results["validation"]["metrics"]["rows"] == 12);  // with rows of all three labels
}

TEST_CASE("a part is drawn behind held-out rows and before folds", "[app][shell][subset]") {
  const Workspace workspace;
  write_tiny_job(workspace, "", R"("cross_validation": {"folds": 3})");
  const Finished planned = run_attune(workspace, "train run.json --json --dry-run --quiet --set data.subset.rows=30 --set data.test_size=6");
  INFO(planned.err);
  REQUIRE(planned.exit_code == 0);
  const Json plan = Json::parse(planned.out);
  CHECK(plan["data"]["splits"]["test"]["rows"] == 6);
  CHECK(plan["data"]["subset"]["of"] == 42);
  for (const Json& fold : plan["folds"]) CHECK(fold["held_out"] == 10);
}

TEST_CASE("a part that the rows cannot give is refused", "[app][shell][subset]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  const Finished few = run_attune(workspace, "train run.json --quiet --set data.subset.per_class=17");
  CHECK(few.exit_code == 4);
  CHECK_THAT(few.err, ContainsSubstring("the label 'address' has 16 training rows") && ContainsSubstring("17 of each label"));
  const Json results = train(workspace, "--set data.subset.per_class=17 --set data.subset.short_classes=all");
  CHECK(results["data"]["subset"]["short_classes"]["card"] == 16);
  workspace.write("train.jsonl", R"({"text": "a", "label": ["x"]})" "\n" R"({"text": "b", "label": ["y", "x"]})" "\n" R"({"text": "c", "label": ["y"]})" "\n");
  const Finished sets = run_attune(workspace, "train run.json --quiet --set data.subset.per_class=1 --set data.validation=[]");
  CHECK(sets.exit_code == 2);
  CHECK_THAT(sets.err, ContainsSubstring("data.subset.per_class"));
}
