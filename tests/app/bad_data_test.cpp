// Rows and configurations that cannot be meant, through the built program.
#include <sys/stat.h>

#include "app/bad_input.h"

namespace {

using namespace attune::testing;
using namespace std::string_literals;

const std::string kRows = "train.jsonl";

std::string row(const std::string& text, const std::string& label = "\"x\"") { return "{\"text\": " + text + ", \"label\": " + label + "}\n"; }

/// Two good rows, then the bad one in line 3.
std::function<void(const Workspace&)> third_row(const std::string& bad) { return rows(row("\"a\"") + row("\"b\"", "\"y\"") + bad); }

std::function<void(const Workspace&)> run_json(const std::string& text) {
  return [=](const Workspace& workspace) { workspace.write("run.json", text); };
}

}  // namespace

TEST_CASE("bad rows end with file and line and nothing written", "[app][shell][bad]") {
  check_bad_inputs({
      {"file missing", kData, "missing.jsonl", {"No such file"}, [](const Workspace& w) { replace(w, "run.json", kRows, "missing.jsonl"); }},
      {"another file missing", kData, "trian.jsonl", {"No such file or directory, did you mean 'train.jsonl'?", "it counts from /"},
       [](const Workspace& w) { replace(w, "run.json", kRows, "trian.jsonl"); }},
      {"file without ending missing", kData, "train", {"No such file or directory, did you mean 'train.jsonl'?"}, [](const Workspace& w) { replace(w, "run.json", kRows, "train"); }},
      {"nothing near", kData, "somethingelse", {"(data files there: run.json, train.jsonl, valid.jsonl)"}, [](const Workspace& w) { replace(w, "run.json", kRows, "somethingelse"); }},
      {"folder missing", kData, "sets/train.jsonl", {"there is no folder 'sets'"}, [](const Workspace& w) { replace(w, "run.json", kRows, "sets/train.jsonl"); }},
      {"a folder", kData, "sets", {"this is a folder, a file with rows was expected (data files in it: a.csv, b.txt)", "name a file, or a list of files"},
       [](const Workspace& w) {
         for (const char* name : {"sets/b.txt", "sets/a.csv", "sets/c.png", "sets/more/d.csv"}) w.write(name, "");
         replace(w, "run.json", kRows, "sets");
       }},
      {"a folder with the name of a file", kData, "rows.txt", {"there are no data files in it"},
       [](const Workspace& w) {
         fs::create_directory(w.path("rows.txt"));
         replace(w, "run.json", kRows, "rows.txt");
       }},
      {"file empty", kData, kRows, {"has no rows"}, rows("")},
      {"header only", kData, "rows.csv", {"has no rows"}, rows_in("rows.csv", "text,label\n")},
      {"FIFO", kData, "rows.jsonl", {"not a regular file"},
       [](const Workspace& w) {
         REQUIRE(::mkfifo(w.path("rows.jsonl").c_str(), 0600) == 0);
         replace(w, "run.json", kRows, "rows.jsonl");
       }},
      {"bad JSON", kData, kRows + ":3", {"not valid JSON"}, third_row("{\"text\": \n")},
      {"a list", kData, kRows + ":3", {"the line holds a list, a JSON object was expected"}, third_row("[1]\n")},
      {"depth of 100,000", kData, kRows + ":3", {"nesting deeper than"}, third_row("{\"text\": " + std::string(100'000, '[') + std::string(100'000, ']') + "}\n")},
      {"column missing", kData, kRows + ":1", {"no column 'text'", "columns: sentence, label", "data.columns.text"}, rows("{\"sentence\": \"a\", \"label\": \"x\"}\n")},
      {"null for a text", kData, kRows + ":3", {"column 'text' holds null"}, third_row(row("null"))},
      {"number for a text", kData, kRows + ":3", {"column 'text' holds the number 3"}, third_row(row("3"))},
      {"empty text", kData, kRows + ":3", {"column 'text' is empty"}, third_row(row("\" \""))},
      {"other kind of label", kData, kRows + ":3", {"the label is a list of classes, but one class at train.jsonl:1"}, third_row(row("\"c\"", "[\"x\"]"))},
      {"invalid UTF-8", kData, kRows + ":3", {"invalid UTF-8"}, third_row(row("\"a\xff\""))},
      {"UTF-16", kData, kRows, {"UTF-16"}, rows("\xff\xfe{\0\""s)},
      {"NUL", kData, "rows.csv:2", {"NUL"}, rows_in("rows.csv", "text,label\na\0b,x\n"s)},
      {"quote never closed", kData, "rows.csv:2:1", {"never closed"}, rows_in("rows.csv", "text,label\n\"a,x\nb,y\n")},
      {"column too many", kData, "rows.csv:3", {"the row has 3 columns, the header has 2"}, rows_in("rows.csv", "text,label\na,x\nb,y,z\n")},
      {"gzip cut short", kData, "rows.jsonl.gz", {"truncated file?"}, rows_in("rows.jsonl.gz", "\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\x56"s)},
      {"ids beyond the vocabulary", kData, kRows + ":2", {"input_ids holds 999, the vocabulary has ids 0 to 162"},
       [](const Workspace& w) {
         settings("", R"("data": {"train": "train.jsonl"})")(w);
         rows("{\"input_ids\": [2, 3], \"label\": \"x\"}\n{\"input_ids\": [2, 999], \"label\": \"y\"}\n")(w);
       }},
      {"row longer than the model", kData, kRows + ":2", {"takes at most 64", "data.max_length"},
       [](const Workspace& w) {
         std::string text;
         for (int i = 0; i < 100; ++i) text += "card ";
         settings("", R"("data": {"train": "train.jsonl", "max_length": 512})")(w);
         rows(row("\"a\"") + row("\"" + text + "\"", "\"y\""))(w);
       }},
  });
}

TEST_CASE("labels that cannot be learned end with what is wrong and nothing written", "[app][shell][bad]") {
  check_bad_inputs({
      {"a single class", kData, "", {"'x'"}, rows(row("\"a\"") + row("\"b\""))},
      {"unseen label of the validation rows", kData, "valid.jsonl", {"'cart'", "did you mean 'card'?"},
       [](const Workspace& w) { w.write("valid.jsonl", row("\"my card\"", "\"cart\"")); }},
      {"more folds than rows", kData, "", {"fold"}, settings("", R"("cross_validation": {"folds": 49})")},
      {"all rows held out", kData, "", {"of 48 rows 48 cannot be held out"}, settings("", R"("data": {"train": "train.jsonl", "val_size": 48})")},
      {"number of labels", kUsage, "", {"model.num_labels is 5, the training rows have 3 labels"},
       settings("", R"("model": {"path": ")" + kTinyModel + R"(", "num_labels": 5})")},
      {"weight of no label", kUsage, "", {"no training row has the label 'zzz'", "labels are address, card, refund"}, settings(R"("class_weights": {"zzz": 2})")},
  });
}

TEST_CASE("a bad configuration ends with its key and nothing written", "[app][shell][bad]") {
  check_bad_inputs({
      {"missing", kUsage, "run.json", {"No such file"}, [](const Workspace& w) { fs::remove(w.path("run.json")); }},
      {"a folder", kUsage, ".", {"this is a folder"}, [](const Workspace&) {}, "train . --quiet"},
      {"not JSON", kUsage, "run.json", {"not valid JSON", "line 1, column 11"}, run_json("{\"model\": ")},
      {"a list", kUsage, "run.json", {"not a JSON object"}, run_json("[]")},
      {"misspelt key", kUsage, "run.json", {"unknown key 'learning_rat'", "did you mean 'learning_rate'?"}, [](const Workspace& w) { replace(w, "run.json", "\"learning_rate\"", "\"learning_rat\""); }},
      {"key twice", kUsage, "run.json", {"'threads' is given twice"}, [](const Workspace& w) { replace(w, "run.json", "\"threads\":1", "\"threads\":1,\"threads\":2"); }},
      {"rate below zero", kUsage, "run.json", {"training.learning_rate", "found -0.01"}, settings(R"("learning_rate": -0.01)")},
      {"rate that is no number", kUsage, "--set", {"training.learning_rate", "NaN"}, [](const Workspace&) {}, "train run.json --quiet --set training.learning_rate=NaN"},
      {"batch of 2^63-1", kUsage, "run.json", {"training.per_device_train_batch_size", "found 9223372036854775807"}, settings(R"("per_device_train_batch_size": 9223372036854775807)")},
      {"accumulation of 2^63-1", kUsage, "run.json", {"training.gradient_accumulation_steps"}, settings(R"("gradient_accumulation_steps": 9223372036854775807)")},
      {"1e300 epochs", kUsage, "run.json", {"training.num_train_epochs", "found 1e+300"}, settings(R"("num_train_epochs": 1e300)")},
      {"a million threads", kUsage, "run.json", {"threads"}, settings("", R"("threads": 1000000)")},
      {"one fold", kUsage, "run.json", {"cross_validation.folds"}, settings("", R"("cross_validation": {"folds": 1})")},
      {"early stopping without validation rows", kUsage, "run.json", {"early_stopping"}, settings("", R"("data": {"train": "train.jsonl"}, "early_stopping": {"patience": 2})")},
      {"layer that does not exist", kUsage, "", {"layer 99 does not exist, the model has 2 layers", "tuning.freeze.layers"}, settings("", R"("tuning": {"method": "freeze", "freeze": {"layers": "0-99"}})")},
      {"CUDA where there is none", kUsage, "", {"device"}, settings("", R"("device": "cuda")")},
  });
}
