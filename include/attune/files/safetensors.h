// The safetensors format without tensors: header, index of shards, writer. Every rule of the reference reader is a
// named error (Error{model}); the stricter rules of attune are said in docs/formats.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attune/files/mapped_file.h"

namespace attune::files {

/// The 22 dtypes of safetensors 0.8.0.
enum class Dtype {
  BOOL,
  F4,
  F6_E2M3,
  F6_E3M2,
  U8,
  I8,
  F8_E5M2,
  F8_E4M3,
  F8_E8M0,
  F8_E4M3FNUZ,
  F8_E5M2FNUZ,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  C64,
  F64,
  I64,
  U64
};
const char* dtype_name(Dtype dtype);
int dtype_bits(Dtype dtype);

struct TensorInfo {
  std::string name;
  Dtype dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t begin;  ///< byte offsets into the data section
  std::uint64_t end;
};

struct SafetensorsHeader {
  std::vector<TensorInfo> tensors;              ///< sorted by begin
  std::map<std::string, std::string> metadata;  ///< __metadata__
  std::uint64_t data_start;                     ///< file offset of the data section
};

/// Reads and checks the header of a whole file; allocates nothing that the file only claims.
SafetensorsHeader parse_safetensors(std::span<const std::byte> file, const std::string& path);

/// One opened file: header + mapping. `bytes(info)` stays valid while the object lives.
struct SafetensorsFile {
  std::shared_ptr<const MappedFile> file;
  SafetensorsHeader header;
  std::span<const std::byte> bytes(const TensorInfo& info) const;
};
SafetensorsFile open_safetensors(const std::string& path);

/// A tensor to be written; `data` must hold product(shape) × dtype bytes and live until the call returns.
struct TensorToWrite {
  std::string name;
  Dtype dtype;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;
};

/// Writes byte for byte what the reference writer writes: __metadata__ first, tensors by dtype alignment (descending),
/// then name, header padded with spaces to 8 bytes. Writes to a temporary name, fsyncs, renames. Throws Error{storage}.
void write_safetensors(const std::string& path, std::vector<TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata);

/// The weight files of a checkpoint folder: model.safetensors, or the shards of model.safetensors.index.json, checked
/// against the index (every tensor in exactly the shard stated; shard names are plain file names inside the folder).
/// Pickle files are refused with the reason and the command that converts them.
std::vector<SafetensorsFile> open_checkpoint(const std::string& folder);

}  // namespace attune::files
