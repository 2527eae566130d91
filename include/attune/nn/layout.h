// Where the sequences of a packed stream begin and end. Hidden states are [T, hidden]: sequences lie one after another
// and there is no padding. T may be rounded up by one dead segment (shape ladder): its rows are finite but mean
// nothing.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace attune::nn {

/// Rows that outlive a pass lie in a pool whose page p is its rows [p · size, (p + 1) · size). Row i of a sequence is row
/// i % size of its page i / size; sequences may share pages.
struct Pages {
  std::int64_t size = 0;
  std::vector<std::int32_t> numbers;  ///< the pages of all sequences, one sequence after another
  std::vector<std::int32_t> ends;     ///< [B+1], first 0; sequence i has numbers[ends[i], ends[i + 1])
};

/// What a device other than the CPU needs of a layout, copied to it once a batch: attention asks for it in every block.
struct DeviceLayout {
  at::Tensor cu_seqlens;   ///< int32 [B+1]
  at::Tensor lengths;      ///< int64 [B]
  at::Tensor padded_rows;  ///< padded_rows(layout) there
  at::Tensor stream_rows;  ///< stream_rows(layout) there
  at::Tensor pool_rows;    ///< pool_rows(layout) there; undefined without pages

  /// What `make` makes, once: a network asks for the same in every block. For one thread.
  at::Tensor derived(const std::string& name, const std::function<at::Tensor()>& make) const;

 private:
  mutable std::map<std::string, at::Tensor> derived_;
};

struct Layout {
  std::vector<std::int32_t> cu_seqlens;  ///< [B+1], first 0; the live tokens are [0, cu_seqlens[B])
  std::int32_t longest = 0;              ///< longest sequence
  std::int64_t total = 0;                ///< T: rows of the stream, dead ones included (>= cu_seqlens[B])
  std::shared_ptr<const Pages> pages;  ///< of keys and values in a pool; null: the stream's rows are the tensor's
  std::shared_ptr<const DeviceLayout> on_device;  ///< null on the CPU

  std::int64_t sequences() const { return static_cast<std::int64_t>(cu_seqlens.size()) - 1; }
  std::int32_t length(std::int64_t i) const { return cu_seqlens[i + 1] - cu_seqlens[i]; }
  std::int64_t live() const { return cu_seqlens.back(); }
};

Layout make_layout(const std::vector<std::int32_t>& lengths, std::int64_t total = 0);
/// With on_device filled where the device is another than the CPU. Does not wait for it.
Layout to_device(Layout layout, const at::Device& device);

/// Where the live rows of a layout with pages lie in the pool, int64 [live tokens] on the CPU.
at::Tensor pool_rows(const Layout& layout);
/// The length of each sequence, int64 [B] on the CPU.
at::Tensor lengths(const Layout& layout);
/// Where the live rows stand when every sequence is padded to the longest, int64 [live tokens] on the CPU:
/// sequence · longest + position in the sequence.
at::Tensor padded_rows(const Layout& layout);
/// The way back: which row of the stream stands at each place of the padded batch, int64 [B · longest] on the CPU; row 0 where
/// there is none.
at::Tensor stream_rows(const Layout& layout);

/// The shape ladder: the smallest rung >= tokens (oneDNN compiles a kernel per shape; few shapes, few compilations).
std::int64_t ladder_rung(std::int64_t tokens);

}  // namespace attune::nn
