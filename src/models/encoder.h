// The post-norm encoder that BERT and its relatives share: embeddings, blocks, heads. They differ by names and by the
// few choices in EncoderNames.
#pragma once

#include <memory>
#include <string_view>

#include "attune/models/model.h"
#include "attune/nn/activation.h"
#include "scope.h"
#include "sites.h"

namespace attune::models {

/// Paths below a layer, and what its dropout does.
struct LayerNames {
  std::string_view query, key, value, attention_output, attention_norm;
  std::string_view intermediate, output, output_norm;
  bool dropout_after_attention;  ///< DistilBERT has none
};

/// The sequence-classification head: first token → dense → activation → dropout → out.
struct ClassifierNames {
  std::string_view dense, out;
  nn::Activation activation;
  bool dense_in_body;         ///< BERT's pooler: lies below the prefix, and the base model has it too
  bool dropout_before_dense;  ///< ELECTRA
};

/// The masked-LM head: dense → activation → norm → decoder (tied to the word embeddings).
struct MaskedLmNames {
  std::string_view dense, norm, decoder;
  std::string_view
      bias;   ///< the decoder's bias under a name of its own, to which `decoder`.bias is tied; "" = `decoder`.bias
  bool gelu;  ///< always gelu (ELECTRA) instead of hidden_act
};

struct EncoderNames {
  std::string_view prefix, layers;
  LayerNames layer;
  ClassifierNames classifier;
  MaskedLmNames decoder;
  std::string_view pooler = "";  ///< of the base model, where it is not the classifier's dense layer; "" = none
};

/// `names` must outlive the model.
std::unique_ptr<Model> make_encoder(const ModelSpec& spec, const EncoderNames& names);

/// Embeddings and blocks: stages 0 … depth.
class EncoderBody {
 public:
  EncoderBody(const Scope& scope, const ModelSpec& spec, const EncoderNames& names);

  at::Tensor embed(const Context& context) const;  ///< → [T, H]
  /// One layer for the rows `queries` of hidden [T, H] → [rows, H].
  at::Tensor block(int i, const at::Tensor& hidden, const Rows& queries, const Context& context) const;
  const at::Tensor& word_embeddings() const { return word_.weight; }

 private:
  struct Layer {
    Linear query, key, value, attention_output, intermediate, output;
    Norm attention_norm, output_norm;
  };
  Layer make_layer(const Scope& scope, const ModelSpec& spec, const LayerNames& names) const;

  std::int64_t heads_;
  double epsilon_, hidden_dropout_, attention_output_dropout_, attention_dropout_;
  nn::Activation activation_;
  Embedding word_, position_, segment_;  ///< segment_ undefined: no token types
  Norm embedding_norm_;
  Linear project_;  ///< undefined: embeddings have the hidden size
  std::vector<Layer> layers_;
};

/// The last stage. Numbers its dropout sites from `first_site`.
class EncoderHead {
 public:
  virtual ~EncoderHead() = default;
  virtual Output operator()(const State& state, const Context& context) const = 0;
  /// It reads nothing but the first token of each sequence: [B, H] will do.
  virtual bool reads_first_only() const { return false; }
};

std::unique_ptr<EncoderHead> make_head(const Scope& scope, const ModelSpec& spec, const EncoderNames& names,
                                       const at::Tensor& word_embeddings);

}  // namespace attune::models
