// Texts that evaluation generates and scores (training.predict_with_generate), through the built program.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>

#include "app/program.h"
#include "attune/base/strings.h"
#include "attune/files/storage.h"
#include "catch.h"

namespace {

using attune::testing::Finished;
using attune::testing::kTinyGpt;
using attune::testing::run_attune;
using attune::testing::Workspace;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

const std::vector<std::string> kTextMetrics = {"rouge1", "rouge2", "rougeL",      "rougeLsum", "bleu",
                                               "chrf",   "chrf++", "exact_match", "f1"};

struct Asked {
  const char* prompt;
  const char* answer;
};
constexpr Asked kAsked[] = {{"where is my card", " it was sent on monday"},
                            {"the card is lost", " block it in the app"},
                            {"what can i do", " help is in the app"},
                            {"my account", " where the card was sent"}};

Json chat_row(const Asked& asked) {
  return {{"messages",
           {{{"role", "user"}, {"content", asked.prompt}}, {{"role", "assistant"}, {"content", asked.answer + 1}}}}};
}

/// A job that learns four answers; members of `more` are laid over its blocks.
void write_answer_job(const Workspace& workspace, const Json& more = Json::object(), bool chats = false) {
  std::string lines;
  for (int i = 0; i < 16; ++i) {
    const Asked& asked = kAsked[i % 4];
    const Json row = chats ? chat_row(asked) : Json({{"prompt", asked.prompt}, {"completion", asked.answer}});
    lines += row.dump() + "\n";
    if (i == 3) workspace.write("valid.jsonl", lines);
  }
  workspace.write("train.jsonl", lines);
  Json config = {{"model", {{"path", kTinyGpt}, {"task", "text-generation"}}},
                 {"data", {{"train", "train.jsonl"}, {"validation", "valid.jsonl"}, {"max_length", 64}}},
                 {"training",
                  {{"num_train_epochs", 4},
                   {"per_device_train_batch_size", 4},
                   {"learning_rate", 0.02},
                   {"predict_with_generate", true}}},
                 {"generation", {{"max_new_tokens", 20}, {"eos_token_id", {0, 2}}}},
                 {"seeds", {1}},
                 {"threads", 1},
                 {"output_dir", "out"}};
  for (const auto& [block, value] : more.items()) {
    if (config.contains(block) && config[block].is_object()) {
      config[block].update(value);
    } else {
      config[block] = value;
    }
  }
  workspace.write("run.json", config.dump());
}

Finished run_and_require(const Workspace& workspace, const std::string& arguments) {
  Finished finished = run_attune(workspace, arguments);
  INFO(arguments << "\n" << finished.err);
  REQUIRE(finished.exit_code == 0);
  return finished;
}

std::vector<Json> lines_in(const std::string& text) {
  std::vector<Json> lines;
  for (const std::string& line : attune::split(text, '\n')) {
    if (!line.empty()) lines.push_back(Json::parse(line));
  }
  return lines;
}

/// `key` of every line.
std::vector<std::string> texts_in(const std::string& lines, const std::string& key) {
  std::vector<std::string> texts;
  for (const Json& line : lines_in(lines)) texts.push_back(line.at(key).get<std::string>());
  return texts;
}

/// What the evaluations of a run say, in order.
std::vector<double> history_of(const Workspace& workspace, const std::string& metric) {
  std::vector<double> values;
  const Json state = Json::parse(workspace.read("out/trainer_state.json"));
  for (const Json& line : state["log_history"]) {
    if (line.contains(metric)) values.push_back(line[metric].get<double>());
  }
  return values;
}

/// How often a run generated texts for a split.
std::ptrdiff_t generations_in(const Workspace& workspace, const std::string& folder = "out") {
  const std::vector<Json> events = lines_in(workspace.read(folder + "/events.jsonl"));
  return std::ranges::count_if(events, [](const Json& event) { return event["event"] == "phase_end" && event["name"] == "generating"; });
}

}  // namespace

TEST_CASE("evaluation generates the texts that `generate` does, and scores them", "[app][shell][generated]") {
  for (const bool chats : {false, true}) {
    const Workspace workspace;
    write_answer_job(workspace, {{"training", {{"num_train_epochs", 30}}}}, chats);
    const Json results = Json::parse(run_and_require(workspace, "train run.json --json --quiet").out);
    const Json &metrics = results["validation"]["metrics"], &intervals = results["validation"]["intervals"];
    CHECK(metrics["exact_match"] == 100);
    CHECK(metrics["rougeL"] == 1);
    CHECK(metrics["generated"] == 4);
    for (const std::string& name : kTextMetrics) {
      INFO(name);
      CHECK(metrics.contains(name));
      CHECK(intervals.contains(name));
    }
    CHECK(intervals["perplexity"][0].get<double>() <= metrics["perplexity"].get<double>());
    CHECK(intervals["loss"][1].get<double>() >= metrics["loss"].get<double>());
    CHECK(history_of(workspace, "eval_rougeL").size() == 30);
    CHECK(generations_in(workspace) == 30);
    const std::string report = workspace.read("out/report.html");
    CHECK(report.find("ROUGE-L") != std::string::npos);
    CHECK(report.find("<h2>Generated texts</h2>") != std::string::npos);
    CHECK(report.find(kAsked[3].prompt) != std::string::npos);

    const std::string written = workspace.read("out/eval_predictions.jsonl");
    std::string prompts;
    for (const Asked& asked : kAsked) {
      const Json prompt = Json::array({{{"role", "user"}, {"content", asked.prompt}}});
      prompts += (chats ? Json({{"messages", prompt}}) : Json({{"prompt", asked.prompt}})).dump() + "\n";
    }
    workspace.write("prompts.jsonl", prompts);
    const std::string again = run_and_require(workspace, "generate out --file prompts.jsonl --json --max-new-tokens 20 --eos-token-id 0 --eos-token-id 2").out;
    CHECK(texts_in(again, "text") == texts_in(written, "generated"));
    const std::string limits = " --json --max-new-tokens 20 --eos-token-id 0 --eos-token-id 2";
    CHECK(texts_in(run_and_require(workspace, "generate out --file valid.jsonl" + limits).out, "text") == texts_in(written, "generated"));
    const std::string awaited = run_and_require(workspace, "predict out prompts.jsonl --quiet").out;
    CHECK(texts_in(awaited, "generated") == texts_in(written, "generated"));
    CHECK_FALSE(lines_in(awaited)[0].contains("loss"));
    const Finished lines = run_attune(workspace, "predict out --quiet < prompts.jsonl");
    CHECK(lines.exit_code == 2);
    CHECK(lines.err.find("attune predict MODEL rows.jsonl") != std::string::npos);
    CHECK(texts_in(written, "reference")[1] == kAsked[1].answer + (chats ? 1 : 0));

    const Finished scored = run_and_require(workspace, "evaluate out valid.jsonl --json --quiet --predictions scored.jsonl");
    CHECK(Json::parse(scored.out)["metrics"]["bleu"] == metrics["bleu"]);
    CHECK(texts_in(workspace.read("scored.jsonl"), "generated") == texts_in(written, "generated"));
    CHECK(texts_in(run_and_require(workspace, "predict out valid.jsonl --quiet").out, "generated") == texts_in(written, "generated"));
    CHECK(run_attune(workspace, "evaluate out valid.jsonl --require 'rougeL>=2'").exit_code == 20);
    const auto warned = [&](const std::string& bound) {
      return run_attune(workspace, "evaluate out valid.jsonl --quiet --require '" + bound + "'").err.find("warning: --require " + bound + ": ") != std::string::npos;
    };
    const Finished beyond = run_attune(workspace, "evaluate out valid.jsonl --quiet --set generation.eos_token_id=[0,9999]");
    CHECK(beyond.exit_code == 2);
    CHECK(beyond.err.find("no token has the id 9999, the model's vocabulary has 300 tokens (generation.eos_token_id)") != std::string::npos);
    const std::string said = workspace.read("out/generation_config.json");
    const auto check_refused = [&](const std::string& folder, const std::string& arguments) {
      workspace.write(folder + "/generation_config.json", R"({"eos_token_id": 9999})");
      const Finished refused = run_attune(workspace, arguments);
      CHECK(refused.exit_code == 3);
      CHECK(refused.err.find(folder + "/generation_config.json: found 9999, the model's vocabulary has 300 tokens (eos_token_id)") != std::string::npos);
    };
    check_refused("out", "evaluate out valid.jsonl --quiet");
    workspace.write("out/generation_config.json", said);
    fs::copy(kTinyGpt, workspace.path("base"));
    check_refused("base", "train run.json --quiet --dry-run --set output_dir=other --set model.path=base");
    CHECK(warned("exact_match>=0.7"));
    CHECK(warned("eval_f1<1"));
    CHECK_FALSE(warned("exact_match>=70"));
    CHECK_FALSE(warned("exact_match>0"));
    CHECK_FALSE(warned("rougeL>=0.7"));
    CHECK(run_attune(workspace, "verify out --quiet").exit_code == 0);
  }
}

TEST_CASE("a row's text and its loss come from one cut, and generate cuts the prompt alone", "[app][shell][generated]") {
  const Workspace workspace;
  write_answer_job(workspace, {{"data", {{"length_policy", "truncate_left"}}}, {"training", {{"num_train_epochs", 8}}}});
  run_and_require(workspace, "train run.json --quiet");
  const std::string text = "what can i do the card is lost where is my account it was sent on monday";
  const Json row = {{"prompt", text}, {"completion", " help is in the app"}};
  workspace.write("long.jsonl", row.dump() + "\n");
  const std::string limits = " --set data.max_length=16";
  const Finished predicted = run_and_require(workspace, "predict out long.jsonl --quiet" + limits);
  CHECK(predicted.err.find(": 1 of 1 rows are longer than data.max_length (16 tokens) and were cut") != std::string::npos);
  run_and_require(workspace, "evaluate out long.jsonl --quiet --predictions scored.jsonl" + limits);
  const std::string generate = "generate out --json --max-new-tokens 20 --eos-token-id 0 --eos-token-id 2" + limits + " --file ";
  const Finished generated = run_and_require(workspace, generate + "long.jsonl");
  CHECK(generated.err.find("long.jsonl: 1 of 1 rows are longer than data.max_length (16 tokens) and were cut") != std::string::npos);
  const std::string written = texts_in(predicted.out, "generated")[0];
  CHECK(texts_in(workspace.read("scored.jsonl"), "generated")[0] == written);
  workspace.write("asked.jsonl", Json({{"prompt", text}}).dump() + "\n");  // generate has no use for the answer
  CHECK(generated.out == run_and_require(workspace, generate + "asked.jsonl").out);
  CHECK(texts_in(run_and_require(workspace, "predict out asked.jsonl --quiet" + limits).out, "generated") == texts_in(generated.out, "text"));
  workspace.write("much.jsonl", Json({{"prompt", "my account"}, {"completion", " " + text}}).dump() + "\n");
  const Finished much = run_and_require(workspace, generate + "much.jsonl");
  CHECK(much.err.find("were cut") == std::string::npos);
  const Finished whole = run_and_require(workspace, "predict out long.jsonl --quiet");
  CHECK(lines_in(whole.out)[0]["loss"] != lines_in(predicted.out)[0]["loss"]);
}

TEST_CASE("rows that cannot be predicted are skipped, counted, and leave the others their numbers", "[app][shell][generated]") {
  const Workspace workspace;
  write_answer_job(workspace, {{"training", {{"max_steps", 1}}}});
  run_and_require(workspace, "train run.json --quiet");
  const std::string good = "{\"prompt\": \"my account\"}\n", unread = "{\"prompt\": 3}\n", unmade = "{\"prompt\": \"a\", \"completion\": \"b\", \"input_ids\": 3\n";
  const std::string refused = R"({"messages": [{"role": "assistant", "content": null, "tool_calls": [{"name": "f"}]}, {"role": "user", "content": "x"}]})" "\n";
  workspace.write("rows.jsonl", unread + good + unmade + refused + good + "{\"id\": \"mine\", \"prompt\": \"my account\"}\n");
  for (const std::string verb : {"predict out rows.jsonl --quiet", "generate out --file rows.jsonl --json --max-new-tokens 2"}) {
    INFO(verb);
    const Finished stopped = run_attune(workspace, verb);
    CHECK(stopped.exit_code == 4);
    CHECK(stopped.err.find("rows.jsonl:1") != std::string::npos);
    const Finished skipped = run_and_require(workspace, verb + " --set data.on_bad_row=skip");
    CHECK(texts_in(skipped.out, "id") == std::vector<std::string>{"1", "4", "mine"});
    CHECK(skipped.err.find("rows.jsonl: 3 bad rows were skipped (data.on_bad_row)") != std::string::npos);
    CHECK(skipped.err.find("rows.jsonl:4: ") != std::string::npos);
  }
}

TEST_CASE("a merged model reads rows and writes chats as its adapter does", "[app][shell][generated]") {
  const Workspace workspace;
  write_answer_job(workspace, {{"tuning", {{"method", "lora"}, {"lora", {{"r", 4}}}}},
                               {"data", {{"template", "{{what}} is my"}, {"columns", {{"completion", "then"}}}, {"chat_template", "short.jinja"}}},
                               {"training", {{"max_steps", 2}}}});
  workspace.write("short.jinja", "{% for m in messages %}{{ m.role[0] }}{{ m.content }}.{% endfor %}a");
  const std::string rows = "{\"what\": \"where\", \"then\": \" card\"}\n{\"what\": \"what\", \"then\": \" app\"}\n";
  workspace.write("train.jsonl", rows);
  workspace.write("valid.jsonl", rows);
  workspace.write("asked.jsonl", "{\"what\": \"where\"}\n{\"what\": \"what\"}\n");
  workspace.write("said.txt", "where is my card\nhelp\n");
  run_and_require(workspace, "train run.json --quiet");
  run_and_require(workspace, "merge out --output whole");
  CHECK(workspace.read("whole/chat_template.jinja") == workspace.read("short.jinja"));
  for (const std::string arguments : {"generate FOLDER --file asked.jsonl --json --max-new-tokens 6", "predict FOLDER asked.jsonl --quiet",
                                      "generate FOLDER --chat --json --max-new-tokens 6 <said.txt"}) {
    const auto texts = [&](const std::string& folder) {
      std::string command = arguments;
      return run_and_require(workspace, command.replace(command.find("FOLDER"), 6, folder)).out;
    };
    const std::string key = arguments.starts_with("predict") ? "generated" : "text";
    CHECK(texts_in(texts("whole"), key) == texts_in(texts("out"), key));
  }
  CHECK(Json::parse(run_and_require(workspace, "evaluate whole --json --quiet").out)["files"] == Json::array({"valid.jsonl"}));
}

TEST_CASE("the best model and early stopping go by a generated text's score", "[app][shell][generated]") {
  const Workspace workspace;
  write_answer_job(workspace, {{"training", {{"num_train_epochs", 60}, {"save_strategy", "no"}}},
                               {"early_stopping", {{"metric", "rougeL"}, {"patience", 4}}}});
  const Json results = Json::parse(run_and_require(workspace, "train run.json --json --quiet").out);
  CHECK(results["stopped_by"] == "early_stopping");
  const std::vector<double> history = history_of(workspace, "eval_rougeL");
  const double best = *std::max_element(history.begin(), history.end());
  CHECK(best == 1);
  CHECK(results["validation"]["metrics"]["rougeL"] == best);  // of the best model, reloaded
  CHECK(Json::parse(workspace.read("out/trainer_state.json"))["best_metric"] == best);
  CHECK(std::find(history.begin(), history.end(), best) == history.end() - 5);
  CHECK(generations_in(workspace) == static_cast<std::ptrdiff_t>(history.size()));  // what the best model wrote is known
  run_and_require(workspace, "evaluate out valid.jsonl --quiet --predictions scored.jsonl");
  CHECK(texts_in(workspace.read("scored.jsonl"), "generated") == texts_in(workspace.read("out/eval_predictions.jsonl"), "generated"));
}

TEST_CASE("what the kept model wrote in its evaluation is not generated again, unless its weights were rounded", "[app][shell][generated]") {
  const Workspace workspace;
  write_answer_job(workspace, {{"training", {{"num_train_epochs", 6}, {"metric_for_best_model", "eval_loss"}, {"learning_rate", 0.05}}}});
  const auto expect = [&](const std::string& settings, std::ptrdiff_t generations) {
    INFO(settings);
    fs::remove_all(workspace.path("out"));
    run_and_require(workspace, "train run.json --quiet " + settings);
    CHECK(generations_in(workspace) == generations);
    run_and_require(workspace, "evaluate out valid.jsonl --quiet --predictions scored.jsonl");
    CHECK(texts_in(workspace.read("scored.jsonl"), "generated") == texts_in(workspace.read("out/eval_predictions.jsonl"), "generated"));
  };
  expect("", 6);
  expect("--set training.load_best_model_at_end=false", 6);
  expect("--set training.load_best_model_at_end=false --set training.eval_strategy=steps --set training.eval_steps=9", 3);
  expect("--set model.path=" ATTUNE_SOURCE_DIR "/data/tiny-gpt --set training.max_steps=1 --set training.learning_rate=1e-3", 2);
}

TEST_CASE("generating changes no bit of a training, resumed or not, also of an adapter", "[app][shell][generated]") {
  const Json checkpoints = {{"save_strategy", "steps"}, {"save_steps", 3}, {"save_total_limit", nullptr},
                            {"load_best_model_at_end", false}};
  const std::vector<Json> tunings = {{{"method", "full"}},
                                     {{"method", "lora"}, {"lora", {{"r", 4}, {"lora_dropout", 0.1}}}},
                                     {{"method", "p_tuning"}, {"p_tuning", {{"num_virtual_tokens", 4}}}},
                                     {{"method", "prefix_tuning"}, {"prefix_tuning", {{"num_virtual_tokens", 4}}}}};
  for (const Json& tuning : tunings) {
    INFO(tuning.dump());
    const Workspace workspace;
    write_answer_job(workspace, {{"training", checkpoints}, {"generation", {{"do_sample", true}, {"temperature", 0.7}}}, {"tuning", tuning}});
    const bool whole = tuning["method"] == "full";
    const std::string file = whole ? "/model.safetensors" : "/adapter_model.safetensors";
    const auto weights = [&](const std::string& folder) { return attune::files::sha256_file(workspace.path(folder + file)); };
    run_and_require(workspace, "train run.json --quiet");
    run_and_require(workspace, "train run.json --quiet --set output_dir=plain --set training.predict_with_generate=false");
    CHECK(weights("plain") == weights("out"));
    fs::create_directories(workspace.path("again/checkpoints"));
    fs::copy(workspace.path("out/checkpoints/checkpoint-9"), workspace.path("again/checkpoints/checkpoint-9"), fs::copy_options::recursive);
    run_and_require(workspace, "train run.json --quiet --resume --set output_dir=again");
    CHECK(weights("again") == weights("out"));
    CHECK(workspace.read("again/eval_predictions.jsonl") == workspace.read("out/eval_predictions.jsonl"));
    CHECK(Json::parse(workspace.read("again/eval_results.json")) == Json::parse(workspace.read("out/eval_results.json")));
    if (whole) continue;
    const Json scored = Json::parse(run_and_require(workspace, "evaluate out valid.jsonl --json --quiet").out);
    CHECK(scored["metrics"]["chrf"] == Json::parse(workspace.read("out/eval_results.json"))["eval_chrf"]);
  }
}

TEST_CASE("a model that was chosen by its texts is evaluated without generating any", "[app][shell][generated]") {
  const Workspace workspace;
  write_answer_job(workspace, {{"training", {{"num_train_epochs", 1}, {"metric_for_best_model", "rougeL"}, {"greater_is_better", true}}},
                               {"early_stopping", {{"metric", "rougeL"}, {"mode", "max"}}}});
  run_and_require(workspace, "train run.json --quiet");
  const std::string off = " valid.jsonl --set training.predict_with_generate=false";
  const Finished scored = run_and_require(workspace, "evaluate out --json" + off);
  CHECK(Json::parse(scored.out)["metrics"].contains("perplexity"));
  CHECK_FALSE(Json::parse(scored.out)["metrics"].contains("rougeL"));
  CHECK(scored.err.find("has no effect") == std::string::npos);
  CHECK_FALSE(lines_in(run_and_require(workspace, "predict out --quiet" + off).out)[0].contains("generated"));
  const Finished told = run_and_require(workspace, "evaluate out" + off + " --set generation.max_new_tokens=5");
  CHECK(told.err.find("generation.max_new_tokens has no effect while training.predict_with_generate is false") != std::string::npos);
  const Finished refused = run_attune(workspace, "train run.json --set output_dir=other --set training.predict_with_generate=false");
  CHECK(refused.exit_code == 2);
  for (const char* key : {"training.metric_for_best_model", "early_stopping.metric", "training.predict_with_generate"}) {
    INFO(key);
    CHECK(refused.err.find(key) != std::string::npos);
  }
}

TEST_CASE("held-out folds are scored by texts of the model that never saw them", "[app][shell][generated]") {
  const Workspace workspace;
  write_answer_job(workspace, {{"data", {{"validation", Json::array()}}},
                               {"training", {{"num_train_epochs", 1}}},
                               {"cross_validation", {{"folds", 2}, {"inner_validation", 0.25}}}});
  const Json results = Json::parse(run_and_require(workspace, "train run.json --json --quiet").out);
  const Json& folds = results["cross_validation"];
  CHECK(folds["mean"].contains("rougeL"));
  CHECK(folds["pooled"]["intervals"].contains("chrf++"));
  CHECK(folds["pooled"]["samples"]["rows"].size() == 10);
  CHECK(texts_in(workspace.read("out/cv/oof_predictions.jsonl"), "generated").size() == 16);
  CHECK(run_attune(workspace, "verify out --quiet").exit_code == 0);
}

TEST_CASE("what leaves nothing to generate, or no room, is said before training", "[app][shell][generated]") {
  const Workspace workspace;
  write_answer_job(workspace);
  const auto refused = [&](const std::string& more) {
    Finished finished = run_attune(workspace, "train run.json --quiet " + more);
    CHECK_FALSE(fs::exists(workspace.path("out/model.safetensors")));
    return finished;
  };
  workspace.write("documents.jsonl", "{\"text\": \"the card is lost\"}\n");
  const Finished documents = refused("--set data.validation=documents.jsonl");
  CHECK(documents.exit_code == 4);
  CHECK(documents.err.find("no row of the validation rows ends with an answer") != std::string::npos);
  const Finished full = refused("--set generation.max_new_tokens=null --set generation_max_length=3");
  CHECK(full.exit_code == 4);
  CHECK(full.err.find("valid.jsonl:1: ") != std::string::npos);
  const Finished idle = refused("--set generation.temperature=0.5");
  CHECK(idle.exit_code == 2);
  CHECK(idle.err.find("generation.do_sample") != std::string::npos);
  const Finished metric = refused("--set training.predict_with_generate=false --set early_stopping.metric=rougeL");
  CHECK(metric.exit_code == 2);
  CHECK(metric.err.find("training.predict_with_generate") != std::string::npos);

  workspace.write("mixed.jsonl", workspace.read("documents.jsonl") + Json({{"prompt", "my account"}, {"completion", " help"}}).dump() + "\n");
  const std::string table =
      run_and_require(workspace, "train run.json --quiet --set training.max_steps=1 --set data.validation=mixed.jsonl").out;
  const std::string scored = run_and_require(workspace, "evaluate out mixed.jsonl --quiet").out;
  CHECK(table.find("validation (2 rows)") != std::string::npos);
  CHECK(std::regex_search(table, std::regex("\ngenerated texts +1\n")));
  CHECK(std::regex_search(scored, std::regex("\ngenerated +1\n")));
  for (const char* name : {"exact_match, %", "f1, %", "rougeL, 0–1", "bleu, 0–100", "chrf++, 0–100"}) {
    INFO(name);
    CHECK(table.find(std::string("\n") + name + " ") != std::string::npos);
    CHECK(scored.find(std::string("\n") + name + " ") != std::string::npos);
  }
  const std::vector<Json> lines = lines_in(workspace.read("out/eval_predictions.jsonl"));
  REQUIRE(lines.size() == 2);
  CHECK_FALSE(lines[0].contains("generated"));
  CHECK(lines[1].contains("generated"));
}

TEST_CASE("rows of a file become prompts as they did in training", "[app][shell][generated]") {
  const Workspace workspace;
  write_answer_job(workspace, {{"data", {{"template", "{{what}} is my"}, {"columns", {{"completion", "then"}, {"group", "who"}}}}},
                               {"training", {{"max_steps", 1}}}});
  const std::string rows = "{\"what\": \"where\", \"then\": \" card\", \"who\": \"a\"}\n{\"what\": \"what\", \"then\": \" app\", \"who\": \"b\"}\n";
  workspace.write("train.jsonl", rows);
  workspace.write("valid.jsonl", rows);
  workspace.write("asked.jsonl", "{\"what\": \"where\"}\n{\"what\": \"what\", \"id\": \"second\"}\n");
  workspace.write("asked.csv", "what\nwhere\nwhat\n");
  run_and_require(workspace, "train run.json --quiet");
  const std::vector<std::string> written = texts_in(workspace.read("out/eval_predictions.jsonl"), "generated");
  const std::string limits = " --json --max-new-tokens 20 --eos-token-id 0 --eos-token-id 2";
  const std::string of_rows = run_and_require(workspace, "generate out --file asked.jsonl" + limits).out;
  CHECK(texts_in(of_rows, "text") == written);
  CHECK(texts_in(of_rows, "id") == std::vector<std::string>{"0", "second"});
  CHECK(texts_in(run_and_require(workspace, "generate out --file asked.csv" + limits).out, "text") == written);
  workspace.write("plain.txt", "where is my\nwhat is my\n");
  CHECK(texts_in(run_and_require(workspace, "generate out --file plain.txt" + limits).out, "text") == written);
  workspace.write("prompts.jsonl", "{\"prompt\": \"where is my\"}\n");
  const Finished other = run_attune(workspace, "generate out --file prompts.jsonl");
  CHECK(other.exit_code == 4);
  CHECK(other.err.find("'what', which data.template names") != std::string::npos);
  const std::string set = " --set data.template=null --set data.columns.completion=completion";
  CHECK(texts_in(run_and_require(workspace, "generate out --file prompts.jsonl" + set + limits).out, "text")[0] == written[0]);
  CHECK(run_attune(workspace, "generate out -p a --set training.bf16=true").exit_code == 2);
}
