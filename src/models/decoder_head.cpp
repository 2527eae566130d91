// The heads of the pre-norm decoder. See decoder.h.
#include "attune/nn/activation.h"
#include "attune/nn/dropout.h"
#include "decoder.h"
#include "stream.h"
#include "zoo.h"

namespace attune::models {

namespace {

Linear make_output(const Scope& head, const ModelSpec& spec, const DecoderNames& names,
                   const at::Tensor& word_embeddings) {
  switch (spec.task) {
    case Task::sequence_classification:
      return head.linear("score", spec.num_labels, spec.hidden_size, {.bias = false});
    case Task::token_classification:
      return head.linear(names.token_classifier, spec.num_labels, spec.hidden_size);
    case Task::question_answering:
      return head.linear("qa_outputs", spec.num_labels, spec.hidden_size);
    case Task::causal_lm:
      if (!spec.tie_word_embeddings) {
        return head.linear("lm_head", spec.vocab_size, spec.hidden_size,
                           {.bias = false, .in_files = family_of(spec).lm_head_in_files});
      }
      head.tie("lm_head.weight", word_embeddings);
      return {.weight = {word_embeddings, head.rounded(word_embeddings)}, .bias = {}};
    default:
      return {};
  }
}

}  // namespace

DecoderHead::DecoderHead(const Scope& root, const ModelSpec& spec, const DecoderNames& names,
                         const at::Tensor& word_embeddings)
    : task_(spec.task),
      stage_(static_cast<int>(spec.num_hidden_layers) + 1),
      dropout_(spec.classifier_dropout),
      softcap_(spec.task == Task::causal_lm ? spec.decoder.logit_softcap : 0.0),
      out_(make_output(root.head().stage(stage_), spec, names, word_embeddings)) {}

Rows DecoderHead::rows(const Context& context) const {
  if (task_ == Task::sequence_classification) return context.summary;
  return {.index = task_ == Task::causal_lm ? context.input.wanted : at::Tensor(), .layout = {}};
}

at::Tensor DecoderHead::rows_read(const at::Tensor& hidden, const Context& context) const {
  const bool are_these = reads_summary_only() && hidden.size(0) == context.input.layout.sequences();
  return are_these ? hidden : rows(context).of(hidden);
}

Output DecoderHead::operator()(const at::Tensor& x, const Context& context) const {
  if (!out_) return {.logits = x, .pooled = {}};
  const at::Tensor read = nn::dropout(x, dropout_site(context, stage_, block_site(stage_ - 1, 0), dropout_, rows(context)));
  if (task_ != Task::causal_lm) return {.logits = out_(read), .pooled = {}};
  if (out_.change && *out_.change) {  // nn::Vocabulary knows one matrix, without an adapter's change
    const at::Tensor logits = out_(read);
    return {.logits = softcap_ > 0 ? nn::softcap(logits, softcap_) : logits, .pooled = {}};
  }
  return vocabulary_output(
      {.x = read, .weight = out_.weight, .bias = {}, .softcap = softcap_, .precision = nn::current_precision()}, context);
}

}  // namespace attune::models
