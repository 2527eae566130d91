// Command lines that cannot be meant, and tuned folders that the other verbs cannot use.
#include "app/bad_input.h"

namespace {

using namespace attune::testing;
using Json = nlohmann::ordered_json;

void nothing(const Workspace&) {}

/// A tuned model in tuned/ with one file changed.
std::function<void(const Workspace&)> tuned(const std::string& file = "", const std::function<std::string(std::string)>& change = nullptr) {
  return [=](const Workspace& workspace) {
    REQUIRE(run_attune(workspace, "train run.json --quiet --set output_dir=tuned").exit_code == 0);
    if (change) workspace.write("tuned/" + file, change(workspace.read("tuned/" + file)));
  };
}
std::function<void(const Workspace&)> manifest(const std::function<void(Json&)>& change) {
  return tuned("run_manifest.json", [=](const std::string& text) {
    Json json = Json::parse(text);
    change(json);
    return json.dump();
  });
}

/// The floats of the classifier become ±3e38, so that outputs overflow.
std::string with_huge_head(std::string content) {
  const std::size_t entry = content.find("\"classifier.weight\"");
  const std::size_t begin = std::stoul(content.substr(content.find("[", content.find("data_offsets", entry)) + 1));
  const std::size_t data = 8 + static_cast<unsigned char>(content[0]) + 256u * static_cast<unsigned char>(content[1]);
  for (std::size_t i = 0; i < 48; ++i) content.replace(data + begin + 4 * i, 4, std::string("\x99\x76\x61", 3) + (i % 2 == 0 ? "\x7f" : "\xff"));
  return content;
}

}  // namespace

TEST_CASE("command lines that are not understood are errors of one line", "[app][shell][bad]") {
  check_bad_inputs({
      {"no verb", kUsage, "", {"(command line)", "attune --help"}, nothing, ""},
      {"unknown verb", kUsage, "", {"unknown verb 'trian'", "did you mean 'train'?"}, nothing, "trian run.json"},
      {"no configuration", kUsage, "", {"config is required", "attune train --help"}, nothing, "train"},
      {"an argument too many", kUsage, "", {"not expected: more"}, nothing, "train run.json more"},
      {"unknown option", kUsage, "", {"unknown option '--sett'", "did you mean '--set'?", "attune train --help"}, nothing, "train run.json --sett a=b"},
      {"unknown option with its value", kUsage, "", {"unknown option '--max-new-token'", "did you mean '--max-new-tokens'?"}, nothing, "generate m --max-new-token=3"},
      {"unknown option that leaves an argument missing", kUsage, "", {"unknown option '--dry-rnu'", "did you mean '--dry-run'?"}, nothing, "train --dry-rnu"},
      {"an option like no other", kUsage, "", {"unknown option '--colour' (command line); attune train --help lists"}, nothing, "train run.json --colour"},
      {"an unknown letter", kUsage, "", {"unknown option '-x'"}, nothing, "train run.json -x"},
      {"unknown option of the program", kUsage, "", {"unknown option '--verzion'", "did you mean '--version'?"}, nothing, "--verzion"},
      {"an empty argument", kUsage, "", {"argument 2 is empty"}, nothing, "train ''"},
      {"unknown progress", kUsage, "", {"--progress", "purple"}, nothing, "train run.json --progress purple"},
      {"--set without a value", kUsage, "--set", {"found no key and value"}, nothing, "train run.json --quiet --set threads"},
      {"0 steps", kUsage, "", {"--steps"}, nothing, "verify out --steps 0"},
      {"2^66 steps", kUsage, "", {"--steps"}, nothing, "verify out --steps 73786976294838206464"},
      {"a gate that is no comparison", kUsage, "", {"--require accuracy is not METRIC>=NUMBER"}, tuned(), "evaluate tuned valid.jsonl --require accuracy"},
      {"a gate of NaN", kUsage, "", {"--require accuracy>=nan is not METRIC>=NUMBER"}, tuned(), "evaluate tuned valid.jsonl --require 'accuracy>=nan'"},
      {"a gate over no metric", kUsage, "", {"there is no metric 'acuracy'", "accuracy"}, tuned(), "evaluate tuned valid.jsonl --require 'acuracy>=0.5'"},
  });
}

TEST_CASE("folders that are no tuned model end with what they lack", "[app][shell][bad]") {
  const std::string predict = "predict tuned valid.jsonl --quiet";
  check_bad_inputs({
      {"no folder", kModel, "nowhere", {"there is no such folder"}, nothing, "predict nowhere valid.jsonl"},
      {"a base model", kModel, kTinyModel + "/config.json", {"'BertModel', which has no head"}, nothing, "predict '" + kTinyModel + "' valid.jsonl"},
      {"architectures of another type", kModel, "tuned/config.json", {"has no head"},
       tuned("config.json", [](const std::string& text) { return with(text, "\"BertForSequenceClassification\"", "3"); }), predict},
      {"NaN outputs", kDiverged, "", {"outputs are not finite", "(among valid.jsonl lines "}, tuned("model.safetensors", with_huge_head), predict},
      {"NaN outputs in a gate", kDiverged, "", {"outputs are not finite"}, tuned("model.safetensors", with_huge_head), "evaluate tuned valid.jsonl --quiet --require 'accuracy>=0'"},
      {"unknown label", kData, "rows.jsonl:1", {"'cart' is not among the model's 3 labels"},
       [](const Workspace& w) {
         tuned()(w);
         w.write("rows.jsonl", "{\"text\": \"a\", \"label\": \"cart\"}\n");
       },
       "evaluate tuned rows.jsonl --quiet"},
      {"predictions into a folder that is not there", kStorage, "none/p.jsonl", {"No such file or directory"}, tuned(), "evaluate tuned valid.jsonl --quiet --predictions none/p.jsonl"},
  });
}

TEST_CASE("a manifest that is none ends with the key that is wrong", "[app][shell][bad]") {
  const std::string verify = "verify tuned --quiet";
  const std::string file = "tuned/run_manifest.json";
  check_bad_inputs({
      {"no run", kUsage, "nowhere", {"there is no run_manifest.json"}, nothing, "verify nowhere"},
      {"an empty object", kUsage, file, {"no manifest of a run", "(configuration)"}, tuned("run_manifest.json", [](const std::string&) { return std::string("{}"); }), verify},
      {"a list", kUsage, file, {"no manifest of a run"}, tuned("run_manifest.json", [](const std::string&) { return std::string("[]"); }), verify},
      {"seed of another type", kUsage, file, {"(fit.seed)"}, manifest([](Json& m) { m["fit"]["seed"] = "one"; }), verify},
      {"hash of another type", kUsage, file, {"(tensors.classifier.bias)"}, manifest([](Json& m) { m["tensors"]["classifier.bias"] = 3; }), verify},
      {"step without a loss", kUsage, file, {"(trajectory[1])"}, manifest([](Json& m) { m["trajectory"][1].erase("loss"); }), verify},
  });
}

TEST_CASE("names that are not UTF-8 can be printed", "[app][shell][bad]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  tuned()(workspace);
  fs::copy(workspace.path("valid.jsonl"), workspace.path("v\xff.jsonl"));
  const Finished evaluated = run_attune(workspace, "evaluate tuned 'v\xff.jsonl' --quiet --json");
  INFO(evaluated.err);
  CHECK(evaluated.exit_code == 0);
  CHECK(Json::parse(evaluated.out)["files"][0] == "v\xef\xbf\xbd.jsonl");
}
