// What passes of a model cost, by formula: floating-point operations (FLOP) of its matrix products and of attention. A
// product [n, k] · [k, m] is 2·n·k·m of them. Counted is what has to be computed: real tokens, no dead rows; of the last block
// only the rows that the head reads; the pairs of tokens that attention lets meet; gradients only where something trains by
// them. Norms, activations, rotary positions, softmax, look-ups and the optimiser are left out, as they are where others say
// how much of a machine a training uses (Chowdhery et al. 2022, appendix B).
#pragma once

#include <cstdint>
#include <vector>

#include "attune/models/model.h"

namespace attune::models {

/// The texts of a pass.
struct PassSize {
  std::vector<std::int64_t> lengths;  ///< tokens of each text
  /// Causal models: tokens before each of them whose keys are kept from an earlier pass; empty: there are none.
  std::vector<std::int64_t> before = {};
  std::int64_t wanted = 0;            ///< language models: tokens whose logits are made

  std::int64_t tokens() const;
};

class FlopCount {
 public:
  /// `trainable`: one flag a parameter; empty: nothing trains.
  explicit FlopCount(const Model& model, const std::vector<bool>& trainable = {});

  /// Of the stages [first, end) forward; depth + 2 ends them all.
  double forward(const PassSize& size, int first, int end) const;
  /// Of gradients, through all stages that need any; without running a stage again.
  double backward(const PassSize& size) const;

 private:
  /// FLOP of one row of the stream, of one row that the stage is asked for, and of one pair of tokens.
  struct Rates {
    double every_row = 0, row = 0, pair = 0;
  };
  enum class Rows { all, one_a_text, wanted };
  struct Stage {
    Rates forward, backward;
    Rows rows = Rows::all;     ///< that the stage is asked for
    bool causal = false;
    std::int64_t window = 0;  ///< of attention; 0 = none
  };
  double pairs(const Stage& stage, const PassSize& size) const;
  /// Of a text's tokens with those before it.
  static double pairs_before(const Stage& stage, std::int64_t length, std::int64_t before);
  double flops(const Stage& stage, const Rates& rates, const PassSize& size) const;
  /// With the virtual tokens that go through the network.
  PassSize in_the_network(PassSize size) const;

  std::vector<Stage> stages_;
  std::int64_t rows_before_ = 0, keys_before_ = 0;  ///< virtual tokens before each text

  friend class FlopCounter;
};

}  // namespace attune::models
