// See attention_cuda.h. The operators are in every LibTorch, their kernels only in its CUDA part.
#include "attention_cuda.h"

#include <ATen/Context.h>
#include <ATen/ops/_efficient_attention_backward.h>
#include <ATen/ops/_efficient_attention_forward.h>
#include <ATen/ops/_flash_attention_backward.h>
#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/_fused_sdp_choice.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <array>
#include <optional>

#include "fused.h"

namespace attune::nn {

namespace {

/// Of at::_fused_sdp_choice, as torch.nn.attention.SDPBackend numbers them.
constexpr std::int64_t kFlash = 1;
/// Of at::_efficient_attention_forward: the last query sees all keys.
constexpr std::int64_t kNoMask = 0, kCausalFromBottomRight = 2;

bool is_half(const at::Tensor& x) {
  return x.scalar_type() == at::kHalf || x.scalar_type() == at::kBFloat16;
}

/// FlashAttention needs an Ampere GPU or a newer one; LibTorch knows, and says so for a call that it could compute itself.
bool has_flash(const at::Device& device) {
  constexpr std::size_t kMostDevices = 64;
  static std::array<std::optional<bool>, kMostDevices> known;
  const auto index = static_cast<std::size_t>(device.index());
  if (index >= kMostDevices) return false;
  if (!known[index]) {
    const at::Tensor x = at::zeros({1, 1, 8, 8}, at::TensorOptions().dtype(at::kBFloat16).device(device));
    at::Context& context = at::globalContext();
    const bool prefers_cudnn = context.userEnabledCuDNNSDP();  // it would be chosen before FlashAttention on newer GPUs
    context.setSDPUseCuDNN(false);
    known[index] = at::_fused_sdp_choice(x, x, x) == kFlash;
    context.setSDPUseCuDNN(prefers_cudnn);
  }
  return *known[index];
}

/// What a call is about besides its tensors; kept for backward.
struct RaggedSettings : torch::CustomClassHolder {
  RaggedSettings(const Layout& q, const Layout& kv, const AttentionSpec& spec)
      : q_ends(q.on_device->cu_seqlens),
        kv_ends(kv.on_device->cu_seqlens),
        q_live(q.live()),
        kv_live(kv.live()),
        longest_q(q.longest),
        longest_kv(kv.longest),
        causal(spec.causal),
        scale(spec.scale) {
    if (spec.window == 0) return;
    left = spec.window - 1;
    right = spec.causal ? 0 : spec.window - 1;
  }

  at::Tensor q_ends, kv_ends;
  std::int64_t q_live, kv_live, longest_q, longest_kv;
  bool causal;
  std::optional<double> scale;
  std::optional<std::int64_t> left, right;  ///< keys that a query sees before and behind it; empty = all
};

/// What backward needs of forward; the last two are the state of a random generator that is not used.
struct RaggedOutputs {
  at::Tensor out, log_sum, random, offset;
};

RaggedOutputs flash_forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const RaggedSettings& s) {
  auto [out, log_sum, random, offset, mask] = at::_flash_attention_forward(
      q, k, v, std::optional(s.q_ends), std::optional(s.kv_ends), s.longest_q, s.longest_kv, /*dropout_p=*/0.0, s.causal,
      /*return_debug_mask=*/false, s.scale, s.left, s.right);
  return {out, log_sum, random, offset};
}

RaggedOutputs efficient_forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const RaggedSettings& s) {
  auto [out, log_sum, random, offset, longest_q, longest_kv] = at::_efficient_attention_forward(
      q.unsqueeze(0), k.unsqueeze(0), v.unsqueeze(0), /*bias=*/std::optional<at::Tensor>(), std::optional(s.q_ends),
      std::optional(s.kv_ends), std::optional(s.longest_q), std::optional(s.longest_kv), /*dropout_p=*/0.0,
      s.causal ? kCausalFromBottomRight : kNoMask, /*compute_log_sumexp=*/true, s.scale);
  return {out.squeeze(0), log_sum, random, offset};
}

/// Without it FlashAttention's backward adds up in the order in which blocks happen to end.
class DeterministicScope {
 public:
  DeterministicScope()
      : on_(at::globalContext().deterministicAlgorithms()),
        warns_(at::globalContext().deterministicAlgorithmsWarnOnly()) {
    at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
  }
  ~DeterministicScope() { at::globalContext().setDeterministicAlgorithms(on_, warns_); }
  DeterministicScope(const DeterministicScope&) = delete;
  DeterministicScope& operator=(const DeterministicScope&) = delete;

 private:
  bool on_, warns_;
};

std::array<at::Tensor, 3> flash_backward(const at::Tensor& grad, const at::Tensor& q, const at::Tensor& k,
                                         const at::Tensor& v, const RaggedOutputs& made, const RaggedSettings& s) {
  const DeterministicScope deterministic;
  auto [grad_q, grad_k, grad_v] = at::_flash_attention_backward(
      grad, q, k, v, made.out, made.log_sum, s.q_ends, s.kv_ends, s.longest_q, s.longest_kv, /*dropout_p=*/0.0, s.causal,
      made.random, made.offset, s.scale, s.left, s.right);
  return {grad_q, grad_k, grad_v};
}

std::array<at::Tensor, 3> efficient_backward(const at::Tensor& grad, const at::Tensor& q, const at::Tensor& k,
                                             const at::Tensor& v, const RaggedOutputs& made, const RaggedSettings& s) {
  const std::int64_t splits = 1;  // several would add up in the order in which they happen to end
  auto [grad_q, grad_k, grad_v, grad_bias] = at::_efficient_attention_backward(
      grad.unsqueeze(0), q.unsqueeze(0), k.unsqueeze(0), v.unsqueeze(0), /*bias=*/std::optional<at::Tensor>(),
      made.out.unsqueeze(0), std::optional(s.q_ends), std::optional(s.kv_ends), s.longest_q, s.longest_kv, made.log_sum,
      /*dropout_p=*/0.0, made.random, made.offset, s.causal ? kCausalFromBottomRight : kNoMask,
      /*bias_requires_grad=*/false, s.scale, std::optional(splits));
  return {grad_q.squeeze(0), grad_k.squeeze(0), grad_v.squeeze(0)};
}

at::Tensor live_rows(const at::Tensor& x, std::int64_t live) {
  const at::Tensor rows = x.size(0) == live ? x : x.narrow(0, 0, live);
  return rows.stride(-1) == 1 ? rows : rows.contiguous();
}

RaggedOutputs ragged_forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const RaggedSettings& settings) {
  const auto compute = is_half(q) ? flash_forward : efficient_forward;
  return compute(live_rows(q, settings.q_live), live_rows(k, settings.kv_live), live_rows(v, settings.kv_live), settings);
}

class RaggedFunction : public torch::autograd::Function<RaggedFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, const c10::intrusive_ptr<RaggedSettings>& settings) {
    const RaggedOutputs made = ragged_forward(q, k, v, *settings);
    context->save_for_backward({q, k, v, made.out, made.log_sum, made.random, made.offset});
    context->saved_data["settings"] = c10::IValue::make_capsule(settings);
    return fused::with_dead_rows(made.out, q.size(0));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto capsule = context->saved_data["settings"].toCapsule();
    const auto& settings = static_cast<const RaggedSettings&>(*capsule);
    const at::Tensor q = live_rows(saved[0], settings.q_live), k = live_rows(saved[1], settings.kv_live),
                     v = live_rows(saved[2], settings.kv_live);
    const at::Tensor grad = live_rows(gradients[0], settings.q_live).contiguous();
    const auto compute = is_half(q) ? flash_backward : efficient_backward;
    const auto of = compute(grad, q, k, v, {saved[3], saved[4], saved[5], saved[6]}, settings);
    torch::autograd::variable_list results;
    for (std::size_t i = 0; i < of.size(); ++i) results.push_back(fused::with_dead_rows(of[i], saved[i].size(0)));
    results.emplace_back();
    return results;
  }
};

}  // namespace

bool ragged_possible(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Layout& q_layout,
                     const Layout& kv_layout, const AttentionSpec& spec) {
  const bool asked = q.is_cuda() && q_layout.on_device && kv_layout.on_device && !spec.dropout && spec.softcap == 0.0 &&
                     spec.offsets.empty() && q.scalar_type() == k.scalar_type() && q.scalar_type() == v.scalar_type();
  if (!asked) return false;
  const std::int64_t size = q.size(2);
  if (is_half(q)) return size % 8 == 0 && size <= 256 && has_flash(q.device());
  return q.scalar_type() == at::kFloat && size % 4 == 0 && spec.window == 0;
}

at::Tensor attention_ragged(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Layout& q_layout,
                            const Layout& kv_layout, const AttentionSpec& spec) {
  const auto settings = c10::make_intrusive<RaggedSettings>(q_layout, kv_layout, spec);
  // FlashAttention knows key heads that several query heads read, the other kernel does not.
  const std::int64_t readers = is_half(q) ? 1 : q.size(1) / k.size(1);
  const auto shared = [&](const at::Tensor& x) { return readers == 1 ? x : x.repeat_interleave(readers, 1); };
  const at::Tensor keys = shared(k), values = shared(v);
  if (fused::recording({q, keys, values})) return RaggedFunction::apply(q, keys, values, settings);
  return fused::with_dead_rows(ragged_forward(q, keys, values, *settings).out, q.size(0));
}

}  // namespace attune::nn
