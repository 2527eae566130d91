// See attention.h.
#include "attune/nn/attention.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <atomic>

#include "attention_cuda.h"
#include "attention_padded.h"
#include "attune/base/error.h"
#include "attune/nn/precision.h"
#include "attune/tensor/device.h"
#include "fused.h"

namespace attune::nn {

namespace {

std::vector<std::int32_t> query_offsets(const Layout& q, const Layout& kv, const AttentionSpec& spec) {
  if (!spec.offsets.empty()) return spec.offsets;
  std::vector<std::int32_t> offsets;
  for (std::int64_t i = 0; i < q.sequences(); ++i) offsets.push_back(kv.length(i) - q.length(i));
  return offsets;
}

/// What a call is about besides its tensors; kept for backward.
struct AttentionSettings : torch::CustomClassHolder {
  AttentionSettings(const Layout& q, const Layout& kv, const AttentionSpec& spec)
      : q_ends(q.cu_seqlens),
        kv_ends(kv.cu_seqlens),
        offsets(query_offsets(q, kv, spec)),
        longest_kv(kv.longest),
        window(spec.window),
        pages(kv.pages),
        scale(spec.scale),
        softcap(spec.softcap),
        causal(spec.causal),
        keys(spec.dropout) {}
  std::int64_t sequences() const { return static_cast<std::int64_t>(q_ends.size()) - 1; }

  std::vector<std::int32_t> q_ends, kv_ends, offsets;
  std::int64_t longest_kv, window;
  std::shared_ptr<const Pages> pages;
  double scale, softcap;
  bool causal;
  fused::SiteKeys keys;
};

/// The tensor itself when it is what the kernels read, float32 with a dense last dimension, else a copy.
at::Tensor readable_heads(const at::Tensor& given) {
  const at::Tensor x = fused::at_least_float(given);
  return x.stride(2) == 1 || x.size(2) == 1 ? x : x.contiguous();
}

kernels::Heads<const float> reading(const at::Tensor& x) {
  return {x.const_data_ptr<float>(), x.stride(0), x.stride(1)};
}
kernels::Heads<float> writing(const at::Tensor& x) {
  return {x.mutable_data_ptr<float>(), x.stride(0), x.stride(1)};
}

kernels::Attention<float> call_of(const AttentionSettings& settings, const at::Tensor& q, const at::Tensor& k,
                                  const at::Tensor& v, const at::Tensor& log_sum) {
  kernels::Attention<float> call{};
  call.q = reading(q);
  call.k = reading(k);
  call.v = reading(v);
  call.log_sum = log_sum.mutable_data_ptr<float>();
  call.q_ends = settings.q_ends.data();
  call.kv_ends = settings.kv_ends.data();
  call.offsets = settings.offsets.data();
  call.drop = settings.keys.drop();
  call.scale = static_cast<float>(settings.scale);
  call.softcap = static_cast<float>(settings.softcap);
  call.causal = settings.causal;
  call.window = settings.window;
  call.q_tokens = q.size(0);
  call.heads = q.size(1);
  call.kv_heads = k.size(1);
  call.size = q.size(2);
  call.longest_kv = settings.longest_kv;
  if (settings.pages != nullptr) {
    call.pages = settings.pages->numbers.data();
    call.page_ends = settings.pages->ends.data();
    call.page_size = settings.pages->size;
  }
  return call;
}

/// Multiplications that take less time than waking a thread: those of one new token behind a text of medium length.
constexpr std::int64_t kWorthThreads = std::int64_t{1} << 19;

/// Runs `kernel` for every (sequence, key head). Threads take the next task when they are free, since lengths differ; a
/// task's result does not depend on who does it.
void for_each_task(const kernels::Attention<float>& call, std::int64_t sequences,
                   void (*kernel)(const kernels::Attention<float>&, std::int64_t, float*)) {
  const std::int64_t tasks = sequences * call.kv_heads;
  const std::int64_t scratch = kernels::table().attention_scratch(call);
  const std::int64_t work = call.q_tokens * call.longest_kv * call.heads * call.size;
  const std::int64_t threads = work < kWorthThreads ? 1 : std::min<std::int64_t>(at::get_num_threads(), tasks);
  const at::Tensor memory = at::empty({threads, (scratch + 15) / 16 * 16}, at::kFloat);
  std::atomic<std::int64_t> next{0};
  at::parallel_for(0, threads, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t thread = begin; thread < end; ++thread) {
      float* own = memory.mutable_data_ptr<float>() + thread * memory.size(1);
      for (std::int64_t task = next++; task < tasks; task = next++) kernel(call, task, own);
    }
  });
}

void zero_dead_rows(const at::Tensor& x, std::int64_t live) {
  if (live < x.size(0)) x.narrow(0, live, x.size(0) - live).zero_();
}

struct AttentionOutputs {
  at::Tensor out, log_sum;
};

AttentionOutputs attention_forward(const at::Tensor& given_q, const at::Tensor& given_k, const at::Tensor& given_v,
                                   const AttentionSettings& settings) {
  const at::Tensor q = readable_heads(given_q), k = readable_heads(given_k), v = readable_heads(given_v);
  AttentionOutputs result{at::empty(q.sizes(), q.options()), at::empty({q.size(1), q.size(0)}, q.options())};
  kernels::Attention<float> call = call_of(settings, q, k, v, result.log_sum);
  call.out = writing(result.out);
  for_each_task(call, settings.sequences(), kernels::table().attention_forward);
  zero_dead_rows(result.out, settings.q_ends.back());
  result.out = result.out.to(given_q.scalar_type());
  return result;
}

class AttentionFunction : public torch::autograd::Function<AttentionFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, const c10::intrusive_ptr<AttentionSettings>& settings) {
    const AttentionOutputs result = attention_forward(q, k, v, *settings);
    context->save_for_backward({q, k, v, result.log_sum});
    context->saved_data["settings"] = c10::IValue::make_capsule(settings);
    return result.out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto capsule = context->saved_data["settings"].toCapsule();
    const auto& settings = static_cast<const AttentionSettings&>(*capsule);
    const at::Tensor q = readable_heads(saved[0]), k = readable_heads(saved[1]), v = readable_heads(saved[2]);
    const at::Tensor grad = readable_heads(gradients[0]);
    kernels::Attention<float> call = call_of(settings, q, k, v, saved[3]);
    call.grad = reading(grad);
    torch::autograd::variable_list results;
    for (const at::Tensor* x : {&q, &k, &v}) results.push_back(at::empty(x->sizes(), x->options()));
    call.grad_q = writing(results[0]);
    call.grad_k = writing(results[1]);
    call.grad_v = writing(results[2]);
    for_each_task(call, settings.sequences(), kernels::table().attention_backward);
    zero_dead_rows(results[0], settings.q_ends.back());
    zero_dead_rows(results[1], settings.kv_ends.back());
    zero_dead_rows(results[2], settings.kv_ends.back());
    results.emplace_back();
    return results;
  }
};

void check(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Layout& q_layout,
           const Layout& kv_layout, const AttentionSpec& spec) {
  const bool shapes = q.dim() == 3 && k.dim() == 3 && v.sizes() == k.sizes() && q.size(1) % k.size(1) == 0 &&
                      q.size(2) == k.size(2) && q.size(0) >= q_layout.cu_seqlens.back() &&
                      (kv_layout.pages != nullptr || k.size(0) >= kv_layout.cu_seqlens.back()) &&
                      q_layout.sequences() == kv_layout.sequences();
  if (!shapes) internal_error("attention: q, k, v [T, heads, d] and layouts of the same sequences are needed");
  const std::vector<std::int32_t> offsets = query_offsets(q_layout, kv_layout, spec);
  for (std::int64_t i = 0; i < q_layout.sequences(); ++i) {
    const std::int64_t queries = q_layout.length(i);
    if (queries == 0) continue;
    const std::int64_t keys = kv_layout.length(i);
    const std::int64_t first = spec.causal ? offsets[i] : spec.window > 0 ? offsets[i] + spec.window - 1 : 0;
    const std::int64_t last = spec.window > 0 ? offsets[i] + queries - spec.window : 0;
    if (keys == 0 || first < 0 || last >= keys) internal_error("attention: every query needs a key");
  }
  if (spec.dropout && spec.dropout.token_keys.size(0) < q_layout.cu_seqlens.back()) {
    internal_error("attention: one token key a query row is needed");
  }
}

/// As other devices compute it: from a pool the rows are taken first.
at::Tensor without_kernels(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Layout& q_layout,
                           const Layout& kv_layout, const AttentionSpec& spec) {
  if (kv_layout.pages != nullptr) {
    const at::Tensor rows =
        kv_layout.on_device ? kv_layout.on_device->pool_rows : tensor::on_device(pool_rows(kv_layout), k.device());
    const auto taken = [&](const at::Tensor& pool) { return pool.index_select(0, rows).to(q.scalar_type()); };
    Layout stream = kv_layout;
    stream.pages = nullptr;
    return without_kernels(q, taken(k), taken(v), q_layout, stream, spec);
  }
  // A norm or a rotation on the way may have left queries and keys in float32.
  const at::ScalarType type = current_precision() == Precision::bfloat16 ? at::kBFloat16 : q.scalar_type();
  const at::Tensor queries = q.to(type), keys = k.to(type), values = v.to(type);
  const auto compute = ragged_possible(queries, keys, values, q_layout, kv_layout, spec) ? attention_ragged : attention_padded;
  return compute(queries, keys, values, q_layout, kv_layout, spec).to(q.scalar_type());
}

}  // namespace

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Layout& q_layout,
                     const Layout& kv_layout, const AttentionSpec& spec) {
  check(q, k, v, q_layout, kv_layout, spec);
  if (!fused::possible({q, k, v})) return without_kernels(q, k, v, q_layout, kv_layout, spec);
  const auto settings = c10::make_intrusive<AttentionSettings>(q_layout, kv_layout, spec);
  const bool recording = fused::recording({q, k, v});
  if (recording && kv_layout.pages != nullptr) internal_error("attention: a pool of keys is not for training");
  if (!recording) return attention_forward(q, k, v, *settings).out;
  return AttentionFunction::apply(q, k, v, settings);
}

}  // namespace attune::nn
