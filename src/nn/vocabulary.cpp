// See vocabulary.h.
#include "attune/nn/vocabulary.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <utility>

#include "attune/base/error.h"
#include "attune/nn/activation.h"
#include "attune/nn/linear.h"
#include "attune/tensor/device.h"
#include "fused.h"
#include "gemm.h"

namespace attune::nn {

namespace {

/// Logits that are made at a time: on a CPU what costs little memory (64 MB of float32), on a GPU what keeps it busy.
std::int64_t chunk_logits(const at::Tensor& x) {
  return std::int64_t{x.is_cpu() ? 16 : 64} << 20;
}

/// What the loss of rows is computed from; every label is an id.
struct Rows {
  at::Tensor x, labels, row_weights;  ///< row_weights undefined: 1 each
  at::Tensor weight;                  ///< x and weight in the format of the product
  at::Tensor bias;                    ///< at least float32
  double softcap = 0.0;
  double smoothing = 0.0;

  std::int64_t count() const { return x.size(0); }
  std::int64_t columns() const { return weight.size(0); }
};

/// The weight in the format of the product.
at::Tensor factor_of(const Vocabulary& vocabulary) {
  const at::ScalarType wide = vocabulary.x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  return vocabulary.weight.in(vocabulary.precision == Precision::bfloat16 ? at::kBFloat16 : wide);
}

/// Some neighbouring rows.
struct Chunk {
  std::int64_t begin = 0, count = 0;
  at::Tensor nll = {}, smoothed = {};  ///< [n]: as in RowLosses
  at::Tensor gradient = {};            ///< [n, V] d Σ w·loss / d (x · weightᵀ + bias) in the format of the product, if wanted
};

at::Tensor part(const at::Tensor& of_rows, const Chunk& chunk) {
  return of_rows.defined() ? of_rows.narrow(0, chunk.begin, chunk.count) : at::Tensor();
}

/// -log p(label), and the loss under label smoothing; log_p [n, V], labels [n].
RowLosses losses_of(const at::Tensor& log_p, const at::Tensor& labels, double smoothing) {
  const at::Tensor nll = log_p.gather(1, labels.unsqueeze(1)).squeeze(1).neg_();
  return {nll, smoothing > 0 ? (1.0 - smoothing) * nll - smoothing * log_p.mean(1) : nll};
}

/// In plain operators. Ends the logits, which have no bias yet.
void finish_plainly(const Rows& rows, Chunk& chunk, at::Tensor logits, bool wants_gradient) {
  if (rows.bias.defined()) logits = logits + rows.bias;
  if (rows.softcap > 0) logits = softcap(logits, rows.softcap);
  const at::Tensor log_p = at::log_softmax(logits, 1), labels = part(rows.labels, chunk);
  const RowLosses losses = losses_of(log_p, labels, rows.smoothing);
  chunk.nll = losses.nll;
  chunk.smoothed = losses.smoothed;
  if (!wants_gradient) return;
  const at::Tensor label = labels.unsqueeze(1);
  chunk.gradient = log_p.exp();
  chunk.gradient.scatter_(1, label, chunk.gradient.gather(1, label) - (1.0 - rows.smoothing));
  if (rows.smoothing > 0) chunk.gradient.sub_(rows.smoothing / static_cast<double>(rows.columns()));
  if (rows.row_weights.defined()) chunk.gradient.mul_(part(rows.row_weights, chunk).unsqueeze(1));
  if (rows.softcap > 0) chunk.gradient.mul_(logits.div(rows.softcap).square_().neg_().add_(1.0));
}

/// By the fused kernel, which turns logits into their gradient where they lie.
void finish_in_place(const Rows& rows, Chunk& chunk, const at::Tensor& logits, bool wants_gradient) {
  chunk.nll = at::empty({chunk.count}, logits.options());
  chunk.smoothed = at::empty({chunk.count}, logits.options());
  const at::Tensor labels = part(rows.labels, chunk).contiguous();
  const at::Tensor weights = fused::at_least_float(part(rows.row_weights, chunk));
  const kernels::CrossEntropy<float> call{.logits = fused::mutable_data(logits),
                                          .bias = fused::data(rows.bias),
                                          .labels = labels.const_data_ptr<std::int64_t>(),
                                          .row_weights = fused::data(weights),
                                          .nll = fused::mutable_data(chunk.nll),
                                          .smoothed = fused::mutable_data(chunk.smoothed),
                                          .softcap = static_cast<float>(rows.softcap),
                                          .smoothing = static_cast<float>(rows.smoothing),
                                          .gradient = wants_gradient,
                                          .columns = rows.columns()};
  fused::parallel(chunk.count, rows.columns(), [&](std::int64_t begin, std::int64_t end) { kernels::table().cross_entropy(call, begin, end); });
  if (wants_gradient) chunk.gradient = logits;
}

/// each(chunk) for all rows, some at a time; a chunk's gradient lies in memory that the next one overwrites.
template <class Each>
void for_chunks(const Rows& rows, bool wants_gradient, const Each& each) {
  const std::int64_t step = std::clamp<std::int64_t>(chunk_logits(rows.x) / rows.columns(), 1, std::max<std::int64_t>(rows.count(), 1));
  const bool in_place = fused::possible({rows.x, rows.weight, rows.bias});
  const at::ScalarType type = rows.x.scalar_type(), wide = type == at::kDouble ? at::kDouble : at::kFloat;
  const at::Tensor memory = at::empty({std::min(step, rows.count()), rows.columns()}, rows.x.options().dtype(wide));
  for (std::int64_t begin = 0; begin < rows.count(); begin += step) {
    Chunk chunk{.begin = begin, .count = std::min(step, rows.count() - begin)};
    at::Tensor logits = memory.narrow(0, 0, chunk.count);
    if (type == wide) {
      gemm::mm_into(logits, part(rows.x, chunk), rows.weight.t());
    } else {
      logits.copy_(gemm::mm(part(rows.x, chunk), rows.weight.t()));
    }
    in_place ? finish_in_place(rows, chunk, logits, wants_gradient) : finish_plainly(rows, chunk, logits, wants_gradient);
    if (wants_gradient) chunk.gradient = chunk.gradient.to(type);
    each(chunk);
  }
}

/// Σ over chunks of the gradients of weight and bias, those that are wanted.
struct ParameterGradients {
  bool wants_weight = false, wants_bias = false;
  at::Tensor weight = {}, bias = {};  ///< at least float32

  void add(const at::Tensor& gradient, const at::Tensor& x) {
    if (wants_weight) {
      if (!weight.defined()) {
        weight = fused::at_least_float(gemm::mm(gradient.t(), x));
      } else if (weight.scalar_type() == gradient.scalar_type()) {
        gemm::add_mm(weight, gradient.t(), x);
      } else {
        fused::add_to(weight, gemm::mm(gradient.t(), x));
      }
    }
    if (wants_bias) {
      const at::Tensor sums = fused::column_sums(gradient);
      bias = bias.defined() ? bias.add_(sums) : sums;
    }
  }
};

/// The loss is a sum, so forward, which holds the logits, can work out all gradients but for the factor that backward
/// brings: no logits are made twice, and of them no more than a chunk is ever held.
class VocabularyLoss : public torch::autograd::Function<VocabularyLoss> {
 public:
  struct Settings {
    double softcap, smoothing;
  };

  /// `factor` is the weight in the format of the product.
  static Rows rows_of(const at::Tensor& x, const at::Tensor& factor, const at::Tensor& bias, const at::Tensor& labels,
                      const at::Tensor& row_weights, const Settings& settings) {
    return {.x = x.detach().to(factor.scalar_type()),
            .labels = labels,
            .row_weights = row_weights,
            .weight = factor,
            .bias = bias.defined() ? fused::at_least_float(bias.detach()) : bias,
            .softcap = settings.softcap,
            .smoothing = settings.smoothing};
  }

  /// → Σ w·loss, scalar.
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& factor, const std::optional<at::Tensor>& bias, const at::Tensor& labels,
                            const std::optional<at::Tensor>& row_weights, double softcap, double smoothing) {
    const at::Tensor some_bias = bias.value_or(at::Tensor());
    const Rows rows = rows_of(x, factor, some_bias, labels, row_weights.value_or(at::Tensor()), {softcap, smoothing});
    const bool wants_x = x.requires_grad();
    ParameterGradients sums{.wants_weight = weight.requires_grad(), .wants_bias = some_bias.defined() && some_bias.requires_grad()};
    const bool wants_any = wants_x || sums.wants_weight || sums.wants_bias;
    at::Tensor sum = at::zeros({}, x.options().dtype(x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat).requires_grad(false));
    std::vector<at::Tensor> of_x;
    for_chunks(rows, wants_any, [&](const Chunk& chunk) {
      const at::Tensor weights = part(rows.row_weights, chunk);
      sum.add_((weights.defined() ? chunk.smoothed * weights : chunk.smoothed).sum());
      if (wants_x) of_x.push_back(gemm::mm(chunk.gradient, rows.weight));
      sums.add(chunk.gradient, part(rows.x, chunk));
    });
    context->save_for_backward({x, weight, of_x.empty() ? at::Tensor() : at::cat(of_x), sums.weight, sums.bias});
    return sum;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &scale = gradients[0];
    const auto scaled = [&](const at::Tensor& gradient) { return gradient.defined() ? gradient * scale : gradient; };
    torch::autograd::variable_list results(8);
    results[0] = saved[2].defined() ? scaled(saved[2].to(x.scalar_type())) : at::Tensor();
    if (at::Tensor preset = saved[3].defined() ? fused::preset_gradient(weight) : at::Tensor(); preset.defined()) {
      preset.addcmul_(saved[3], scale);
    } else {
      results[1] = scaled(saved[3]);
    }
    results[3] = scaled(saved[4]);
    return results;
  }
};

/// The rows whose label counts: their places (undefined = all), and everything about them alone.
struct Active {
  at::Tensor index;
  Vocabulary vocabulary;
  at::Tensor labels, row_weights;
};

Active active_rows(const Vocabulary& vocabulary, const at::Tensor& given, const at::Tensor& row_weights) {
  if (given.dim() != 1 || given.size(0) != vocabulary.x.size(0)) internal_error("a label for each row of the vocabulary is needed");
  const auto there = [&](const at::Tensor& x) { return tensor::on_device(x, vocabulary.x.device()); };
  Active active{.index = {}, .vocabulary = vocabulary, .labels = there(given), .row_weights = row_weights};
  if (row_weights.defined()) active.row_weights = there(row_weights);
  const at::Tensor counts = given != kIgnoreIndex;  // asked where the labels lie: on the CPU nothing waits for the device
  if (counts.all().item<bool>()) return active;
  active.index = there(at::nonzero(counts).squeeze(1));
  active.vocabulary.x = at::index_select(vocabulary.x, 0, active.index);
  active.labels = at::index_select(active.labels, 0, active.index);
  if (row_weights.defined()) active.row_weights = at::index_select(active.row_weights, 0, active.index);
  return active;
}

}  // namespace

at::Tensor vocabulary_logits(const Vocabulary& vocabulary) {
  const PrecisionGuard precision(vocabulary.precision);
  const at::Tensor logits = linear(vocabulary.x, vocabulary.weight, vocabulary.bias);
  return vocabulary.softcap > 0 ? softcap(logits, vocabulary.softcap) : logits;
}

at::Tensor log_probabilities(const at::Tensor& logits, const at::Tensor& rows, const at::Tensor& ids) {
  const at::NoGradGuard no_grad;
  const at::Tensor log_p = at::log_softmax(fused::at_least_float(logits), 1);
  const at::Tensor places = tensor::on_device(rows * log_p.size(1) + ids, log_p.device());
  return log_p.take(places).to(at::kCPU, at::kFloat);
}

at::Tensor vocabulary_log_probabilities(const Vocabulary& vocabulary, const at::Tensor& rows, const at::Tensor& ids) {
  const at::NoGradGuard no_grad;
  const std::int64_t step = std::max<std::int64_t>(1, chunk_logits(vocabulary.x) / vocabulary.weight.values.size(0));
  const std::int64_t *first = rows.const_data_ptr<std::int64_t>(), *end = first + rows.numel();
  at::Tensor result = at::empty({rows.numel()}, at::kFloat);
  for (std::int64_t begin = 0; begin < vocabulary.x.size(0); begin += step) {
    const std::int64_t from = std::lower_bound(first, end, begin) - first;
    const std::int64_t count = std::lower_bound(first, end, begin + step) - first - from;
    if (count == 0) continue;
    Vocabulary some = vocabulary;
    some.x = vocabulary.x.narrow(0, begin, std::min(step, vocabulary.x.size(0) - begin));
    const at::Tensor own_rows = rows.narrow(0, from, count) - begin;
    result.narrow(0, from, count).copy_(log_probabilities(vocabulary_logits(some), own_rows, ids.narrow(0, from, count)));
  }
  return result;
}

LossSum vocabulary_cross_entropy(const Vocabulary& vocabulary, const at::Tensor& labels, const at::Tensor& row_weights,
                                 double label_smoothing) {
  const Active active = active_rows(vocabulary, labels, row_weights);
  const Vocabulary& v = active.vocabulary;
  const at::Tensor sum = VocabularyLoss::apply(v.x, v.weight.values, factor_of(v), fused::optional(v.bias), active.labels,
                                               fused::optional(active.row_weights), v.softcap, label_smoothing);
  if (active.row_weights.defined()) return {sum, active.row_weights.sum(at::kDouble)};
  return {sum, static_cast<double>(active.labels.numel())};
}

RowLosses row_losses(const at::Tensor& logits, const at::Tensor& labels, double label_smoothing) {
  const at::NoGradGuard no_grad;
  const at::Tensor ignored = labels == kIgnoreIndex;
  const RowLosses all = losses_of(at::log_softmax(fused::at_least_float(logits), 1), labels.clamp_min(0), label_smoothing);
  return {.nll = all.nll.masked_fill(ignored, 0), .smoothed = all.smoothed.masked_fill(ignored, 0)};
}

RowLosses vocabulary_losses(const Vocabulary& vocabulary, const at::Tensor& labels, double label_smoothing) {
  const at::NoGradGuard no_grad;
  const Active active = active_rows(vocabulary, labels, {});
  const Vocabulary& v = active.vocabulary;
  const Rows rows = VocabularyLoss::rows_of(v.x, factor_of(v), v.bias, active.labels, {}, {v.softcap, label_smoothing});
  std::vector<at::Tensor> nll, smoothed;
  for_chunks(rows, /*wants_gradient=*/false, [&](const Chunk& chunk) {
    nll.push_back(chunk.nll);
    smoothed.push_back(chunk.smoothed);
  });
  const auto spread = [&](const std::vector<at::Tensor>& parts) {
    at::Tensor all = at::zeros({labels.size(0)}, v.x.options().dtype(at::kFloat));
    if (parts.empty()) return all;
    const at::Tensor values = at::cat(parts).to(at::kFloat);
    return active.index.defined() ? all.index_copy_(0, active.index, values) : values;
  };
  return {.nll = spread(nll), .smoothed = spread(smoothed)};
}

}  // namespace attune::nn
