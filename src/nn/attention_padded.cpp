// See attention_padded.h.
#include "attention_padded.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_softmax.h>
#include <ATen/ops/_softmax_backward_data.h>
#include <ATen/ops/add.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tanh_backward.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "attune/base/strings.h"
#include "attune/tensor/device.h"
#include "dropout_mask.h"
#include "fused.h"

namespace attune::nn {

namespace {

/// Where the live rows of a stream stand among sequences of one length.
struct Places {
  std::int64_t sequences, longest, live;
  at::Tensor lengths;  ///< int64 [sequences]
  at::Tensor flat;     ///< int64 [live]: sequence · longest + position in the sequence
  at::Tensor stream;   ///< int64 [sequences · longest]: the row that stands there; 0 where there is none

  /// All sequences are as long as the longest: the stream needs no padding.
  bool even() const { return sequences * longest == live; }
};

Places places_of(const Layout& given, const at::Device& device) {
  const bool is_there = given.on_device != nullptr || device.is_cpu();
  const Layout layout = is_there ? given : to_device(given, device);
  Places places{.sequences = layout.sequences(), .longest = layout.longest, .live = layout.live(), .lengths = {}, .flat = {}, .stream = {}};
  if (layout.on_device) {
    places.lengths = layout.on_device->lengths;
    places.flat = layout.on_device->padded_rows;
    places.stream = layout.on_device->stream_rows;
  } else {
    places.lengths = lengths(layout);
    places.flat = padded_rows(layout);
    places.stream = stream_rows(layout);
  }
  return places;
}

/// Rows [T, …] → [sequences, longest, …], zeros between.
at::Tensor padded(const at::Tensor& x, const Places& places) {
  const std::vector<std::int64_t> outer{places.sequences, places.longest};
  const at::Tensor live = x.narrow(0, 0, places.live);
  if (places.even()) return live.unflatten(0, outer);
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape[0] = places.sequences * places.longest;
  return x.new_zeros(shape).index_copy_(0, places.flat, live).unflatten(0, outer);
}

/// The way back; dead rows become zeros.
at::Tensor packed(const at::Tensor& x, const Places& places, std::int64_t total) {
  const at::Tensor rows = x.flatten(0, 1);
  const at::Tensor live = places.even() ? rows : rows.index_select(0, places.flat);
  std::vector<std::int64_t> dead = live.sizes().vec();
  dead[0] = total - places.live;
  return dead[0] == 0 ? live : at::cat(std::vector<at::Tensor>{live, live.new_zeros(dead)}, 0);
}

/// Where the queries of each sequence begin among its keys, int64 [sequences, 1, 1, 1].
at::Tensor query_offsets(const Places& q, const Places& kv, const AttentionSpec& spec) {
  const at::Tensor offsets =
      spec.offsets.empty() ? kv.lengths - q.lengths
                           : tensor::on_device(at::tensor(spec.offsets, at::kLong), q.lengths.device());
  return offsets.view({-1, 1, 1, 1});
}

/// Which keys a query does not see, bool, broadcast to [sequences, 1, queries, keys]; undefined where every query sees every
/// key. Queries of the padding that would see none see all: a row of nothing would be NaN and spoil the gradients of its
/// neighbours.
at::Tensor hidden_keys(const Places& q, const Places& kv, const AttentionSpec& spec) {
  const at::Tensor key = at::arange(kv.longest, kv.lengths.options());
  at::Tensor hidden;
  const auto hide = [&](const at::Tensor& which) { hidden = hidden.defined() ? hidden | which : which; };
  if (!kv.even()) hide(key >= kv.lengths.view({-1, 1, 1, 1}));
  if (!spec.causal && spec.window == 0) return hidden;
  const at::Tensor query = at::arange(q.longest, q.lengths.options()).unsqueeze(1) + query_offsets(q, kv, spec);
  if (spec.causal) hide(key > query);
  if (spec.window == 0) return hidden;  // and the padding's queries see their sequence's first key
  hide((key - query).abs() >= spec.window);
  return hidden & hidden.all(-1, /*keepdim=*/true).logical_not();
}

/// What the kernel-free attention with a soft cap or keyed dropout, which torch's own does not have, is about besides its
/// tensors; kept for backward. The sequences' heads lie side by side, [sequences · heads, longest, d].
struct StepSettings : torch::CustomClassHolder {
  Places queries, keys;
  at::Tensor query_sources, key_sources;  ///< int64: the row · heads + head of the stream at each place of the padded batch
  at::Tensor query_places, key_places;    ///< int64 [live · heads]: the way back
  at::Tensor hidden;                      ///< float32, broadcast to the scores: very small where a key is hidden; may be undefined
  DropoutSite dropout;                    ///< its token keys as padded queries, [sequences, 1, longest, 1]
  double scale, softcap;
};

/// From a layout's device copy, where it has one; there once a batch.
at::Tensor derived(const Layout& layout, const std::string& name, const std::function<at::Tensor()>& make) {
  return layout.on_device ? layout.on_device->derived(name, make) : make();
}

/// `readers` neighbouring heads of the padded batch read one head of the stream.
at::Tensor sources_of(const Layout& layout, const Places& places, std::int64_t heads, std::int64_t readers) {
  return derived(layout, concat("sources ", heads, " ", readers), [&] {
    const at::Tensor head = at::arange(heads * readers, places.flat.options()).floor_divide_(readers).view({1, -1, 1});
    return (places.stream.view({places.sequences, 1, places.longest}) * heads + head).flatten();
  });
}

at::Tensor places_of_heads(const Layout& layout, const Places& places, std::int64_t heads) {
  return derived(layout, concat("places ", heads), [&] {
    const at::Tensor first = places.flat + places.flat.floor_divide(places.longest) * ((heads - 1) * places.longest);
    return (first.unsqueeze(1) + at::arange(heads, places.flat.options()) * places.longest).flatten();
  });
}

at::Tensor hidden_scores(const Layout& q_layout, const Layout& kv_layout, const Places& queries, const Places& keys,
                         const AttentionSpec& spec) {
  const auto make = [&] {
    const at::Tensor hidden = hidden_keys(queries, keys, spec);
    if (!hidden.defined()) return hidden;
    // A number: rows of empty sequences must not become NaN.
    return at::zeros(hidden.sizes(), hidden.options().dtype(at::kFloat)).masked_fill_(hidden, std::numeric_limits<float>::lowest());
  };
  const bool repeats = q_layout.on_device && q_layout.on_device == kv_layout.on_device && spec.offsets.empty();
  return repeats ? derived(q_layout, concat("hidden ", spec.causal, " ", spec.window), make) : make();
}

/// [T, heads, d] → [sequences · heads, longest, d]; where there is no row, some other one stands.
at::Tensor side_by_side(const at::Tensor& x, const at::Tensor& sources, const Places& places) {
  return x.reshape({-1, x.size(2)}).index_select(0, sources).view({-1, places.longest, x.size(2)});
}

/// The way back; dead rows become zeros.
at::Tensor stream_of(const at::Tensor& x, const at::Tensor& places, std::int64_t total) {
  const std::int64_t size = x.size(2);
  return fused::with_dead_rows(x.view({-1, size}).index_select(0, places), total);
}

struct StepOutputs {
  at::Tensor out;              ///< [T, heads, d]
  at::Tensor q, k, v;          ///< side by side
  at::Tensor probabilities;    ///< [sequences, heads, queries, keys] before dropout, float32 at least
  at::Tensor capped;           ///< tanh(score / cap); undefined without a soft cap
};

at::Tensor after_dropout(const at::Tensor& probabilities, const StepSettings& s, const at::Tensor& like) {
  const at::Tensor x = s.dropout ? dropped(probabilities, s.dropout) : probabilities;
  return x.to(like.scalar_type()).flatten(0, 1);
}

StepOutputs steps_forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const StepSettings& s) {
  StepOutputs made;
  made.q = side_by_side(q, s.query_sources, s.queries);
  made.k = side_by_side(k, s.key_sources, s.keys);
  made.v = side_by_side(v, s.key_sources, s.keys);
  at::Tensor scores = fused::at_least_float(at::bmm(made.q, made.k.transpose(1, 2)))
                          .view({s.queries.sequences, q.size(1), s.queries.longest, s.keys.longest});
  double scale = s.scale;
  if (s.softcap > 0.0) {
    made.capped = at::tanh(scores * (scale / s.softcap));
    scores = made.capped;
    scale = s.softcap;
  }
  scores = s.hidden.defined() ? at::add(s.hidden, scores, scale) : scores * scale;
  made.probabilities = at::_softmax(scores, -1, /*half_to_float=*/false);
  const at::Tensor out = at::bmm(after_dropout(made.probabilities, s, made.v), made.v);
  made.out = stream_of(out, s.query_places, q.size(0) * q.size(1)).view(q.sizes());
  return made;
}

class StepsFunction : public torch::autograd::Function<StepsFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, const c10::intrusive_ptr<StepSettings>& settings) {
    const StepOutputs made = steps_forward(q, k, v, *settings);
    context->save_for_backward({made.q, made.k, made.v, made.probabilities, made.capped});
    context->saved_data["settings"] = c10::IValue::make_capsule(settings);
    context->saved_data["rows"] = std::vector<std::int64_t>{q.size(0), k.size(0), k.size(1)};
    return made.out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &q = saved[0], &k = saved[1], &v = saved[2], &probabilities = saved[3], &capped = saved[4];
    const auto capsule = context->saved_data["settings"].toCapsule();
    const auto& s = static_cast<const StepSettings&>(*capsule);
    const std::vector<std::int64_t> rows = context->saved_data["rows"].toIntVector();
    const std::int64_t size = q.size(2), heads = q.size(0) / s.queries.sequences, kv_heads = rows[2];

    // Places without a query get no gradient, and so give none.
    at::Tensor grad = at::zeros(q.sizes(), q.options());
    const at::Tensor live = gradients[0].narrow(0, 0, s.queries.live).reshape({-1, size}).to(q.scalar_type());
    grad.view({-1, size}).index_copy_(0, s.query_places, live);

    const at::Tensor grad_v = at::bmm(after_dropout(probabilities, s, v).transpose(1, 2), grad);
    at::Tensor grad_scores = fused::at_least_float(at::bmm(grad, v.transpose(1, 2))).view(probabilities.sizes());
    // What follows is linear: the scale of the scores may come first.
    const double scale = s.scale;
    grad_scores = s.dropout ? dropped(grad_scores, s.dropout, scale) : grad_scores * scale;
    grad_scores = at::_softmax_backward_data(grad_scores, probabilities, -1, probabilities.scalar_type());
    if (capped.defined()) grad_scores = at::tanh_backward(grad_scores, capped);
    grad_scores = grad_scores.to(q.scalar_type()).flatten(0, 1);
    const at::Tensor grad_q = at::bmm(grad_scores, k);
    const at::Tensor grad_k = at::bmm(grad_scores.transpose(1, 2), q);

    const auto of_keys = [&](at::Tensor x) {
      if (heads != kv_heads) x = x.view({s.keys.sequences, kv_heads, heads / kv_heads, -1, size}).sum(2).flatten(0, 1);
      return stream_of(x, s.key_places, rows[1] * kv_heads).view({rows[1], kv_heads, size});
    };
    return {stream_of(grad_q, s.query_places, rows[0] * heads).view({rows[0], heads, size}), of_keys(grad_k), of_keys(grad_v),
            at::Tensor()};
  }
};

at::Tensor attention_in_steps(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Layout& q_layout,
                              const Layout& kv_layout, const AttentionSpec& spec) {
  auto settings = c10::make_intrusive<StepSettings>();
  StepSettings& s = *settings;
  s.queries = places_of(q_layout, q.device());
  s.keys = places_of(kv_layout, q.device());
  const std::int64_t heads = q.size(1), kv_heads = k.size(1);
  s.query_sources = sources_of(q_layout, s.queries, heads, 1);
  s.query_places = places_of_heads(q_layout, s.queries, heads);
  s.key_sources = sources_of(kv_layout, s.keys, kv_heads, heads / kv_heads);
  s.key_places = places_of_heads(kv_layout, s.keys, kv_heads);
  s.hidden = hidden_scores(q_layout, kv_layout, s.queries, s.keys, spec);
  s.dropout = spec.dropout;
  if (s.dropout) {
    s.dropout.token_keys =
        spec.dropout.token_keys.index_select(0, s.queries.stream).view({s.queries.sequences, 1, s.queries.longest, 1});
  }
  s.scale = spec.scale;
  s.softcap = spec.softcap;
  return fused::recording({q, k, v}) ? StepsFunction::apply(q, k, v, settings) : steps_forward(q, k, v, s).out;
}

}  // namespace

at::Tensor attention_padded(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Layout& q_layout,
                            const Layout& kv_layout, const AttentionSpec& spec) {
  if (spec.dropout || spec.softcap > 0.0) return attention_in_steps(q, k, v, q_layout, kv_layout, spec);
  const Places queries = places_of(q_layout, q.device());
  const Places keys = places_of(kv_layout, q.device());
  const auto heads = [](const at::Tensor& x, const Places& places) { return padded(x, places).transpose(1, 2); };
  const std::int64_t readers = q.size(1) / k.size(1);  // query heads of one key head
  const auto shared = [&](const at::Tensor& x) { return readers == 1 ? x : x.repeat_interleave(readers, 1); };
  const at::Tensor hidden = hidden_keys(queries, keys, spec);
  std::optional<at::Tensor> visible;
  if (hidden.defined()) visible = hidden.logical_not().expand({-1, -1, queries.longest, -1});
  const at::Tensor out = at::scaled_dot_product_attention(heads(q, queries), shared(heads(k, keys)), shared(heads(v, keys)), visible,
                                                          0.0, false, spec.scale);
  return packed(out.transpose(1, 2), queries, q.size(0));
}

}  // namespace attune::nn
