// libFuzzer target: the bytes of a safetensors file, or (first byte '{') the index of a folder with two fixed shards.
// What is accepted must describe the bytes exactly.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "attune/base/error.h"
#include "attune/files/safetensors.h"
#include "input_folder.h"

namespace {

using namespace attune;

void check_tiles(const files::SafetensorsHeader& header, std::size_t file_bytes) {
  std::uint64_t reached = 0;
  for (const files::TensorInfo& info : header.tensors) {
    std::uint64_t bits = static_cast<std::uint64_t>(files::dtype_bits(info.dtype));
    for (const std::int64_t size : info.shape) bits *= static_cast<std::uint64_t>(size);
    if (info.begin != reached || bits != 8 * (info.end - info.begin)) std::abort();
    reached = info.end;
  }
  if (header.data_start + reached != file_bytes) std::abort();
}

void read_file(std::span<const std::byte> bytes) {
  try {
    check_tiles(files::parse_safetensors(bytes, "fuzz.safetensors"), bytes.size());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::model) std::abort();
  }
}

std::string shard(const std::string& tensor) {
  std::string header = "{\"" + tensor + "\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return std::string(1, static_cast<char>(header.size())) + std::string(7, '\0') + header + "xy";
}

void read_index(std::string_view text) {
  static const fuzz::InputFolder folder;
  static const bool shards_written = !folder.write("model-1.safetensors", shard("a")).empty() &&
                                     !folder.write("model-2.safetensors", shard("b")).empty();
  if (!shards_written) std::abort();
  folder.write("model.safetensors.index.json", text);
  try {
    std::size_t tensors = 0;
    for (const files::SafetensorsFile& file : files::open_checkpoint(folder.path())) {
      for (const files::TensorInfo& info : file.header.tensors) tensors += file.bytes(info).size() / 2;
    }
    if (tensors == 0 || tensors > 2) std::abort();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::model) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0 && data[0] == '{') {
    read_index({reinterpret_cast<const char*>(data), size});
  } else {
    read_file(std::as_bytes(std::span(data, size)));
  }
  return 0;
}
