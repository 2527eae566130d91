// The heads of the post-norm encoder. See encoder.h.
#include <ATen/core/Tensor.h>
#include <ATen/ops/index_select.h>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/nn/linear.h"
#include "attune/nn/norm.h"
#include "encoder.h"
#include "stream.h"
#include "zoo.h"

namespace attune::models {

namespace {

/// What every head knows of its stage.
struct Stage {
  explicit Stage(const ModelSpec& spec)
      : number(static_cast<int>(spec.num_hidden_layers) + 1),
        first_site(block_site(static_cast<int>(spec.num_hidden_layers), 0)),
        dropout(spec.classifier_dropout) {}
  int number, first_site;
  double dropout;
};

/// The first token of each sequence, [B, H], from a state that holds either all rows or only these.
at::Tensor first_tokens(const State& state, const Context& context) {
  const bool only_first = state.hidden.size(0) == context.input.layout.sequences();
  return only_first ? state.hidden : context.summary.of(state.hidden);
}

/// Sequence classification: first token → dense → activation → out, [B, labels].
class PooledHead : public EncoderHead {
 public:
  PooledHead(const Scope& root, const Scope& body, const ModelSpec& spec, const ClassifierNames& names)
      : stage_(spec), names_(names) {
    dense_ = (names.dense_in_body ? body : root).linear(names.dense, spec.hidden_size, spec.hidden_size);
    out_ = root.linear(names.out, spec.num_labels, spec.hidden_size);
  }

  Output operator()(const State& state, const Context& context) const override {
    const auto drop = [&](const at::Tensor& x, int site) {
      return nn::dropout(
          x, dropout_site(context, stage_.number, stage_.first_site + site, stage_.dropout, context.summary));
    };
    at::Tensor x = first_tokens(state, context);
    if (names_.dropout_before_dense) x = drop(x, 1);
    x = nn::bias_activate(dense_.product(x), dense_.late_bias(), names_.activation);
    return {.logits = out_(drop(x, 0)), .pooled = {}};
  }
  bool reads_first_only() const override { return true; }

 private:
  Stage stage_;
  const ClassifierNames& names_;
  Linear dense_, out_;
};

/// Token classification and span QA: dropout and one linear layer on every row, [T, labels].
class RowHead : public EncoderHead {
 public:
  RowHead(const Scope& root, const ModelSpec& spec, std::string_view path)
      : stage_(spec), out_(root.linear(path, spec.num_labels, spec.hidden_size)) {}

  Output operator()(const State& state, const Context& context) const override {
    const auto site = dropout_site(context, stage_.number, stage_.first_site, stage_.dropout);
    return {.logits = out_(nn::dropout(state.hidden, site)), .pooled = {}};
  }

 private:
  Stage stage_;
  Linear out_;
};

/// Masked LM: only the wanted rows go through the vocabulary, [N, vocab].
class MaskedLmHead : public EncoderHead {
 public:
  MaskedLmHead(const Scope& root, const ModelSpec& spec, const MaskedLmNames& names, const at::Tensor& word_embeddings)
      : activation_(names.gelu ? nn::Activation::gelu : nn::activation_by_name(spec.hidden_act)),
        epsilon_(spec.layer_norm_eps) {
    dense_ = root.linear(names.dense, spec.embedding_size, spec.hidden_size);
    norm_ = root.norm(names.norm, spec.embedding_size);
    const Scope decoder = root.at(names.decoder);
    if (spec.tie_word_embeddings) {
      decoder.tie("weight", word_embeddings);
    }
    const at::Tensor weight = spec.tie_word_embeddings
                                  ? word_embeddings
                                  : decoder.parameter("weight", {spec.vocab_size, spec.embedding_size}, ParameterKind::matrix);
    weight_ = {weight, decoder.rounded(weight)};
    if (names.bias.empty()) {
      bias_ = decoder.parameter("bias", {spec.vocab_size}, ParameterKind::bias);
    } else if (spec.tie_word_embeddings) {
      bias_ = root.parameter(names.bias, {spec.vocab_size}, ParameterKind::bias);
      decoder.tie("bias", bias_);
    } else {
      // Untied, the reference computes with the decoder's own bias; the other one is saved but read by nothing.
      bias_ = decoder.parameter("bias", {spec.vocab_size}, ParameterKind::bias);
      root.parameter(names.bias, {spec.vocab_size}, ParameterKind::buffer);
    }
  }

  Output operator()(const State& state, const Context& context) const override {
    const at::Tensor& wanted = context.input.wanted;
    at::Tensor x = wanted.defined() ? at::index_select(state.hidden, 0, wanted) : state.hidden;
    x = nn::bias_activate(dense_.product(x), dense_.late_bias(), activation_);
    x = nn::layer_norm(x, norm_.weight, norm_.bias, epsilon_);
    return vocabulary_output({.x = x, .weight = weight_, .bias = bias_, .precision = nn::current_precision()}, context);
  }

 private:
  nn::Activation activation_;
  double epsilon_;
  Linear dense_;
  Norm norm_;
  nn::Operand weight_;
  at::Tensor bias_;
};

/// The base model: the hidden states, and the pooler's output where the family has one.
class BaseHead : public EncoderHead {
 public:
  BaseHead(const Scope& body, const ModelSpec& spec, const EncoderNames& names)
      : activation_(names.classifier.activation) {
    const std::string_view path = names.classifier.dense_in_body ? names.classifier.dense : names.pooler;
    if (!path.empty()) pooler_ = body.linear(path, spec.hidden_size, spec.hidden_size);
  }

  Output operator()(const State& state, const Context& context) const override {
    if (!pooler_) return {.logits = state.hidden, .pooled = {}};
    const at::Tensor x = pooler_.product(first_tokens(state, context));
    return {.logits = state.hidden, .pooled = nn::bias_activate(x, pooler_.late_bias(), activation_)};
  }

 private:
  nn::Activation activation_;
  Linear pooler_;
};

}  // namespace

std::unique_ptr<EncoderHead> make_head(const Scope& scope, const ModelSpec& spec, const EncoderNames& names,
                                       const at::Tensor& word_embeddings) {
  const Scope root = scope.head().stage(static_cast<int>(spec.num_hidden_layers) + 1);
  const Scope body = spec.task == Task::base ? root : root.at(names.prefix);
  switch (spec.task) {
    case Task::sequence_classification:
      return std::make_unique<PooledHead>(root, body, spec, names.classifier);
    case Task::token_classification:
      return std::make_unique<RowHead>(root, spec, "classifier");
    case Task::question_answering:
      return std::make_unique<RowHead>(root, spec, "qa_outputs");
    case Task::masked_lm:
      return std::make_unique<MaskedLmHead>(root, spec, names.decoder, word_embeddings);
    case Task::causal_lm:
      break;  // no encoder has a class for it
    case Task::base:
      return std::make_unique<BaseHead>(body, spec, names);
  }
  internal_error("make_head: no such head");
}

}  // namespace attune::models
