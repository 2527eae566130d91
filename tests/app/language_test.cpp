// Language modelling with a decoder, through the built program.
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "app/program.h"
#include "attune/files/storage.h"
#include "catch.h"
#include "shared.h"

namespace {

using attune::testing::Finished;
using attune::testing::kTinyGpt;
using attune::testing::run_attune;
using attune::testing::Workspace;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

std::string documents(int rows) {
  const char* texts[] = {"the card is lost", "where is my account", "what can i do in the app", "it was sent on monday"};
  std::string lines;
  for (int i = 0; i < rows; ++i) lines += Json({{"text", std::string(texts[i % 4]) + " " + texts[i / 4 % 4] + " " + std::to_string(i)}}).dump() + "\n";
  return lines;
}

/// A job over train.jsonl and valid.jsonl; `data` (members of an object) is laid over its data block.
void write_job(const Workspace& workspace, const std::string& data = "", const std::string& training = "") {
  Json config = {{"model", {{"path", kTinyGpt}, {"task", "text-generation"}}},
                 {"data", {{"train", "train.jsonl"}, {"validation", "valid.jsonl"}, {"max_length", 16}}},
                 {"training", {{"num_train_epochs", 3}, {"per_device_train_batch_size", 4}, {"learning_rate", 0.02}, {"logging_steps", 1}}},
                 {"seeds", {1}},
                 {"threads", 1},
                 {"output_dir", "out"}};
  config["data"].update(Json::parse("{" + data + "}"));
  config["training"].update(Json::parse("{" + training + "}"));
  workspace.write("train.jsonl", documents(32));
  workspace.write("valid.jsonl", documents(8));
  workspace.write("run.json", config.dump());
}

Json first_line(const std::string& text) { return Json::parse(text.substr(0, text.find('\n'))); }

}  // namespace

TEST_CASE("a decoder learns documents, and predict, evaluate and verify open what it saves", "[app][shell][language]") {
  const Workspace workspace;
  write_job(workspace);
  const Finished trained = run_attune(workspace, "train run.json --json");
  INFO(trained.err);
  REQUIRE(trained.exit_code == 0);
  const Json results = Json::parse(trained.out);
  CHECK(results["reopened"]["bit_equal"] == true);
  const Json& metrics = results["validation"]["metrics"];
  CHECK(metrics["perplexity"].get<double>() == Approx(std::exp(metrics["loss"].get<double>())));
  CHECK(metrics["perplexity"].get<double>() < 60);  // 300 ids
  CHECK(metrics["bits_per_byte"].get<double>() > 0);
  CHECK(trained.err.find("longer than data.max_length") != std::string::npos);
  CHECK(workspace.read("out/README.md").find("pipeline_tag: text-generation") != std::string::npos);
  for (const std::string verb : {"evaluate out valid.jsonl", "predict out valid.jsonl"}) {
    const Finished cut = run_attune(workspace, verb + " --quiet --set data.max_length=6 --set data.length_policy=truncate");
    INFO(cut.err);
    CHECK(cut.exit_code == 0);
    CHECK(cut.err.find(".jsonl: 8 of 8 rows are longer than data.max_length (6 tokens) and were cut (data.length_policy; the first: ") != std::string::npos);
  }
  CHECK(run_attune(workspace, "verify out --quiet").exit_code == 0);

  const Finished scored = run_attune(workspace, "evaluate out valid.jsonl --json --quiet");
  REQUIRE(scored.exit_code == 0);
  CHECK(Json::parse(scored.out)["metrics"]["loss"].get<double>() == Approx(metrics["loss"].get<double>()).epsilon(1e-6));
  CHECK(run_attune(workspace, "evaluate out valid.jsonl --require 'perplexity<=1'").exit_code == 20);

  const Finished split = run_attune(workspace, "evaluate out valid.jsonl --json --quiet --set data.max_length=6");
  REQUIRE(split.exit_code == 0);
  CHECK(Json::parse(split.out)["metrics"]["rows"] == 8);
  CHECK(Json::parse(split.out)["metrics"]["windows"].get<int>() > 8);
  CHECK(metrics["rows"] == 8);

  const std::string input = "printf 'the card is lost\\n' |";
  const Finished predicted = run_attune(workspace, "predict out --token-logprobs", input);
  REQUIRE(predicted.exit_code == 0);
  const Json line = first_line(predicted.out);
  CHECK(line["token_logprobs"].size() == line["tokens"].get<std::size_t>());
  double sum = 0;
  for (const Json& logprob : line["token_logprobs"]) sum -= logprob.get<double>();
  CHECK(line["loss"].get<double>() == Approx(sum / line["tokens"].get<double>()).epsilon(1e-5));
  CHECK_FALSE(first_line(run_attune(workspace, "predict out", input).out).contains("token_logprobs"));
  CHECK(run_attune(workspace, "predict out --logits", input).exit_code == 2);
}

TEST_CASE("a language model resumes with the same bits, with and without gradient checkpointing", "[app][shell][language]") {
  const Workspace workspace;
  write_job(workspace, "", R"("save_strategy": "steps", "save_steps": 5, "save_total_limit": null)");
  REQUIRE(run_attune(workspace, "train run.json --quiet").exit_code == 0);
  REQUIRE(run_attune(workspace, "train run.json --quiet --set output_dir=less --set training.gradient_checkpointing=true").exit_code == 0);
  const std::string whole = attune::files::sha256_file(workspace.path("out/model.safetensors"));
  CHECK(attune::files::sha256_file(workspace.path("less/model.safetensors")) == whole);
  fs::create_directories(workspace.path("again/checkpoints"));
  fs::copy(workspace.path("out/checkpoints/checkpoint-5"), workspace.path("again/checkpoints/checkpoint-5"), fs::copy_options::recursive);
  const Finished resumed = run_attune(workspace, "train run.json --quiet --resume --set output_dir=again");
  INFO(resumed.err);
  REQUIRE(resumed.exit_code == 0);
  CHECK(attune::files::sha256_file(workspace.path("again/model.safetensors")) == whole);
}

TEST_CASE("chats in three shapes are the same rows, and the template is saved with the model", "[app][shell][language]") {
  const Workspace workspace;
  write_job(workspace, R"("chat_template": "chatml", "max_length": 64)", R"("max_steps": 2)");
  const Json messages = {{{"role", "user"}, {"content", "where is my card"}}, {{"role", "assistant"}, {"content", "in the app"}}};
  const Json spoken = {{{"from", "human"}, {"value", "where is my card"}}, {{"from", "gpt"}, {"value", "in the app"}}};
  const std::vector<Json> shapes = {{{"messages", messages}}, {{"conversations", spoken}}, {{"instruction", "where is my card"}, {"input", ""}, {"output", "in the app"}}};
  std::vector<std::string> hashes;
  for (const Json& shape : shapes) {
    fs::remove_all(workspace.path("out"));
    for (const char* name : {"train.jsonl", "valid.jsonl"}) workspace.write(name, shape.dump() + "\n" + shape.dump() + "\n");
    const Finished trained = run_attune(workspace, "train run.json --quiet");
    INFO(trained.err);
    REQUIRE(trained.exit_code == 0);
    hashes.push_back(attune::files::sha256_file(workspace.path("out/model.safetensors")));
  }
  CHECK(hashes[0] == hashes[1]);
  CHECK(hashes[0] == hashes[2]);
  CHECK(workspace.read("out/chat_template.jinja").find("generation") != std::string::npos);
  workspace.write("bad.jsonl", R"({"messages": [{"role": "user", "content": "hello"}]})" "\n");
  const Finished refused = run_attune(workspace, "evaluate out bad.jsonl");
  CHECK(refused.exit_code == 4);
  CHECK(refused.err.find("bad.jsonl:1: ") != std::string::npos);
}

TEST_CASE("training files are mixed by weight, repeatably", "[app][shell][language]") {
  const Workspace workspace;
  write_job(workspace, R"("train": ["train.jsonl", "more.jsonl"], "train_weights": {"more.jsonl": 2.5, "train.jsonl": 0.25}, "max_length": 64)");
  workspace.write("more.jsonl", documents(8));
  for (const char* folder : {"out", "again"}) {
    const Finished trained = run_attune(workspace, std::string("train run.json --quiet --set output_dir=") + folder);
    INFO(trained.err);
    REQUIRE(trained.exit_code == 0);
  }
  const Json state = Json::parse(workspace.read("out/trainer_state.json"));
  CHECK(state["global_step"] == 21);  // 0.25 x 32 + 2.5 x 8 = 28 rows, 7 batches of 4, 3 epochs
  CHECK(attune::files::sha256_file(workspace.path("out/model.safetensors")) == attune::files::sha256_file(workspace.path("again/model.safetensors")));
  const Finished refused = run_attune(workspace, "train run.json --quiet --set output_dir=third --set 'data.train=[\"train.jsonl\"]'");
  CHECK(refused.exit_code == 2);
  CHECK(refused.err.find("more.jsonl") != std::string::npos);
}

TEST_CASE("a real small Llama learns a play: its perplexity falls by more than half, with LoRA nearly as far", "[app][shell][language]") {
  ATTUNE_NEEDS_SHARED(shared);
  const Workspace workspace;
  write_job(workspace, R"("text_unit": "paragraph", "max_length": 96, "train": "train.txt", "validation": "valid.txt")",
            R"("num_train_epochs": 1, "max_steps": 60, "per_device_train_batch_size": 8, "learning_rate": 0.003, "eval_on_start": true)");
  workspace.write("train.txt", attune::files::read_file(shared + "/data/tinyshakespeare/train.txt").substr(0, 100'000));
  workspace.write("valid.txt", attune::files::read_file(shared + "/data/tinyshakespeare/valid.txt").substr(0, 10'000));
  /// Of the validation text, before the first step and after the last.
  const auto perplexities = [&](const std::string& folder, const std::string& settings) {
    const Finished trained =
        run_attune(workspace, "train run.json --quiet --set output_dir=" + folder + " --set model.path=" + shared + "/models/stories260K/hf " + settings);
    INFO(trained.err);
    REQUIRE(trained.exit_code == 0);
    std::vector<double> seen;
    const Json state = Json::parse(workspace.read(folder + "/trainer_state.json"));
    for (const Json& line : state["log_history"]) {
      if (line.contains("eval_perplexity")) seen.push_back(line["eval_perplexity"].get<double>());
    }
    REQUIRE(seen.size() >= 2);
    return std::pair(seen.front(), seen.back());
  };
  const auto [before, full] = perplexities("full", "");
  CHECK(before > 60);
  CHECK(full < 0.5 * before);
  const auto [same, lora] = perplexities("lora", "--set tuning.method=lora --set tuning.lora.r=16 --set tuning.lora.lora_alpha=32"
                                                 " --set tuning.lora.target_modules=all-linear --set training.learning_rate=0.01");
  CHECK(same == before);
  CHECK(before - lora >= 0.8 * (before - full));
}

TEST_CASE("prompts that would be read otherwise alone are warned of", "[app][shell][language]") {
  const Workspace workspace;
  write_job(workspace);
  workspace.write("train.jsonl", R"({"prompt": "where is my ", "completion": "card"})" "\n");
  const Finished warned = run_attune(workspace, "train run.json --dry-run --set data.validation=[]");
  INFO(warned.err);
  CHECK(warned.exit_code == 0);
  CHECK(warned.err.find("train: in 1 of 1 rows a token holds the end of the prompt and the beginning of the completion (the first: train.jsonl:1)") != std::string::npos);
}

TEST_CASE("show-examples prints tokens with the loss mask and writes nothing", "[app][shell][language]") {
  const Workspace workspace;
  write_job(workspace);
  workspace.write("train.jsonl", R"({"prompt": "where is my", "completion": " card"})" "\n");
  workspace.write("valid.jsonl", R"({"source": "where is my", "target": " card"})" "\n");
  const Finished shown = run_attune(workspace, "train run.json --quiet --show-examples 3 --set data.validation=[]");
  INFO(shown.err);
  REQUIRE(shown.exit_code == 0);
  CHECK(shown.out.find("train.jsonl:1") != std::string::npos);
  CHECK(shown.out.find("3 learned") != std::string::npos);  // " ca", "rd" and the end of the text
  CHECK(shown.out.find("<|endoftext|>") != std::string::npos);
  CHECK_FALSE(fs::exists(workspace.path("out")));
  const Finished lines = run_attune(workspace, "train run.json --quiet --json --show-examples 3 --set data.validation=[]");
  const Json first = Json::parse(lines.out.substr(0, lines.out.find('\n')));
  CHECK(std::count(lines.out.begin(), lines.out.end(), '\n') == 1);
  CHECK(first["learned"].get<std::vector<int>>().back() == 1);
  CHECK(first["line"] == 1);
  CHECK(first["ids"].size() == first["tokens"].size());
  CHECK(first["learned"].size() == first["ids"].size());
  CHECK(shown.out.find(first["ids"][1].dump()) != std::string::npos);
  const Finished renamed = run_attune(workspace, "train run.json --quiet --show-examples 3 --set data.train=valid.jsonl --set data.validation=[]"
                                                 " --set data.columns.source=source --set data.columns.target=target");
  INFO(renamed.err);
  CHECK(renamed.out.find("3 learned") != std::string::npos);
}

TEST_CASE("a chat template that is not there is a matter of the configuration", "[app][shell][language]") {
  const Workspace workspace;
  write_job(workspace, R"("chat_template": "chatlm")");
  const Finished refused = run_attune(workspace, "train run.json --quiet");
  CHECK(refused.exit_code == 2);
  CHECK(refused.err.find("chatlm: ") != std::string::npos);
  CHECK(refused.err.find("(data.chat_template); name a file with a Jinja template, or write \"chatml\"") != std::string::npos);
}

TEST_CASE("answers of nothing are told of with the line of the first", "[app][shell][language]") {
  const Workspace workspace;
  write_job(workspace, R"("max_length": 64)");
  const Json asked = {{"role", "user"}, {"content", "hello"}}, answered = {{"role", "assistant"}, {"content", "Hi"}};
  const Json silent = {{"role", "assistant"}, {"content", " "}};
  std::string rows;
  for (const Json& messages : {Json({asked, answered}), Json({asked, silent}), Json({asked, answered, asked, silent})}) {
    rows += Json({{"messages", messages}}).dump() + "\n";
  }
  rows += Json({{"prompt", {asked, silent, asked}}, {"completion", Json::array({answered})}}).dump() + "\n";
  workspace.write("train.jsonl", rows);
  const Finished warned = run_attune(workspace, "train run.json --quiet --dry-run --set data.validation=[]");
  CHECK(warned.exit_code == 0);
  CHECK(warned.err.find("train: in 2 of 4 rows the assistant says nothing in a turn (the first: train.jsonl:2)") != std::string::npos);
}

TEST_CASE("a decoder without a chat template refuses chats with what to do", "[app][shell][language]") {
  const Workspace workspace;
  write_job(workspace);
  fs::copy(kTinyGpt, workspace.path("bare"));
  fs::remove(workspace.path("bare/chat_template.jinja"));
  workspace.write("train.jsonl", R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]})" "\n");
  const Finished refused = run_attune(workspace, "train run.json --set model.path=bare");
  CHECK(refused.exit_code == 3);
  CHECK(refused.err.find("data.chat_template") != std::string::npos);
}

TEST_CASE("turns that only call tools go through a template that writes them, and are bad rows under another", "[app][shell][language]") {
  const Workspace workspace;
  write_job(workspace, R"("max_length": 64, "chat_template": "calls.jinja")", R"("max_steps": 1)");
  workspace.write("calls.jinja",
                  "{%- for m in messages %}{{- m.role + ': ' }}{% generation %}{% if m.tool_calls %}{% for c in m.tool_calls %}"
                  "{{- c.function.name }}({{ c.function.arguments | tojson }}){% endfor %}{% else %}{{ m.content }}{% endif %}\n{% endgeneration %}{% endfor %}");
  const Json asked = {{"role", "user"}, {"content", "where is my card"}}, answered = {{"role", "assistant"}, {"content", "in the app"}};
  const Json call = {{"role", "assistant"}, {"content", nullptr}, {"tool_calls", Json::array({{{"function", {{"name", "find"}, {"arguments", {{"what", "card"}}}}}}})}};
  const Json found = {{"role", "tool"}, {"content", "app"}};
  const std::string plain = Json({{"messages", {asked, answered}}}).dump() + "\n", calling = Json({{"messages", {asked, call, found, answered}}}).dump() + "\n";
  workspace.write("train.jsonl", plain + calling);
  workspace.write("valid.jsonl", plain);
  const Finished trained = run_attune(workspace, "train run.json --quiet");
  INFO(trained.err);
  REQUIRE(trained.exit_code == 0);
  const std::string chatml = " --quiet --set data.chat_template=chatml --set output_dir=plain";
  const Finished stopped = run_attune(workspace, "train run.json" + chatml);
  CHECK(stopped.exit_code == 4);
  CHECK(stopped.err.find("train.jsonl:2: turn 2 (assistant) has tool_calls and null as content, and the chat template cannot write that: ") != std::string::npos);
  CHECK(stopped.err.find("; give the turn a text") != std::string::npos);
  const Finished skipped = run_attune(workspace, "train run.json --json --set data.on_bad_row=skip" + chatml);
  REQUIRE(skipped.exit_code == 0);
  CHECK(Json::parse(skipped.out)["data"]["splits"]["train"]["skipped"] == 1);
  workspace.write("asked.jsonl", Json({{"messages", {asked, call, found}}}).dump() + "\n");
  const Finished generated = run_attune(workspace, "generate plain --file asked.jsonl --set data.on_bad_row=error");
  CHECK(generated.exit_code == 4);
  CHECK(generated.err.find("asked.jsonl:1: turn 2 (assistant) has tool_calls and null as content") != std::string::npos);
}

TEST_CASE("rows that cannot be encoded are errors with their line, or skipped, counted and listed", "[app][shell][language]") {
  const Workspace workspace;
  write_job(workspace, R"("max_length": 24, "length_policy": "error", "chat_template": "picky.jinja")");
  workspace.write("picky.jinja",
                  "{%- for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system messages here') }}{% endif %}"
                  "{% if m.content == 'odd' %}{{ m.nothing.at_all }}{% endif %}"
                  "{{- '<|im_start|>' + m.role + '\\n' }}{% generation %}{{ m.content + '<|im_end|>' if m.role == 'assistant' else '' }}{% endgeneration %}"
                  "{{ '' if m.role == 'assistant' else m.content + '<|im_end|>' }}{% endfor %}");
  const Json asked = {{"role", "user"}, {"content", "hello"}}, answered = {{"role", "assistant"}, {"content", "Hi"}};
  const Json refused = {{"role", "system"}, {"content", "brief"}}, odd = {{"role", "user"}, {"content", "odd"}};
  const auto line = [](const Json& messages) { return Json({{"messages", messages}}).dump() + "\n"; };
  const std::vector<std::pair<std::string, std::string>> bad = {
      {line({refused, asked, answered}), "no system messages here"},
      {line(Json::array({asked})), "no token of the row is to be learned"},
      {line({odd, answered}), "nothing"},
      {Json({{"text", std::string(200, 'a')}}).dump() + "\n", "data.max_length is 24"},
      {R"({"input_ids": [1, 2, 100000]})" "\n", "100000"}};
  workspace.write("valid.jsonl", line({asked, answered}));
  std::string all = line({asked, answered});
  for (const auto& [row, says] : bad) {
    INFO(row);
    all += row + line({asked, answered});
    workspace.write("train.jsonl", line({asked, answered}) + row);
    const Finished stopped = run_attune(workspace, "train run.json --dry-run --quiet");
    CHECK(stopped.exit_code >= 3);
    CHECK(stopped.err.find("train.jsonl:2: ") != std::string::npos);
    CHECK(stopped.err.find(says) != std::string::npos);
  }
  workspace.write("train.jsonl", all);
  const Finished trained = run_attune(workspace, "train run.json --quiet --json --set data.on_bad_row=skip");
  INFO(trained.err);
  REQUIRE(trained.exit_code == 0);
  const Json train = Json::parse(trained.out)["data"]["splits"]["train"];
  CHECK(train["rows"] == 6);
  CHECK(train["skipped"] == 5);
  REQUIRE(train["bad_rows"].size() == 5);
  for (std::size_t i = 0; i < bad.size(); ++i) {
    const std::string listed = train["bad_rows"][i];
    CHECK(listed.find(bad[i].second) != std::string::npos);
    CHECK(listed.find("train.jsonl:" + std::to_string(2 + 2 * i) + ": ") != std::string::npos);
  }
  CHECK(trained.err.find("train: 5 bad rows were skipped (data.on_bad_row)") != std::string::npos);
  CHECK(run_attune(workspace, "verify out --quiet").exit_code == 0);
  const Finished scored = run_attune(workspace, "evaluate out train.jsonl --json --quiet");
  CHECK(scored.exit_code == 0);
  CHECK(scored.err.find("5 bad rows were skipped") != std::string::npos);
  workspace.write("train.jsonl", "{\"text\": 7}\n" + all);
  for (const std::string arguments : {"train run.json --dry-run --quiet --set output_dir=more --set data.on_bad_row=skip", "evaluate out train.jsonl --quiet"}) {
    const std::string said = run_attune(workspace, arguments).err, summary = "bad rows were skipped";
    INFO(said);
    CHECK(said.find(": 6 " + summary) != std::string::npos);
    CHECK(said.find(summary) == said.rfind(summary));
  }
  workspace.write("train.jsonl", bad[0].first + bad[1].first);
  const Finished none = run_attune(workspace, "train run.json --dry-run --quiet --set output_dir=none --set data.on_bad_row=skip");
  CHECK(none.exit_code == 4);
  CHECK(none.err.find("train.jsonl: has no usable row, 2 were skipped (the first: line 1: ") != std::string::npos);
  workspace.write("train.jsonl", bad[0].first + "{\"text\": 7}\n");
  workspace.write("valid.jsonl", "{\"text\": 7}\n" + bad[0].first);
  const std::string skip = " --quiet --set output_dir=none --set data.on_bad_row=skip --set data.validation=[] --dry-run";
  const Finished both = run_attune(workspace, "train run.json" + skip);
  CHECK(both.exit_code == 4);
  CHECK(both.err.find("train.jsonl: has no usable row, 2 were skipped (the first: line 1: ") != std::string::npos);
  const Finished unread = run_attune(workspace, "train run.json --set data.train=valid.jsonl" + skip);
  CHECK(unread.err.find("valid.jsonl: has no usable row, 2 were skipped (the first: line 1: column 'text' ") != std::string::npos);
  const Finished several = run_attune(workspace, "train run.json --set 'data.train=[\"valid.jsonl\",\"train.jsonl\"]'" + skip);
  CHECK(several.err.find("valid.jsonl, train.jsonl: have no usable row, 4 were skipped (the first: valid.jsonl:1: ") != std::string::npos);
}
