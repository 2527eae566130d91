// The cases of scripts/goldens/study.py as files, and the options that name them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/study/prompting.h"
#include "models/golden.h"
#include "temporary_folder.h"

namespace attune::testing {

using files::Json;

inline std::string json_lines(const Json& rows) {
  std::string lines;
  for (const Json& row : rows) lines += row.dump() + "\n";
  return lines;
}

/// The files that a golden describes, and the options that name them.
class PromptFiles {
 public:
  explicit PromptFiles(const Json& golden) : golden_(golden) {
    folder_.write("train.jsonl", json_lines(golden["pool"]));
    folder_.write("validation.jsonl", json_lines(golden["rows"]));
    folder_.write("prompts.json", golden["set"].dump());
    config = {{"model", {{"path", model_path()}}},
              {"data", {{"train", folder_ / "train.jsonl"}, {"validation", folder_ / "validation.jsonl"}}},
              {"prompting", golden["prompting"]},
              {"seeds", {42}},
              {"device", "cpu"},
              {"output_dir", folder_ / "out"}};
    config["prompting"]["prompts"] = folder_ / "prompts.json";
  }

  job::RunOptions options() const { return config::parse(config.dump(), "test.json").options; }

  study::PromptJob open() const {
    const report::EventBus silent;
    return study::open_prompt_job(options(), silent);
  }

  Json config;

 private:
  /// A golden model lacks a tokenizer, which the golden's vocabulary gives.
  std::string model_path() {
    const auto name = golden_["model"].get<std::string>();
    if (!golden_.contains("vocabulary")) return std::string(ATTUNE_SOURCE_DIR "/") + name;
    std::string vocabulary;
    for (const Json& token : golden_["vocabulary"]) vocabulary += token.get<std::string>() + "\n";
    folder_.write("model/vocab.txt", vocabulary);
    for (const char* file : {"config.json", "model.safetensors"}) {
      files::copy_file_atomically(golden_folder(name) + "/" + file, folder_ / (std::string("model/") + file));
    }
    return folder_ / "model";
  }

  Json golden_;
  TemporaryFolder folder_;
};

inline Json study_goldens(const std::string& file) {
  return files::read_json(ATTUNE_SOURCE_DIR "/tests/goldens/study/" + file);
}

inline Json prompting_goldens() {
  return study_goldens("prompting.json");
}

}  // namespace attune::testing
