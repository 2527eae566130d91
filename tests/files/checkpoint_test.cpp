// Checkpoint folders: shards against their index, names and links that lead out, formats that are refused, the Hub's
// cache.
#include "attune/files/checkpoint.h"

#include <cstdlib>
#include <optional>

#include "attune/base/strings.h"
#include "attune/files/hub_cache.h"
#include "attune/files/safetensors.h"
#include "raises.h"
#include "temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using namespace attune::files;
using attune::concat;
using attune::testing::TemporaryFolder;

constexpr const char* kIndex = "model.safetensors.index.json";

void write_shard(const std::string& path, const std::vector<std::string>& names) {
  static const std::string byte(1, '\1');
  std::vector<TensorToWrite> tensors;
  for (const std::string& name : names) tensors.push_back({name, Dtype::U8, {1}, std::as_bytes(std::span(byte))});
  write_safetensors(path, std::move(tensors), {{"format", "pt"}});
}

/// Two shards a (w1, w2) and b (w3) and the index given as weight_map.
void write_sharded(const TemporaryFolder& folder, const std::string& weight_map) {
  write_shard(folder / "a.safetensors", {"w1", "w2"});
  write_shard(folder / "b.safetensors", {"w3"});
  folder.write(kIndex, concat("{\"metadata\":{},\"weight_map\":", weight_map, "}"));
}

constexpr const char* kGoodMap = R"({"w1":"a.safetensors","w2":"a.safetensors","w3":"b.safetensors"})";

/// Sets an environment variable for the life of the object.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    value.empty() ? ::unsetenv(name) : ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { old_ ? ::setenv(name_, old_->c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

}  // namespace

TEST_CASE("a checkpoint is one file or the shards of its index", "[files][checkpoint]") {
  const TemporaryFolder folder;
  write_sharded(folder, kGoodMap);
  CHECK(open_checkpoint(folder.path()).size() == 2);
  write_shard(folder / "model.safetensors", {"w"});
  CHECK(open_checkpoint(folder.path()).at(0).header.tensors.at(0).name == "w");
}

TEST_CASE("shards that disagree with their index are refused", "[files][checkpoint]") {
  struct Row {
    std::string weight_map, message;
  };
  const std::vector<Row> rows{
      {R"([])", "expected an object of tensor names and file names (weight_map)"},
      {R"({})", "the index names no tensors"},
      {R"({"w1":3})", "expected the name of a file (weight_map.w1)"},
      {R"({"w1":"a.safetensors","w1":"a.safetensors"})", "key 'w1' is given twice (weight_map.w1)"},
      {R"({"w1":"a.safetensors","w2":"a.safetensors","w3":"c.safetensors"})",
       "the shard 'c.safetensors' is missing from the folder"},
      {R"({"w1":"a.safetensors","w2":"a.safetensors","w3":"b.safetensors","w4":"b.safetensors"})",
       "tensor 'w4' is in no shard, the index says 'b.safetensors'"},
      {R"({"w1":"a.safetensors","w3":"b.safetensors"})", "tensor 'w2' of shard 'a.safetensors' is not in the index"},
      {R"({"w1":"a.safetensors","w2":"b.safetensors","w3":"b.safetensors"})",
       "tensor 'w2' is in shard 'a.safetensors', the index says 'b.safetensors'"},
  };
  for (const Row& row : rows) {
    INFO(row.weight_map);
    const TemporaryFolder folder;
    write_sharded(folder, row.weight_map);
    CHECK_RAISES(open_checkpoint(folder.path()), model, row.message);
  }
  const TemporaryFolder folder;
  write_sharded(folder, kGoodMap);
  write_shard(folder / "b.safetensors", {"w3", "w1"});
  CHECK_RAISES(open_checkpoint(folder.path()), model,
               "tensor 'w1' is in two shards, 'a.safetensors' and 'b.safetensors'");
  folder.write(kIndex, "[1]");
  CHECK_RAISES(open_checkpoint(folder.path()), model, "expected an object of tensor names");
}

TEST_CASE("shard names lead nowhere but into the folder", "[files][checkpoint]") {
  const TemporaryFolder outside;
  write_shard(outside / "b.safetensors", {"w3"});
  const std::vector<std::string> names{
      "../b.safetensors", outside / "b.safetensors", "x/b.safetensors",      "./b.safetensors", "", ".", "..",
      "b.safetensors/",   "..\\\\b.safetensors",     "b.safetensors\\u0000", "/etc/passwd"};
  for (const std::string& name : names) {
    INFO(name);
    const TemporaryFolder folder;
    write_sharded(folder, concat(R"({"w1":"a.safetensors","w2":"a.safetensors","w3":")", name, "\"}"));
    CHECK_RAISES(open_checkpoint(folder.path()), model,
                 "is not the plain name of a file in this folder (weight_map.w3)");
  }
}

TEST_CASE("links are followed only inside the folder", "[files][checkpoint]") {
  const TemporaryFolder folder, outside;
  write_sharded(folder, kGoodMap);
  fs::rename(folder / "b.safetensors", folder / "real.safetensors");
  fs::create_symlink("real.safetensors", folder / "b.safetensors");
  CHECK(open_checkpoint(folder.path()).size() == 2);

  write_shard(outside / "b.safetensors", {"w3"});
  fs::remove(folder / "b.safetensors");
  fs::create_symlink(outside / "b.safetensors", folder / "b.safetensors");
  CHECK_RAISES(open_checkpoint(folder.path()), model, "outside the folder");

  fs::remove(folder / "b.safetensors");
  fs::create_symlink("nowhere", folder / "b.safetensors");
  CHECK_RAISES(open_checkpoint(folder.path()), model, "the shard 'b.safetensors' is missing");

  fs::create_symlink(outside / "b.safetensors", folder / "model.safetensors");
  CHECK_RAISES(open_checkpoint(folder.path()), model, "outside the folder");

  // A folder whose name merely begins with the folder's is outside, too.
  fs::create_directory(folder / "m");
  fs::create_directory(folder / "m2");
  write_shard(folder / "m2/model.safetensors", {"w"});
  fs::create_symlink("../m2/model.safetensors", folder / "m/model.safetensors");
  CHECK_RAISES(open_checkpoint(folder / "m"), model, "outside the folder");
}

TEST_CASE("a snapshot of the Hugging Face cache may link to its own repository's blobs", "[files][checkpoint]") {
  const TemporaryFolder cache;
  const std::string repository = cache / "models--org--name";
  const std::string snapshot = repository + "/snapshots/abc123";
  fs::create_directories(repository + "/blobs");
  fs::create_directories(snapshot);
  cache.write("models--org--name/refs/main", "abc123\n");
  write_shard(repository + "/blobs/0f", {"w"});
  fs::create_symlink("../../blobs/0f", snapshot + "/model.safetensors");
  CHECK(open_checkpoint(snapshot).size() == 1);

  const Variable given("HF_HUB_CACHE", cache.path());
  CHECK(find_in_hub_cache("org/name") == snapshot);
  CHECK_FALSE(find_in_hub_cache("org/other").has_value());
  cache.write("models--org--name/refs/main", "../../../tmp");
  CHECK_FALSE(find_in_hub_cache("org/name").has_value());

  fs::create_directories(cache / "models--org--other/blobs");
  write_shard(cache / "models--org--other/blobs/0f", {"w"});
  fs::remove(snapshot + "/model.safetensors");
  fs::create_symlink("../../../models--org--other/blobs/0f", snapshot + "/model.safetensors");
  CHECK_RAISES(open_checkpoint(snapshot), model, "outside the folder");
}

TEST_CASE("the Hub's cache is looked for where its own tools look", "[files][checkpoint]") {
  const Variable a("HF_HUB_CACHE", "/a"), b("HF_HOME", "~/b"), c("XDG_CACHE_HOME", "/c"), home("HOME", "/home/me");
  CHECK(hub_cache_places() ==
        std::vector<std::string>{"/a", "/home/me/b/hub", "/c/huggingface/hub", "/home/me/.cache/huggingface/hub"});
}

TEST_CASE("Hub ids are told from paths", "[files][checkpoint]") {
  for (const char* id : {"bert-base-uncased", "google/electra-small", "a/b.c_d"}) CHECK(is_hub_id(id));
  for (const char* path : {"", "/a", "./a", "../a", "a/b/c", "a/", "models--a", "a b", "a/.b"})
    CHECK_FALSE(is_hub_id(path));
}

TEST_CASE("pickle checkpoints are refused with the command that converts them", "[files][checkpoint]") {
  for (const char* name : {"pytorch_model.bin", "model.pt", "last.ckpt", "weights.pth", "model.pkl"}) {
    const TemporaryFolder folder;
    folder.write(name, "PK\3\4");
    CHECK_RAISES(open_checkpoint(folder.path()), model, "pickle files can run code when they are opened");
    CHECK_RAISES(open_checkpoint(folder.path()), model, "python scripts/convert_checkpoint.py " + folder.path());
  }
  const TemporaryFolder folder;
  folder.write("model.safetensors", "PK\3\4" + std::string(100, '\0'));
  CHECK_RAISES(open_checkpoint(folder.path()), model, "pickle files can run code when they are opened");
}

TEST_CASE("folders without weights say what is missing", "[files][checkpoint]") {
  const TemporaryFolder folder;
  CHECK_RAISES(open_checkpoint(folder / "none"), model, "no such folder");
  CHECK_RAISES(open_checkpoint(folder.path()), model,
               "no weights: neither model.safetensors nor model.safetensors.index.json");
  folder.write("training_args.bin", "PK\3\4");
  CHECK_RAISES(open_checkpoint(folder.path()), model, "no weights");
  folder.write("tf_model.h5", "");
  CHECK_RAISES(open_checkpoint(folder.path()), model, "tf_model.h5 is in a format that attune does not read");
  CHECK_RAISES(open_checkpoint(folder / "tf_model.h5"), model, "not a folder");
}

TEST_CASE("more than a hundred thousand shards are refused", "[files][checkpoint][slow]") {
  const TemporaryFolder folder;
  std::string map = "{";
  for (int i = 0; i <= 100'000; ++i) map += concat(i == 0 ? "" : ",", "\"w", i, "\":\"", i, ".safetensors\"");
  folder.write(kIndex, "{\"weight_map\":" + map + "}}");
  CHECK_RAISES(open_checkpoint(folder.path()), model, "more than 100000 shards");
}
