// The post-norm encoder as a Model: body and head under one module tree. See encoder.h.
#include <ATen/TensorOperators.h>
#include <torch/nn/module.h>

#include "attune/base/strings.h"
#include "encoder.h"
#include "pass.h"
#include "stream.h"
#include "virtual_stream.h"

namespace attune::models {

namespace {

class EncoderModel : public Model, public torch::nn::Module {
 public:
  EncoderModel(const ModelSpec& spec, const EncoderNames& names)
      : spec_(spec),
        body_(Scope(*this, registry_).at(spec.task == Task::base ? "" : names.prefix), spec, names),
        head_(make_head(Scope(*this, registry_), spec, names, body_.word_embeddings())) {}

  const ModelSpec& spec() const override { return spec_; }
  int depth() const override { return static_cast<int>(spec_.num_hidden_layers); }
  std::vector<Parameter>& parameters() override { return registry_.parameters; }
  const std::vector<Parameter>& parameters() const override { return registry_.parameters; }
  const std::vector<AdaptableLayer>& adaptable_layers() const override { return registry_.layers; }

  Context prepare(Input input, bool training) const override {
    const VirtualTokens* tokens = virtual_tokens().get();
    const std::int64_t to_come = positions_to_come(tokens, input);
    check_length(input.layout, spec_.max_tokens() - to_come);
    Context context;
    context.dropout_on.assign(depth() + 2, training);
    take_in_virtual_tokens(tokens, spec_.vocab_size, input, context.virtual_rows);
    if (spec_.first_position > 0) {
      // The reference does not know where padding is once it gets embeddings.
      input.positions = context.virtual_rows.embedded()
                            ? input.positions + spec_.first_position
                            : positions_behind_padding(input, spec_.first_position - 1, to_come);
    }
    if (models_language(spec_.task) && !input.wanted.defined()) input.wanted = context.virtual_rows.given.index;
    context.summary = first_of_each(input);
    context.input = std::move(input);
    return context;
  }

  State embed(const Context& context) const override {
    const PassScope pass(context, 0);
    return traced(0, {.hidden = body_.embed(context), .memory = {}}, context);
  }

  State block(int i, const State& state, const Context& context) const override {
    const PassScope pass(context, i + 1);
    // Above the last block only the head reads: what it does not read is not computed, unless someone looks on.
    const bool first_only = i + 1 == depth() && head_->reads_first_only() && !context.trace;
    const Rows all{.index = {}, .layout = context.input.layout};
    const Rows& queries = first_only ? context.summary : all;
    return traced(i + 1, {.hidden = body_.block(i, state.hidden, queries, context), .memory = {}}, context);
  }

  Output head(const State& state, const Context& context) const override {
    const PassScope pass(context, depth() + 1);
    Output output = (*head_)(state, context);
    if (gives_rows(spec_.task)) output.logits = context.virtual_rows.given.of(output.logits);
    return output;
  }

 private:
  static State traced(int stage, State state, const Context& context) {
    if (context.trace) context.trace(concat("hidden.", stage), context.virtual_rows.given.of(state.hidden));
    return state;
  }

  ModelSpec spec_;
  Registry registry_;
  EncoderBody body_;
  std::unique_ptr<EncoderHead> head_;
};

}  // namespace

std::unique_ptr<Model> make_encoder(const ModelSpec& spec, const EncoderNames& names) {
  return std::make_unique<EncoderModel>(spec, names);
}

}  // namespace attune::models
