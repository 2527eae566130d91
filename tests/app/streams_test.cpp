// stdin, stdout and stderr as a shell can leave them: full, closed, broken, or something else than text.
#include "app/bad_input.h"

namespace {

using namespace attune::testing;

/// Runs a shell line in the workspace, with $ATTUNE for the program; its exit status.
int shell(const Workspace& workspace, const std::string& line) {
  const int status = std::system(("cd '" + workspace.path("") + "' && export ATTUNE='" ATTUNE_PROGRAM "' && " + line).c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void train_tiny(const Workspace& workspace) {
  write_tiny_job(workspace);
  REQUIRE(shell(workspace, "$ATTUNE train run.json --quiet --set output_dir=model >/dev/null 2>&1") == 0);
}

}  // namespace

TEST_CASE("results that cannot be written to stdout are an error of every verb", "[app][shell][streams]") {
  const Workspace workspace;
  train_tiny(workspace);
  for (const std::string verb : {"--help", "--version", "info", "info model --json", "config show run.json", "config init", "config schema", "train run.json --quiet",
                                 "train run.json --quiet --dry-run --set output_dir=other", "evaluate model valid.jsonl", "evaluate model valid.jsonl --json",
                                 "predict model valid.jsonl", "verify model --quiet", "tokenize model"}) {
    const int full = shell(workspace, "echo text | $ATTUNE " + verb + " >/dev/full 2>err");
    INFO(verb << "\n" << workspace.read("err"));
    CHECK(full == kStorage);
    CHECK(errors_of(workspace.read("err")) == std::vector<std::string>{"error: <stdout>: cannot be written: No space left on device; check where the output is sent to"});
  }
}

TEST_CASE("a closed stdout never lands in a file of the run", "[app][shell][streams]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  CHECK(shell(workspace, "$ATTUNE train run.json --quiet >&- 2>err") == kStorage);
  CHECK(workspace.read("err").find("error: <stdout>: cannot be written: Bad file descriptor") != std::string::npos);
  CHECK(fs::exists(workspace.path("out/report.html")));
  for (const auto& [path, content] : snapshot(workspace.path("out"))) {
    INFO(path);
    CHECK(content.find("opens in Transformers; reopened") == std::string::npos);
  }
  CHECK(shell(workspace, "$ATTUNE train run.json --set output_dir=second <&- 2>&- >result") == 0);
  CHECK(workspace.read("result").find("second/model.safetensors") != std::string::npos);
}

TEST_CASE("a training outlives the reader of its progress", "[app][shell][streams]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("num_train_epochs": 20)");
  shell(workspace, "{ $ATTUNE train run.json --progress plain 2>&1 >result; echo $? >code; } | head -n 1 >first");
  CHECK(workspace.read("code") == "0\n");
  CHECK(workspace.read("result").find("out/model.safetensors") != std::string::npos);
  CHECK(shell(workspace, "$ATTUNE train run.json --set output_dir=full 2>/dev/full >result") == 0);
}

TEST_CASE("a line that cannot be tokenised is named as lines of files are", "[app][shell][streams]") {
  const Workspace workspace;
  const auto error_of_line = [&](const std::string& options, const std::string& line) {
    workspace.write("lines", line);
    CHECK(shell(workspace, "$ATTUNE tokenize '" + kTinyModel + "' " + options + " <lines >result 2>err") == kData);
    return workspace.read("err");
  };
  CHECK(error_of_line("--pair", "a\tb\none\n").starts_with("error: <stdin>:2: there is no tab between the two texts; with --pair"));
  CHECK(error_of_line("--json-lines", "\"a\"\n3\n").starts_with("error: <stdin>:2: found number, expected a text; with --json-lines"));
  CHECK(error_of_line("--json-lines", "\"a\"\n\"b\n").starts_with("error: <stdin>:2: not valid JSON: "));
}

TEST_CASE("a stdin that gives no text is an error with its line", "[app][shell][streams]") {
  const Workspace workspace;
  train_tiny(workspace);
  struct Input {
    std::string redirection;
    std::string message;
  };
  const std::vector<Input> inputs = {
      {"<&-", "error: <stdin>: cannot be read: Bad file descriptor; give it a text a line"},
      {"<.", "error: <stdin>: cannot be read: Is a directory; give it a text a line"},
      {"<bytes", "error: <stdin>:2: the text is not valid UTF-8 (byte 2); convert it to UTF-8"},
      {"</dev/zero", "error: <stdin>:1: the line is longer than 100000000 bytes"},
  };
  workspace.write("bytes", "good\na\xff\n");
  for (const std::string verb : {"predict model", "tokenize model"}) {
    for (const Input& input : inputs) {
      const int code = shell(workspace, "$ATTUNE " + verb + " >result 2>err " + input.redirection);
      INFO(verb << " " << input.redirection);
      CHECK(code == kData);
      CHECK(errors_of(workspace.read("err")) == std::vector<std::string>{input.message});
    }
  }
}

TEST_CASE("lines of stdin may end as on Windows, begin with a byte-order mark and lack the last end", "[app][shell][streams]") {
  const Workspace workspace;
  train_tiny(workspace);
  workspace.write("unix", "my card\nrefund\n");
  workspace.write("windows", "\xef\xbb\xbfmy card\r\nrefund");
  for (const std::string verb : {"predict model", "tokenize model"}) {
    CHECK(shell(workspace, "$ATTUNE " + verb + " <unix >a") == 0);
    CHECK(shell(workspace, "$ATTUNE " + verb + " <windows >b") == 0);
    CHECK(workspace.read("a") == workspace.read("b"));
    CHECK_FALSE(workspace.read("a").empty());
  }
  CHECK(shell(workspace, "$ATTUNE predict model </dev/null >none") == 0);
  CHECK(workspace.read("none").empty());
}
