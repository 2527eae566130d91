// Products of matrices, by whichever library, beside the same in float64.
#include "../../src/nn/gemm.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>

#include "catch.h"

namespace {

namespace gemm = attune::nn::gemm;

struct Sizes {
  std::int64_t rows, depth, columns;
};

/// Largest error, as a share of the largest value.
double share_of_error(const at::Tensor& found, const at::Tensor& wanted) {
  return ((found.to(at::kDouble) - wanted).abs().max() / wanted.abs().max()).item<double>();
}

at::Tensor random_matrix(std::int64_t rows, std::int64_t columns, bool transposed) {
  return transposed ? at::randn({columns, rows}).t() : at::randn({rows, columns});
}

}  // namespace

TEST_CASE("products are right for every orientation, size and scale", "[nn]") {
  const at::NoGradGuard no_grad;
  for (const Sizes& shape : {Sizes{560, 384, 1536}, {1536, 560, 384}, {33, 7, 5}, {1, 384, 77}, {512, 8, 768}, {3, 0, 2}, {384, 384, 384}, {9, 9, 9}}) {
    for (const bool a_is_transposed : {false, true}) {
      for (const bool b_is_transposed : {false, true}) {
        INFO(shape.rows << "x" << shape.depth << "x" << shape.columns << ", transposed: " << a_is_transposed << b_is_transposed);
        const at::Tensor a = random_matrix(shape.rows, shape.depth, a_is_transposed), b = random_matrix(shape.depth, shape.columns, b_is_transposed);
        const at::Tensor product = at::mm(a.to(at::kDouble), b.to(at::kDouble));
        const at::Tensor before = at::randn({shape.rows, shape.columns});
        const at::Tensor sum = before.clone();
        gemm::add_mm(sum, a, b, 0.5);
        CHECK(share_of_error(sum, before.to(at::kDouble) + 0.5 * product) < 1e-5);
        if (shape.depth == 0) continue;
        CHECK(share_of_error(gemm::mm(a, b), product) < 1e-5);
        const at::Tensor into = before.clone();
        gemm::mm_into(into, a, b);
        CHECK(share_of_error(into, product) < 1e-5);
        const at::Tensor bias = at::randn({shape.columns});
        CHECK(share_of_error(gemm::linear(a, b.t(), bias), product + bias.to(at::kDouble)) < 1e-5);
        CHECK(share_of_error(gemm::linear(a, b.t(), std::nullopt), product) < 1e-5);
      }
    }
  }
}

TEST_CASE("products are right where rows lie apart, and write nothing between those of the result", "[nn]") {
  const at::NoGradGuard no_grad;
  for (const std::int64_t size : {12, 384}) {
    for (const bool a_is_transposed : {false, true}) {
      for (const bool b_is_transposed : {false, true}) {
        INFO(size << ", transposed: " << a_is_transposed << b_is_transposed);
        const auto part = [&](bool transposed) {  // of a matrix that is wider
          const at::Tensor x = at::randn({size, size + 16}).narrow(1, 8, size);
          return transposed ? x.t() : x;
        };
        const at::Tensor a = part(a_is_transposed), b = part(b_is_transposed);
        const at::Tensor product = at::mm(a.to(at::kDouble), b.to(at::kDouble));
        CHECK(share_of_error(gemm::mm(a, b), product) < 1e-5);
        CHECK(share_of_error(gemm::linear(a, b.t(), std::nullopt), product) < 1e-5);
        for (const bool factors_lie_close : {false, true}) {
          const at::Tensor x = factors_lie_close ? a.contiguous() : a, y = factors_lie_close ? b.contiguous() : b;
          const at::Tensor whole = at::randn({size, size + 16}), before = whole.clone(), result = whole.narrow(1, 8, size);
          gemm::add_mm(result, x, y, 2.0);
          CHECK(share_of_error(result, before.narrow(1, 8, size).to(at::kDouble) + 2.0 * product) < 1e-5);
          gemm::mm_into(result, x, y);
          CHECK(share_of_error(result, product) < 1e-5);
          for (const std::int64_t side : {std::int64_t{0}, size + 8}) CHECK(at::equal(whole.narrow(1, side, 8), before.narrow(1, side, 8)));
        }
      }
    }
  }
}

TEST_CASE("oneDNN computes float32 products on any CPU", "[nn]") {
  if (!gemm::has_onednn()) {
    WARN("skipped: this LibTorch does not let oneDNN's products be seen");
    return;
  }
  const at::NoGradGuard no_grad;
  const at::Tensor a = at::randn({640, 384}), b = at::randn({1536, 384}).t();
  const at::Tensor product = at::mm(a.to(at::kDouble), b.to(at::kDouble));
  const at::Tensor result = at::ones({640, 1536});
  gemm::onednn_mm(result, a, b, /*accumulate=*/true, 2.0);
  CHECK(share_of_error(result, 2.0 * product + 1.0) < 1e-5);
  gemm::onednn_mm(result, a, b, /*accumulate=*/false, 1.0);
  CHECK(share_of_error(result, product) < 1e-5);
  // Equal shapes, equal bits: a row does not depend on the others.
  const at::Tensor again = at::empty_like(result);
  const at::Tensor other = at::cat({a.narrow(0, 320, 320), a.narrow(0, 0, 320)});
  gemm::onednn_mm(again, other, b, /*accumulate=*/false, 1.0);
  CHECK(at::equal(again.narrow(0, 320, 320), result.narrow(0, 0, 320)));
}
