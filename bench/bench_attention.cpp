// Attention by length, head size and format: our kernel beside ATen's fused one (flash on the CPU), on equal sequences of 2,048 tokens
// together, without a mask and without dropout, which is where ATen's is at its best. Prints the fastest of many runs in
// milliseconds, forward and forward + backward, and how many times as fast ours is.
//   cmake -DATTUNE_BUILD_BENCH=ON …; build/release/bench_attention [threads]
#include <ATen/Parallel.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "attune/nn/attention.h"
#include "timing.h"

namespace {

namespace nn = attune::nn;
using namespace timing;

constexpr std::int64_t kTokens = 2048;
constexpr std::int64_t kFeatures = 768;

void compare(std::int64_t length, std::int64_t size, at::ScalarType type, bool causal) {
  const std::int64_t heads = kFeatures / size, sequences = kTokens / length;
  Tensors inputs;
  for (int i = 0; i < 3; ++i) inputs.push_back(at::randn({kTokens, heads, size}).to(type).requires_grad_());
  const nn::Layout layout = nn::make_layout(std::vector<std::int32_t>(static_cast<std::size_t>(sequences), static_cast<std::int32_t>(length)));
  nn::AttentionSpec spec;
  spec.causal = causal;
  spec.scale = 1.0 / std::sqrt(static_cast<double>(size));
  const Times own = measure([&](const Tensors& t) { return nn::attention(t[0], t[1], t[2], layout, layout, spec); }, inputs);
  const auto batch = [&](const at::Tensor& x) { return x.view({sequences, length, heads, size}).transpose(1, 2); };
  const Times aten = measure([&](const Tensors& t) { return at::scaled_dot_product_attention(batch(t[0]), batch(t[1]), batch(t[2]), {}, 0.0, causal); }, inputs);
  std::printf("%6ld %4ld %5s %7s  ATen %8.2f %8.2f  own %8.2f %8.2f  %5.2fx %5.2fx\n", static_cast<long>(length), static_cast<long>(size),
              type == at::kFloat ? "fp32" : "bf16", causal ? "causal" : "", aten.forward, aten.both, own.forward, own.both, aten.forward / own.forward,
              aten.both / own.both);
}

}  // namespace

int main(int argc, char** argv) {
  at::set_num_threads(argc > 1 ? std::atoi(argv[1]) : 2);
  std::printf("length size format; ms of forward and forward + backward, %d threads\n", at::get_num_threads());
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    for (const bool causal : {false, true}) {
      for (const std::int64_t size : {32, 64, 128}) {
        for (const std::int64_t length : {16, 64, 256, 512, 1024, 2048}) compare(length, size, type, causal);
      }
    }
  }
}
