// The post-norm encoder as a Model: body and head under one module tree. See encoder.h.
#include <torch/nn/module.h>

#include <numeric>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "encoder.h"

namespace attune::models {

namespace {

class EncoderModel : public Model, public torch::nn::Module {
 public:
  EncoderModel(const ModelSpec& spec, const EncoderNames& names)
      : spec_(spec),
        body_(Scope(*this, parameters_).at(spec.task == Task::base ? "" : names.prefix), spec, names),
        head_(make_head(Scope(*this, parameters_), spec, names, body_.word_embeddings())) {}

  const ModelSpec& spec() const override { return spec_; }
  int depth() const override { return static_cast<int>(spec_.num_hidden_layers); }
  std::vector<Parameter>& parameters() override { return parameters_; }
  const std::vector<Parameter>& parameters() const override { return parameters_; }

  Context prepare(Input input, bool training) const override {
    check_length(input.layout);
    Context context;
    context.dropout_on.assign(depth() + 2, training);
    context.first = first_of_each(input.layout, input.ids.device());
    context.input = std::move(input);
    return context;
  }

  State embed(const Context& context) const override {
    return traced(0, {.hidden = body_.embed(context), .memory = {}}, context);
  }

  State block(int i, const State& state, const Context& context) const override {
    // Above the last block only the head reads: what it does not read is not computed, unless someone looks on.
    const bool first_only = i + 1 == depth() && head_->reads_first_only() && !context.trace;
    const Rows all{.index = {}, .layout = context.input.layout};
    const Rows& queries = first_only ? context.first : all;
    return traced(i + 1, {.hidden = body_.block(i, state.hidden, queries, context), .memory = {}}, context);
  }

  Output head(const State& state, const Context& context) const override { return (*head_)(state, context); }

 private:
  static State traced(int stage, State state, const Context& context) {
    if (context.trace) context.trace(concat("hidden.", stage), state.hidden);
    return state;
  }

  static Rows first_of_each(const nn::Layout& layout, const at::Device& device) {
    const std::vector<std::int64_t> first(layout.cu_seqlens.begin(), layout.cu_seqlens.end() - 1);
    Rows rows{.index = at::tensor(first, at::kLong).to(device),
              .layout = nn::make_layout(std::vector<std::int32_t>(first.size(), 1))};
    if (layout.cu_seqlens_device.defined()) {
      rows.layout.cu_seqlens_device = at::arange(layout.sequences() + 1, layout.cu_seqlens_device.options());
    }
    return rows;
  }

  void check_length(const nn::Layout& layout) const {
    if (layout.longest <= spec_.max_position_embeddings) return;
    throw Error(ErrorKind::data, {.file = {},
                                  .what = concat("a sequence has ", layout.longest, " tokens, the model takes at most ",
                                                 spec_.max_position_embeddings),
                                  .where = {},
                                  .hint = concat("set data.max_length to at most ", spec_.max_position_embeddings)});
  }

  ModelSpec spec_;
  std::vector<Parameter> parameters_;
  EncoderBody body_;
  std::unique_ptr<EncoderHead> head_;
};

}  // namespace

std::unique_ptr<Model> make_encoder(const ModelSpec& spec, const EncoderNames& names) {
  return std::make_unique<EncoderModel>(spec, names);
}

}  // namespace attune::models
