// The weight files of a checkpoint folder: one file, or shards that agree with their index.
#include "attune/files/checkpoint.h"

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/files/json.h"
#include "attune/files/safetensors.h"
#include "foreign_format.h"

namespace attune::files {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxShards = 100'000;
constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

[[noreturn]] void fail(const std::string& file, std::string what, std::string where = "", std::string hint = "") {
  throw Error(ErrorKind::model,
              {.file = file, .what = std::move(what), .where = std::move(where), .hint = std::move(hint)});
}

bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
}

bool is_inside(const fs::path& path, const fs::path& folder) {
  const fs::path relative = path.lexically_relative(folder);
  return !relative.empty() && relative.begin()->string() != "..";
}

/// The folder that a link in `folder` may point into: the folder itself or, for a snapshot in the Hugging Face cache
/// (models--x--y/snapshots/<revision>, whose files are links to models--x--y/blobs), the repository's folder.
fs::path allowed_root(const fs::path& folder) {
  const fs::path snapshots = folder.parent_path();
  const fs::path repository = snapshots.parent_path();
  const bool cached = snapshots.filename() == "snapshots" && repository.filename().string().starts_with("models--");
  return cached ? repository : folder;
}

/// tensor → shard, as the index says.
std::map<std::string, std::string> read_index(const std::string& path) {
  const Json index = read_json(path, {.kind = ErrorKind::model, .max_bytes = 256u << 20});
  const auto found = index.is_object() ? index.find("weight_map") : index.end();
  if (!index.is_object() || found == index.end() || !found->is_object()) {
    fail(path, "expected an object of tensor names and file names", "weight_map");
  }
  std::map<std::string, std::string> places;
  std::set<std::string> shards;
  for (const auto& [name, shard] : found->items()) {
    const std::string where = concat("weight_map.", name);
    if (!shard.is_string()) fail(path, "expected the name of a file", where);
    const auto& file = shard.get_ref<const std::string&>();
    if (!is_plain_name(file)) {
      fail(path, concat("'", file, "' is not the plain name of a file in this folder"), where,
           "do not trust this checkpoint");
    }
    if (shards.insert(file).second && shards.size() > kMaxShards)
      fail(path, concat("more than ", kMaxShards, " shards"));
    places.emplace(name, file);
  }
  if (places.empty()) fail(path, "the index names no tensors", "weight_map");
  return places;
}

std::vector<SafetensorsFile> open_shards(const std::string& folder) {
  const std::string index = contained_file(folder, kIndex);
  const std::map<std::string, std::string> stated = read_index(index);
  std::set<std::string> names;
  for (const auto& [tensor, shard] : stated) names.insert(shard);

  std::vector<SafetensorsFile> shards;
  std::map<std::string, std::string> found;
  for (const std::string& name : names) {
    if (!path_exists((fs::path(folder) / name).string(), ErrorKind::model)) {
      fail(index, concat("the shard '", name, "' is missing from the folder"), "", "download the checkpoint again");
    }
    shards.push_back(open_safetensors(contained_file(folder, name)));
    for (const TensorInfo& info : shards.back().header.tensors) {
      const auto [other, fresh] = found.emplace(info.name, name);
      if (!fresh)
        fail(index, concat("tensor '", info.name, "' is in two shards, '", other->second, "' and '", name, "'"));
      const auto place = stated.find(info.name);
      if (place == stated.end())
        fail(index, concat("tensor '", info.name, "' of shard '", name, "' is not in the index"));
    }
  }
  for (const auto& [tensor, shard] : stated) {
    const auto place = found.find(tensor);
    if (place == found.end()) fail(index, concat("tensor '", tensor, "' is in no shard, the index says '", shard, "'"));
    if (place->second != shard) {
      fail(index, concat("tensor '", tensor, "' is in shard '", place->second, "', the index says '", shard, "'"));
    }
  }
  return shards;
}

[[noreturn]] void nothing_to_open(const std::string& folder) {
  static const std::set<std::string> kPickles{".bin", ".pt", ".pth", ".ckpt", ".pkl"};
  static const std::set<std::string> kOthers{".h5", ".msgpack", ".gguf", ".onnx"};
  std::set<std::string> others;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string extension = entry.path().extension().string();
    if (kPickles.contains(extension) && entry.path().filename() != "training_args.bin") {
      throw_foreign_format(entry.path().string(), "pickle");
    }
    if (kOthers.contains(extension)) others.insert(entry.path().filename().string());
  }
  std::string hint = "give a folder as Transformers' save_pretrained writes it";
  if (!others.empty()) hint = concat(*others.begin(), " is in a format that attune does not read; ", hint);
  fail(folder, concat("no weights: neither ", kSingle, " nor ", kIndex, " is in it"), "", hint);
}

}  // namespace

std::string contained_file(const std::string& folder, const std::string& name) {
  if (!is_plain_name(name)) fail(folder, concat("'", name, "' is not the plain name of a file in this folder"));
  const fs::path path = fs::path(folder) / name;
  std::error_code error;
  if (!fs::is_symlink(fs::symlink_status(path, error))) return path.string();
  const fs::path target = fs::canonical(path, error);
  if (error)
    fail(path.string(), concat("a link that leads nowhere: ", error.message()), "", "download the checkpoint again");
  const fs::path root = fs::canonical(folder, error);
  if (error || !is_inside(target, allowed_root(root))) {
    fail(path.string(), concat("a link to '", target.string(), "', outside the folder"), "",
         "copy the file into the folder");
  }
  return path.string();
}

std::vector<SafetensorsFile> open_checkpoint(const std::string& folder) {
  if (!is_folder(folder, ErrorKind::model)) {
    fail(folder, path_exists(folder, ErrorKind::model) ? "not a folder" : "no such folder");
  }
  std::error_code error;
  const auto has = [&](const char* name) { return fs::exists(fs::symlink_status(fs::path(folder) / name, error)); };
  if (has(kSingle)) {
    std::vector<SafetensorsFile> files;
    files.push_back(open_safetensors(contained_file(folder, kSingle)));
    return files;
  }
  if (has(kIndex)) return open_shards(folder);
  nothing_to_open(folder);
}

}  // namespace attune::files
