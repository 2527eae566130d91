// Training, using, verifying and merging adapters with the built program.
#include "app/bad_input.h"
#include "app/program.h"
#include "catch.h"

using namespace attune::testing;

namespace {

using Json = nlohmann::ordered_json;

const std::string kLora = R"("tuning": {"method": "lora", "lora": {"r": 4, "lora_dropout": 0.1}})";

Json json_of(const Workspace& workspace, const std::string& name) {
  return Json::parse(workspace.read(name));
}

/// Of the logits in two outputs of `predict --logits`.
double largest_difference(const std::string& a, const std::string& b) {
  const auto lines = attune::split(a, '\n'), others = attune::split(b, '\n');
  REQUIRE(lines.size() == others.size());
  double largest = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const Json first = Json::parse(lines[i])["logits"], second = Json::parse(others[i])["logits"];
    for (std::size_t j = 0; j < first.size(); ++j)
      largest = std::max(largest, std::abs(first[j].get<double>() - second[j].get<double>()));
  }
  return largest;
}

Finished train(const Workspace& workspace, const std::string& more = "") {
  const Finished finished = run_attune(workspace, "train run.json --quiet " + more);
  INFO(finished.err);
  REQUIRE(finished.exit_code == 0);
  return finished;
}

}  // namespace

TEST_CASE("a LoRA run leaves an adapter that predicts, evaluates, verifies and merges", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace, "", kLora);
  const Finished trained = train(workspace);
  CHECK(trained.out.find("opens in PEFT") != std::string::npos);
  CHECK_FALSE(fs::exists(workspace.path("out/model.safetensors")));
  const Json config = json_of(workspace, "out/adapter_config.json");
  CHECK(config["target_modules"] == Json{"query", "value"});
  CHECK(config["modules_to_save"] == Json{"classifier", "score"});
  CHECK(config["task_type"] == "SEQ_CLS");
  CHECK(json_of(workspace, "out/run_manifest.json")["reopened"]["bit_equal"] == true);

  workspace.write("texts.txt", "where is my refund now\nchange my address please\n");
  const Finished predicted = run_attune(workspace, "predict out --logits --quiet <texts.txt");
  INFO(predicted.err);
  REQUIRE(predicted.exit_code == 0);
  const Finished evaluated = run_attune(workspace, "evaluate out valid.jsonl --json --quiet");
  INFO(evaluated.out << evaluated.err);
  CHECK(evaluated.exit_code == 0);
  CHECK(evaluated.out.find(json_of(workspace, "out/eval_results.json")["eval_loss"].dump()) != std::string::npos);
  const Finished verified = run_attune(workspace, "verify out --quiet");
  INFO(verified.out << verified.err);
  CHECK(verified.exit_code == 0);
  CHECK(verified.out.find("bit-equal") != std::string::npos);

  const Finished merged = run_attune(workspace, "merge out --output whole --json");
  INFO(merged.err);
  REQUIRE(merged.exit_code == 0);
  CHECK(Json::parse(merged.out)["max_abs_difference"].get<double>() < 1e-5);
  CHECK(json_of(workspace, "whole/merge_results.json")["base"] == kTinyModel);
  const Finished again = run_attune(workspace, "predict whole --logits --quiet <texts.txt");
  REQUIRE(again.exit_code == 0);
  CHECK(largest_difference(predicted.out, again.out) < 1e-5);
  CHECK(run_attune(workspace, "merge out --output whole").exit_code == 2);
}

TEST_CASE("a LoRA run that stops and resumes ends with the same bits", "[app][shell]") {
  const Workspace straight, resumed;
  const std::string steps = R"("save_strategy": "steps", "save_steps": 4, "max_steps": 8)";
  write_tiny_job(straight, steps, kLora);
  train(straight);
  write_tiny_job(resumed, steps, kLora);
  train(resumed);
  fs::remove_all(resumed.path("out/checkpoints/checkpoint-8"));
  train(resumed, "--resume");
  CHECK(straight.read("out/adapter_model.safetensors") == resumed.read("out/adapter_model.safetensors"));
}

TEST_CASE("a LoRA run goes on from an adapter, and cross-validates", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace, "", kLora);
  train(workspace);
  workspace.write("more.json",
                  tiny_config(R"("max_steps": 1, "learning_rate": 1e-9)",
                              R"("output_dir": "more", "tuning": {"method": "lora", "lora": {"adapter": "out"}})"));
  const Finished more = run_attune(workspace, "train more.json --quiet");
  INFO(more.err);
  REQUIRE(more.exit_code == 0);
  CHECK(json_of(workspace, "more/adapter_config.json")["r"] == 4);
  CHECK(json_of(workspace, "more/eval_results.json")["eval_accuracy"] ==
        json_of(workspace, "out/eval_results.json")["eval_accuracy"]);
  const Finished other = run_attune(workspace, "train more.json --quiet --set tuning.lora.r=2 --set output_dir=other");
  CHECK(other.exit_code == 2);
  CHECK(other.err.find("the adapter decides them") != std::string::npos);

  const Finished as_base = run_attune(workspace, "train more.json --quiet --set model.path=out --set output_dir=other");
  CHECK(as_base.exit_code == 2);
  CHECK(as_base.err.find("this is an adapter, not a model") != std::string::npos);
  const Finished info = run_attune(workspace, "info out --json");
  CHECK(Json::parse(info.out)["layers_changed"] == 4);

  workspace.write("cv.json",
                  tiny_config("", kLora + R"(, "output_dir": "cv", "cross_validation": {"folds": 2, "refit": true})"));
  const Finished folds = run_attune(workspace, "train cv.json --quiet");
  INFO(folds.err);
  CHECK(folds.exit_code == 0);
  CHECK(fs::exists(workspace.path("cv/adapter_model.safetensors")));
}

TEST_CASE("runs of other adapters predict, evaluate, verify, resume and go on", "[app][shell][virtual]") {
  struct Kind {
    std::string method, block;
    bool merges = false;
  };
  const std::vector<Kind> kinds = {
      {"ia3", "{}", true},
      {"prompt_tuning",
       R"({"num_virtual_tokens": 4, "prompt_tuning_init": "TEXT", "prompt_tuning_init_text": "where is my card"})"},
      {"p_tuning", R"({"num_virtual_tokens": 4, "encoder_reparameterization_type": "LSTM", "encoder_hidden_size": 8})"},
      {"prefix_tuning", R"({"num_virtual_tokens": 4, "prefix_projection": true, "encoder_hidden_size": 8})"}};
  const std::string steps = R"("save_strategy": "steps", "save_steps": 4, "max_steps": 8)";
  for (const Kind& kind : kinds) {
    INFO(kind.method);
    const std::string tuning =
        R"("tuning": {"method": ")" + kind.method + R"(", ")" + kind.method + "\": " + kind.block + "}";
    const Workspace workspace;
    write_tiny_job(workspace, steps, tuning);
    const Finished trained = train(workspace);
    CHECK(trained.out.find("opens in PEFT") != std::string::npos);
    CHECK(json_of(workspace, "out/run_manifest.json")["reopened"]["bit_equal"] == true);
    CHECK(workspace.read("out/README.md").find("adapter that loads with PEFT") != std::string::npos);
    const Finished evaluated = run_attune(workspace, "evaluate out valid.jsonl --json --quiet");
    INFO(evaluated.err);
    CHECK(evaluated.exit_code == 0);
    CHECK(evaluated.out.find(json_of(workspace, "out/eval_results.json")["eval_loss"].dump()) != std::string::npos);
    const Finished verified = run_attune(workspace, "verify out --quiet");
    INFO(verified.out << verified.err);
    CHECK(verified.exit_code == 0);

    const std::string adapter = workspace.read("out/adapter_model.safetensors");
    fs::remove_all(workspace.path("out/checkpoints/checkpoint-8"));
    train(workspace, "--resume");
    CHECK(workspace.read("out/adapter_model.safetensors") == adapter);

    workspace.write("more.json", tiny_config(R"("max_steps": 1, "learning_rate": 1e-9)",
                                             R"("output_dir": "more", "tuning": {"method": ")" + kind.method +
                                                 R"(", ")" + kind.method + R"(": {"adapter": "out"}})"));
    const Finished more = run_attune(workspace, "train more.json --quiet");
    INFO(more.err);
    REQUIRE(more.exit_code == 0);
    CHECK(json_of(workspace, "more/eval_results.json")["eval_accuracy"] ==
          json_of(workspace, "out/eval_results.json")["eval_accuracy"]);
    workspace.write(
        "other.json",
        tiny_config("", R"("output_dir": "other", "tuning": {"method": "lora", "lora": {"adapter": "out"}})"));
    const Finished other = run_attune(workspace, "train other.json --quiet");
    CHECK(other.exit_code == 2);
    CHECK(other.err.find("is one of tuning." + kind.method) != std::string::npos);

    const Finished merged = run_attune(workspace, "merge out --output whole --json");
    INFO(merged.err);
    CHECK(merged.exit_code == (kind.merges ? 0 : 2));
    if (kind.merges) {
      CHECK(Json::parse(merged.out)["max_abs_difference"].get<double>() < 1e-5);
    } else {
      CHECK(merged.err.find("cannot be merged") != std::string::npos);
    }
    const Json info = Json::parse(run_attune(workspace, "info out --json").out);
    CHECK(attune::to_lower_ascii(info["adapter"].get<std::string>()) == kind.method);
  }
}

TEST_CASE("adapters that cannot be used end with their file and what is wrong", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace, "", kLora);
  const Finished typo = run_attune(workspace, "train run.json --quiet --set 'tuning.lora.target_modules=[\"qeury\"]'");
  CHECK(typo.exit_code == 2);
  CHECK(typo.err.find("did you mean 'query'?") != std::string::npos);
  CHECK_FALSE(fs::exists(workspace.path("out")));
  fs::copy(kTinyModel, workspace.path("base"), fs::copy_options::recursive);
  train(workspace, "--set model.path=base");
  std::string weights = workspace.read("base/model.safetensors");
  weights.back() = static_cast<char>(weights.back() ^ 1);
  workspace.write("base/model.safetensors", weights);
  for (const char* verb : {"predict out </dev/null", "evaluate out valid.jsonl", "merge out --output whole"}) {
    const Finished refused = run_attune(workspace, verb);
    INFO(verb << refused.err);
    CHECK(refused.exit_code == 3);
    CHECK(refused.err.find("trained on other weights") != std::string::npos);
  }
  CHECK_FALSE(fs::exists(workspace.path("whole")));
  fs::remove_all(workspace.path("base"));
  const Finished gone = run_attune(workspace, "predict out </dev/null");
  CHECK(gone.exit_code == 3);
  CHECK(gone.err.find("base_model_name_or_path") != std::string::npos);
}
