// Starts the built program as a shell would and collects what it says.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <nlohmann/json.hpp>

#include "attune/files/storage.h"

namespace attune::testing {

namespace fs = std::filesystem;

/// A folder that disappears with the object.
class Workspace {
 public:
  Workspace() {
    std::string pattern = (fs::temp_directory_path() / "attune-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Workspace() { fs::remove_all(path_); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  std::string path(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& content) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << content;
    return path(name);
  }
  std::string read(const std::string& name) const {
    std::ostringstream content;
    content << std::ifstream(path_ / name, std::ios::binary).rdbuf();
    return content.str();
  }

 private:
  fs::path path_;
};

struct Finished {
  int exit_code;
  std::string out;
  std::string err;
};

/// Runs `attune <arguments>` through the shell in `workspace`.
inline Finished run_attune(const Workspace& workspace, const std::string& arguments, const std::string& before = "") {
  const std::string command = "cd '" + workspace.path("") + "' && " + before + " '" ATTUNE_PROGRAM "' " + arguments + " >'" +
                              workspace.path(".stdout") + "' 2>'" + workspace.path(".stderr") + "'";
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), workspace.read(".stdout"), workspace.read(".stderr")};
}

/// Starts `attune <arguments>` in `workspace`, its output thrown away.
inline pid_t start_attune(const Workspace& workspace, const std::string& arguments, const std::string& before = "") {
  const pid_t child = fork();
  if (child != 0) return child;
  if (chdir(workspace.path("").c_str()) != 0) _exit(127);
  const int null = open("/dev/null", O_WRONLY);
  dup2(null, 1);
  dup2(null, 2);
  execl("/bin/sh", "sh", "-c", (before + " exec '" ATTUNE_PROGRAM "' " + arguments).c_str(), nullptr);
  _exit(127);
}

/// Waits until the files of a run that was started are there; false where half a minute was not enough.
inline bool appear(const std::vector<std::string>& files) {
  const auto is_there = [](const std::string& file) { return fs::exists(file); };
  for (int i = 0; i < 3000 && !std::all_of(files.begin(), files.end(), is_there); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return std::all_of(files.begin(), files.end(), is_there);
}

/// SHA-256 of the weights that a training wrote.
inline std::string weights(const Workspace& workspace, const std::string& folder = "out") {
  return files::sha256_file(workspace.path(folder + "/model.safetensors"));
}

inline const std::string kTinyModel = ATTUNE_SOURCE_DIR "/tests/goldens/app/tiny_bert";
inline const std::string kTinyGpt = ATTUNE_SOURCE_DIR "/tests/goldens/language/tiny_gpt";

/// 48 short rows of three labels that a tiny model can tell apart.
inline std::string tiny_rows(int rows = 48) {
  const char* texts[] = {"my card is lost", "where is my refund", "change my address"};
  const char* labels[] = {"card", "refund", "address"};
  const char* tails[] = {"please", "now", "i want help", "what can i do", "the app does not help", "again"};
  std::string lines;
  for (int i = 0; i < rows; ++i) {
    lines += std::string(R"({"text": ")") + texts[i % 3] + " " + tails[i / 3 % 6] + (i % 2 == 0 ? "" : std::string(" ").append(std::to_string(i))) +
             R"(", "label": ")" + labels[i % 3] + "\"}\n";
  }
  return lines;
}

/// A configuration over train.jsonl and valid.jsonl of the workspace; `training` and `top` (members of an object) are laid over it.
inline std::string tiny_config(const std::string& training = "", const std::string& top = "") {
  using Json = nlohmann::ordered_json;
  Json config = {{"model", {{"path", kTinyModel}}},
                 {"data", {{"train", "train.jsonl"}, {"validation", "valid.jsonl"}, {"max_length", 32}}},
                 {"training", {{"num_train_epochs", 2}, {"per_device_train_batch_size", 8}, {"learning_rate", 0.01}, {"logging_steps", 1}}},
                 {"seeds", {1}},
                 {"threads", 1},
                 {"output_dir", "out"}};
  config["training"].update(Json::parse("{" + training + "}"));
  config.update(Json::parse("{" + top + "}"));
  if (config.contains("cross_validation")) config["data"].erase("validation");
  return config.dump();
}

inline void write_tiny_job(const Workspace& workspace, const std::string& training = "", const std::string& top = "") {
  workspace.write("train.jsonl", tiny_rows());
  workspace.write("valid.jsonl", tiny_rows(12));
  workspace.write("run.json", tiny_config(training, top));
}

}  // namespace attune::testing
