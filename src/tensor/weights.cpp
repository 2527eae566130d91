// See weights.h.
#include "attune/tensor/weights.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/sum.h>
#include <c10/core/ScalarType.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <span>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::tensor {

using files::Dtype;

namespace {

struct DtypePair {
  Dtype file;
  at::ScalarType tensor;
};

constexpr DtypePair kDtypes[] = {
    {Dtype::BOOL, at::kBool},  {Dtype::U8, at::kByte},       {Dtype::I8, at::kChar}, {Dtype::I16, at::kShort},
    {Dtype::F16, at::kHalf},   {Dtype::BF16, at::kBFloat16}, {Dtype::I32, at::kInt}, {Dtype::F32, at::kFloat},
    {Dtype::F64, at::kDouble}, {Dtype::I64, at::kLong},
};

using Mapping = std::shared_ptr<const files::MappedFile>;

/// Ends a view of a mapped file; by this function release_pages() knows one.
void let_go(void* mapping) {
  delete static_cast<Mapping*>(mapping);
}

/// A view of the mapping, or a copy where the bytes are not aligned for the dtype.
at::Tensor view_or_copy(const files::SafetensorsFile& file, const files::TensorInfo& info) {
  const std::span<const std::byte> bytes = file.bytes(info);
  const auto options = at::TensorOptions().dtype(scalar_type(info.dtype, info.name));
  if (bytes.empty()) return at::empty(info.shape, options);
  void* data = const_cast<std::byte*>(bytes.data());
  const auto alignment = static_cast<std::uintptr_t>(files::dtype_bits(info.dtype) / 8);
  if (reinterpret_cast<std::uintptr_t>(data) % alignment != 0) {
    at::Tensor copy = at::empty(info.shape, options);
    std::memcpy(copy.mutable_data_ptr(), data, bytes.size());
    return copy;
  }
  return at::for_blob(data, info.shape).context(new Mapping(file.file), let_go).options(options).make_tensor();
}

}  // namespace

void release_pages(const at::Tensor& tensor) {
  const c10::DataPtr& memory = tensor.storage().data_ptr();
  if (memory.get_deleter() != &let_go) return;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(memory.get()) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(memory.get()) + tensor.storage().nbytes();
  // Advice that the system may not know; pages of the neighbours at both ends are read again, too.
  if (end > begin) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

at::ScalarType scalar_type(Dtype dtype, const std::string& name) {
  for (const DtypePair& pair : kDtypes) {
    if (pair.file == dtype) return pair.tensor;
  }
  throw Error(ErrorKind::model, {.file = "",
                                 .what = concat("dtype ", files::dtype_name(dtype), " is not supported for training"),
                                 .where = concat("tensor '", name, "'"),
                                 .hint = "use a checkpoint in float32, bfloat16 or float16"});
}

Dtype file_dtype(at::ScalarType type) {
  for (const DtypePair& pair : kDtypes) {
    if (pair.tensor == type) return pair.file;
  }
  internal_error(concat("tensors of dtype ", c10::toString(type), " cannot be written"));
}

struct Weights::Place {
  std::shared_ptr<const files::SafetensorsFile> file;
  const files::TensorInfo* info;
};

Weights::Weights(std::vector<files::SafetensorsFile> shards) {
  for (files::SafetensorsFile& shard : shards) {
    const auto file = std::make_shared<const files::SafetensorsFile>(std::move(shard));
    for (const files::TensorInfo& info : file->header.tensors) {
      const bool fresh = places_.emplace(info.name, std::make_shared<const Place>(Place{file, &info})).second;
      if (!fresh) {
        throw Error(ErrorKind::model, {.file = file->file->path(),
                                       .what = concat("tensor '", info.name, "' is in another file, too"),
                                       .where = "",
                                       .hint = ""});
      }
    }
  }
}

std::vector<std::string> Weights::names() const {
  std::vector<std::string> names;
  names.reserve(places_.size());
  for (const auto& [name, place] : places_) names.push_back(name);
  return names;
}

bool Weights::contains(const std::string& name) const {
  return places_.contains(name);
}

const files::TensorInfo& Weights::info(const std::string& name) const {
  return *place(name).info;
}

at::Tensor Weights::tensor(const std::string& name) const {
  const Place& found = place(name);
  try {
    return view_or_copy(*found.file, *found.info);
  } catch (const Error& error) {
    ErrorText text = error.text();
    text.file = found.file->file->path();
    throw Error(error.kind(), std::move(text));
  }
}

const Weights::Place& Weights::place(const std::string& name) const {
  const auto found = places_.find(name);
  if (found == places_.end()) internal_error(concat("tensor '", name, "' was asked for, but is not in the checkpoint"));
  return *found->second;
}

std::int64_t non_finite_count(const at::Tensor& tensor) {
  if (!tensor.is_floating_point() || tensor.numel() == 0) return 0;
  return tensor.numel() - at::isfinite(tensor).sum().item<std::int64_t>();
}

void save_tensors(const std::string& path, const std::map<std::string, at::Tensor>& tensors) {
  std::vector<at::Tensor> held;  // keeps the contiguous copies until they are written
  std::vector<files::TensorToWrite> writes;
  for (const auto& [name, tensor] : tensors) {
    held.push_back(tensor.detach().cpu().contiguous());
    const at::Tensor& data = held.back();
    const auto* begin = static_cast<const std::byte*>(data.numel() == 0 ? nullptr : data.const_data_ptr());
    writes.push_back({name, file_dtype(data.scalar_type()), data.sizes().vec(), {begin, data.nbytes()}});
  }
  files::write_safetensors(path, std::move(writes), {{"format", "pt"}});
}

std::map<std::string, at::Tensor> load_tensors(const std::string& path) {
  std::vector<files::SafetensorsFile> shards;
  shards.push_back(files::open_safetensors(path));
  const Weights weights(std::move(shards));
  std::map<std::string, at::Tensor> tensors;
  for (const std::string& name : weights.names()) tensors.emplace(name, weights.tensor(name));
  return tensors;
}

}  // namespace attune::tensor
