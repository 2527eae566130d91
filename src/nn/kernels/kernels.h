// Fused CPU kernels: what one call needs, and the table of the variants compiled for each instruction set.
// A kernel works on a range of rows, blocks or tasks; the caller splits the range over threads. No result depends on
// that split. What products of matrices read and write comes in float or bfloat16 (T), all else in float; arithmetic is
// float in either case.
#pragma once

#include <cstdint>
#include <vector>

namespace attune::nn::kernels {

/// As it lies in memory: the upper half of a float.
struct BFloat16 {
  std::uint16_t bits;
};

/// Column sums are taken over blocks of this many rows, which are then added in their order.
constexpr std::int64_t kBlockRows = 32;
constexpr std::int64_t blocks_of(std::int64_t rows) {
  return (rows + kBlockRows - 1) / kBlockRows;
}

/// Keyed dropout (dropout_hash.h); no row keys means none.
struct Drop {
  const std::uint64_t* row_keys = nullptr;  ///< [rows]
  std::uint32_t threshold = 0;
  float scale = 1.0f;
};

/// y = x · mask · scale; x, y [rows, features]. Its own backward.
template <class T>
struct Dropout {
  const T* x;
  T* y;
  Drop drop;
  std::int64_t rows, features;
};

/// y = output_drop(LayerNorm(sum)), sum = residual + branch_drop(x + bias). All [rows, features]; `sum` may be y itself
/// when no backward follows, and is x where there is neither bias nor residual nor dropout.
template <class T>
struct LayerNormForward {
  const T* x;
  const float* bias;      ///< [features] or null
  const float* residual;  ///< or null
  const float* weight;
  const float* norm_bias;
  float* sum;  ///< null: x, a float, is the sum
  float* mean;
  float* inverse_deviation;  ///< [rows]
  float* y;
  Drop branch_drop, output_drop;
  float epsilon;
  std::int64_t rows, features;
};

template <class T>
struct LayerNormBackward {
  const float* grad;
  const float* sum;
  const float* weight;
  const float* mean;
  const float* inverse_deviation;
  float* grad_sum;     ///< gradient of the residual (and of x, a float, where there is no branch dropout); or null
  T* grad_x;           ///< or null
  float* partials;     ///< [blocks, 2 or 3, features]: gradients of weight, norm_bias and, if wanted, bias; or null
  bool bias_partials;  ///< the third one is wanted (then partials is not null)
  Drop branch_drop, output_drop;
  std::int64_t rows, features;
};

enum class Gate { gelu, gelu_tanh, quick_gelu, silu };

/// y = gate(x + bias); x, y [rows, features], bias [features] or null.
template <class T>
struct GateForward {
  const T* x;
  const float* bias;
  T* y;
  Gate gate;
  std::int64_t rows, features;
};

template <class T>
struct GateBackward {
  const T* grad;
  const T* x;
  const float* bias;
  T* grad_x;
  float* partials;  ///< [blocks, features]: gradient of bias; or null
  Gate gate;
  std::int64_t rows, features;
};

/// y = x / rms(x) · (weight + offset), rms(x) = √(mean(x²) + epsilon); x, y [rows, features].
template <class T>
struct RmsNormForward {
  const T* x;
  const float* weight;
  float* y;
  float* inverse_rms;  ///< [rows]
  float offset, epsilon;
  std::int64_t rows, features;
};

template <class T>
struct RmsNormBackward {
  const float* grad;
  const T* x;
  const float* weight;
  const float* inverse_rms;
  T* grad_x;        ///< or null
  float* partials;  ///< [blocks, features]: gradient of weight; or null
  float offset;
  std::int64_t rows, features;
};

/// y = activation(gate) · up; [rows, features] each, gate and up with rows that lie `stride` apart.
template <class T>
struct GatedForward {
  const T* gate;
  const T* up;
  T* y;
  Gate activation;
  std::int64_t gate_stride, up_stride, rows, features;
};

template <class T>
struct GatedBackward {
  const T* grad;
  const T* gate;
  const T* up;
  T* grad_gate;
  T* grad_up;
  Gate activation;
  std::int64_t gate_stride, up_stride, rows, features;
};

/// table[ids[row]] += x[row] in the order of the rows; x [rows, features].
template <class T>
struct RowAddition {
  const T* x;
  const std::int64_t* ids;
  T* table;
  std::int64_t rows, features;
  std::int64_t padding_id = -1;  ///< rows with this id are left out
};

/// Cross-entropy of rows of logits, in place: y = softcap(logits + bias), lse = log Σ exp y, nll = lse - y[label]. With
/// `gradient` the logits become d Σ w·loss / d (logits + bias), where loss = (1 - smoothing) · nll + smoothing · (lse - mean y);
/// without it they hold y.
template <class T>
struct CrossEntropy {
  T* logits;          ///< [rows, columns]
  const float* bias;  ///< [columns] or null
  const std::int64_t* labels;
  const float* row_weights;  ///< [rows]; null: 1 each
  float* nll;                ///< [rows]
  float* smoothed;           ///< [rows], the loss
  float softcap;             ///< 0: none
  float smoothing;
  bool gradient;
  std::int64_t columns;
};

/// A [tokens, heads, head size] tensor whose last dimension is dense.
template <class T>
struct Heads {
  T* data = nullptr;
  std::int64_t token_stride = 0, head_stride = 0;
  T* at(std::int64_t token, std::int64_t head) const { return data + token * token_stride + head * head_stride; }
};

/// Pairs (f, f + pairs) of each head turn by the token's angles; the features behind them are copied. One of x and y may be
/// bfloat16: y forward, x backward is what products do not see.
template <class X, class Y>
struct Rotation {
  Heads<const X> x;
  Heads<Y> y;
  const float* cos;
  const float* sin;  ///< [tokens, pairs]
  float direction;   ///< 1; -1 turns back: the gradient
  std::int64_t heads, size, pairs;
};

/// Attention over packed sequences; task i is sequence i / kv_heads and key head i % kv_heads with all query heads that
/// read it. Queries and keys, which a norm or a rotation may have made, have a format of their own.
template <class K, class V>
struct Attention {
  Heads<const K> q, k;
  Heads<const V> v;
  Heads<V> out;         ///< forward
  Heads<const V> grad;  ///< backward: gradient of out, then those of q, k, v
  Heads<K> grad_q, grad_k;
  Heads<V> grad_v;
  float* log_sum;  ///< [heads, query tokens]: written by forward, read by backward
  const std::int32_t* q_ends;
  const std::int32_t* kv_ends;  ///< [sequences + 1]
  const std::int32_t* offsets;  ///< [sequences]: query i stands at key i + offset
  Drop drop;                    ///< row keys of the query tokens
  float scale;
  float softcap;        ///< 0: none
  bool causal;          ///< a query sees no key behind its own place
  std::int64_t window;  ///< it sees keys less than this far away; 0: all
  std::int64_t q_tokens, heads, kv_heads, size, longest_kv;
  /// Keys and values in pages of a pool (forward only): those of sequence s are pages[page_ends[s]] …; null: they lie one
  /// after another.
  const std::int32_t* pages;
  const std::int32_t* page_ends;
  std::int64_t page_size;
};

/// Ranges are half open; layer_norm_backward, gate_backward and rms_norm_backward count blocks of kBlockRows.
template <class T>
struct RowKernels {
  void (*dropout)(const Dropout<T>&, std::int64_t begin, std::int64_t end);
  void (*layer_norm_forward)(const LayerNormForward<T>&, std::int64_t begin, std::int64_t end);
  void (*layer_norm_backward)(const LayerNormBackward<T>&, std::int64_t begin, std::int64_t end);
  void (*gate_forward)(const GateForward<T>&, std::int64_t begin, std::int64_t end);
  void (*gate_backward)(const GateBackward<T>&, std::int64_t begin, std::int64_t end);
  void (*gated_forward)(const GatedForward<T>&, std::int64_t begin, std::int64_t end);
  void (*gated_backward)(const GatedBackward<T>&, std::int64_t begin, std::int64_t end);
  void (*rms_norm_forward)(const RmsNormForward<T>&, std::int64_t begin, std::int64_t end);
  void (*rms_norm_backward)(const RmsNormBackward<T>&, std::int64_t begin, std::int64_t end);
  void (*rotate)(const Rotation<T, float>&, std::int64_t begin, std::int64_t end);  ///< a range of tokens
  void (*rotate_back)(const Rotation<float, T>&, std::int64_t begin, std::int64_t end);
  /// partials [blocks, columns] of x [rows, columns], for a range of blocks.
  void (*column_sums)(const T* x, std::int64_t rows, std::int64_t columns, float* partials, std::int64_t begin,
                      std::int64_t end);
};

template <class K, class V>
struct AttentionKernels {
  /// Floats of scratch memory that one thread needs, aligned to 64 bytes.
  std::int64_t (*attention_scratch)(const Attention<K, V>&);
  void (*attention_forward)(const Attention<K, V>&, std::int64_t task, float* scratch);
  void (*attention_backward)(const Attention<K, V>&, std::int64_t task, float* scratch);
};

struct FloatKernels {
  /// A range of columns, so that threads never add to the same place.
  void (*add_rows)(const RowAddition<float>&, std::int64_t begin, std::int64_t end);
  /// out[c] = Σ over blocks of partials[block, c], in the order of the blocks.
  void (*sum_blocks)(const float* partials, std::int64_t blocks, std::int64_t columns, float* out);
  void (*cross_entropy)(const CrossEntropy<float>&, std::int64_t begin, std::int64_t end);
  /// sum[i] += x[i].
  void (*add_to)(const BFloat16* x, float* sum, std::int64_t begin, std::int64_t end);
};

/// One instruction set's kernels.
struct Table : FloatKernels,
               RowKernels<float>,
               RowKernels<BFloat16>,
               AttentionKernels<float, float>,
               AttentionKernels<BFloat16, BFloat16>,
               AttentionKernels<float, BFloat16> {
  const char* name;
  template <class T>
  const RowKernels<T>& rows() const {
    return *this;
  }
  template <class K, class V>
  const AttentionKernels<K, V>& attention() const {
    return *this;
  }
};

/// The variants this processor can run, best first.
const std::vector<const Table*>& tables();
/// The one in use: the best, unless a test chose another.
const Table& table();
void use(const Table& table);

/// Tests switch all kernels off to go the way that other devices go: plain operators everywhere.
bool enabled();
void enable(bool on);

}  // namespace attune::nn::kernels
