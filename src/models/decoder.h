// The pre-norm decoder that GPT-2, GPT-NeoX, Llama and their relatives share: embeddings, blocks, heads. They differ by
// names, by the few choices in DecoderNames, and by what config.json says (DecoderSpec).
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "attune/models/model.h"
#include "attune/nn/activation.h"
#include "scope.h"
#include "sites.h"

namespace attune::models {

/// Paths below a layer; "" = the family has no such part.
struct DecoderLayerNames {
  std::string_view attention_norm = "";
  std::string_view query = "", key = "", value = "";
  std::string_view query_key_value = "";            ///< in place of the three
  std::string_view query_norm = "", key_norm = "";  ///< over the features of each head
  std::string_view attention_output = "";
  std::string_view attention_output_norm = "";  ///< before the sum with the residual stream
  std::string_view feed_forward_norm = "";
  std::string_view gate = "", up = "";
  std::string_view gate_up = "";  ///< in place of the two; neither it nor gate: `up` goes through the activation alone
  std::string_view down = "";
  std::string_view feed_forward_output_norm = "";
};

struct DecoderNames {
  std::string_view embeddings = "";
  std::string_view positions = "";  ///< learnt positions; "" = rotary
  std::string_view layers = "", final_norm = "";
  DecoderLayerNames layer;
  std::string_view token_classifier = "score";
  bool layer_norm = false;      ///< LayerNorm; else RMSNorm
  double norm_offset = 0.0;     ///< added to RMSNorm's weights
  bool conv1d = false;          ///< linear layers store their weights the other way round
  bool heads_together = false;  ///< query_key_value holds q, k, v of one head side by side; else all q, all k, all v
  bool padding_is_constant = true;  ///< the padding token's embedding gets no gradient
  bool scaled_residual = false;     ///< layers that add to the residual stream start smaller, by 1/sqrt(2 · layers)
};

/// `names` must outlive the model.
std::unique_ptr<Model> make_decoder(const ModelSpec& spec, const DecoderNames& names);

/// Embeddings, blocks and the norm behind them: stages 0 … depth and the first step of the head.
class DecoderBody {
 public:
  DecoderBody(const Scope& scope, const ModelSpec& spec, const DecoderNames& names);

  at::Tensor embed(const Context& context) const;  ///< → [T, H]
  /// One layer for hidden [T, H] → the rows `wanted` of the result; only attention computes the others too.
  at::Tensor block(int i, const at::Tensor& hidden, const Rows& wanted, const Context& context) const;
  at::Tensor final_norm(const at::Tensor& hidden) const { return normed(final_norm_, hidden); }
  const at::Tensor& word_embeddings() const { return word_.weight; }

 private:
  struct Layer {
    Norm attention_norm, attention_output_norm, feed_forward_norm, feed_forward_output_norm, query_norm, key_norm;
    Linear query, key, value, query_key_value, attention_output;
    Linear gate, up, gate_up, down;
  };
  struct Heads {
    at::Tensor query, key, value;  ///< [T, heads, head_dim]
  };

  Layer make_layer(const Scope& scope) const;
  void make_attention(const Scope& scope, Layer& layer) const;
  void make_feed_forward(const Scope& scope, Layer& layer) const;
  /// Of the layers that add to the residual stream: Parameter::initial_factor.
  double into_residual() const;

  Heads project(const Layer& layer, const at::Tensor& x) const;
  at::Tensor attend(int i, const at::Tensor& x, const Rows& wanted, const Context& context) const;
  at::Tensor feed_forward(const Layer& layer, const at::Tensor& x) const;
  /// x itself where the family has no such norm.
  at::Tensor normed(const Norm& norm, const at::Tensor& x) const;

  const ModelSpec& spec_;
  const DecoderNames& names_;
  nn::Activation activation_;
  Embedding word_, position_;  ///< position_ undefined: rotary positions
  std::vector<Layer> layers_;
  Norm final_norm_;
};

/// The last stage behind the final norm: logits of the rows that the task reads.
class DecoderHead {
 public:
  DecoderHead(const Scope& root, const ModelSpec& spec, const DecoderNames& names, const at::Tensor& word_embeddings);

  /// It reads nothing but Context::summary: [B, H] will do.
  bool reads_summary_only() const { return task_ == Task::sequence_classification; }
  /// The rows of hidden, [T, H] or [B, H], that the logits are computed from.
  at::Tensor rows_read(const at::Tensor& hidden, const Context& context) const;
  /// x: these rows, normed.
  Output operator()(const at::Tensor& x, const Context& context) const;

 private:
  Rows rows(const Context& context) const;

  Task task_;
  int stage_;
  double dropout_, softcap_;
  Linear out_;  ///< undefined: the base model
};

}  // namespace attune::models
