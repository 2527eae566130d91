// The pre-norm decoder as a Model: body and head under one module tree. See decoder.h.
#include <torch/nn/module.h>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "decoder.h"
#include "pass.h"
#include "stream.h"
#include "virtual_stream.h"
#include "zoo.h"

namespace attune::models {

namespace {

constexpr std::int64_t kNoPadding = -1;  // no token has this id

/// Where not all rows are keys: the places of the first keys, which must follow one another.
std::vector<std::int32_t> offsets_of(const Rows& keys, const nn::Layout& queries) {
  const at::Tensor index = keys.index.cpu().contiguous();
  const auto* row = index.const_data_ptr<std::int64_t>();
  std::vector<std::int32_t> offsets;
  for (std::int64_t i = 0; i < queries.sequences(); ++i) {
    const std::int32_t first = keys.layout.cu_seqlens[i];
    const std::int32_t count = keys.layout.length(i);
    if (count == 0 || row[first + count - 1] - row[first] != count - 1) {
      internal_error("a decoder's keys must be neighbours");
    }
    offsets.push_back(queries.cu_seqlens[i] - static_cast<std::int32_t>(row[first]));
  }
  return offsets;
}

class DecoderModel : public Model, public torch::nn::Module {
 public:
  DecoderModel(const ModelSpec& spec, const DecoderNames& names)
      : spec_(spec),
        has_learnt_positions_(!names.positions.empty()),
        body_(Scope(*this, registry_).at(body_prefix(family_of(spec), spec.task)), spec_, names),
        head_(Scope(*this, registry_), spec_, names, body_.word_embeddings()) {}

  const ModelSpec& spec() const override { return spec_; }
  int depth() const override { return static_cast<int>(spec_.num_hidden_layers); }
  std::vector<Parameter>& parameters() override { return registry_.parameters; }
  const std::vector<Parameter>& parameters() const override { return registry_.parameters; }
  const std::vector<AdaptableLayer>& adaptable_layers() const override { return registry_.layers; }

  Context prepare(Input input, bool training) const override {
    const VirtualTokens* tokens = virtual_tokens().get();
    const nn::Layout& texts = input.past ? input.past->layout : input.layout;
    if (has_learnt_positions_) check_length(texts, spec_.max_tokens() - positions_to_come(tokens, input));
    Context context;
    context.dropout_on.assign(depth() + 2, training);
    take_in_virtual_tokens(tokens, spec_.vocab_size, input, context.virtual_rows);
    if (spec_.task == Task::sequence_classification) {
      // The reference does not know where padding is once it gets embeddings.
      context.summary = last_of_each(input, context.virtual_rows.embedded() ? kNoPadding : spec_.pad_token_id);
    }
    if (spec_.task == Task::causal_lm && !input.wanted.defined()) input.wanted = context.virtual_rows.given.index;
    if (input.keys) context.query_offsets = offsets_of(*input.keys, input.layout);
    if (context.virtual_rows.before_keys()) {
      for (std::int32_t& offset : context.query_offsets) offset += static_cast<std::int32_t>(tokens->count);
    }
    for (const nn::RotarySpec& rotary : spec_.decoder.rotary) {
      context.rotary.push_back(nn::rotary_table(rotary, input.positions, input.layout, text_lengths(input, context)));
    }
    context.input = std::move(input);
    return context;
  }

  State embed(const Context& context) const override {
    const PassScope pass(context, 0);
    const at::Tensor hidden = body_.embed(context);
    trace(0, hidden, context);
    return {.hidden = hidden, .memory = {}};
  }

  State block(int i, const State& state, const Context& context) const override {
    const PassScope pass(context, i + 1);
    // Above the last block only the head reads: what it does not read is not computed, unless someone looks on.
    const bool summary_only = i + 1 == depth() && head_.reads_summary_only() && !context.trace;
    const Rows all{.index = {}, .layout = context.input.layout};
    const at::Tensor hidden = body_.block(i, state.hidden, summary_only ? context.summary : all, context);
    if (i + 1 < depth()) trace(i + 1, hidden, context);
    return {.hidden = hidden, .memory = {}};
  }

  Output head(const State& state, const Context& context) const override {
    const PassScope pass(context, depth() + 1);
    // The reference's last hidden state is behind the norm, all rows of it.
    if (context.trace) trace(depth(), body_.final_norm(state.hidden), context);
    const at::Tensor x = body_.final_norm(head_.rows_read(state.hidden, context));
    Output output = head_(x, context);
    if (gives_rows(spec_.task)) output.logits = context.virtual_rows.given.of(output.logits);
    return output;
  }

 private:
  static void trace(int number, const at::Tensor& hidden, const Context& context) {
    if (context.trace) context.trace(concat("hidden.", number), context.virtual_rows.given.of(hidden));
  }

  static std::vector<std::int32_t> text_lengths(const Input& input, const Context& context) {
    if (!input.text_lengths.empty()) return input.text_lengths;
    const VirtualRows& virtual_rows = context.virtual_rows;
    const nn::Layout& texts = input.past                   ? input.past->layout
                              : virtual_rows.before_keys() ? virtual_rows.keys.layout
                                                           : input.layout;
    std::vector<std::int32_t> lengths;
    for (std::int64_t i = 0; i < texts.sequences(); ++i) lengths.push_back(texts.length(i));
    return lengths;
  }

  ModelSpec spec_;
  Registry registry_;
  bool has_learnt_positions_;
  DecoderBody body_;
  DecoderHead head_;
};

}  // namespace

std::unique_ptr<Model> make_decoder(const ModelSpec& spec, const DecoderNames& names) {
  return std::make_unique<DecoderModel>(spec, names);
}

}  // namespace attune::models
