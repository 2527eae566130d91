// See optimizer.h. AdamW (Loshchilov & Hutter 2019): decoupled decay, bias-corrected moments, ε outside the root.
#include "attune/optim/optimizer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/full.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "adamw.h"
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
      : options_(options), arena_(arena), groups_(std::move(groups)), mean_(arena.zeros_like()), square_(arena.zeros_like()) {
    group_of_.resize(arena.size(), groups_.size());
    for (std::size_t group = 0; group < groups_.size(); ++group) {
      for (const std::size_t member : groups_[group].members) group_of_[member] = group;
    }
  }

  void step(const Update& update) override {
    if (arena_.values().flat().is_cpu()) {
      step_on_cpu(update);
    } else {
      step_on_device(update);
    }
  }

  std::map<std::string, const tensor::Arena*> state() const override {
    return {{"exp_avg", &mean_}, {"exp_avg_sq", &square_}};
  }

 private:
  AdamWFactors factors(const ParameterGroup& group, const Update& update) const {
    const double rate = group.learning_rate * update.rate_factor;
    const auto number = static_cast<double>(update.number);
    return {.keep = static_cast<float>(1.0 - rate * group.weight_decay),
            .gradient = static_cast<float>(update.gradient_factor),
            .beta1 = static_cast<float>(options_.beta1),
            .beta2 = static_cast<float>(options_.beta2),
            .rate = static_cast<float>(rate / (1.0 - std::pow(options_.beta1, number))),
            .root_correction = static_cast<float>(std::sqrt(1.0 - std::pow(options_.beta2, number))),
            .epsilon = static_cast<float>(options_.epsilon)};
  }

  /// One pass over all that is live, whatever group it belongs to.
  void step_on_cpu(const Update& update) {
    std::vector<AdamWFactors> all;
    for (const ParameterGroup& group : groups_) all.push_back(factors(group, update));
    const AdamWBuffers buffers{.values = arena_.values().flat().mutable_data_ptr<float>(),
                               .gradients = arena_.gradients().flat().const_data_ptr<float>(),
                               .means = mean_.flat().mutable_data_ptr<float>(),
                               .squares = square_.flat().mutable_data_ptr<float>()};
    for_pieces(arena_.live(), [&](const tensor::Piece& piece, std::size_t group) {
      // No update came before the first: the moments are zero. Their pages are written before they are read, else the system
      // gives each twice, as one of zeros that all share and as its own.
      if (update.number == 1) {
        std::fill_n(buffers.means + piece.begin, piece.count, 0.0f);
        std::fill_n(buffers.squares + piece.begin, piece.count, 0.0f);
      }
      update_values(buffers, piece, all[group]);
    });
    for_pieces(arena_.dead(), [&](const tensor::Piece& piece, std::size_t group) {
      if (all[group].keep == 1.0f) return;
      decay(buffers.values + piece.begin, piece.count, all[group].keep);
      round(buffers, piece.slice, piece.begin, piece.count);
    });
  }

  /// Values are rounded a stretch at a time, while they are still in the cache.
  void update_values(const AdamWBuffers& buffers, const tensor::Piece& piece, const AdamWFactors& factors) const {
    constexpr std::int64_t kStretch = 4096;  // elements
    const std::int64_t step = arena_.has_copy(piece.slice) ? kStretch : piece.count;
    for (std::int64_t done = 0; done < piece.count; done += step) {
      const std::int64_t begin = piece.begin + done, count = std::min(step, piece.count - done);
      adamw(buffers, begin, count, factors);
      round(buffers, piece.slice, begin, count);
    }
  }

  void round(const AdamWBuffers& buffers, std::size_t slice, std::int64_t begin, std::int64_t count) const {
    if (!arena_.has_copy(slice)) return;
    auto* rounded = reinterpret_cast<std::uint16_t*>(arena_.rounded().mutable_data_ptr<at::BFloat16>());
    round_to_bfloat16(buffers.values + begin, count, rounded + begin);
  }

  /// body(piece, its group) for the pieces that belong to a group.
  template <class Body>
  void for_pieces(const std::vector<tensor::Piece>& pieces, const Body& body) const {
    tensor::for_each_piece(pieces, [&](std::size_t i) {
      const std::size_t group = group_of_[pieces[i].slice];
      if (group < groups_.size()) body(pieces[i], group);
    });
  }

  void step_on_device(const Update& update) {
    const at::NoGradGuard no_grad;
    const at::Tensor& like = arena_.values().flat();
    const auto scale = gradient_scale(update.gradient_factor, like);
    const at::Tensor number = at::full({}, static_cast<double>(update.number), like.options());
    for (const ParameterGroup& group : groups_) {
      const Slices values = pick(arena_.values(), group.members), numbers(values.size(), number);
      at::_fused_adamw_(values, pick(arena_.gradients(), group.members), pick(mean_, group.members),
                        pick(square_, group.members), {}, numbers, group.learning_rate * update.rate_factor,
                        options_.beta1, options_.beta2, group.weight_decay, options_.epsilon, /*amsgrad=*/false,
                        /*maximize=*/false, scale);
    }
    arena_.round_values();
  }

  OptimizerOptions options_;
  const tensor::ParameterArena& arena_;
  std::vector<ParameterGroup> groups_;
  std::vector<std::size_t> group_of_;  ///< of each slice; the number of groups where it belongs to none
  tensor::Arena mean_, square_;
};

class Sgd final : public Optimizer {
 public:
  Sgd(const OptimizerOptions& options, const tensor::ParameterArena& arena, std::vector<ParameterGroup> groups)
      : momentum_(options.momentum), arena_(arena) {
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
    arena_.round_values();
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
  const tensor::ParameterArena& arena_;
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
