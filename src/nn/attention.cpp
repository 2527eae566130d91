// See attention.h.
#include "attune/nn/attention.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <atomic>
#include <type_traits>

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

at::Tensor dense_heads(const at::Tensor& x) {
  return x.stride(2) == 1 || x.size(2) == 1 ? x : x.contiguous();
}

/// Queries, keys and values as the kernels read them, with a dense last dimension.
struct Readable {
  at::Tensor q, k, v;
};

/// As they are, if they are float32 or bfloat16; but queries and keys have one format, and the values no wider one.
Readable readable_heads(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const auto read = [](const at::Tensor& x, bool as_it_is) {
    return dense_heads(as_it_is ? fused::readable(x) : fused::at_least_float(x));
  };
  const bool same = q.scalar_type() == k.scalar_type() && fused::readable(v).scalar_type() == at::kBFloat16;
  return {read(q, same), read(k, same), read(v, true)};
}

/// body(K{}, V{}) for the kernels' names of the formats.
template <class Body>
void with_formats(const Readable& heads, const Body& body) {
  fused::with_format(heads.v, [&](auto of_values) {
    using V = decltype(of_values);
    if constexpr (std::is_same_v<V, float>) {
      body(float{}, V{});
    } else {
      fused::with_format(heads.q, [&](auto of_keys) { body(of_keys, V{}); });
    }
  });
}

template <class T>
kernels::Heads<const T> reading(const at::Tensor& x) {
  return {fused::data<T>(x), x.stride(0), x.stride(1)};
}
template <class T>
kernels::Heads<T> writing(const at::Tensor& x) {
  return {fused::mutable_data<T>(x), x.stride(0), x.stride(1)};
}

template <class K, class V>
kernels::Attention<K, V> call_of(const AttentionSettings& settings, const Readable& heads, const at::Tensor& log_sum) {
  kernels::Attention<K, V> call{};
  call.q = reading<K>(heads.q);
  call.k = reading<K>(heads.k);
  call.v = reading<V>(heads.v);
  call.log_sum = log_sum.mutable_data_ptr<float>();
  call.q_ends = settings.q_ends.data();
  call.kv_ends = settings.kv_ends.data();
  call.offsets = settings.offsets.data();
  call.drop = settings.keys.drop();
  call.scale = static_cast<float>(settings.scale);
  call.softcap = static_cast<float>(settings.softcap);
  call.causal = settings.causal;
  call.window = settings.window;
  call.q_tokens = heads.q.size(0);
  call.heads = heads.q.size(1);
  call.kv_heads = heads.k.size(1);
  call.size = heads.q.size(2);
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
template <class K, class V>
void for_each_task(const kernels::Attention<K, V>& call, std::int64_t sequences,
                   void (*kernel)(const kernels::Attention<K, V>&, std::int64_t, float*)) {
  const std::int64_t tasks = sequences * call.kv_heads;
  const std::int64_t scratch = kernels::table().attention<K, V>().attention_scratch(call);
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

AttentionOutputs attention_forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                   const AttentionSettings& settings) {
  const Readable heads = readable_heads(q, k, v);
  AttentionOutputs result{at::empty(q.sizes(), heads.v.options()),
                          at::empty({q.size(1), q.size(0)}, q.options().dtype(at::kFloat))};
  with_formats(heads, [&](auto of_keys, auto of_values) {
    using K = decltype(of_keys);
    using V = decltype(of_values);
    kernels::Attention<K, V> call = call_of<K, V>(settings, heads, result.log_sum);
    call.out = writing<V>(result.out);
    for_each_task(call, settings.sequences(), kernels::table().attention<K, V>().attention_forward);
  });
  zero_dead_rows(result.out, settings.q_ends.back());
  result.out = result.out.to(v.scalar_type());
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
    const Readable heads = readable_heads(saved[0], saved[1], saved[2]);
    const at::Tensor grad = dense_heads(gradients[0].to(heads.v.scalar_type()));
    torch::autograd::variable_list results;
    for (const at::Tensor* x : {&heads.q, &heads.k, &heads.v}) results.push_back(at::empty(x->sizes(), x->options()));
    with_formats(heads, [&](auto of_keys, auto of_values) {
      using K = decltype(of_keys);
      using V = decltype(of_values);
      kernels::Attention<K, V> call = call_of<K, V>(settings, heads, saved[3]);
      call.grad = reading<V>(grad);
      call.grad_q = writing<K>(results[0]);
      call.grad_k = writing<K>(results[1]);
      call.grad_v = writing<V>(results[2]);
      for_each_task(call, settings.sequences(), kernels::table().attention<K, V>().attention_backward);
    });
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
  return compute(queries, keys, values, q_layout, kv_layout, spec).to(v.scalar_type());
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
