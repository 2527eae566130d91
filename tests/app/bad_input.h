// Tables of bad inputs for the built program: what is spoilt, and how the program must end. Whatever the input, it says
// one line `error: <file>: <what> (<where>); <what to do>`, prints no result and leaves the output folder as it was.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "app/program.h"
#include "attune/base/strings.h"
#include "catch.h"

namespace attune::testing {

enum Exit : int { kUsage = 2, kModel = 3, kData = 4, kDiverged = 5, kStorage = 6, kLocked = 7, kMemory = 8, kResumeRefused = 10 };

struct BadInput {
  std::string name;
  Exit exit_code;
  std::string file;               ///< at fault: the message begins with it; "" where none is
  std::vector<std::string> says;  ///< further parts of the message
  std::function<void(const Workspace&)> spoil;
  std::string arguments = "train run.json --quiet";
};

/// Every file and folder below `folder` with its content; empty where there is no folder.
inline std::map<std::string, std::string> snapshot(const std::string& folder) {
  std::map<std::string, std::string> content;
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) return content;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    std::ostringstream bytes;
    if (entry.is_regular_file(ignored)) bytes << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    content[entry.path().string()] = bytes.str();
  }
  return content;
}

/// The lines of stderr that are no warnings.
inline std::vector<std::string> errors_of(const std::string& err) {
  std::vector<std::string> lines = split(err, '\n');
  std::erase_if(lines, [](const std::string& line) { return line.empty() || line.starts_with("warning: "); });
  return lines;
}

inline void check_bad_input(const BadInput& bad) {
  const Workspace workspace;
  write_tiny_job(workspace);
  bad.spoil(workspace);
  const std::string out = workspace.path("out");
  const bool was_there = fs::exists(fs::symlink_status(out));
  const std::map<std::string, std::string> before = snapshot(out);
  const Finished finished = run_attune(workspace, bad.arguments);
  INFO(bad.name << "\nexit " << finished.exit_code << "\n" << finished.err);
  CHECK(finished.exit_code == bad.exit_code);
  const std::vector<std::string> errors = errors_of(finished.err);
  CHECK(errors.size() == 1);
  const std::string error = errors.empty() ? "" : errors.front();
  CHECK(error.starts_with(bad.file.empty() ? "error: " : "error: " + bad.file + ":"));
  for (const std::string& part : bad.says) {
    INFO("missing: " << part);
    CHECK(error.find(part) != std::string::npos);
  }
  CHECK(std::none_of(error.begin(), error.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
  CHECK(finished.out.empty());
  CHECK(fs::exists(fs::symlink_status(out)) == was_there);
  CHECK(snapshot(out) == before);
}

inline void check_bad_inputs(const std::vector<BadInput>& table) {
  for (const BadInput& bad : table) check_bad_input(bad);
}

/// `text` with the first `from` replaced; it must be there.
inline std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

inline void replace(const Workspace& workspace, const std::string& file, const std::string& from, const std::string& to) {
  workspace.write(file, with(workspace.read(file), from, to));
}

/// A copy of the tiny model in the workspace, which the configuration then names.
inline void use_own_model(const Workspace& workspace) {
  fs::copy(kTinyModel, workspace.path("model"), fs::copy_options::recursive);
  replace(workspace, "run.json", kTinyModel, "model");
}

/// The same with one of its files rewritten.
inline std::function<void(const Workspace&)> model_file(const std::string& file, const std::function<std::string(std::string)>& change) {
  return [=](const Workspace& workspace) {
    use_own_model(workspace);
    workspace.write("model/" + file, change(workspace.read("model/" + file)));
  };
}

/// The same with the file changed as a JSON value.
inline std::function<void(const Workspace&)> model_json(const std::string& file, const std::function<void(nlohmann::ordered_json&)>& change) {
  return model_file(file, [=](const std::string& text) {
    nlohmann::ordered_json json = nlohmann::ordered_json::parse(text);
    change(json);
    return json.dump();
  });
}

/// The same with the header of model.safetensors changed as text; its length is put right.
inline std::function<void(const Workspace&)> weights_header(const std::function<std::string(std::string)>& change) {
  return model_file("model.safetensors", [=](const std::string& content) {
    std::uint64_t length = 0;
    for (int i = 7; i >= 0; --i) length = length << 8 | static_cast<unsigned char>(content[static_cast<std::size_t>(i)]);
    const std::string header = change(content.substr(8, length));
    std::string start(8, '\0');
    for (std::size_t i = 0; i < 8; ++i) start[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);
    return start + header + content.substr(8 + length);
  });
}

/// The configuration with values laid over it, as `train --set` would.
inline std::function<void(const Workspace&)> settings(const std::string& training, const std::string& top = "") {
  return [=](const Workspace& workspace) { workspace.write("run.json", tiny_config(training, top)); };
}

/// The training rows are these.
inline std::function<void(const Workspace&)> rows(const std::string& content) {
  return [=](const Workspace& workspace) { workspace.write("train.jsonl", content); };
}

/// The training rows are in a file of another name.
inline std::function<void(const Workspace&)> rows_in(const std::string& file, const std::string& content) {
  return [=](const Workspace& workspace) {
    workspace.write(file, content);
    replace(workspace, "run.json", "train.jsonl", file);
  };
}

}  // namespace attune::testing
