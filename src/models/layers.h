// Handles of a registered layer's tensors, and what the layer computes. set_data on the registered tensor is seen
// through them.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "attune/models/layer_change.h"
#include "attune/nn/operand.h"

namespace attune::models {

struct Linear {
  nn::Operand weight;                              ///< [out, in]; [in, out] in a Conv1D
  at::Tensor bias;                                 ///< [out]; undefined = none
  bool conv1d = false;                             ///< GPT-2's layers store their weights the other way round
  std::shared_ptr<const LayerChange> change = {};  ///< null: no place for one

  /// The family has this layer.
  explicit operator bool() const { return weight.defined(); }
  /// x [T, in] → [T, out].
  at::Tensor operator()(const nn::Operand& x) const { return apply(x, bias); }
  /// The same without the bias, where a fused kernel that follows adds late_bias().
  at::Tensor product(const nn::Operand& x) const { return apply(x, {}); }
  /// The bias under the change that the layer has.
  at::Tensor late_bias() const;

 private:
  at::Tensor apply(const nn::Operand& x, const at::Tensor& added) const;
};

struct Embedding {
  at::Tensor weight;                               ///< [rows, features]
  std::int64_t padding_id = -1;                    ///< its row gets no gradient; -1 = none
  std::shared_ptr<const LayerChange> change = {};  ///< null: no place for one

  explicit operator bool() const { return weight.defined(); }
  /// ids int64 [T] → [T, features].
  at::Tensor operator()(const at::Tensor& ids) const;
};

struct Norm {
  at::Tensor weight;  ///< [H]
  at::Tensor bias;    ///< [H]; undefined in an RMSNorm

  explicit operator bool() const { return weight.defined(); }
};

}  // namespace attune::models
