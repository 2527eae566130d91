// Saving: what the reference would write, and what was loaded.
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>

#include "attune/files/storage.h"
#include "models/golden.h"
#include "raises.h"

using namespace attune;
using namespace attune::models;
using namespace attune::testing;

namespace {

files::Json saved_config(const EditedCheckpoint& edited) {
  const TemporaryFolder folder;
  save_model(edited.load(), edited.folder(), folder / "out");
  return files::read_json(folder / "out/config.json");
}

}  // namespace

TEST_CASE("an unchanged model is written byte for byte as the reference wrote it", "[models][save]") {
  for (const std::string& name : kGoldenModels) {
    INFO(name);
    const TemporaryFolder folder;
    save_model(load_golden(name), golden_folder(name), folder / "out");
    const std::string original = golden_folder(name) + "/model.safetensors";
    CHECK(files::read_file(folder / "out/model.safetensors") == files::read_file(original));
    const files::Json config = files::read_json(folder / "out/config.json");
    const files::Json before = files::read_json(golden_folder(name) + "/config.json");
    CHECK(nlohmann::json(config) == nlohmann::json(before));
  }
}

TEST_CASE("saving and loading again changes no bit", "[models][save]") {
  EditedCheckpoint edited("bert_masked_lm");
  edited.options.task = Task::sequence_classification;
  edited.options.labels = {"x", "y"};
  const LoadedModel first = edited.load();
  const TemporaryFolder folder;
  save_model(first, edited.folder(), folder / "out");
  LoadOptions options;
  const LoadedModel second = load_model(folder / "out", options);
  CHECK(second.report.newly_initialised.empty());
  CHECK(second.report.unused.empty());
  CHECK(second.model->spec().labels == std::vector<std::string>{"x", "y"});
  for (const Parameter& parameter : first.model->parameters()) {
    CHECK(at::equal(parameter.tensor, value_of(second, parameter.name)));
  }
}

TEST_CASE("config.json keeps unknown keys, is sorted, and says what the head is", "[models][save]") {
  EditedCheckpoint edited("bert_masked_lm");
  edited.config["torch_dtype"] = "float16";
  edited.config["zebra"] = {{"b", 1}, {"a", nullptr}};
  edited.config["num_labels"] = 2;
  edited.options.task = Task::sequence_classification;
  edited.options.labels = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "ten"};
  edited.options.problem_type = "multi_label_classification";
  edited.options.hidden_dropout = 0.25;
  edited.options.classifier_dropout = 0.5;
  const files::Json config = saved_config(edited);
  CHECK(config.at("architectures") == files::Json::array({"BertForSequenceClassification"}));
  CHECK(config.at("dtype") == "float32");
  CHECK_FALSE(config.contains("torch_dtype"));
  CHECK_FALSE(config.contains("num_labels"));
  CHECK(config.at("zebra").at("b") == 1);
  CHECK(config.at("problem_type") == "multi_label_classification");
  CHECK(config.at("id2label").at("10") == "ten");
  CHECK(config.at("label2id").at("ten") == 10);
  CHECK(config.at("hidden_dropout_prob") == 0.25);
  CHECK(config.at("attention_probs_dropout_prob") == 0.1);
  CHECK(config.at("classifier_dropout") == 0.5);
  std::vector<std::string> keys;
  for (const auto& [key, value] : config.items()) keys.push_back(key);
  CHECK(std::is_sorted(keys.begin(), keys.end()));
}

TEST_CASE("span QA drops the labels of an earlier head", "[models][save]") {
  EditedCheckpoint edited("bert_sequence");
  edited.options.task = Task::question_answering;
  const files::Json config = saved_config(edited);
  CHECK_FALSE(config.contains("id2label"));
  CHECK(config.at("architectures").at(0) == "BertForQuestionAnswering");
}

TEST_CASE("norms keep the spelling of the checkpoint, a new head's included", "[models][save]") {
  EditedCheckpoint edited("bert_sequence");
  edited.rename("bert.embeddings.LayerNorm.weight", "bert.embeddings.LayerNorm.gamma");
  edited.options.task = Task::masked_lm;
  const TemporaryFolder folder;
  save_model(edited.load(), edited.folder(), folder / "out");
  const Tensors saved = tensor::load_tensors(folder / "out/model.safetensors");
  CHECK(saved.contains("bert.embeddings.LayerNorm.gamma"));
  CHECK(saved.contains("cls.predictions.transform.LayerNorm.beta"));
  CHECK_FALSE(saved.contains("cls.predictions.decoder.weight"));
}

TEST_CASE("an untied decoder is saved and stays untied", "[models][save]") {
  EditedCheckpoint edited("bert_masked_lm");
  edited.tensors["cls.predictions.decoder.weight"] = edited.tensors.at("bert.embeddings.word_embeddings.weight") * 2;
  CHECK(saved_config(edited).at("tie_word_embeddings") == false);
}

TEST_CASE("tokenizer files are copied byte for byte, also onto themselves", "[models][save]") {
  EditedCheckpoint edited("bert_sequence");
  edited.write();
  const TemporaryFolder folder;
  const std::string odd = "{\"a\":1 }\r\n\xff";
  folder.write("from/tokenizer.json", odd);
  folder.write("from/vocab.txt", "[PAD]\n");
  folder.write("from/model.bin", "not copied");
  save_model(edited.load(), folder / "from", folder / "out");
  CHECK(files::read_file(folder / "out/tokenizer.json") == odd);
  CHECK(files::read_file(folder / "out/vocab.txt") == "[PAD]\n");
  CHECK_FALSE(std::filesystem::exists(folder / "out/model.bin"));
  save_model(edited.load(), folder / "out", folder / "out");
  CHECK(files::read_file(folder / "out/tokenizer.json") == odd);
}
