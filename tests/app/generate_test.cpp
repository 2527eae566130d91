// attune generate through the built program: prompts, files, chats, and what cannot be generated from.
#include "attune/infer/generate.h"

#include <nlohmann/json.hpp>

#include "app/program.h"
#include "attune/files/storage.h"
#include "catch.h"
#include "infer/tiny_tokenizer.h"
#include "models/golden.h"

namespace {

using namespace attune;
using namespace attune::testing;
using Json = nlohmann::ordered_json;
using Ids = std::vector<std::int32_t>;

/// The golden Llama with a tokenizer, room for 64 tokens, and a chat template of one letter a role.
void write_model(
    const Workspace& workspace,
    const std::string& chat_template = "{% for m in messages %}{{ m.role[0] }}{{ m.content }}.{% endfor %}a") {
  const std::string golden = golden_folder("llama_causal_lm");
  Json config = Json::parse(files::read_file(golden + "/config.json"));
  config["max_position_embeddings"] = 64;
  config["eos_token_id"] = 2;
  workspace.write("m/config.json", config.dump());
  workspace.write("m/model.safetensors", files::read_file(golden + "/model.safetensors"));
  workspace.write("m/tokenizer.json", tiny_tokenizer_json());
  Json settings = {{"eos_token", "</s>"}};
  if (!chat_template.empty()) settings["chat_template"] = chat_template;
  workspace.write("m/tokenizer_config.json", settings.dump());
}

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(Json::parse(line));
  return lines;
}

/// What infer makes of the ids, without the program.
Ids expected(const Workspace& workspace, const Ids& prompt, std::int64_t tokens) {
  models::LoadOptions load;
  load.task = models::Task::causal_lm;
  const models::LoadedModel loaded = models::load_model(workspace.path("m"), load);
  infer::GenerationOptions options;
  options.max_new_tokens = tokens;
  options.eos_token_id = {2};
  return infer::generate(*loaded.model, std::vector<Ids>{prompt}, options).front().ids;
}

Finished run_ok(const Workspace& workspace, const std::string& arguments, const std::string& before = "") {
  Finished finished = run_attune(workspace, arguments, before);
  INFO(arguments << "\n" << finished.err);
  REQUIRE(finished.exit_code == 0);
  return finished;
}

void check_refused(const Workspace& workspace, const std::string& arguments, int code, const std::string& part) {
  const Finished finished = run_attune(workspace, arguments, "echo abc |");
  INFO(arguments << "\n" << finished.out << finished.err);
  CHECK(finished.exit_code == code);
  CHECK(finished.err.find(part) != std::string::npos);
  CHECK(std::count(finished.err.begin(), finished.err.end(), '\n') == 1);
}

}  // namespace

TEST_CASE("a prompt is continued, as text and as JSON", "[app][shell][infer]") {
  const Workspace workspace;
  write_model(workspace);
  const Ids ids = expected(workspace, {6, 7, 8}, 12);
  const auto json = lines_of(run_ok(workspace, "generate m --prompt abc --max-new-tokens 12 --json").out);
  REQUIRE(json.size() == 1);
  CHECK(json[0]["ids"].get<Ids>() == ids);
  CHECK(json[0]["finish_reason"] == (ids.back() == 2 ? "end_token" : "length"));
  CHECK(run_ok(workspace, "generate m -p abc --max_new_tokens 12").out == json[0]["text"].get<std::string>() + "\n");
  // A stop string cuts the text before it.
  const auto text = json[0]["text"].get<std::string>();
  REQUIRE(text.size() > 4);
  const std::string stop = text.substr(2, 1);
  const auto stopped = lines_of(
      run_ok(workspace, "generate m --prompt abc --max-new-tokens 12 --json --stop-strings '" + stop + "'").out);
  CHECK(stopped[0]["text"] == text.substr(0, text.find(stop)));
  CHECK(stopped[0]["finish_reason"] == "stop_string");
  const std::string drawn = "generate m --prompt abc --max-new-tokens 12 --do-sample --temperature 2 --seed ";
  CHECK(run_ok(workspace, drawn + "1").out == run_ok(workspace, drawn + "1").out);
  CHECK(run_ok(workspace, drawn + "1").out != run_ok(workspace, drawn + "2").out);
  CHECK(lines_of(run_ok(workspace, "generate m --prompt abc --max-new-tokens 5 --num-beams 3 --json").out)[0].contains(
      "score"));
}

TEST_CASE("an option that takes a list takes its values in one go or one by one, and no other argument", "[app][shell][infer]") {
  const Workspace workspace;
  write_model(workspace);
  const auto text_of = [&](const std::string& arguments) { return lines_of(run_ok(workspace, arguments).out)[0]["text"].get<std::string>(); };
  const std::string all = "m --prompt abc --max-new-tokens 12 --json", text = text_of("generate " + all);
  REQUIRE(text.size() > 6);
  const std::string late = text.substr(5, 1), early = text.substr(2, 1), cut = text.substr(0, std::min(text.find(early), text.find(late)));
  REQUIRE(text.substr(0, text.find(late)) != cut);
  const std::string both = " '" + late + "' '" + early + "'";
  CHECK(text_of("generate " + all + " --stop-strings" + both) == cut);
  CHECK(text_of("generate " + all + " --stop_strings '" + late + "' --stop-strings '" + early + "'") == cut);
  CHECK(text_of("generate --prompt abc --max-new-tokens 12 --json --stop-strings" + both + " m") == cut);
  CHECK(text_of("generate --stop-strings" + both + " -- " + all) == cut);
  const auto ids = lines_of(run_ok(workspace, "generate " + all).out)[0]["ids"].get<Ids>();
  const auto ended = lines_of(run_ok(workspace, "generate " + all + " --eos-token-id 31 " + std::to_string(ids[3])).out)[0]["ids"].get<Ids>();
  const auto end = std::find_if(ids.begin(), ids.end(), [&](std::int32_t id) { return id == 31 || id == ids[3]; });
  CHECK(ended == Ids(ids.begin(), end + 1));
  check_refused(workspace, "generate --stop-strings . m --prompt abc", 2, "model is required (command line); name it before an option that takes a list");
  const std::string help = run_ok(workspace, "generate --help").out;
  CHECK(help.find("--stop_strings,--stop-strings TEXT ...") != std::string::npos);
  CHECK(help.find("--set KEY=VALUE ") != std::string::npos);
  CHECK(help.find("--set KEY=VALUE ...") == std::string::npos);
}

TEST_CASE("an option that is repeatable takes one value each time, and what stands behind is an argument", "[app][shell]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  run_ok(workspace, "train --set training.max_steps=2 run.json --quiet");
  const std::string data = run_ok(workspace, "evaluate out valid.jsonl --quiet --json").out;
  CHECK(run_ok(workspace, "evaluate out --quiet --json --set data.max_length=32 valid.jsonl").out == data);
  CHECK(run_ok(workspace, "evaluate --set data.max_length=32 --set threads=1 out --require 'loss<1000' valid.jsonl --quiet --json").exit_code == 0);
  CHECK_FALSE(run_ok(workspace, "predict out --quiet --set data.max_length=32 valid.jsonl").out.empty());
}

TEST_CASE("prompts of a file and of stdin keep their order", "[app][shell][infer]") {
  const Workspace workspace;
  write_model(workspace);
  workspace.write("p.txt", "abc\nzz\n\nhello\n");
  const auto of_text = lines_of(run_ok(workspace, "generate m --file p.txt --json --max-new-tokens 4").out);
  REQUIRE(of_text.size() == 3);
  CHECK(of_text[2]["id"] == "3");
  CHECK(of_text[0]["ids"].get<Ids>() == expected(workspace, {6, 7, 8}, 4));
  CHECK(of_text[1]["ids"].get<Ids>() == expected(workspace, {31, 31}, 4));
  workspace.write("p.jsonl", R"({"id": "x", "prompt": "zz"})"
                             "\n"
                             R"({"messages": [{"role": "user", "content": "hi"}]})"
                             "\n");
  const auto of_rows = lines_of(run_ok(workspace, "generate m --file p.jsonl --json --max-new-tokens 4").out);
  REQUIRE(of_rows.size() == 2);
  CHECK(of_rows[0]["id"] == "x");
  CHECK(of_rows[0]["ids"] == of_text[1]["ids"]);
  CHECK(of_rows[1]["ids"].get<Ids>() == expected(workspace, {26, 13, 14, 5, 6}, 4));  // "uhi.a"
  const auto of_stdin = lines_of(run_ok(workspace, "generate m --json --max-new-tokens 4", "printf 'zz\\n' |").out);
  CHECK(of_stdin[0]["ids"] == of_text[1]["ids"]);
  const std::string plain = run_ok(workspace, "generate m --file p.txt --max-new-tokens 4").out;
  CHECK(plain.starts_with("> abc\n" + of_text[0]["text"].get<std::string>() + "\n\n> zz\n"));
}

TEST_CASE("a chat remembers its turns", "[app][shell][infer]") {
  const Workspace workspace;
  write_model(workspace);
  const auto turns = lines_of(
      run_ok(workspace, "generate m --chat --system no --json --max-new-tokens 3", "printf 'hi\\nbye\\n' |").out);
  REQUIRE(turns.size() == 2);
  const auto spelled = [](const std::string& text) {
    Ids ids;
    for (const char c : text) ids.push_back(c == ' ' ? 3 : c == '\n' ? 4 : c == '.' ? 5 : c - 'a' + 6);
    return ids;
  };
  CHECK(turns[0]["ids"].get<Ids>() == expected(workspace, spelled("sno.uhi.a"), 3));
  const std::string history = "sno.uhi.a" + turns[0]["text"].get<std::string>() + ".ubye.a";
  CHECK(turns[1]["ids"].get<Ids>() == expected(workspace, spelled(history), 3));
}

TEST_CASE("a chat that outgrows the model forgets its oldest turns, never the system message", "[app][shell][infer]") {
  const Workspace workspace;
  write_model(workspace);
  // 64 tokens; "sno." stays, a turn is "u" + 12 letters + ".", an answer "a" + at most 4 + ".".
  const Finished talked = run_ok(workspace, "generate m --chat --system no --json --max-new-tokens 4",
                                 "printf 'aaaaaaaaaaaa\\nbbbbbbbbbbbb\\ncccccccccccc\\ndddddddddddd\\n' |");
  const auto turns = lines_of(talked.out);
  REQUIRE(turns.size() == 4);
  const auto spelled = [](const std::string& text) {
    Ids ids;
    for (const char c : text) ids.push_back(c == ' ' ? 3 : c == '\n' ? 4 : c == '.' ? 5 : c - 'a' + 6);
    return ids;
  };
  const auto said = [&](char letter, std::size_t turn) { return "u" + std::string(12, letter) + ".a" + turns[turn]["text"].get<std::string>() + "."; };
  const std::string three = "sno." + said('a', 0) + said('b', 1) + "u" + std::string(12, 'c') + ".a";
  const std::string two = "sno." + said('b', 1) + said('c', 2) + "u" + std::string(12, 'd') + ".a";
  REQUIRE(three.size() <= 60);
  REQUIRE(two.size() <= 60);
  REQUIRE(three.size() + 14 > 60);
  CHECK(turns[2]["ids"].get<Ids>() == expected(workspace, spelled(three), 4));
  CHECK(turns[3]["ids"].get<Ids>() == expected(workspace, spelled(two), 4));
  CHECK(talked.err == "warning: the conversation is longer than the model can read: from here on its oldest turns are forgotten\n");
  // What is said last may fill the model, and no more.
  const auto alone = lines_of(run_ok(workspace, "generate m --chat --json --max-new-tokens 4", "printf 'hi\\n" + std::string(61, 'z') + "\\n' |").out);
  CHECK(alone[1]["ids"].get<Ids>() == expected(workspace, spelled("u" + std::string(61, 'z') + ".a"), 4));
}

TEST_CASE("a turn of a chat that is longer than the model is left out, and the session goes on", "[app][shell][infer]") {
  const Workspace workspace;
  write_model(workspace);
  const std::string arguments = "generate m --chat --system no --max-new-tokens 4", long_turn = std::string(62, 'z') + "\\n";
  const Finished talked = run_ok(workspace, arguments + " --json", "printf 'hi\\n" + long_turn + "bye\\n' |");
  const auto turns = lines_of(talked.out), without = lines_of(run_ok(workspace, arguments + " --json", "printf 'hi\\nbye\\n' |").out);
  REQUIRE(turns.size() == 3);
  CHECK(turns[0] == without[0]);
  CHECK(turns[1] == Json({{"text", ""}, {"ids", Json::array()}, {"finish_reason", "prompt_too_long"}}));
  CHECK(turns[2] == without[1]);  // nothing was forgotten for it
  CHECK(talked.err == "warning: what was said last makes a prompt of 69 tokens, and there is room for 64: it is left out; say less at once\n");
  CHECK(run_ok(workspace, arguments, "printf '" + long_turn + "' |").out.empty());
}

TEST_CASE("a text begins with one beginning-of-text token where training has it, whoever writes it", "[app][shell][infer]") {
  const Workspace workspace;
  const std::string turns = "{% for m in messages %}{{ m.role[0] }}{{ m.content }}.{% endfor %}a";
  workspace.write("p.jsonl", R"({"prompt": "hi"})"
                             "\n"
                             R"({"messages": [{"role": "user", "content": "hi"}]})"
                             "\n");
  for (const std::string& chat_template : {turns, "<s>" + turns}) {
    INFO(chat_template);
    write_model(workspace, chat_template);
    workspace.write("m/tokenizer.json", tiny_tokenizer_json(/*adds_bos=*/true));
    const Json settings = {{"bos_token", "<s>"}, {"eos_token", "</s>"}, {"chat_template", chat_template}};
    workspace.write("m/tokenizer_config.json", settings.dump());
    const Ids plain = expected(workspace, {1, 13, 14}, 6), chat = expected(workspace, {1, 26, 13, 14, 5, 6}, 6);
    REQUIRE(chat != expected(workspace, {26, 13, 14, 5, 6}, 6));
    const auto of_file = lines_of(run_ok(workspace, "generate m --file p.jsonl --json --max-new-tokens 6").out);
    CHECK(of_file[0]["ids"].get<Ids>() == plain);
    CHECK(of_file[1]["ids"].get<Ids>() == chat);
    const auto said = lines_of(run_ok(workspace, "generate m --chat --json --max-new-tokens 6", "echo hi |").out);
    CHECK(said[0]["ids"].get<Ids>() == chat);
    CHECK(lines_of(run_ok(workspace, "generate m -p '<s>hi' --json --max-new-tokens 6").out)[0]["ids"].get<Ids>() == plain);
  }
}

TEST_CASE("prompts of a file that are too long are cut and warned of, those of the command line refused", "[app][shell][infer]") {
  const Workspace workspace;
  write_model(workspace);
  const std::string text(70, 'z');
  workspace.write("p.txt", text + "\nabc\n");
  workspace.write("p.jsonl", Json({{"id", "long"}, {"prompt", text}}).dump() + "\n" + Json({{"prompt", "abc"}}).dump() + "\n");
  for (const std::string file : {"p.txt", "p.jsonl"}) {
    INFO(file);
    const Finished cut = run_ok(workspace, "generate m --file " + file + " --json --max-new-tokens 4");
    CHECK(lines_of(cut.out)[0]["ids"].get<Ids>() == expected(workspace, Ids(64, 31), 4));
    CHECK(lines_of(cut.out)[1]["ids"].get<Ids>() == expected(workspace, {6, 7, 8}, 4));
    CHECK(cut.err.find(file + ": 1 of 2 rows are longer than data.max_length (64 tokens) and were cut") != std::string::npos);
    const Finished shorter = run_ok(workspace, "generate m --file " + file + " --json --max-new-tokens 4 --set data.max_length=5 --set data.length_policy=truncate_left");
    CHECK(lines_of(shorter.out)[0]["ids"].get<Ids>() == expected(workspace, Ids(5, 31), 4));
    const Finished dropped = run_ok(workspace, "generate m --file " + file + " --json --max-new-tokens 4 --set data.max_length=5 --set data.length_policy=drop");
    REQUIRE(lines_of(dropped.out).size() == 1);
    CHECK(lines_of(dropped.out)[0]["id"] == "1");
    CHECK(dropped.err.find("1 of 2 rows are longer than data.max_length (5 tokens) and were left out") != std::string::npos);
    check_refused(workspace, "generate m --file " + file + " --set data.length_policy=error", 4, file + ":1: the row has 70 tokens");
    check_refused(workspace, "generate m --file " + file + " --set data.length_policy=truncate", 4, "no answer is left");
  }
  CHECK(run_ok(workspace, "generate m --file p.jsonl --json --max-new-tokens 4").err.find("skipped") == std::string::npos);
  const Finished lines = run_attune(workspace, "generate m --json", "printf 'abc\\n" + text + "\\n' |");
  CHECK(lines.exit_code == 4);
  CHECK(lines.err.find("<stdin>:2: the prompt has 70 tokens, the model takes at most 64; shorten it, or put it into a file") != std::string::npos);
}

TEST_CASE("what cannot be generated from is said in one line", "[app][shell][infer]") {
  const Workspace workspace;
  write_model(workspace, "");
  workspace.write("bad.jsonl", R"({"title": "zz"})"
                               "\n");
  workspace.write("empty.txt", "\n");
  check_refused(workspace, "generate m --chat", 3, "no chat template");
  check_refused(workspace, "generate '" + kTinyModel + "' --prompt a", 3,
                "a bert model has no head for text-generation");
  check_refused(workspace, "generate nowhere --prompt a", 3, "there is no such folder");
  check_refused(workspace, "generate m --prompt a --eos-token-id 2 9999", 2,
                "no token has the id 9999, the model's vocabulary has 32 tokens (eos_token_id); give ids from 0 to 31");
  workspace.write("m/generation_config.json", R"({"eos_token_id": [2, 9999]})");
  check_refused(workspace, "generate m --prompt a", 3,
                "m/generation_config.json: found 9999, the model's vocabulary has 32 tokens (eos_token_id); write ids from 0 to 31");
  fs::remove(workspace.path("m/generation_config.json"));
  check_refused(workspace, "generate m --prompt '" + std::string(65, 'a') + "'", 4,
                "the prompt has 65 tokens, the model takes at most 64");
  check_refused(workspace, "generate m --file bad.jsonl", 4, "bad.jsonl:1: there is nothing to go on from: neither 'prompt' nor 'messages' nor 'text'");
  check_refused(workspace, "generate m --file empty.txt", 4, "there is no prompt in it");
  check_refused(workspace, "generate m --file missing.txt", 4, "missing.txt");
  check_refused(workspace, "generate m --prompt a --temperature 0.5", 2,
                "temperature changes nothing without do_sample");
  check_refused(workspace, "generate m --prompt a --top-q 3", 2, "--top-q");
  check_refused(workspace, "generate m --prompt a --do-sample --top-p 3", 2, "expected a value in [0, 1]");
  check_refused(workspace, "generate m --prompt a --chat", 2, "only one can be taken");
  check_refused(workspace, "generate m --prompt a --system b", 2, "--system needs --chat");
}
