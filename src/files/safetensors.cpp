// See safetensors.h: dtypes, opening, writing. The header's rules are in safetensors_header.cpp.
#include "attune/files/safetensors.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "atomic_file.h"
#include "attune/base/strings.h"

namespace attune::files {

namespace {

struct DtypeRow {
  const char* name;
  int bits;
};

// In the order of enum Dtype.
constexpr DtypeRow kDtypes[] = {
    {"BOOL", 8},    {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6},     {"U8", 8},          {"I8", 8},
    {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},
    {"U16", 16},    {"F16", 16},    {"BF16", 16},   {"I32", 32},        {"U32", 32},        {"F32", 32},
    {"C64", 64},    {"F64", 64},    {"I64", 64},    {"U64", 64},
};
static_assert(std::size(kDtypes) == static_cast<std::size_t>(Dtype::U64) + 1);

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump();
}

std::string numbers(const std::vector<std::int64_t>& values) {
  std::string text = "[";
  for (std::size_t i = 0; i < values.size(); ++i) text += concat(i == 0 ? "" : ",", values[i]);
  return text + "]";
}

/// The header as the reference writes it: no blanks, __metadata__ first, padded with spaces to 8 bytes.
std::string header_json(const std::vector<TensorToWrite>& tensors, const std::map<std::string, std::string>& metadata) {
  std::string text = "{";
  if (!metadata.empty()) {
    text += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata)
      text += (text.back() == '{' ? "" : ",") + quoted(key) + ":" + quoted(value);
    text += "}";
  }
  std::uint64_t offset = 0;
  for (const TensorToWrite& tensor : tensors) {
    const std::uint64_t end = offset + tensor.data.size();
    text += concat(text.size() == 1 ? "" : ",", quoted(tensor.name), ":{\"dtype\":\"", dtype_name(tensor.dtype),
                   "\",\"shape\":", numbers(tensor.shape), ",\"data_offsets\":[", offset, ",", end, "]}");
    offset = end;
  }
  text += "}";
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

void check_tensors(const std::vector<TensorToWrite>& tensors) {
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const TensorToWrite& tensor = tensors[i];
    std::uint64_t bits = static_cast<std::uint64_t>(dtype_bits(tensor.dtype));
    for (const std::int64_t size : tensor.shape) bits *= static_cast<std::uint64_t>(size);
    if (bits != tensor.data.size() * 8)
      internal_error(concat("tensor '", tensor.name, "' has another size than its shape says"));
    if (tensor.name == "__metadata__") internal_error("a tensor may not be called __metadata__");
  }
  std::vector<std::string_view> names;
  for (const TensorToWrite& tensor : tensors) names.push_back(tensor.name);
  std::sort(names.begin(), names.end());
  if (std::adjacent_find(names.begin(), names.end()) != names.end())
    internal_error("two tensors of one name are to be written");
}

}  // namespace

const char* dtype_name(Dtype dtype) {
  return kDtypes[static_cast<int>(dtype)].name;
}

int dtype_bits(Dtype dtype) {
  return kDtypes[static_cast<int>(dtype)].bits;
}

std::span<const std::byte> SafetensorsFile::bytes(const TensorInfo& info) const {
  return file->bytes().subspan(header.data_start + info.begin, info.end - info.begin);
}

SafetensorsFile open_safetensors(const std::string& path) {
  const auto file = MappedFile::open(path);
  return {file, parse_safetensors(file->bytes(), path)};
}

void write_safetensors(const std::string& path, std::vector<TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata) {
  check_tensors(tensors);
  // The enum stands in the order of alignment, so descending dtypes keep every tensor aligned.
  std::sort(tensors.begin(), tensors.end(), [](const TensorToWrite& a, const TensorToWrite& b) {
    return a.dtype != b.dtype ? a.dtype > b.dtype : a.name < b.name;
  });
  const std::string header = header_json(tensors, metadata);
  std::string length(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);

  std::uint64_t total = 8 + header.size();
  for (const TensorToWrite& tensor : tensors) total += tensor.data.size();
  AtomicFile file(path);
  file.reserve(total);
  file.write(length + header);
  for (const TensorToWrite& tensor : tensors) {
    file.write({reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size()});
  }
  file.commit();
}

}  // namespace attune::files
