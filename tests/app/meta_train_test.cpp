// attune meta-train: Reptile's rule beside plain training, resumption, and what it refuses.
#include <csignal>
#include <sys/wait.h>

#include "app/program.h"
#include "attune/base/print_number.h"
#include "attune/tensor/weights.h"
#include "catch.h"

namespace {

using attune::testing::Finished;
using attune::testing::kTinyModel;
using attune::testing::run_attune;
using attune::testing::start_attune;
using attune::testing::tiny_config;
using attune::testing::tiny_rows;
using attune::testing::Workspace;
using attune::testing::write_tiny_job;
using Json = nlohmann::ordered_json;
using Values = std::map<std::string, at::Tensor>;

/// Two data sets of 48 and 30 rows, the latter with other labels; no dropout, one batch holds all rows.
void write_meta_job(const Workspace& workspace) {
  const std::string settings = R"("tuning": {"method": "full"}, "model": {"path": ")" + kTinyModel +
                               R"(", "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "classifier_dropout": 0.0})";
  write_tiny_job(workspace, R"("per_device_train_batch_size": 64)", settings + R"(, "meta": {"tasks": ["other.json"], "inner_steps": 1, "step_size": 1.0})");
  workspace.write("other.jsonl", "{\"text\": \"close my account\", \"label\": \"close\"}\n" + tiny_rows(30));
  Json other = Json::parse(tiny_config());
  other["data"] = {{"train", "other.jsonl"}, {"max_length", 32}};
  workspace.write("other.json", other.dump());
}

Values values_of(const std::string& folder) { return attune::tensor::load_tensors(folder + "/model.safetensors"); }

Json timeless_results(const Workspace& workspace, const std::string& folder) {
  Json results = Json::parse(workspace.read(folder + "/meta_results.json"));
  for (const char* own : {"output_dir", "seconds"}) results.erase(own);
  return results;
}

double difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

}  // namespace

TEST_CASE("an episode moves the common part as Reptile has it", "[app][meta]") {
  const Workspace workspace;
  write_meta_job(workspace);
  const auto meta = [&](const std::string& settings) {
    const Finished done = run_attune(workspace, "meta-train run.json --json --quiet --set output_dir=meta --set overwrite_output_dir=true " + settings);
    INFO(done.err);
    REQUIRE(done.exit_code == 0);
    return std::pair(values_of(workspace.path("meta")), Json::parse(done.out));
  };
  const Values start = values_of(kTinyModel);
  const auto [whole, results] = meta("--set meta.episodes=1");
  CHECK(results["tasks"][0]["episodes"].get<int>() + results["tasks"][1]["episodes"].get<int>() == 1);

  const auto train_plainly = [&](std::size_t task, const std::string& model) {
    Json plain = Json::parse(workspace.read(task == 0 ? "run.json" : "other.json"));
    const Json settings = Json::parse(workspace.read("run.json"));
    plain["model"] = settings["model"];
    plain["model"]["path"] = model;
    plain["training"] = settings["training"];
    plain["training"].update({{"max_steps", 1}, {"lr_scheduler_type", "constant"}, {"warmup_steps", 0}});
    plain["data"].erase("validation");
    plain["output_dir"] = "plain";
    workspace.write("plain.json", plain.dump());
    const Finished done = run_attune(workspace, "train plain.json --quiet");
    INFO(done.err);
    REQUIRE(done.exit_code == 0);
    return values_of(workspace.path("plain"));
  };
  const std::size_t first = results["tasks"][0]["episodes"] == 1 ? 0 : 1;

  SECTION("one step of one episode is a step of plain training") {
    const Values trained = train_plainly(first, kTinyModel);
    REQUIRE(whole.size() > 10);
    for (const auto& [name, value] : whole) {
      INFO(name);
      CHECK(difference(value, trained.at("bert." + name)) < 1e-5);
    }
  }
  SECTION("the step size is a share of the way") {
    const auto [quarter, unused] = meta("--set meta.episodes=1 --set meta.step_size=0.25");
    double moved = 0;
    for (const auto& [name, value] : whole) {
      INFO(name);
      const at::Tensor& before = start.contains(name) ? start.at(name) : start.at("bert." + name);
      CHECK(difference(quarter.at(name), before + 0.25 * (value - before)) < 1e-5);
      moved = std::max(moved, difference(value, before));
    }
    CHECK(moved > 1e-3);
  }
  SECTION("it falls: the second of two episodes goes half the way from where the first ended") {
    const Values trained = train_plainly(1 - first, workspace.path("meta"));
    const auto [two, of_two] = meta("--set meta.episodes=2");
    REQUIRE(of_two["tasks"][1 - first]["episodes"] == 1);
    for (const auto& [name, value] : whole) {
      INFO(name);
      CHECK(difference(two.at(name), 0.5 * (value + trained.at("bert." + name))) < 1e-5);
    }
  }
}

TEST_CASE("meta-training goes on to the same bits after a signal", "[app][meta][shell]") {
  const Workspace workspace;
  write_meta_job(workspace);
  const std::string settings = " --quiet --set meta.episodes=400 --set meta.inner_steps=2 --set training.per_device_train_batch_size=8 --set meta.step_size=0.5";
  REQUIRE(run_attune(workspace, "meta-train run.json --set output_dir=whole" + settings).exit_code == 0);
  const pid_t child = start_attune(workspace, "meta-train run.json --set output_dir=cut" + settings + " 2>stderr.txt");
  // The first state is kept at episode 50.
  REQUIRE(attune::testing::appear({workspace.path("cut/checkpoints/meta/state.json")}));
  kill(child, SIGTERM);
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WEXITSTATUS(status) == 143);
  CHECK_FALSE(std::filesystem::exists(workspace.path("cut/model.safetensors")));
  const std::string said = workspace.read("stderr.txt"), before = "go on with: attune ";
  REQUIRE(said.find(before) != std::string::npos);
  std::string command = said.substr(said.find(before) + before.size());
  command.pop_back();

  SECTION("with the same settings") {
    const Finished resumed = run_attune(workspace, command + " --json");
    INFO(command << "\n" << resumed.err);
    REQUIRE(resumed.exit_code == 0);
    CHECK(workspace.read("cut/model.safetensors") == workspace.read("whole/model.safetensors"));
    CHECK_FALSE(std::filesystem::exists(workspace.path("cut/checkpoints")));
    CHECK(timeless_results(workspace, "cut") == timeless_results(workspace, "whole"));
    CHECK(run_attune(workspace, "verify cut --quiet").exit_code == 0);
  }
  SECTION("and refuses others") {
    CHECK(run_attune(workspace, "meta-train run.json --resume --set output_dir=cut" + settings + " --set meta.step_size=0.25").exit_code == 10);
  }
}

TEST_CASE("meta-training is verified by doing it once more", "[app][meta][verify]") {
  const Workspace workspace;
  write_meta_job(workspace);
  REQUIRE(run_attune(workspace, "meta-train run.json --quiet --set meta.episodes=7 --set meta.inner_steps=2 --set output_dir=meta").exit_code == 0);
  const auto verify = [&](const std::string& more = "") {
    const Finished done = run_attune(workspace, "verify meta --json --quiet" + more);
    INFO(done.out << done.err);
    REQUIRE((done.exit_code == 0 || done.exit_code == 9));
    const Json result = Json::parse(done.out);
    CHECK((result["verdict"] == "changed") == (done.exit_code == 9));
    return result;
  };
  const auto changed = [&](const std::string& part) {
    const Json result = verify();
    CHECK(result["verdict"] == "changed");
    CHECK_THAT(result["differences"].dump(), ContainsSubstring(part));
    return result;
  };
  const auto edit = [&](const std::string& file, const auto& change) {
    Json content = Json::parse(workspace.read(file));
    change(content);
    workspace.write(file, content.dump());
  };

  SECTION("as it was") {
    const Json whole = verify();
    CHECK(whole["verdict"] == "bit-equal");
    CHECK(whole["study"] == "meta-train");
    CHECK_THAT(whole["not_checked"].dump(), ContainsSubstring("report.html, which was made from the results"));
    CHECK_THAT(whole["checked"].dump(), ContainsSubstring("7 of 7 episodes repeated: losses and what was learned are equal to the bit"));
    const Json part = verify(" --steps 3");
    CHECK_THAT(part["checked"].dump(), ContainsSubstring("3 of 7 episodes"));
    CHECK_THAT(part["not_checked"].dump(), ContainsSubstring("behind --steps"));
    const Finished refused = run_attune(workspace, "verify meta --runs 2");
    CHECK(refused.exit_code == 2);
    CHECK_THAT(refused.err, ContainsSubstring("--runs is of comparisons"));
  }
  SECTION("rows that have changed are named, and nothing is trained") {
    workspace.write("other.jsonl", "{\"text\": \"close it\", \"label\": \"close\"}\n" + tiny_rows(30));
    const Json result = changed("inputs[1].read.data.other.jsonl");
    CHECK_THAT(result["not_checked"].dump(), ContainsSubstring("all episodes"));
  }
  SECTION("rows that are gone") {
    std::filesystem::remove(workspace.path("other.jsonl"));
    changed("other.jsonl");
  }
  SECTION("another setting of another data set") {
    edit("other.json", [](Json& other) { other["data"]["max_length"] = 8; });
    changed("inputs[1].data.max_length: recorded 32, now 8");
  }
  SECTION("another setting") {
    edit("meta/config.resolved.json", [](Json& config) { config["meta"]["step_size"] = 0.25; });
    const Json result = changed("configuration.meta.step_size: recorded 1, now 0.25");
    CHECK_THAT(result["differences"].dump(), ContainsSubstring("episode 2"));
  }
  SECTION("a model that was written over") {
    std::string bytes = workspace.read("meta/model.safetensors");
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    workspace.write("meta/model.safetensors", bytes);
    changed("model.safetensors: the file has other bytes");
  }
  SECTION("a loss that was not so: other machines are not the cause") {
    edit("meta/meta_manifest.json", [](Json& manifest) { manifest["episodes"][4]["last_loss"] = 0.5; });
    CHECK_THAT(changed("episode 5: recorded losses")["differences"].dump(), ContainsSubstring("are those of then"));
  }
  SECTION("values that were not so, on another machine") {
    edit("meta/meta_manifest.json", [](Json& manifest) {
      manifest["values"].front() = "0";
      manifest["environment"]["cpu_capability"] = "VAX";
    });
    CHECK_THAT(changed("what was learned is not")["differences"].dump(), ContainsSubstring("cpu_capability: recorded"));
  }
}

TEST_CASE("meta-training writes a page and says what there is", "[app][meta]") {
  const Workspace workspace;
  write_meta_job(workspace);
  const Finished done = run_attune(workspace, "meta-train run.json --set meta.episodes=5 --set output_dir=meta");
  INFO(done.out << done.err);
  REQUIRE(done.exit_code == 0);
  const Json results = Json::parse(workspace.read("meta/meta_results.json"));
  const std::string trained = attune::grouped(results["trained"].get<std::int64_t>());
  CHECK_THAT(trained, ContainsSubstring(","));
  CHECK_THAT(done.out, ContainsSubstring("trained   " + trained + " parameters"));
  CHECK_THAT(done.out, ContainsSubstring("5 episodes of 1 step in"));
  CHECK_THAT(done.out, ContainsSubstring("meta (report.html, meta_results.json)"));
  const std::string page = workspace.read("meta/report.html");
  std::size_t dots = 0;
  for (std::size_t at = page.find("<circle class"); at != std::string::npos; at = page.find("<circle class", at + 1)) ++dots;
  CHECK(dots >= 5);
  for (const Json& task : results["tasks"])
    CHECK_THAT(page, ContainsSubstring("\">" + task["name"].get<std::string>() + "</th><td>" + task["rows"].dump() + "</td>"));
  CHECK_THAT(page, ContainsSubstring("attune train CONFIG --set model.path=meta<"));
}

TEST_CASE("what meta-training makes is a base like any other", "[app][meta]") {
  const Workspace workspace;
  write_meta_job(workspace);
  REQUIRE(run_attune(workspace, "meta-train run.json --quiet --set meta.episodes=8 --set output_dir=meta").exit_code == 0);
  const Finished tuned = run_attune(workspace, "train run.json --quiet --set model.path=meta");
  INFO(tuned.err);
  CHECK(tuned.exit_code == 0);
  const Json config = Json::parse(workspace.read("meta/config.json"));
  CHECK(config["architectures"][0] == "BertModel");
}

TEST_CASE("what cannot be meta-trained is refused", "[app][meta]") {
  const Workspace workspace;
  write_meta_job(workspace);
  const auto [settings, code, said] = GENERATE(table<std::string, int, std::string>(
      {{"--set meta.tasks=[]", 2, "meta.tasks"},
       {"--set seeds=[1,2]", 2, "seeds"},
       {"--set tuning.method=lora", 2, "tuning.method"},
       {"--set meta.shots=2", 4, "the class 'close' has 1 training rows, an episode takes 2"},
       {"--set meta.step_size=0", 2, "meta.step_size"}}));
  const Finished done = run_attune(workspace, "meta-train run.json --quiet " + settings);
  INFO(settings << "\n" << done.err);
  CHECK(done.exit_code == code);
  CHECK(done.err.find(said) != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(workspace.path("out/config.resolved.json")));
}
