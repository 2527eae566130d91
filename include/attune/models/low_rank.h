// Where an adapter changes a layer. Every linear layer and embedding of a network has an empty place for one, so that
// adapters (module adapt) reach any architecture by the paths of its layers, and no architecture knows them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace attune::models {

/// y = W x + scale · B A drop(x) (Hu et al. 2021). With a magnitude m the sum is given the length m in every output row
/// (DoRA, Liu et al. 2024): m/‖W + scale · B A‖ · (…), the norm without gradient.
struct LowRank {
  at::Tensor a;          ///< [r, in]; of an embedding [r, rows]
  at::Tensor b;          ///< [out, r]
  at::Tensor magnitude;  ///< [out]; undefined = none
  double scale = 1.0;
  double dropout = 0.0;  ///< of x; none in embeddings
  int site = 0;          ///< number of its dropout site

  explicit operator bool() const { return a.defined(); }
};

enum class LayerKind { linear, conv1d, embedding };

/// Of what a layer of a block is computed, for flops.h.
struct LayerReads {
  bool every_row = false;  ///< every row of the stream, also where only some rows of the block's result are wanted
  bool beside = false;     ///< the same as the layer registered before it
};

/// A layer that an adapter can change.
struct AdaptableLayer {
  std::string path;  ///< of the module, under Transformers' names
  LayerKind kind;
  std::int64_t in;  ///< of an embedding its rows
  std::int64_t out;
  int stage;
  bool has_bias;
  LayerReads reads;
  at::Tensor weight;                ///< handle of the registered tensor
  std::shared_ptr<LowRank> change;  ///< what the layer adds; empty until an adapter fills it
};

/// The change of the layer's weight, as the weight is stored: scale · B A, or what makes it m/‖…‖ · (W + scale · B A).
/// float32. Error{internal} without a change.
at::Tensor weight_change(const AdaptableLayer& layer);

/// ‖W + scale · B A‖ of every output row [out], float32, without gradient: where the magnitudes of DoRA start.
at::Tensor output_norms(const AdaptableLayer& layer);

}  // namespace attune::models
