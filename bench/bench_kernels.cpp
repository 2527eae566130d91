// Times every fused kernel against the same thing in ATen operators (with ATen's own dropout), at the sizes of a MiniLM
// step: 640 tokens, hidden 384, 12 heads × 32, inner size 1536. Prints the fastest of many runs in
// milliseconds: on a shared machine medians measure the neighbours.
//   cmake -DATTUNE_BUILD_BENCH=ON …; build/release/bench_kernels [threads] [tokens per sequence]
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randn_like.h>
#include <ATen/ops/rms_norm.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "../src/nn/kernels/kernels.h"
#include "attune/nn/activation.h"
#include "attune/nn/attention.h"
#include "attune/nn/dropout.h"
#include "attune/nn/linear.h"
#include "attune/nn/norm.h"
#include "attune/nn/plain.h"
#include "attune/nn/rotary.h"
#include "timing.h"

namespace {

namespace nn = attune::nn;
using namespace timing;

constexpr std::int64_t kHidden = 384;
constexpr std::int64_t kHeads = 12;
constexpr std::int64_t kInner = 1536;
constexpr double kDropout = 0.1;

void compare(const std::string& name, const Function& ours, const Function& theirs, const Tensors& inputs) {
  const Times aten = measure(theirs, inputs);
  std::printf("%-34s ATen %7.3f %7.3f", name.c_str(), aten.forward, aten.both);
  for (const nn::kernels::Table* table : nn::kernels::tables()) {
    nn::kernels::use(*table);
    const Times own = measure(ours, inputs);
    std::printf(" | %s %6.3f %6.3f (%4.1fx %4.1fx)", table->name, own.forward, own.both, aten.forward / own.forward,
                aten.both / own.both);
  }
  nn::kernels::use(*nn::kernels::tables().front());
  std::printf("\n");
}

at::Tensor leaf(at::IntArrayRef sizes) {
  return at::randn(sizes).requires_grad_();
}

std::vector<std::int32_t> ragged_lengths(std::int32_t fixed) {
  if (fixed > 0) return std::vector<std::int32_t>(static_cast<std::size_t>(std::max(1, 640 / fixed)), fixed);
  return {8,  9,  10, 10, 11, 11, 12, 12, 12, 13, 13, 14, 14, 14, 15, 15,
          16, 16, 17, 17, 18, 19, 20, 21, 22, 24, 26, 28, 31, 36, 48, 68};  // Σ 620, as banking77 has it
}

/// Padded batch with a mask, as reference implementations do it.
at::Tensor padded_attention(const Tensors& qkv, const at::Tensor& mask, const at::Tensor& rows, double p) {
  const std::int64_t sequences = mask.size(0);
  const auto batch = [&](const at::Tensor& x) {
    return x.index_select(0, rows).view({sequences, -1, kHeads, kHidden / kHeads}).transpose(1, 2);
  };
  return at::scaled_dot_product_attention(batch(qkv[0]), batch(qkv[1]), batch(qkv[2]), mask.view({sequences, 1, 1, -1}),
                                          p, false);
}

void bench_attention(const nn::DropoutKeys& keys, const std::vector<std::int32_t>& lengths) {
  const nn::Layout layout = nn::make_layout(lengths);
  Tensors qkv;
  for (int i = 0; i < 3; ++i) qkv.push_back(leaf({layout.total, kHeads, kHidden / kHeads}));
  const at::Tensor mask = at::zeros({layout.sequences(), layout.longest}, at::kBool);
  at::Tensor rows = at::zeros({layout.sequences() * layout.longest}, at::kLong);
  for (std::int64_t i = 0; i < layout.sequences(); ++i) {
    mask.select(0, i).narrow(0, 0, layout.length(i)).fill_(true);
    rows.narrow(0, i * layout.longest, layout.length(i))
        .copy_(at::arange(layout.cu_seqlens[i], layout.cu_seqlens[i + 1], at::kLong));
  }
  for (const double p : {kDropout, 0.0}) {
    nn::AttentionSpec spec;
    spec.scale = 1.0 / std::sqrt(static_cast<double>(kHidden / kHeads));
    spec.dropout = keys.site(1, p);
    if (spec.dropout) spec.dropout.token_keys = at::arange(layout.total, at::kLong);
    compare(
        p > 0 ? "attention, dropout" : "attention",
        [&](const Tensors& t) { return nn::attention(t[0], t[1], t[2], layout, layout, spec); },
        [&](const Tensors& t) { return padded_attention(t, mask, rows, p); }, qkv);
  }
}

void bench_rows(const nn::DropoutKeys& keys, std::int64_t tokens) {
  const nn::DropoutSite site = keys.site(2, kDropout);
  const Tensors norm{leaf({tokens, kHidden}), leaf({kHidden}), leaf({tokens, kHidden}), leaf({kHidden}),
                     leaf({kHidden})};
  for (const double p : {kDropout, 0.0}) {
    compare(
        p > 0 ? "bias, dropout, residual, LayerNorm" : "bias, residual, LayerNorm",
        [&](const Tensors& t) {
          return nn::bias_dropout_residual_layer_norm(t[0], t[1], t[2], p > 0 ? site : nn::DropoutSite(), t[3], t[4],
                                                      1e-12);
        },
        [&](const Tensors& t) {
          return at::layer_norm(at::dropout(t[0] + t[1], p, p > 0) + t[2], {kHidden}, t[3], t[4], 1e-12);
        },
        norm);
  }
  compare(
      "LayerNorm", [](const Tensors& t) { return nn::layer_norm(t[0], t[1], t[2], 1e-12); },
      [](const Tensors& t) { return at::layer_norm(t[0], {kHidden}, t[1], t[2], 1e-12); }, {norm[0], norm[3], norm[4]});
  compare(
      "dropout", [&](const Tensors& t) { return nn::dropout(t[0], site); },
      [](const Tensors& t) { return at::dropout(t[0], kDropout, true); }, {norm[0]});
  const Tensors gate{leaf({tokens, kInner}), leaf({kInner})};
  for (const auto& [name, form, activation] : {std::tuple{"bias, GELU", "none", nn::Activation::gelu},
                                               {"bias, GELU (tanh form)", "tanh", nn::Activation::gelu_tanh}}) {
    compare(
        name, [&](const Tensors& t) { return nn::bias_activate(t[0], t[1], activation); },
        [&](const Tensors& t) { return at::gelu(t[0] + t[1], form); }, gate);
  }
}

/// What Llama-like decoders add, 9 query heads of 64 that share 3 key heads, as SmolLM has them.
void bench_decoder(std::int64_t tokens) {
  constexpr std::int64_t kQueryHeads = 9, kKeyHeads = 3, kSize = 64;
  compare(
      "RMSNorm", [](const Tensors& t) { return nn::rms_norm(t[0], t[1], 1e-6); },
      [](const Tensors& t) { return at::rms_norm(t[0], {kHidden}, t[1], 1e-6); },
      {leaf({tokens, kHidden}), leaf({kHidden})});
  compare(
      "SwiGLU", [](const Tensors& t) { return nn::gated(t[0], t[1], nn::Activation::silu); },
      [](const Tensors& t) { return at::silu(t[0]) * t[1]; }, {leaf({tokens, kInner}), leaf({tokens, kInner})});
  nn::RotarySpec rotary;
  rotary.size = kSize;
  const nn::Layout layout = nn::make_layout({static_cast<std::int32_t>(tokens)});
  const nn::RotaryTable table = nn::rotary_table(rotary, at::arange(tokens), layout, {});
  compare(
      "rotary positions", [&](const Tensors& t) { return nn::rotate(t[0], table); },
      [&](const Tensors& t) { return nn::plain::rotate(t[0], table); }, {leaf({tokens, kQueryHeads, kSize})});
  nn::AttentionSpec spec;
  spec.causal = true;
  spec.scale = 1.0 / std::sqrt(static_cast<double>(kSize));
  const auto batch = [](const at::Tensor& x) { return x.transpose(0, 1).unsqueeze(0); };
  compare(
      "causal attention of one sequence",
      [&](const Tensors& t) { return nn::attention(t[0], t[1], t[2], layout, layout, spec); },
      [&](const Tensors& t) {
        return at::scaled_dot_product_attention(batch(t[0]), batch(t[1]), batch(t[2]), {}, 0.0, /*is_causal=*/true, {},
                                                /*enable_gqa=*/true);
      },
      {leaf({tokens, kQueryHeads, kSize}), leaf({tokens, kKeyHeads, kSize}), leaf({tokens, kKeyHeads, kSize})});
}

void bench_matrices(std::int64_t tokens) {
  for (const auto& [in, out] : {std::pair{kHidden, kHidden}, {kHidden, kInner}, {kInner, kHidden}}) {
    compare(
        "linear " + std::to_string(in) + " -> " + std::to_string(out),
        [](const Tensors& t) { return nn::linear(t[0], t[1], t[2]); },
        [](const Tensors& t) { return at::linear(t[0], t[1], t[2]); },
        {leaf({tokens, in}), leaf({out, in}), leaf({out})});
  }
  const at::Tensor ids = at::randint(30522, {tokens}, at::kLong);
  compare(
      "embedding 30522 x 384", [&](const Tensors& t) { return nn::embedding(ids, t[0]); },
      [&](const Tensors& t) { return at::embedding(t[0], ids); }, {leaf({30522, kHidden})});
}

}  // namespace

int main(int argc, char** argv) {
  at::set_num_threads(argc > 1 ? std::atoi(argv[1]) : 2);
  const std::vector<std::int32_t> lengths = ragged_lengths(argc > 2 ? std::atoi(argv[2]) : 0);
  const std::int64_t tokens = 640;
  const nn::DropoutKeys keys{.step_key = 1, .token_keys = at::arange(tokens, at::kLong)};
  std::printf("%d threads, %zu sequences; forward and forward + backward, ms\n", at::get_num_threads(), lengths.size());
  bench_attention(keys, lengths);
  if (argc > 2) return 0;
  bench_rows(keys, tokens);
  bench_decoder(tokens);
  bench_matrices(tokens);
  return 0;
}
