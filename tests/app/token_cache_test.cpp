// data.token_cache_dir: tokens that are kept between runs are the ones that would be made again, or they are not used.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/program.h"
#include "attune/files/packed.h"
#include "attune/files/storage.h"
#include "attune/task/task.h"
#include "catch.h"

namespace {

namespace files = attune::files;

using attune::testing::Finished;
using attune::testing::kTinyModel;
using attune::testing::run_attune;
using attune::testing::weights;
using attune::testing::Workspace;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

const std::string kUsed = ": the tokens are those kept in tokens";

/// A job over documents, or over texts with a masked model, whose tokens are kept in tokens/.
void write_cached_job(const Workspace& workspace, const std::string& task) {
  const bool is_causal = task == "text-generation";
  const std::string model = is_causal ? attune::testing::kTinyGpt : attune::testing::kTinyModel;
  const Json config = {
      {"model", {{"path", model}, {"task", task}}},
      {"data", {{"train", "train.jsonl"}, {"validation", "valid.jsonl"}, {"max_length", 12}, {"token_cache_dir", "tokens"}}},
      {"training", {{"max_steps", 4}, {"per_device_train_batch_size", 4}, {"learning_rate", 0.02}}},
      {"seeds", {1}},
      {"threads", 1},
      {"output_dir", "out"}};
  workspace.write("run.json", config.dump());
  std::string rows;
  for (int i = 0; i < 24; ++i)
    rows += Json({{"text", "my card is lost, where is my refund " + std::to_string(i)}}).dump() + "\n";
  if (is_causal)
    rows += R"({"prompt": "where is my ", "completion": "card"})"
            "\n";
  workspace.write("train.jsonl", rows);
  workspace.write("valid.jsonl", R"({"text": "change my address"})"
                                 "\n");
}

Finished train_cached(const Workspace& workspace, const std::string& folder, const std::string& settings = "") {
  Finished finished = run_attune(workspace, "train run.json --set output_dir=" + folder + " " + settings);
  INFO(finished.err);
  REQUIRE(finished.exit_code == 0);
  return finished;
}

std::vector<std::string> kept_files(const Workspace& workspace) {
  std::vector<std::string> names;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(workspace.path("tokens"), missing))
    names.push_back("tokens/" + entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

bool has(const Finished& finished, const std::string& text) {
  return finished.err.find(text) != std::string::npos;
}

/// A token file with other bytes in place of its rows, under the checksum that belongs to them.
std::string with_rows(const std::string& file, const std::string& bytes) {
  const std::string hashed = file.substr(0, file.find('\n', file.find('\n') + 1) + 1) + bytes;
  return hashed + files::sha256_hex(hashed);
}

}  // namespace

TEST_CASE("kept tokens train the same bits as those that are made", "[app][shell][language][cache]") {
  for (const std::string task : {"text-generation", "fill-mask"}) {
    INFO(task);
    const Workspace workspace;
    write_cached_job(workspace, task);
    train_cached(workspace, "without", "--set data.token_cache_dir=null");
    CHECK_FALSE(fs::exists(workspace.path("tokens")));
    CHECK(run_attune(workspace, "train run.json --dry-run").exit_code == 0);
    CHECK_FALSE(fs::exists(workspace.path("tokens")));

    CHECK_FALSE(has(train_cached(workspace, "first"), kUsed));
    CHECK(kept_files(workspace).size() == 2);
    const Finished second = train_cached(workspace, "second");
    CHECK(has(second, "train" + kUsed));
    CHECK(has(second, "validation" + kUsed));
    CHECK(kept_files(workspace).size() == 2);
    for (const char* folder : {"first", "second"}) {
      CHECK(weights(workspace, folder) == weights(workspace, "without"));
      CHECK(workspace.read(std::string(folder) + "/eval_predictions.jsonl") ==
            workspace.read("without/eval_predictions.jsonl"));
    }
    if (task == "text-generation") CHECK(has(second, "train: in 1 of 25 rows a token holds the end of the prompt"));
    CHECK(run_attune(workspace, "verify second --quiet").exit_code == 0);
  }
}

TEST_CASE("tokens of other rows, settings or templates are never used", "[app][shell][language][cache]") {
  const Workspace workspace;
  write_cached_job(workspace, "text-generation");
  train_cached(workspace, "first");
  const Finished longer = train_cached(workspace, "longer", "--set data.max_length=16");
  CHECK_FALSE(has(longer, kUsed));
  CHECK_FALSE(has(train_cached(workspace, "open", "--set data.append_eos=false"), kUsed));
  workspace.write("train.jsonl", workspace.read("train.jsonl") + R"({"text": "one more"})"
                                                                 "\n");
  const Finished more = train_cached(workspace, "more");
  CHECK_FALSE(has(more, "train" + kUsed));
  CHECK(has(more, "validation" + kUsed));

  workspace.write("train.jsonl",
                  R"({"messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "Hi"}]})"
                  "\n");
  const std::string chats = "--set data.max_length=64 --set data.validation=[] --set overwrite_output_dir=true ";
  train_cached(workspace, "chats", chats);
  CHECK(has(train_cached(workspace, "chats", chats), "train" + kUsed));
  CHECK_FALSE(has(train_cached(workspace, "chats", chats + "--set data.chat_template=alpaca"), kUsed));
  const std::string timed =
      "{{ strftime_now('%H') }}{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}";
  workspace.write("timed.jinja", timed);
  const std::size_t kept = kept_files(workspace).size();
  CHECK(has(train_cached(workspace, "chats", chats + "--set data.chat_template=timed.jinja"), "asks for the time"));
  CHECK(kept_files(workspace).size() == kept);
}

TEST_CASE("tokens of rows that lie in a file are kept and read as those of rows in memory", "[app][shell][language][cache][long_data]") {
  const Workspace workspace;
  write_cached_job(workspace, "text-generation");
  const std::string in_file = "--set data.rows_in_memory_mib=0";
  train_cached(workspace, "memory");
  const std::vector<std::string> names = kept_files(workspace);
  REQUIRE(names.size() == 2);
  const std::string kept[] = {workspace.read(names[0]), workspace.read(names[1])};
  fs::remove_all(workspace.path("tokens"));
  CHECK_FALSE(has(train_cached(workspace, "file", in_file), kUsed));
  CHECK(kept_files(workspace) == names);
  for (const std::size_t i : {0, 1}) CHECK(workspace.read(names[i]) == kept[i]);
  CHECK(has(train_cached(workspace, "again", in_file), "train" + kUsed));
  for (const char* folder : {"file", "again"}) CHECK(weights(workspace, folder) == weights(workspace, "memory"));
}

TEST_CASE("kept tokens take weights and numbers of rows from the rows at hand", "[app][shell][language][cache]") {
  const Workspace workspace;
  write_cached_job(workspace, "text-generation");
  const auto write_rows = [&](const char* file, int count, int heavy) {
    std::string rows;
    for (int i = 0; i < count; ++i) rows += Json({{"text", "my card is lost " + std::to_string(i)}, {"w", i % heavy == 0 ? 5.0 : 0.5}}).dump() + "\n";
    workspace.write(file, rows);
  };
  const std::string weighted = "--set data.columns.weight=w ";
  write_rows("valid.jsonl", 4, 2);
  write_rows("train.jsonl", 24, 2);
  train_cached(workspace, "first", weighted);
  write_rows("train.jsonl", 24, 3);
  CHECK(has(train_cached(workspace, "second", weighted), "train" + kUsed));
  train_cached(workspace, "without", weighted + "--set data.token_cache_dir=null");
  CHECK(weights(workspace, "second") == weights(workspace, "without"));
  CHECK(weights(workspace, "second") != weights(workspace, "first"));
}

TEST_CASE("damaged and foreign token files are written anew with a warning", "[app][shell][language][cache]") {
  const Workspace workspace;
  write_cached_job(workspace, "text-generation");
  train_cached(workspace, "first");
  const std::vector<std::string> names = kept_files(workspace);
  REQUIRE(names.size() == 2);
  const std::string good = workspace.read(names[0]), other = workspace.read(names[1]);
  std::string flipped = good;
  flipped[good.size() - 100] ^= 1;
  int run = 0;
  for (const std::string& content :
       {flipped, good.substr(0, good.size() - 3), other, std::string("nothing"), std::string()}) {
    workspace.write(names[0], content);
    const std::string folder = "again-" + std::to_string(run++);
    const Finished again = train_cached(workspace, folder);
    INFO(again.err);
    CHECK(has(again, "warning: " + names[0]));
    CHECK(has(again, "tokenised anew"));
    CHECK(workspace.read(names[0]) == good);
    CHECK(weights(workspace, folder) == weights(workspace, "first"));
  }
}

TEST_CASE("rows that are none under a checksum that is right are not trained on", "[app][shell][language][cache]") {
  const Workspace workspace;
  write_cached_job(workspace, "text-generation");
  train_cached(workspace, "first");
  const std::string name = kept_files(workspace)[0], good = workspace.read(name);
  const auto packed = [](std::int64_t count, const std::vector<attune::task::Encoded>& rows) {
    std::string bytes;
    files::SharedTexts none;
    files::Packer packer(bytes, none);
    packer.integer(count);
    for (const attune::task::Encoded& row : rows) pack(row, packer);
    return bytes;
  };
  attune::task::Encoded row, stray;
  row.ids = {1, 2};
  stray.example = 1000;
  int run = 0;
  for (const std::string& bytes : {std::string(), std::string("\x7f"), packed(1LL << 50, {row}), packed(2, {row}), packed(1, {row, row}),
                                   packed(1, {stray}), packed(-1, {row})}) {
    workspace.write(name, with_rows(good, bytes));
    const std::string folder = "again-" + std::to_string(run++);
    const Finished again = train_cached(workspace, folder);
    INFO(again.err);
    CHECK(has(again, "warning: " + name));
    CHECK(has(again, "tokenised anew"));
    CHECK(workspace.read(name) == good);
    CHECK(weights(workspace, folder) == weights(workspace, "first"));
  }
}

TEST_CASE("prompts of evaluation are kept with their rows, where texts are generated from them", "[app][shell][language][cache]") {
  const Workspace workspace;
  write_cached_job(workspace, "text-generation");
  workspace.write("valid.jsonl", R"({"prompt": "where is my ", "completion": "card"})"
                                 "\n");
  const std::string generates = "--set training.predict_with_generate=true --set generation.max_new_tokens=4";
  train_cached(workspace, "plain");
  const Finished first = train_cached(workspace, "first", generates);
  CHECK_FALSE(has(first, "validation" + kUsed));
  CHECK(has(train_cached(workspace, "second", generates), "validation" + kUsed));
  const std::string predictions = workspace.read("second/eval_predictions.jsonl");
  CHECK(predictions == workspace.read("first/eval_predictions.jsonl"));
  CHECK(predictions.find("generated") != std::string::npos);
  CHECK(has(train_cached(workspace, "plain-again"), "validation" + kUsed));
}

TEST_CASE("a cache folder that cannot be one is refused", "[app][shell][language][cache]") {
  const Workspace workspace;
  write_cached_job(workspace, "text-generation");
  workspace.write("tokens", "a file");
  const Finished refused = run_attune(workspace, "train run.json");
  CHECK(refused.exit_code == 2);
  CHECK(has(refused, "tokens: this is not a folder (data.token_cache_dir)"));
  const std::string classes = "train run.json --set model.task=text-classification";
  const Finished other = run_attune(workspace, classes);
  CHECK(other.exit_code == 2);
  CHECK(has(other, "data.token_cache_dir"));
}

TEST_CASE("what a killed run left half-written in the cache is removed at the next start", "[app][shell][language][cache]") {
  const Workspace workspace;
  write_cached_job(workspace, "text-generation");
  train_cached(workspace, "first");
  const auto whole = kept_files(workspace);
  workspace.write("tokens/.tokens-0123456789abcdef.bin.tmp-99999999-0", "half");
  CHECK(run_attune(workspace, "train run.json --dry-run").exit_code == 0);
  CHECK(kept_files(workspace).size() == whole.size() + 1);
  train_cached(workspace, "second");
  CHECK(kept_files(workspace) == whole);
}

TEST_CASE("a run that kept its tokens is evaluated with generated texts", "[app][shell][language][cache]") {
  const Workspace workspace;
  write_cached_job(workspace, "text-generation");
  train_cached(workspace, "out");
  const auto kept = kept_files(workspace);
  workspace.write("asked.jsonl", R"({"prompt": "where is my ", "completion": "card"})"
                                 "\n");
  const Finished scored =
      run_attune(workspace, "evaluate out asked.jsonl --json --quiet --set training.predict_with_generate=true --set generation.max_new_tokens=4");
  INFO(scored.err);
  REQUIRE(scored.exit_code == 0);
  CHECK(Json::parse(scored.out)["metrics"]["generated"] == 1);
  CHECK(kept_files(workspace) == kept);
}
