// See optimizer.h. AdamW (Loshchilov & Hutter 2019): decoupled decay, bias-corrected moments, ε outside the root.
#include "attune/optim/optimizer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/full.h>

#include <optional>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::optim {

namespace {

using Slices = std::vector<at::Tensor>;

Slices pick(const tensor::Arena& arena, const std::vector<std::size_t>& members) {
  Slices slices;
  for (const std::size_t member : members) slices.push_back(arena.slices()[member]);
  return slices;
}

/// The fused kernels divide gradients by a scale (made for loss scaling): the inverse of the clipping factor.
std::optional<at::Tensor> gradient_scale(double factor, const at::Tensor& like) {
  if (factor == 1.0) return std::nullopt;
  return at::full({}, 1.0 / factor, like.options());
}

class AdamW final : public Optimizer {
 public:
  AdamW(const OptimizerOptions& options, const tensor::ParameterArena& arena, std::vector<ParameterGroup> groups)
      : options_(options), mean_(arena.zeros_like()), square_(arena.zeros_like()) {
    for (ParameterGroup& group : groups) {
      calls_.push_back({group.learning_rate, group.weight_decay, pick(arena.values(), group.members),
                        pick(arena.gradients(), group.members), pick(mean_, group.members),
                        pick(square_, group.members)});
    }
    like_ = arena.values().flat();
  }

  void step(const Update& update) override {
    const at::NoGradGuard no_grad;
    const auto scale = gradient_scale(update.gradient_factor, like_);
    const at::Tensor number = at::full({}, static_cast<double>(update.number), like_.options());
    for (const Call& call : calls_) {
      const Slices numbers(call.values.size(), number);
      at::_fused_adamw_(call.values, call.gradients, call.means, call.squares, {}, numbers,
                        call.learning_rate * update.rate_factor, options_.beta1, options_.beta2, call.weight_decay,
                        options_.epsilon, /*amsgrad=*/false, /*maximize=*/false, scale);
    }
  }

  std::map<std::string, const tensor::Arena*> state() const override {
    return {{"exp_avg", &mean_}, {"exp_avg_sq", &square_}};
  }

 private:
  struct Call {
    double learning_rate, weight_decay;
    Slices values, gradients, means, squares;
  };
  OptimizerOptions options_;
  tensor::Arena mean_, square_;
  std::vector<Call> calls_;
  at::Tensor like_;
};

class Sgd final : public Optimizer {
 public:
  Sgd(const OptimizerOptions& options, const tensor::ParameterArena& arena, std::vector<ParameterGroup> groups)
      : momentum_(options.momentum) {
    if (momentum_ != 0) buffer_.emplace(arena.zeros_like());
    for (ParameterGroup& group : groups) {
      calls_.push_back({group.learning_rate, group.weight_decay, pick(arena.values(), group.members),
                        pick(arena.gradients(), group.members), buffer_ ? pick(*buffer_, group.members) : Slices()});
    }
    like_ = arena.values().flat();
  }

  void step(const Update& update) override {
    const at::NoGradGuard no_grad;
    const auto scale = gradient_scale(update.gradient_factor, like_);
    for (const Call& call : calls_) {
      // A zero buffer makes the first update what is_first_step would: momentum · 0 + gradient.
      at::_fused_sgd_(call.values, call.gradients, call.buffers, call.weight_decay, momentum_,
                      call.learning_rate * update.rate_factor, /*dampening=*/0.0, /*nesterov=*/false,
                      /*maximize=*/false, /*is_first_step=*/false, scale);
    }
  }

  std::map<std::string, const tensor::Arena*> state() const override {
    if (!buffer_) return {};
    return {{"momentum_buffer", &*buffer_}};
  }

 private:
  struct Call {
    double learning_rate, weight_decay;
    Slices values, gradients, buffers;
  };
  double momentum_;
  std::optional<tensor::Arena> buffer_;
  std::vector<Call> calls_;
  at::Tensor like_;
};

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, const tensor::ParameterArena& arena,
                                          std::vector<ParameterGroup> groups) {
  const std::string& name = options.name;
  if (name == "adamw_torch_fused" || name == "adamw_torch") {
    return std::make_unique<AdamW>(options, arena, std::move(groups));
  }
  if (name == "sgd") return std::make_unique<Sgd>(options, arena, std::move(groups));
  throw Error(ErrorKind::usage, {.file = "",
                                 .what = concat("unknown optimiser '", name, "'"),
                                 .where = "training.optim",
                                 .hint = "one of adamw_torch_fused, adamw_torch, sgd"});
}

}  // namespace attune::optim
