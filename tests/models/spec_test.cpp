// Reading config.json: spellings, and a named error for every number that cannot be right.
#include "attune/models/spec.h"

#include <nlohmann/json.hpp>

#include "raises.h"

using namespace attune;
using namespace attune::models;

namespace {

files::Json bert() {
  return files::Json::parse(R"({"model_type": "bert", "vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2,
    "num_attention_heads": 4, "intermediate_size": 24, "max_position_embeddings": 12, "type_vocab_size": 2,
    "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.2, "layer_norm_eps": 1e-12,
    "pad_token_id": 0})");
}

ModelSpec read(const files::Json& config, Task task = Task::sequence_classification) {
  return read_spec(config, "m/config.json", task);
}

files::Json with(const std::string& key, const std::string& value) {
  files::Json config = bert();
  config[key] = files::Json::parse(value);
  return config;
}

}  // namespace

TEST_CASE("a BERT configuration is read", "[models][spec]") {
  const ModelSpec spec = read(bert());
  CHECK(spec.model_type == "bert");
  CHECK(spec.hidden_size == 16);
  CHECK(spec.embedding_size == 16);
  CHECK(spec.attention_dropout == 0.2);
  CHECK(spec.labels == std::vector<std::string>{"LABEL_0", "LABEL_1"});
}

TEST_CASE("the dropout before the head falls back as the reference's does", "[models][spec]") {
  CHECK(read(bert()).classifier_dropout == 0.1);
  CHECK(read(with("classifier_dropout", "null")).classifier_dropout == 0.1);
  CHECK(read(with("classifier_dropout", "0.4")).classifier_dropout == 0.4);
  CHECK(read(with("classifier_dropout", "0.4"), Task::question_answering).classifier_dropout == 0.0);
}

TEST_CASE("DistilBERT's names mean the same", "[models][spec]") {
  const auto config = files::Json::parse(R"({"model_type": "distilbert", "vocab_size": 40, "dim": 16, "n_layers": 3,
    "n_heads": 2, "hidden_dim": 24, "max_position_embeddings": 12, "activation": "relu", "dropout": 0.3,
    "attention_dropout": 0.2, "seq_classif_dropout": 0.25, "qa_dropout": 0.15, "sinusoidal_pos_embds": true})");
  const ModelSpec spec = read(config);
  CHECK(spec.hidden_size == 16);
  CHECK(spec.num_hidden_layers == 3);
  CHECK(spec.hidden_act == "relu");
  CHECK(spec.hidden_dropout == 0.3);
  CHECK(spec.classifier_dropout == 0.25);
  CHECK(spec.type_vocab_size == 0);
  CHECK(spec.layer_norm_eps == 1e-12);
  CHECK(spec.sinusoidal_positions);
  CHECK(read(config, Task::token_classification).classifier_dropout == 0.3);
  CHECK(read(config, Task::question_answering).classifier_dropout == 0.15);
}

TEST_CASE("labels come in the order of their ids, whatever the order of the file", "[models][spec]") {
  files::Json config = with("id2label", R"({"1": "b", "10": "k", "0": "a", "2": "c", "3": "d", "4": "e", "5": "f",
                                            "6": "g", "7": "h", "8": "i", "9": "j"})");
  const ModelSpec spec = read(config);
  CHECK(spec.num_labels == 11);
  CHECK(spec.labels.front() == "a");
  CHECK(spec.labels.back() == "k");
  CHECK(read(with("num_labels", "5")).labels.back() == "LABEL_4");
  CHECK(read(config, Task::question_answering).num_labels == 2);
  CHECK_RAISES(read(with("id2label", R"({"0": "a", "2": "b"})")), model, "id2label.2");
  CHECK_RAISES(read(with("id2label", R"({"0": "a", "00": "b"})")), model, "id2label.00");
  CHECK_RAISES(read(with("id2label", R"(["a"])")), model, "expected an object");
  config["num_labels"] = 3;
  CHECK_RAISES(read(config), model, "id2label names 11 labels");
}

TEST_CASE("every number that sizes memory or divides is checked", "[models][spec]") {
  for (const char* value : {"0", "-1", "1.5", "\"768\"", "1152921504606846976", "18446744073709551615", "true"}) {
    INFO(value);
    CHECK_RAISES(read(with("hidden_size", value)), model, "m/config.json: found");
    CHECK_RAISES(read(with("hidden_size", value)), model, "key hidden_size");
  }
  for (const char* key : {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
                          "max_position_embeddings", "type_vocab_size"}) {
    CHECK_RAISES(read(with(key, "0")), model, std::string("key ") + key);
  }
  files::Json without = bert();
  without.erase("vocab_size");
  CHECK_RAISES(read(without), model, "the key is missing (key vocab_size)");
  CHECK_RAISES(read(with("num_attention_heads", "3")), model, "3 heads do not divide hidden_size 16");
  CHECK_RAISES(read(with("num_hidden_layers", "1000000000")), model, "key num_hidden_layers");
  CHECK_RAISES(read(with("layer_norm_eps", "0")), model, "key layer_norm_eps");
  CHECK_RAISES(read(with("hidden_dropout_prob", "1.5")), model, "expected a number from 0 to 1");
  CHECK_RAISES(read(with("pad_token_id", "40")), model, "key pad_token_id");
  CHECK_RAISES(read(with("hidden_act", "\"wiggle\"")), model, "key hidden_act");
  CHECK_RAISES(read(with("tie_word_embeddings", "1")), model, "expected true or false");
  CHECK_RAISES(read(with("problem_type", "\"guessing\"")), model, "guessing");
}

TEST_CASE("other computations are refused by name", "[models][spec]") {
  CHECK_RAISES(read(with("model_type", "\"gpt9\"")), model, "known types are bert, distilbert, electra");
  CHECK_RAISES(read(with("quantization_config", "{}")), model, "quantised");
  CHECK_RAISES(read(with("position_embedding_type", "\"relative_key\"")), model, "position_embedding_type");
  CHECK_RAISES(read(with("is_decoder", "true")), model, "is_decoder");
  CHECK_RAISES(read(files::Json::array()), model, "expected a JSON object");
  CHECK_NOTHROW(read(with("auto_map", R"({"AutoModel": "evil.py"})")));  // a warning: model code is never run
}

TEST_CASE("tasks have the names of pipelines", "[models][spec]") {
  CHECK(task_by_name("fill-mask") == Task::masked_lm);
  CHECK_RAISES(task_by_name("classify"), usage, "text-classification, token-classification");
}
