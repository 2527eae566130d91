// See vocabulary.h.
#include "attune/nn/vocabulary.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mm.h>
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

namespace attune::nn {

namespace {

/// Logits that are made at a time, and up to how many their gradients are kept for backward: on a CPU what stays in its
/// caches (32 MB of float32), on a GPU what keeps it busy.
struct Portions {
  std::int64_t chunk, kept;
};

Portions portions_of(const at::Tensor& x) {
  constexpr std::int64_t kMega = std::int64_t{1} << 20;
  return x.is_cpu() ? Portions{.chunk = 8 * kMega, .kept = 16 * kMega} : Portions{.chunk = 64 * kMega, .kept = 256 * kMega};
}

/// What the loss of rows is computed from; every label is an id.
struct Rows {
  at::Tensor x, labels, row_weights;  ///< row_weights undefined: 1 each
  at::Tensor weight, bias;            ///< in the format of the product
  double softcap = 0.0;
  double smoothing = 0.0;

  std::int64_t count() const { return x.size(0); }
  std::int64_t columns() const { return weight.size(0); }
};

at::ScalarType product_type(const at::Tensor& x, Precision precision) {
  if (precision == Precision::bfloat16) return at::kBFloat16;
  return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

/// Some neighbouring rows: log p, and what their gradient needs.
struct Chunk {
  std::int64_t begin = 0, count = 0;
  at::Tensor logits = {};  ///< [n, V] with the softcap; only kept where there is one
  at::Tensor log_p = {};   ///< [n, V]
  at::Tensor labels = {};  ///< [n, 1]
  at::Tensor nll = {};     ///< [n]

  at::Tensor smoothed(double smoothing) const {
    return smoothing > 0 ? (1.0 - smoothing) * nll - smoothing * log_p.mean(1) : nll;
  }
};

template <class Each>
void for_chunks(const Rows& rows, const Each& each) {
  const std::int64_t step = std::max<std::int64_t>(1, portions_of(rows.x).chunk / rows.columns());
  for (std::int64_t begin = 0; begin < rows.count(); begin += step) {
    Chunk chunk{.begin = begin, .count = std::min(step, rows.count() - begin)};
    const at::Tensor x = rows.x.narrow(0, begin, chunk.count);
    at::Tensor logits = fused::at_least_float(at::linear(x, rows.weight, fused::optional(rows.bias)));
    if (rows.softcap > 0) chunk.logits = logits = softcap(logits, rows.softcap);
    chunk.log_p = at::log_softmax(logits, 1);
    chunk.labels = rows.labels.narrow(0, begin, chunk.count).unsqueeze(1);
    chunk.nll = chunk.log_p.gather(1, chunk.labels).squeeze(1).neg_();
    each(chunk);
  }
}

at::Tensor weights_of(const Rows& rows, const Chunk& chunk) {
  return rows.row_weights.defined() ? rows.row_weights.narrow(0, chunk.begin, chunk.count) : at::Tensor();
}

/// d Σ w·loss / d (x · weightᵀ + bias) in the format of the product; ends the chunk.
at::Tensor gradient_of_logits(const Rows& rows, Chunk& chunk) {
  at::Tensor gradient = std::move(chunk.log_p).exp_();
  const at::Tensor at_label = gradient.gather(1, chunk.labels) - (1.0 - rows.smoothing);
  gradient.scatter_(1, chunk.labels, at_label);
  if (rows.smoothing > 0) gradient.sub_(rows.smoothing / static_cast<double>(rows.columns()));
  if (const at::Tensor weights = weights_of(rows, chunk); weights.defined()) gradient.mul_(weights.unsqueeze(1));
  if (rows.softcap > 0) gradient.mul_(chunk.logits.div_(rows.softcap).square_().neg_().add_(1.0));
  return gradient.to(rows.weight.scalar_type());
}

/// Adds up what backward gives for the weight and the bias.
class WeightGradients {
 public:
  WeightGradients(const at::Tensor& weight, const at::Tensor& bias, bool need_weight, bool need_bias)
      : preset_(need_weight ? fused::preset_gradient(weight) : at::Tensor()) {
    if (need_weight && !preset_.defined()) weight_ = at::zeros(weight.sizes(), weight.options().requires_grad(false));
    if (need_bias) bias_ = at::zeros(bias.sizes(), bias.options().requires_grad(false));
  }

  void add(const at::Tensor& gradient, const at::Tensor& x) {
    const at::Tensor& sum = preset_.defined() ? preset_ : weight_;
    if (sum.defined() && sum.scalar_type() == gradient.scalar_type()) {
      sum.addmm_(gradient.t(), x);
    } else if (sum.defined()) {
      sum.add_(at::mm(gradient.t(), x));
    }
    if (bias_.defined()) bias_.add_(fused::column_sums(gradient));
  }

  const at::Tensor& weight() const { return weight_; }  ///< undefined where it went into the preset gradient
  const at::Tensor& bias() const { return bias_; }

 private:
  at::Tensor preset_, weight_, bias_;
};

class VocabularyLoss : public torch::autograd::Function<VocabularyLoss> {
 public:
  struct Settings {
    double softcap, smoothing;
    Precision precision;
  };

  static Rows rows_of(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& labels,
                      const at::Tensor& row_weights, const Settings& settings) {
    const at::ScalarType type = product_type(x, settings.precision);
    return {.x = x.detach().to(type),
            .labels = labels,
            .row_weights = row_weights,
            .weight = weight.detach().to(type),
            .bias = bias.defined() ? bias.detach().to(type) : bias,
            .softcap = settings.softcap,
            .smoothing = settings.smoothing};
  }

  /// → Σ w·loss, scalar.
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias, const at::Tensor& labels,
                            const std::optional<at::Tensor>& row_weights, double softcap, double smoothing,
                            std::int64_t precision) {
    const at::Tensor some_bias = bias.value_or(at::Tensor()), some_weights = row_weights.value_or(at::Tensor());
    const Rows rows = rows_of(x, weight, some_bias, labels, some_weights, {softcap, smoothing, Precision{static_cast<int>(precision)}});
    const bool learns_weight = weight.requires_grad() || (some_bias.defined() && some_bias.requires_grad());
    const bool keeps = learns_weight && rows.count() * rows.columns() <= portions_of(rows.x).kept;
    at::Tensor sum = at::zeros({}, x.options().dtype(x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat).requires_grad(false));
    std::vector<at::Tensor> kept;
    for_chunks(rows, [&](Chunk& chunk) {
      const at::Tensor losses = chunk.smoothed(smoothing), weights = weights_of(rows, chunk);
      sum.add_((weights.defined() ? losses * weights : losses).sum());
      if (learns_weight && !keeps) return;
      at::Tensor gradient = gradient_of_logits(rows, chunk);
      kept.push_back(learns_weight ? std::move(gradient) : at::mm(gradient, rows.weight));
    });
    context->save_for_backward({x, weight, some_bias, labels, some_weights, kept.empty() ? at::Tensor() : at::cat(kept)});
    context->saved_data["softcap"] = softcap;
    context->saved_data["smoothing"] = smoothing;
    context->saved_data["precision"] = precision;
    context->saved_data["learns_weight"] = learns_weight;
    return sum;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &bias = saved[2], &kept = saved[5];
    const bool need_x = x.requires_grad();
    torch::autograd::variable_list results(8);
    const at::Tensor scale = gradients[0];
    if (!context->saved_data["learns_weight"].toBool()) {
      if (need_x) results[0] = kept * scale.to(kept.scalar_type());
      return results;
    }
    const Rows rows = rows_of(x, weight, bias, saved[3], saved[4],
                              {context->saved_data["softcap"].toDouble(), context->saved_data["smoothing"].toDouble(),
                               Precision{static_cast<int>(context->saved_data["precision"].toInt())}});
    WeightGradients sums(weight, bias, weight.requires_grad(), bias.defined() && bias.requires_grad());
    std::vector<at::Tensor> of_x;
    const auto add = [&](at::Tensor gradient, const at::Tensor& some_x) {
      gradient.mul_(scale.to(gradient.scalar_type()));
      if (need_x) of_x.push_back(at::mm(gradient, rows.weight));
      sums.add(gradient, some_x);
    };
    if (kept.defined()) {
      add(kept.clone(), rows.x);
    } else {
      for_chunks(rows, [&](Chunk& chunk) {
        add(gradient_of_logits(rows, chunk), rows.x.narrow(0, chunk.begin, chunk.count));
      });
    }
    if (!of_x.empty()) results[0] = at::cat(of_x).to(x.scalar_type());
    results[1] = sums.weight();
    results[2] = sums.bias();
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

LossSum vocabulary_cross_entropy(const Vocabulary& vocabulary, const at::Tensor& labels, const at::Tensor& row_weights,
                                 double label_smoothing) {
  const Active active = active_rows(vocabulary, labels, row_weights);
  const Vocabulary& v = active.vocabulary;
  const at::Tensor sum = VocabularyLoss::apply(v.x, v.weight, fused::optional(v.bias), active.labels,
                                               fused::optional(active.row_weights), v.softcap, label_smoothing,
                                               static_cast<std::int64_t>(v.precision));
  if (active.row_weights.defined()) return {sum, active.row_weights.sum(at::kDouble)};
  return {sum, static_cast<double>(active.labels.numel())};
}

RowLosses row_losses(const at::Tensor& logits, const at::Tensor& labels, double label_smoothing) {
  const at::NoGradGuard no_grad;
  const at::Tensor log_p = at::log_softmax(fused::at_least_float(logits), 1);
  const at::Tensor ignored = labels == kIgnoreIndex;
  const Chunk all{.begin = 0,
                  .count = logits.size(0),
                  .logits = {},
                  .log_p = log_p,
                  .labels = {},
                  .nll = log_p.gather(1, labels.clamp_min(0).unsqueeze(1)).squeeze(1).neg_()};
  return {.nll = all.nll.masked_fill(ignored, 0), .smoothed = all.smoothed(label_smoothing).masked_fill(ignored, 0)};
}

RowLosses vocabulary_losses(const Vocabulary& vocabulary, const at::Tensor& labels, double label_smoothing) {
  const at::NoGradGuard no_grad;
  const Active active = active_rows(vocabulary, labels, {});
  const Vocabulary& v = active.vocabulary;
  const Rows rows = VocabularyLoss::rows_of(v.x, v.weight, v.bias, active.labels, {}, {v.softcap, label_smoothing, v.precision});
  std::vector<at::Tensor> nll, smoothed;
  for_chunks(rows, [&](const Chunk& chunk) {
    nll.push_back(chunk.nll);
    smoothed.push_back(chunk.smoothed(label_smoothing));
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
