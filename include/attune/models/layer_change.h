// Where an adapter changes a layer. Every linear layer and embedding of a network has an empty place for one, so that
// adapters (module adapt) reach any architecture by the paths of its layers, and no architecture knows them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace attune::models {

/// What an adapter does to a layer, one of two things.
/// A low-rank term: y = W x + b + scale · B A drop(x) (LoRA, Hu et al. 2021). With a magnitude m the sum of the
/// products is given the length m in every output row (DoRA, Liu et al. 2024): m/‖W + scale · B A‖ · (…), the norm
/// without gradient. A gain l (IA3, Liu et al. 2022): y = l · (W x + b), or of the input: y = W (l · x) + b.
struct LayerChange {
  at::Tensor a;          ///< [r, in]; of an embedding [r, rows]
  at::Tensor b;          ///< [out, r]
  at::Tensor magnitude;  ///< [out]; undefined = none
  double scale = 1.0;
  double dropout = 0.0;  ///< of x; none in embeddings
  int site = 0;          ///< number of its dropout site
  at::Tensor gain;       ///< [out, 1], or of the input [1, in]; undefined = none
  bool gain_of_input = false;

  explicit operator bool() const { return a.defined() || gain.defined(); }
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
  at::Tensor weight;                    ///< handle of the registered tensor
  std::shared_ptr<LayerChange> change;  ///< empty until an adapter fills it
};

/// The weight that computes with the layer's change in it, as weights are stored. float32. Error{internal} without a
/// change.
at::Tensor changed_weight(const AdaptableLayer& layer);

/// ‖W + scale · B A‖ of every output row [out], float32, without gradient: where the magnitudes of DoRA start.
at::Tensor output_norms(const AdaptableLayer& layer);

}  // namespace attune::models
