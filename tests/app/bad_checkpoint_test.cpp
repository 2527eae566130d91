// Weights that a stranger made, damaged or mistook for something else, through the built program.
#include <sys/stat.h>

#include "app/bad_input.h"

namespace {

using namespace attune::testing;

const std::string kWeights = "model/model.safetensors";
const std::string kQuery = "encoder.layer.0.attention.self.query.weight";

std::function<void(const Workspace&)> weights(const std::string& content) {
  return model_file("model.safetensors", [=](const std::string&) { return content; });
}

std::function<void(const Workspace&)> header_with(const std::string& from, const std::string& to) {
  return weights_header([=](const std::string& header) { return with(header, from, to); });
}

/// The first float of a tensor becomes NaN.
std::string with_nan(std::string content, const std::string& tensor) {
  const std::size_t entry = content.find("\"" + tensor + "\"");
  REQUIRE(entry != std::string::npos);
  const std::size_t begin = std::stoul(content.substr(content.find("[", content.find("data_offsets", entry)) + 1));
  const std::size_t data = 8 + static_cast<unsigned char>(content[0]) + 256u * static_cast<unsigned char>(content[1]);
  return content.replace(data + begin, 4, std::string("\0\0\xc0\x7f", 4));
}

/// No model.safetensors but two shards and their index, with the index text given.
void use_index(const Workspace& workspace, const std::string& weight_map) {
  use_own_model(workspace);
  fs::rename(workspace.path(kWeights), workspace.path("model/a.safetensors"));
  workspace.write("model/model.safetensors.index.json", R"({"metadata": {}, "weight_map": )" + weight_map + "}");
}

}  // namespace

TEST_CASE("damaged weights end with the file, the damage and nothing written", "[app][shell][bad]") {
  check_bad_inputs({
      {"0 bytes", kModel, kWeights, {"0 bytes"}, weights("")},
      {"cut short", kModel, kWeights, {"truncated download?"}, model_file("model.safetensors", [](std::string s) { return s.substr(0, s.size() / 2); })},
      {"header length of 2^64-1", kModel, kWeights, {"header length 18446744073709551615 exceeds limit"},
       model_file("model.safetensors", [](std::string s) { return std::string(8, '\xff') + s.substr(8); })},
      {"trailing bytes", kModel, kWeights, {"5 bytes follow the last tensor's data"}, model_file("model.safetensors", [](std::string s) { return s + "extra"; })},
      {"overlapping tensors", kModel, kWeights, {"embeddings.LayerNorm.weight", "(overlap)"}, header_with("[64,128]", "[60,124]")},
      {"a petabyte claimed", kModel, kWeights, {"pooler.dense.weight", "overflow"}, header_with("[16,16],\"data_offsets\":[32640,33664]", "[1152921504606846976,16],\"data_offsets\":[32640,18446744073709551615]")},
      {"a name twice", kModel, kWeights, {"tensor 'encoder.layer.0.attention.self.query.weight' is listed twice"},
       header_with("encoder.layer.1.attention.self.query.weight", kQuery)},
      {"an escape sequence in a name", kModel, kWeights, {"control characters", "\\x1B[2J"}, header_with("\"pooler.dense.weight\"", "\"\\u001b[2Jpooler\"")},
      {"NaN in a weight", kModel, "model", {"non-finite", kQuery}, model_file("model.safetensors", [](std::string s) { return with_nan(std::move(s), kQuery); })},
  });
}

TEST_CASE("weights that are something else end with what they are", "[app][shell][bad]") {
  check_bad_inputs({
      {"Git LFS pointer", kModel, kWeights, {"Git LFS pointer", "git lfs pull"}, weights("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n")},
      {"HTML page", kModel, kWeights, {"HTML page"}, weights("<!DOCTYPE html>\n<html><body>Sign in</body></html>")},
      {"pickle under another name", kModel, kWeights, {"pickle files can run code"}, weights("PK\x03\x04" + std::string(60, '\0'))},
      {"pickle only", kModel, "model/pytorch_model.bin", {"pickle files can run code", "convert_checkpoint.py"},
       [](const Workspace& w) {
         use_own_model(w);
         fs::rename(w.path(kWeights), w.path("model/pytorch_model.bin"));
       }},
      {"FIFO that never gives a byte", kModel, kWeights, {"not a regular file"},
       [](const Workspace& w) {
         use_own_model(w);
         fs::remove(w.path(kWeights));
         REQUIRE(::mkfifo(w.path(kWeights).c_str(), 0600) == 0);
       }},
      {"links in a circle", kModel, kWeights, {"Too many levels of symbolic links"},
       [](const Workspace& w) {
         use_own_model(w);
         fs::remove(w.path(kWeights));
         fs::create_symlink("model.safetensors", w.path(kWeights));
       }},
      {"no weights", kModel, "model", {"no weights"},
       [](const Workspace& w) {
         use_own_model(w);
         fs::remove(w.path(kWeights));
       }},
      {"no folder", kModel, "nowhere", {"there is no such folder"}, [](const Workspace& w) { replace(w, "run.json", kTinyModel, "nowhere"); }},
      {"a file for a folder", kModel, "train.jsonl", {"found a file, expected the folder"}, [](const Workspace& w) { replace(w, "run.json", kTinyModel, "train.jsonl"); }},
      {"a name too long", kModel, std::string(300, 'm'), {"File name too long"}, [](const Workspace& w) { replace(w, "run.json", kTinyModel, std::string(300, 'm')); }},
  });
}

TEST_CASE("weights of another model end with the tensor at fault", "[app][shell][bad]") {
  check_bad_inputs({
      {"tensor missing", kModel, "model", {"lack 1 tensors", kQuery}, header_with(kQuery, "encoder.layer.0.attention.self.quary.weight")},
      {"tensor of another shape", kModel, "model", {"has shape [8, 32], config.json makes it [16, 16]", "pooler.dense.weight"},
       header_with("[16,16],\"data_offsets\":[32640,", "[8,32],\"data_offsets\":[32640,")},
      {"whole numbers", kModel, "model", {"found I32 values", "pooler.dense.bias"},
       header_with("\"pooler.dense.bias\":{\"dtype\":\"F32\"", "\"pooler.dense.bias\":{\"dtype\":\"I32\"")},
      {"sub-byte numbers", kModel, kWeights, {"dtype F4 is not supported", "pooler.dense.bias"},
       header_with("\"pooler.dense.bias\":{\"dtype\":\"F32\",\"shape\":[16]", "\"pooler.dense.bias\":{\"dtype\":\"F4\",\"shape\":[128]")},
      {"fewer layers stated than stored", kModel, "model", {"a layer beyond the 1 of config.json"},
       model_json("config.json", [](auto& config) { config["num_hidden_layers"] = 1; })},
      {"other vocabulary", kModel, "model", {"[163, 16]", "[164, 16]"}, model_json("config.json", [](auto& config) { config["vocab_size"] = 164; })},
  });
}

TEST_CASE("shards may not lead out of the folder, be missing or disagree with their index", "[app][shell][bad]") {
  const std::string index = "model/model.safetensors.index.json";
  check_bad_inputs({
      {"shard that climbs out", kModel, index, {"'../../etc/passwd' is not the plain name of a file"}, [](const Workspace& w) { use_index(w, R"({"x": "../../etc/passwd"})"); }},
      {"absolute shard", kModel, index, {"'/etc/passwd' is not the plain name of a file"}, [](const Workspace& w) { use_index(w, R"({"x": "/etc/passwd"})"); }},
      {"link that leads out", kModel, "model/b.safetensors", {"outside the folder"},
       [](const Workspace& w) {
         use_index(w, R"({"x": "b.safetensors"})");
         fs::create_symlink("/etc/passwd", w.path("model/b.safetensors"));
       }},
      {"shard missing", kModel, index, {"'gone.safetensors' is missing"}, [](const Workspace& w) { use_index(w, R"({"x": "gone.safetensors"})"); }},
      {"tensor that the index lacks", kModel, index, {"is not in the index"}, [](const Workspace& w) { use_index(w, R"({"pooler.dense.bias": "a.safetensors"})"); }},
      {"no map", kModel, index, {"expected an object of tensor names and file names", "weight_map"}, [](const Workspace& w) { use_index(w, R"(["a.safetensors"])"); }},
  });
}
