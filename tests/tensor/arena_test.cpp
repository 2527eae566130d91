// Arenas: layout, adoption of parameters, gradients that stay in place.
#include "attune/tensor/arena.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>

#include <cstdint>

#include "catch.h"

using attune::tensor::Arena;
using attune::tensor::ParameterArena;

TEST_CASE("slices are aligned to 64 bytes and lie in order", "[tensor]") {
  const Arena arena({{3}, {2, 5}, {}, {16}, {0, 4}}, at::kFloat);
  const char* previous = nullptr;
  for (const at::Tensor& slice : arena.slices()) {
    const char* address = static_cast<const char*>(slice.data_ptr());
    if (slice.numel() > 0) CHECK(reinterpret_cast<std::uintptr_t>(address) % 64 == 0);
    if (slice.numel() > 0) CHECK(address > previous);
    if (slice.numel() > 0) previous = address;
  }
  CHECK(arena.flat().numel() == 4 * 16);
  CHECK(arena.slices()[1].sizes() == at::IntArrayRef({2, 5}));
}

TEST_CASE("parameters keep their values and handles, and backward adds into the arena", "[tensor]") {
  at::Tensor w = at::arange(6, at::kFloat).view({2, 3});
  const at::Tensor same_handle = w, before = w.clone();
  {
    ParameterArena arena({w});
    CHECK(at::equal(w, before));
    CHECK(same_handle.data_ptr() == arena.values().slices()[0].data_ptr());
    for (int pass = 1; pass <= 2; ++pass) {
      (w * w).sum().backward();
      CHECK(w.grad().data_ptr() == arena.gradients().slices()[0].data_ptr());
      CHECK(at::equal(arena.gradients().slices()[0], before * 2 * pass));
    }
    arena.zero_gradients();
    CHECK(w.grad().defined());
    CHECK(w.grad().abs().sum().item<float>() == 0.0f);
  }
  CHECK_FALSE(w.grad().defined());
  CHECK_FALSE(w.requires_grad());
  CHECK(at::equal(w, before));
}

TEST_CASE("an arena knows which parts of a table are trained", "[tensor]") {
  at::Tensor table = at::ones({6, 4}), vector = at::ones({70'000});
  const ParameterArena arena({table, vector}, {{0, {1, 2, 4}}});
  const auto spans = [](const std::vector<attune::tensor::Piece>& pieces) {
    std::vector<std::pair<std::int64_t, std::int64_t>> found;
    for (const auto& piece : pieces) found.emplace_back(piece.begin, piece.count);
    return found;
  };
  using Spans = std::vector<std::pair<std::int64_t, std::int64_t>>;
  CHECK(spans(arena.live()) == Spans{{4, 8}, {16, 4}, {32, 65'536}, {32 + 65'536, 70'000 - 65'536}});
  CHECK(spans(arena.dead()) == Spans{{0, 4}, {12, 4}, {20, 4}});
  std::vector<int> visits(arena.live().size());
  attune::tensor::for_each_piece(arena.live(), [&](std::size_t i) { ++visits[i]; });
  CHECK(visits == std::vector<int>(4, 1));
}

TEST_CASE("half-precision weights are trained as float32 masters", "[tensor]") {
  for (const at::ScalarType dtype : {at::kBFloat16, at::kHalf}) {
    at::Tensor w = at::arange(6, at::kFloat).to(dtype).view({2, 3});
    const at::Tensor same_handle = w;
    ParameterArena arena({w});
    CHECK(same_handle.scalar_type() == at::kFloat);
    CHECK(at::equal(same_handle, at::arange(6, at::kFloat).view({2, 3})));
    (w * w).sum().backward();
    CHECK(w.grad().data_ptr() == arena.gradients().slices()[0].data_ptr());
    CHECK(at::equal(arena.gradients().slices()[0], w.detach() * 2));
  }
}
