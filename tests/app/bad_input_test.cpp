// The most harmful bad inputs, through the built program: one clear line, the right exit code, nothing written.
#include <functional>
#include <string>
#include <vector>

#include "app/program.h"
#include "catch.h"

namespace {

using attune::testing::Finished;
using attune::testing::kTinyModel;
using attune::testing::run_attune;
using attune::testing::tiny_config;
using attune::testing::tiny_rows;
using attune::testing::Workspace;
using attune::testing::write_tiny_job;
namespace fs = std::filesystem;

struct Case {
  std::string name;
  int exit_code;
  std::vector<std::string> says;  ///< parts of the message
  std::function<void(const Workspace&)> spoil;
};

void replace(const Workspace& w, const std::string& file, const std::string& from, const std::string& to) {
  std::string content = w.read(file);
  const std::size_t at = content.find(from);
  REQUIRE(at != std::string::npos);
  w.write(file, content.replace(at, from.size(), to));
}

/// A copy of the tiny model in the workspace, which the configuration then names.
void use_own_model(const Workspace& w) {
  fs::copy(kTinyModel, w.path("model"), fs::copy_options::recursive);
  replace(w, "run.json", kTinyModel, "model");
}

void damage_model(const Workspace& w, const std::string& file, const std::function<std::string(std::string)>& change) {
  use_own_model(w);
  w.write("model/" + file, change(w.read("model/" + file)));
}

std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"weights of 0 bytes", 3, {"model.safetensors", "0 bytes"},
       [](const Workspace& w) { damage_model(w, "model.safetensors", [](std::string) { return std::string(); }); }},
      {"weights cut short", 3, {"model.safetensors"},
       [](const Workspace& w) { damage_model(w, "model.safetensors", [](std::string s) { return s.substr(0, s.size() / 2); }); }},
      {"header length of 2^64-1", 3, {"model.safetensors", "header"},
       [](const Workspace& w) { damage_model(w, "model.safetensors", [](std::string s) { return std::string(8, '\xff') + s.substr(8); }); }},
      {"trailing bytes", 3, {"model.safetensors"},
       [](const Workspace& w) { damage_model(w, "model.safetensors", [](std::string s) { return s + "extra"; }); }},
      {"Git LFS pointer", 3, {"Git LFS", "git lfs pull"},
       [](const Workspace& w) {
         damage_model(w, "model.safetensors", [](std::string) { return std::string("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"); });
       }},
      {"pickle instead of safetensors", 3, {"pickle", "convert_checkpoint.py"},
       [](const Workspace& w) {
         use_own_model(w);
         fs::remove(w.path("model/model.safetensors"));
         w.write("model/pytorch_model.bin", std::string("PK\x03\x04") + std::string(60, '\0'));
       }},
      {"tensor of the body missing", 3, {"attention.self.query.weight"},
       [](const Workspace& w) {
         damage_model(w, "model.safetensors", [](std::string s) { return with(s, "encoder.layer.0.attention.self.query.weight", "encoder.layer.0.attention.self.quary.weight"); });
       }},
      {"unknown architecture", 3, {"config.json", "bert"},
       [](const Workspace& w) { damage_model(w, "config.json", [](std::string s) { return with(s, "\"model_type\": \"bert\"", "\"model_type\": \"bart\""); }); }},
      {"heads do not divide the hidden size", 3, {"config.json", "num_attention_heads"},
       [](const Workspace& w) { damage_model(w, "config.json", [](std::string s) { return with(s, "\"num_attention_heads\": 2", "\"num_attention_heads\": 3"); }); }},
      {"hidden size of 2^60", 3, {"config.json", "hidden_size"},
       [](const Workspace& w) { damage_model(w, "config.json", [](std::string s) { return with(s, "\"hidden_size\": 16", "\"hidden_size\": 1152921504606846976"); }); }},
      {"shard path that climbs out", 3, {"model.safetensors.index.json"},
       [](const Workspace& w) {
         use_own_model(w);
         fs::remove(w.path("model/model.safetensors"));
         w.write("model/model.safetensors.index.json", R"({"metadata": {}, "weight_map": {"x": "../../../etc/passwd"}})");
       }},
      {"tokenizer with an unknown part", 3, {"tokenizer.json", "WurstNormalizer"},
       [](const Workspace& w) { damage_model(w, "tokenizer.json", [](std::string s) { return with(s, "BertNormalizer", "WurstNormalizer"); }); }},
      {"tokenizer that is not JSON", 3, {"tokenizer.json"},
       [](const Workspace& w) { damage_model(w, "tokenizer.json", [](std::string s) { return s.substr(0, 100); }); }},
      {"model folder missing", 3, {"nowhere"}, [](const Workspace& w) { replace(w, "run.json", kTinyModel, "nowhere"); }},
      {"misspelt key", 2, {"learning_rat", "learning_rate"}, [](const Workspace& w) { replace(w, "run.json", "\"learning_rate\"", "\"learning_rat\""); }},
      {"learning rate below zero", 2, {"learning_rate"}, [](const Workspace& w) { replace(w, "run.json", "0.01", "-0.01"); }},
      {"configuration that is not JSON", 2, {"run.json"}, [](const Workspace& w) { w.write("run.json", "{\"model\": "); }},
      {"one fold", 2, {"folds"},
       [](const Workspace& w) { w.write("run.json", tiny_config("", R"("cross_validation": {"folds": 1})")); }},
      {"data file missing", 4, {"missing.jsonl"}, [](const Workspace& w) { replace(w, "run.json", "train.jsonl", "missing.jsonl"); }},
      {"data file empty", 4, {"train.jsonl"}, [](const Workspace& w) { w.write("train.jsonl", ""); }},
      {"bad JSON in line 3", 4, {"train.jsonl", "3"},
       [](const Workspace& w) { w.write("train.jsonl", R"({"text": "a", "label": "x"})" "\n" R"({"text": "b", "label": "y"})" "\n{\"text\": \n"); }},
      {"column missing", 4, {"train.jsonl", "text", "sentence"},
       [](const Workspace& w) { w.write("train.jsonl", R"({"sentence": "a", "label": "x"})" "\n"); }},
      {"invalid UTF-8", 4, {"train.jsonl", "UTF-8"},
       [](const Workspace& w) { w.write("train.jsonl", tiny_rows(6) + "{\"text\": \"a\xff\", \"label\": \"card\"}\n"); }},
      {"label of the validation rows unseen", 4, {"valid.jsonl", "cart"},
       [](const Workspace& w) { w.write("valid.jsonl", R"({"text": "my card", "label": "cart"})" "\n"); }},
      {"a single class", 4, {"card"},
       [](const Workspace& w) { w.write("train.jsonl", R"({"text": "a", "label": "card"})" "\n" R"({"text": "b", "label": "card"})" "\n"); }},
      {"output folder not empty", 2, {"out", "not empty"},
       [](const Workspace& w) { w.write("out/precious.txt", "mine"); }},
      {"CUDA asked for where there is none", 2, {"device"}, [](const Workspace& w) { w.write("run.json", tiny_config("", R"("device": "cuda")")); }},
  };
  return all;
}

}  // namespace

TEST_CASE("bad inputs end with one clear line, the right exit code and nothing written", "[app][shell]") {
  for (const Case& bad : cases()) {
    const Workspace workspace;
    write_tiny_job(workspace);
    bad.spoil(workspace);
    const bool had_output = fs::exists(workspace.path("out"));
    const Finished finished = run_attune(workspace, "train run.json --quiet");
    INFO(bad.name << "\nexit " << finished.exit_code << "\n" << finished.err);
    CHECK(finished.exit_code == bad.exit_code);
    CHECK(finished.err.find("error: ") != std::string::npos);
    for (const std::string& part : bad.says) CHECK(finished.err.find(part) != std::string::npos);
    CHECK(finished.out.empty());
    if (!had_output) CHECK_FALSE(fs::exists(workspace.path("out")));
  }
}
