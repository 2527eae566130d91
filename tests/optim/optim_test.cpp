// Schedules, clipping, decay rule and optimisers against their definitions (the oracle's values: attune_probe).
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <limits>
#include <vector>

#include "../../src/optim/adamw.h"
#include "attune/base/error.h"
#include "attune/base/random.h"
#include "attune/optim/clip.h"
#include "attune/optim/optimizer.h"
#include "attune/optim/schedule.h"
#include "catch.h"

using attune::Error;
using attune::tensor::ParameterArena;
namespace optim = attune::optim;
using Tensors = std::vector<at::Tensor>;

namespace {

at::Tensor random(std::int64_t n, std::uint64_t seed) {
  const attune::RandomKey key(seed, "test");
  at::Tensor tensor = at::empty({n}, at::kFloat);
  for (std::int64_t i = 0; i < n; ++i) tensor.data_ptr<float>()[i] = static_cast<float>(key.normal(i));
  return tensor;
}

double norm_of(const at::Tensor& gradient) {
  at::Tensor parameter = at::empty_like(gradient);
  const ParameterArena arena({parameter});
  parameter.mutable_grad().copy_(gradient);
  return optim::gradient_norm(arena);
}

/// Values after three updates by a gradient that is zero but in the given rows of a table [9, 5], beside a vector.
at::Tensor trained_table(const std::map<std::size_t, attune::tensor::TableRows>& rows, double* norm) {
  at::Tensor table = random(45, 1).view({9, 5}), vector = random(70'000, 2);
  ParameterArena arena({table, vector}, rows);
  const auto adam = optim::make_optimizer({}, arena, {{1e-2, 0.1, {0}}, {2e-2, 0.0, {1}}});
  for (int number = 1; number <= 3; ++number) {
    arena.zero_gradients();
    for (const std::int64_t row : {0, 3, 4, 7}) table.mutable_grad()[row].add_(random(5, 10 * number + row));
    vector.mutable_grad().add_(random(70'000, 100 + number));
    *norm = optim::gradient_norm(arena);
    adam->step({.number = number, .rate_factor = 0.5, .gradient_factor = 0.25});
  }
  return at::cat({table.detach().view(-1), vector.detach()});
}

optim::Schedule schedule(const std::string& type, std::map<std::string, double> kwargs = {}) {
  return optim::Schedule({.type = type, .learning_rate = 1e-3, .warmup_steps = 3, .total_steps = 20, .kwargs = kwargs});
}

}  // namespace

TEST_CASE("numbers are rounded to bfloat16 as LibTorch rounds them", "[optim]") {
  at::Tensor values = random(70'000, 3);
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> special = {0.0f, -0.0f, infinity, -infinity, std::numeric_limits<float>::max(), 1e-40f, -1e-42f,
                                      0x1.01p0f, 0x1.03p0f, 0x1.010002p0f, -0x1.01p0f};  // ties go to even
  for (std::size_t i = 0; i < special.size(); ++i) values.data_ptr<float>()[i] = special[i];
  at::Tensor rounded = at::empty({70'000}, at::kBFloat16);
  auto* words = reinterpret_cast<std::uint16_t*>(rounded.data_ptr<at::BFloat16>());
  optim::round_to_bfloat16(values.const_data_ptr<float>(), 70'000, words);
  CHECK(at::equal(rounded.view(at::kShort), values.to(at::kBFloat16).view(at::kShort)));
  values.fill_(std::numeric_limits<float>::quiet_NaN());
  optim::round_to_bfloat16(values.const_data_ptr<float>(), 70'000, words);
  CHECK(rounded.isnan().all().item<bool>());
}

TEST_CASE("an optimiser changes copies of weights with them, and nothing else by it", "[optim]") {
  for (const std::string name : {"adamw_torch_fused", "sgd"}) {
    INFO(name);
    Tensors ends;
    for (const bool with_copies : {false, true}) {
      at::Tensor table = random(45, 1).view({9, 5}), matrix = random(70'000, 2).view({700, 100});
      at::Tensor copy = at::empty({0}, at::kBFloat16), of_table = at::empty({0}, at::kBFloat16);
      ParameterArena arena({table, matrix}, {{0, {1, 2}}},
                           with_copies ? Tensors{of_table, copy} : Tensors{});
      const auto optimiser = optim::make_optimizer({.name = name}, arena, {{1e-2, 0.1, {0, 1}}});
      for (int number = 1; number <= 2; ++number) {
        table.mutable_grad()[1].fill_(0.5);
        matrix.mutable_grad().copy_(random(70'000, 10 + number).view({700, 100}));
        optimiser->step({.number = number, .rate_factor = 0.5, .gradient_factor = 0.25});
        if (!with_copies) continue;
        CHECK(at::equal(copy, matrix.detach().to(at::kBFloat16)));
        CHECK(at::equal(of_table, table.detach().to(at::kBFloat16)));
      }
      ends.push_back(at::cat({table.detach().view(-1), matrix.detach().view(-1)}));
    }
    CHECK(at::equal(ends[0], ends[1]));
  }
}

TEST_CASE("the first update of a warmup has rate 0 and the linear schedule ends at 0", "[optim]") {
  const optim::Schedule linear = schedule("linear");
  CHECK(linear.factor(0) == 0.0);
  CHECK(linear.factor(1) == 1.0 / 3);
  CHECK(linear.factor(3) == 1.0);
  CHECK(linear.factor(20) == 0.0);
  CHECK(linear.factor(25) == 0.0);
  CHECK(schedule("cosine").factor(20) == Approx(0).margin(1e-15));
  CHECK(schedule("constant").factor(0) == 1.0);
}

TEST_CASE("a warmup below 1 is a share of all steps, rounded up", "[optim]") {
  CHECK(optim::warmup_steps(0.1, 101) == 11);
  CHECK(optim::warmup_steps(0, 101) == 0);
  CHECK(optim::warmup_steps(7, 101) == 7);
}

TEST_CASE("unknown schedules and keywords are refused with a hint", "[optim]") {
  const auto message = [](const std::string& type, const std::map<std::string, double>& kwargs) -> std::string {
    try {
      schedule(type, kwargs);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(message("liner", {}).find("did you mean 'linear'") != std::string::npos);
  CHECK(message("cosine", {{"cycles", 2}}).find("num_cycles") != std::string::npos);
  CHECK_THROWS_AS(schedule("cosine_with_min_lr"), Error);
  CHECK_THROWS_AS(schedule("warmup_stable_decay"), Error);
  CHECK_THROWS_AS(schedule("polynomial", {{"lr_end", 1.0}}), Error);
}

TEST_CASE("the gradient norm is exact and has the same bits for every number of threads", "[optim]") {
  CHECK(norm_of(at::full({9}, 2.0f)) == 6.0);
  const at::Tensor flat = random(300'001, 5);
  double sum = 0;
  for (std::int64_t i = 0; i < flat.numel(); ++i) sum += std::pow(flat.data_ptr<float>()[i], 2.0);
  const int threads = at::get_num_threads();
  const double norm = norm_of(flat);
  CHECK(norm == Approx(std::sqrt(sum)).epsilon(1e-12));
  at::set_num_threads(threads == 1 ? 2 : 1);
  CHECK(norm_of(flat) == norm);
  at::set_num_threads(threads);
}

TEST_CASE("a non-finite gradient anywhere makes the norm non-finite", "[optim]") {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    at::Tensor flat = random(70'003, 1);
    flat.data_ptr<float>()[70'002] = bad;
    CHECK_FALSE(std::isfinite(norm_of(flat)));
  }
}

TEST_CASE("clipping scales to the norm and never up", "[optim]") {
  CHECK(optim::clip_factor(4.0, 1.0) == Approx(0.25).epsilon(1e-6));
  CHECK(optim::clip_factor(0.5, 1.0) == 1.0);
  CHECK(optim::clip_factor(1e9, 0.0) == 1.0);
}

TEST_CASE("AdamW equals its definition, groups and clipping included", "[optim]") {
  at::Tensor w = random(37, 1), b = random(5, 2);
  const at::Tensor w0 = w.clone();
  ParameterArena arena({w, b});
  const auto adam = optim::make_optimizer({}, arena, {{1e-2, 0.1, {0}}, {2e-2, 0.0, {1}}});
  std::vector<double> m(37), v(37), expected(37);
  for (int i = 0; i < 37; ++i) expected[i] = w0.data_ptr<float>()[i];
  for (int number = 1; number <= 3; ++number) {
    const at::Tensor gradient = random(37, 10 + number);
    w.mutable_grad().copy_(gradient);
    adam->step({.number = number, .rate_factor = 0.5, .gradient_factor = 0.25});
    for (int i = 0; i < 37; ++i) {
      const double g = 0.25 * gradient.data_ptr<float>()[i];
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.999 * v[i] + 0.001 * g * g;
      expected[i] -= 0.5e-2 * 0.1 * expected[i];
      const double mean = m[i] / (1 - std::pow(0.9, number)), square = v[i] / (1 - std::pow(0.999, number));
      expected[i] -= 0.5e-2 * mean / (std::sqrt(square) + 1e-8);
    }
  }
  for (int i = 0; i < 37; ++i) CHECK(w.data_ptr<float>()[i] == Approx(expected[i]).margin(1e-6));
}

TEST_CASE("AdamW on the CPU computes what PyTorch's fused AdamW computes", "[optim]") {
  constexpr std::int64_t kCount = 70'011;  // more than a piece, and a rest
  at::Tensor w = random(kCount, 1);
  at::Tensor theirs = w.clone(), mean = at::zeros({kCount}), square = at::zeros({kCount});
  ParameterArena arena({w});
  const auto adam = optim::make_optimizer({.beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-6}, arena, {{1e-2, 0.1, {0}}});
  for (int number = 1; number <= 4; ++number) {
    at::Tensor gradient = random(kCount, 10 + number);
    w.mutable_grad().copy_(gradient);
    adam->step({.number = number, .rate_factor = 0.5, .gradient_factor = 0.25});
    at::_fused_adamw_({theirs}, {gradient}, {mean}, {square}, {}, {at::full({}, static_cast<float>(number))}, 0.5e-2, 0.8, 0.95, 0.1, 1e-6,
                      /*amsgrad=*/false, /*maximize=*/false, at::full({}, 4.0f));
  }
  CHECK((w.detach() - theirs).abs().max().item<float>() < 1e-6f);
  const at::Tensor& mine = adam->state().at("exp_avg_sq")->slices()[0];
  CHECK((mine - square).abs().max().item<float>() < 1e-6f);
}

TEST_CASE("rows of a table that get no gradient are decayed and nothing else", "[optim]") {
  double norm = 0, norm_of_all = 0;
  const at::Tensor some = trained_table({{0, {0, 3, 4, 7}}}, &norm), all = trained_table({}, &norm_of_all);
  CHECK(at::equal(some, all));
  CHECK(norm == Approx(norm_of_all).epsilon(1e-12));
  CHECK_FALSE(at::equal(some.narrow(0, 5, 5), random(45, 1).narrow(0, 5, 5)));  // row 1: decay
  CHECK_THROWS(trained_table({{0, {3, 3}}}, &norm));
  CHECK_THROWS(trained_table({{0, {8, 9}}}, &norm));
}

TEST_CASE("SGD with momentum equals its definition", "[optim]") {
  at::Tensor w = random(11, 1);
  std::vector<double> expected(11), buffer(11);
  for (int i = 0; i < 11; ++i) expected[i] = w.data_ptr<float>()[i];
  ParameterArena arena({w});
  const auto sgd = optim::make_optimizer({.name = "sgd", .momentum = 0.9}, arena, {{0.1, 0.01, {0}}});
  for (int number = 1; number <= 3; ++number) {
    const at::Tensor gradient = random(11, 10 + number);
    w.mutable_grad().copy_(gradient);
    sgd->step({.number = number});
    for (int i = 0; i < 11; ++i) {
      buffer[i] = 0.9 * buffer[i] + gradient.data_ptr<float>()[i] + 0.01 * expected[i];
      expected[i] -= 0.1 * buffer[i];
    }
  }
  for (int i = 0; i < 11; ++i) CHECK(w.data_ptr<float>()[i] == Approx(expected[i]).margin(1e-6));
  CHECK(sgd->state().contains("momentum_buffer"));
}
