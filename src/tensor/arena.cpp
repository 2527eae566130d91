// See arena.h.
#include "attune/tensor/arena.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "attune/base/error.h"

namespace attune::tensor {

namespace {

constexpr std::int64_t kAlignment = 64;  // bytes: a cache line and a vector register of AVX-512

std::int64_t elements(const std::vector<std::int64_t>& shape) {
  std::int64_t product = 1;
  for (const std::int64_t size : shape) product *= size;
  return product;
}

constexpr std::int64_t kPiece = 1 << 16;  // elements

/// [count] zeros. On the CPU they are pages that the system gives when they are written to.
at::Tensor lazy_zeros(std::int64_t count, const at::TensorOptions& options) {
  if (!options.device().is_cpu() || options.pinned_memory() || count == 0) return at::zeros({count}, options);
  const std::size_t bytes = static_cast<std::size_t>(count) * options.dtype().itemsize();
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  TORCH_CHECK(memory != MAP_FAILED, "not enough memory: you tried to allocate ", bytes, " bytes.");
  return at::from_blob(
      memory, {count}, [bytes](void* begin) { ::munmap(begin, bytes); }, options);
}

void add_pieces(std::vector<Piece>& pieces, std::size_t slice, std::int64_t begin, std::int64_t end) {
  for (; begin < end; begin += kPiece) pieces.push_back({slice, begin, std::min(kPiece, end - begin)});
}

std::vector<std::vector<std::int64_t>> shapes_of(const std::vector<at::Tensor>& tensors) {
  std::vector<std::vector<std::int64_t>> shapes;
  for (const at::Tensor& tensor : tensors) shapes.push_back(tensor.sizes().vec());
  return shapes;
}

at::TensorOptions master_options(const std::vector<at::Tensor>& parameters) {
  const auto options = at::TensorOptions().dtype(at::kFloat);
  if (parameters.empty()) return options;
  for (const at::Tensor& parameter : parameters) {
    if (parameter.device() != parameters.front().device()) internal_error("trained weights lie on several devices");
  }
  return options.device(parameters.front().device());
}

}  // namespace

void for_each_piece(const std::vector<Piece>& pieces, const std::function<void(std::size_t)>& body) {
  std::vector<std::size_t> ends;  // of neighbours that are about as much work as the largest piece
  std::int64_t elements = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    elements += pieces[i].count;
    if (elements < kPiece && i + 1 < pieces.size()) continue;
    ends.push_back(i + 1);
    elements = 0;
  }
  at::parallel_for(0, static_cast<std::int64_t>(ends.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::size_t i = begin == 0 ? 0 : ends[begin - 1]; i < ends[end - 1]; ++i) body(i);
  });
}

Arena::Arena(const std::vector<std::vector<std::int64_t>>& shapes, const at::TensorOptions& options) {
  const auto step = kAlignment / static_cast<std::int64_t>(options.dtype().itemsize());
  std::vector<std::int64_t> begins;
  std::int64_t total = 0;
  for (const auto& shape : shapes) {
    begins.push_back(total);
    total += (elements(shape) + step - 1) / step * step;
  }
  flat_ = lazy_zeros(total, options);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    slices_.push_back(flat_.narrow(0, begins[i], elements(shapes[i])).view(shapes[i]));
  }
}

ParameterArena::ParameterArena(std::vector<at::Tensor> parameters, const std::map<std::size_t, TableRows>& rows,
                               std::vector<at::Tensor> copies)
    : parameters_(std::move(parameters)),
      values_(shapes_of(parameters_), master_options(parameters_)),
      gradients_(shapes_of(parameters_), master_options(parameters_)),
      copies_(std::move(copies)) {
  if (values_.flat().is_cpu()) cut(rows);
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    at::Tensor& parameter = parameters_[i];
    values_.slices()[i].copy_(parameter);
    // set_data, not assignment: every handle of the tensor, tied names included, follows.
    parameter.set_data(values_.slices()[i]);
    parameter.set_requires_grad(true);
    parameter.mutable_grad() = gradients_.slices()[i];
  }
  if (std::none_of(copies_.begin(), copies_.end(), [](const at::Tensor& copy) { return copy.defined(); })) return;
  const at::Tensor& flat = values_.flat();
  rounded_ = lazy_zeros(flat.numel(), flat.options().dtype(at::kBFloat16));
  for (std::size_t i = 0; i < copies_.size(); ++i) {
    if (!has_copy(i)) continue;
    const at::Tensor& slice = values_.slices()[i];
    copies_[i].set_data(rounded_.narrow(0, slice.storage_offset(), slice.numel()).view(slice.sizes()));
  }
  round_values();
}

void ParameterArena::round_values() const {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < copies_.size(); ++i) {
    if (has_copy(i)) copies_[i].copy_(values_.slices()[i]);
  }
}

void ParameterArena::cut(const std::map<std::size_t, TableRows>& rows) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const at::Tensor& slice = values_.slices()[i];
    const std::int64_t begin = slice.storage_offset(), end = begin + slice.numel();
    const auto some = rows.find(i);
    if (some == rows.end()) {
      add_pieces(live_, i, begin, end);
      continue;
    }
    const std::int64_t width = slice.numel() / std::max<std::int64_t>(1, slice.size(0));
    std::int64_t done = begin;
    for (std::size_t first = 0, last = 0; first < some->second.size(); first = last) {  // runs of neighbours
      const TableRows& wanted = some->second;
      for (last = first + 1; last < wanted.size() && wanted[last] == wanted[last - 1] + 1;) ++last;
      const std::int64_t from = begin + wanted[first] * width, to = begin + (wanted[last - 1] + 1) * width;
      if (from < done || to > end) internal_error("rows of a trained table are not in order or not in the table");
      add_pieces(dead_, i, done, from);
      add_pieces(live_, i, from, to);
      done = to;
    }
    add_pieces(dead_, i, done, end);
  }
}

ParameterArena::~ParameterArena() {
  for (at::Tensor& parameter : parameters_) {
    parameter.mutable_grad() = at::Tensor();
    parameter.set_requires_grad(false);
  }
}

Arena ParameterArena::zeros_like() const {
  return Arena(shapes_of(parameters_), values_.flat().options());
}

void ParameterArena::zero_gradients() {
  const at::NoGradGuard no_grad;
  if (!gradients_.flat().is_cpu()) {
    gradients_.flat().zero_();
    return;
  }
  auto* gradients = gradients_.flat().mutable_data_ptr<float>();
  for_each_piece(live_, [&](std::size_t i) {
    std::memset(gradients + live_[i].begin, 0, static_cast<std::size_t>(live_[i].count) * sizeof(float));
  });
}

}  // namespace attune::tensor
