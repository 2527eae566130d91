// attune prompt … --show-examples, from a shell: prompts and answers as the model would read them, and nothing else.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "app/prompt_job.h"
#include "catch.h"
#include "shared.h"

namespace {

using attune::testing::Finished;
using attune::testing::run_attune;
using attune::testing::Workspace;
using attune::testing::write_prompt_job;
using attune::testing::write_text_job;
using Json = nlohmann::ordered_json;

/// Two training rows, which both stand in front of the one that is asked, in the order of their labels.
void write_example_job(const Workspace& workspace) {
  write_prompt_job(workspace, R"("examples": {"k": 2, "order": "by_label"})");
  workspace.write("train.jsonl", R"({"text": "where is my refund", "label": "refund"})"
                                 "\n"
                                 R"({"text": "my card is lost", "label": "card"})"
                                 "\n");
  workspace.write("valid.jsonl", R"({"text": "the machine kept my card", "label": "card"})"
                                 "\n");
  workspace.write("test.jsonl", R"({"text": "i was charged twice", "label": "refund"})"
                                "\n");
  workspace.write("prompts.json",
                  R"({"instruction": ["Name the topic.", "Which topic?"], "input": "Message: {{ text }}\nTopic:",
    "label_words": {"refund": ["refund", "money back"]}})");
}

std::vector<Json> shown_lines(const Workspace& workspace, const std::string& arguments) {
  const Finished shown = run_attune(workspace, "prompt " + arguments + " run.json --json --quiet");
  INFO(arguments << ": " << shown.err);
  REQUIRE(shown.exit_code == 0);
  std::vector<Json> lines;
  std::istringstream out(shown.out);
  for (std::string line; std::getline(out, line);) lines.push_back(Json::parse(line));
  return lines;
}

/// All files but those that catch the program's output.
std::set<std::string> files_of(const Workspace& workspace) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(workspace.path(""))) {
    if (!entry.path().filename().string().starts_with(".")) names.insert(entry.path().string());
  }
  return names;
}

/// A template like Gemma's.
void write_picky_template(const Workspace& workspace, const std::string& refusal = "m.role == 'system'") {
  workspace.write("picky.jinja", "{%- for m in messages %}{% if " + refusal +
                                     " %}{{ raise_exception('System role not supported') }}{% endif %}"
                                     "{{- '<' + m.role + '>' + m.content + '\\n' }}{% endfor %}"
                                     "{% if add_generation_prompt %}{{- '<assistant>' }}{% endif %}");
}

void write_chat_set(const Workspace& workspace, const std::string& more = "") {
  workspace.write("prompts.json",
                  R"({"chat": true, "instruction": "Name the topic.", "input": "{{ text }}")" + more + "}");
}

}  // namespace

TEST_CASE("the prompts of the first rows are shown with the answers that are scored", "[app][shell]") {
  const Workspace workspace;
  write_example_job(workspace);
  const Finished shown = run_attune(workspace, "prompt run run.json --quiet --show-examples 3");
  INFO(shown.err);
  REQUIRE(shown.exit_code == 0);
  const auto block = [](const std::string& number, const std::string& instruction) {
    return "== default/instruction=" + number +
           " · row 0 (valid.jsonl:1) · 2 examples: train.jsonl:2, train.jsonl:1\n" + instruction +
           "\n\n"
           "Message: my card is lost\nTopic: card\n\n"
           "Message: where is my refund\nTopic: refund\n\n"
           "Message: the machine kept my card\nTopic:\n"
           "== scored behind it\n"
           "card: \" card\"  <- the row's label\n"
           "refund: \" refund\", \" money back\"\n\n";
  };
  CHECK(shown.out == block("1", "Name the topic.") + block("2", "Which topic?"));
}

TEST_CASE("prompts are shown as JSON lines, as a run asks them", "[app][shell]") {
  const Workspace workspace;
  write_prompt_job(workspace);
  const std::vector<Json> lines = shown_lines(workspace, "run --show-examples 2");
  REQUIRE(lines.size() == 8);  // two rows in four wordings
  const Finished asked = run_attune(workspace, "prompt run run.json --json --quiet");
  INFO(asked.err);
  REQUIRE(asked.exit_code == 0);
  const Json wordings = Json::parse(asked.out)["wordings"];
  for (std::size_t i = 0; i < 4; ++i) {
    const Json& first = lines[2 * i];
    CHECK(first["variant"] == wordings[i]["name"]);
    CHECK(first["row"] == wordings[i]["shown"]["row"]);
    CHECK(first["prompt"] == wordings[i]["shown"]["prompt"]);
    CHECK(first["line"] == 1);
    CHECK(lines[2 * i + 1]["line"] == 2);
    CHECK(first["examples"].size() == 2);
    CHECK(first["asks"] == "behind");
    CHECK(first["answers"].size() == 3);
    CHECK(first["label"] == "card");
  }
}

TEST_CASE("of studies every variant is shown", "[app][shell]") {
  const Workspace workspace;
  write_prompt_job(workspace);
  for (const std::string action : {"stability", "optimise"}) {
    const std::vector<Json> lines = shown_lines(workspace, action + " --show-examples 1");
    std::set<std::string> names;
    for (const Json& line : lines) names.insert(line["variant"].get<std::string>());
    CHECK(lines.size() == 8);  // four wordings, two seeds
    CHECK(names.size() == 8);
    CHECK(names.contains("default/instruction=1/as_is/seed=1"));
    const Finished refused =
        run_attune(workspace, "prompt " + action + " run.json --quiet --show-examples 1 --set prompting.split=test");
    CHECK(refused.exit_code == 2);
    CHECK_THAT(refused.err, ContainsSubstring("prompting.split"));
  }
}

TEST_CASE("where texts are asked for the row's own is shown", "[app][shell]") {
  const Workspace workspace;
  write_text_job(workspace);
  const std::vector<Json> lines = shown_lines(workspace, "run --show-examples 1");
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["asks"] == "text");
  CHECK(lines[0]["answers"].empty());
  CHECK(lines[0]["reference"] == "Good news: your card is ready.");
  const Finished shown = run_attune(workspace, "prompt run run.json --quiet --show-examples 1");
  CHECK_THAT(shown.out,
             ContainsSubstring(
                 "Ours:\n== the model writes on from here; the row's own: \"Good news: your card is ready.\"\n"));
}

TEST_CASE("showing prompts writes nothing", "[app][shell]") {
  const Workspace workspace;
  write_example_job(workspace);
  const std::set<std::string> before = files_of(workspace);
  for (const std::string arguments : {"run", "stability", "optimise", "run --set prompting.split=test"}) {
    INFO(arguments);
    CHECK_FALSE(shown_lines(workspace, arguments + " --show-examples 1").empty());
    CHECK(files_of(workspace) == before);
  }
  workspace.write("out/report.html", "of another run");
  CHECK_FALSE(shown_lines(workspace, "run --show-examples 1").empty());
  CHECK(workspace.read("out/report.html") == "of another run");
  CHECK(files_of(workspace).size() == before.size() + 2);  // the folder and its page
  CHECK(run_attune(workspace, "prompt run run.json --quiet --show-examples 0").exit_code == 2);
}

TEST_CASE("a template that refuses the header's turn is told what it refuses, and what helps", "[app][shell]") {
  const Workspace workspace;
  write_prompt_job(workspace);
  write_picky_template(workspace);
  write_chat_set(workspace);
  const std::string chat = " --set data.chat_template=picky.jinja --set prompting.examples.k=0 --show-examples 1";
  for (const std::string& settings : {chat, std::string(" --set data.chat_template=picky.jinja")}) {
    const Finished refused = run_attune(workspace, "prompt run run.json --quiet" + settings);
    INFO(refused.err);
    CHECK(refused.exit_code == 2);
    CHECK_THAT(refused.err,
               ContainsSubstring("prompts.json: the header becomes the turn of the system, which the chat template in "
                                 "picky.jinja refuses: System role not supported (wording 'default'); set rules.order "
                                 "to \"examples_first\""));
  }
  const std::string lines = workspace.read("valid.jsonl");
  const std::string row = Json::parse(lines.substr(0, lines.find('\n')))["text"];

  SECTION("the header in the row's turn does") {
    write_chat_set(workspace, R"(, "rules": {"order": "examples_first"})");
    CHECK(shown_lines(workspace, "run" + chat)[0]["prompt"] == "<user>Name the topic.\n\n" + row + "\n<assistant>");
    const std::string behind =
        shown_lines(workspace, "run --set data.chat_template=picky.jinja --show-examples 1")[0]["prompt"]
            .get<std::string>();
    CHECK(behind.starts_with("<user>hello, "));
    CHECK(behind.ends_with("<user>Name the topic.\n\n" + row + "\n<assistant>"));
    CHECK(std::count(behind.begin(), behind.end(), '\n') == 7);  // a line a turn, and two behind the header
  }
  SECTION("no header does") {
    write_chat_set(workspace, R"(, "header": "")");
    CHECK(shown_lines(workspace, "run" + chat)[0]["prompt"] == "<user>" + row + "\n<assistant>");
  }
  SECTION("what is refused in any case is not laid to the header") {
    write_picky_template(workspace, "m.role == 'user'");
    const Finished refused = run_attune(workspace, "prompt run run.json --quiet" + chat);
    CHECK(refused.exit_code == 4);
    CHECK_THAT(refused.err, ContainsSubstring("picky.jinja: System role not supported"));
    CHECK(refused.err.find("the header") == std::string::npos);
  }
}

TEST_CASE("Gemma's own template takes the header in the row's turn", "[app][shell]") {
  ATTUNE_NEEDS_SHARED(shared);
  const Workspace workspace;
  write_prompt_job(workspace);
  std::ifstream oracle(shared + "/oracle/chat_templates/trl_gemma.json");
  workspace.write("gemma.jinja", Json::parse(oracle)["template"].get<std::string>());
  write_chat_set(workspace);
  const std::string gemma = " --set data.chat_template=gemma.jinja --show-examples 1";
  const Finished refused = run_attune(workspace, "prompt run run.json --quiet" + gemma);
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.err, ContainsSubstring("the header becomes the turn of the system"));
  write_chat_set(workspace, R"(, "rules": {"order": "examples_first"})");
  const std::string prompt = shown_lines(workspace, "run" + gemma)[0]["prompt"].get<std::string>();
  CHECK_THAT(prompt, ContainsSubstring("<start_of_turn>user\nName the topic.\n\n"));
  CHECK(prompt.ends_with("<end_of_turn>\n<start_of_turn>model\n"));
}
