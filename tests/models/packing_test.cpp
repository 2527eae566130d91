// Sequences of a packed stream know nothing of one another, in every network.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "catch.h"
#include "models/golden.h"

using namespace attune;
using namespace attune::models;
using namespace attune::testing;

namespace {

/// Without the padded width: rotary positions that depend on the length then use each sequence's own.
Input packed_input(const Tensors& expected) {
  Input input = golden_input(expected);
  input.text_lengths = {};
  return input;
}

Input only(const Input& input, std::int64_t sequence) {
  const std::int32_t first = input.layout.cu_seqlens[sequence];
  const std::int32_t rows = input.layout.length(sequence);
  Input alone;
  alone.ids = input.ids.narrow(0, first, rows);
  alone.positions = input.positions.narrow(0, first, rows);
  alone.segments = input.segments.narrow(0, first, rows);
  alone.layout = nn::make_layout({rows});
  return alone;
}

/// The rows of the packed logits that belong to a sequence.
at::Tensor part(const at::Tensor& logits, const Input& input, std::int64_t sequence) {
  if (logits.size(0) == input.layout.sequences()) return logits.narrow(0, sequence, 1);
  return logits.narrow(0, input.layout.cu_seqlens[sequence], input.layout.length(sequence));
}

Tensors gradients(const LoadedModel& loaded) {
  Tensors found;
  for (Parameter& parameter : loaded.model->parameters()) {
    at::Tensor& grad = parameter.tensor.mutable_grad();
    if (grad.defined()) found[parameter.name] = grad;
    grad = at::Tensor();
  }
  return found;
}

}  // namespace

TEST_CASE("packed sequences give the logits and gradients that they give one by one", "[models][packing]") {
  for (const std::string& name : kGoldenModels) {
    INFO(name);
    const LoadedModel loaded = load_golden(name);
    const Input input = packed_input(golden_tensors(name));
    const at::Tensor together = logits_of(loaded, input);
    together.square().sum().backward();
    const Tensors want = gradients(loaded);
    for (std::int64_t i = 0; i < input.layout.sequences(); ++i) {
      const at::Tensor alone = logits_of(loaded, only(input, i));
      CHECK((alone - part(together, input, i)).abs().max().item<double>() < 1e-5);
      alone.square().sum().backward();  // adds up
    }
    const Tensors got = gradients(loaded);
    REQUIRE(got.size() == want.size());
    for (const auto& [parameter, gradient] : want) {
      INFO(parameter);
      const double scale = gradient.norm().item<double>();
      CHECK((got.at(parameter) - gradient).norm().item<double>() <= 1e-5 * scale + 1e-7);
    }
  }
}

TEST_CASE("other tokens in one sequence leave every bit of another's logits", "[models][packing]") {
  const at::NoGradGuard no_grad;
  for (const std::string& name : kGoldenModels) {
    INFO(name);
    const LoadedModel loaded = load_golden(name);
    Input input = packed_input(golden_tensors(name));
    const at::Tensor before = logits_of(loaded, input);
    const std::int32_t changed = input.layout.length(0);
    input.ids = at::cat(std::vector<at::Tensor>{(input.ids.narrow(0, 0, changed) + 7) % 29 + 2,
                                                input.ids.narrow(0, changed, input.ids.size(0) - changed)},
                        0);
    const at::Tensor after = logits_of(loaded, input);
    CHECK_FALSE(at::equal(part(before, input, 0), part(after, input, 0)));
    for (std::int64_t i = 1; i < input.layout.sequences(); ++i) {
      CHECK(at::equal(part(before, input, i), part(after, input, i)));
    }
  }
}

TEST_CASE("decoders see nothing that comes later", "[models][packing]") {
  const at::NoGradGuard no_grad;
  for (const std::string& name : kGoldenModels) {
    if (!name.ends_with("_causal_lm")) continue;
    INFO(name);
    const LoadedModel loaded = load_golden(name);
    Input input = packed_input(golden_tensors(name));
    const at::Tensor before = logits_of(loaded, input);
    input.ids = input.ids.clone();
    input.ids[6] = input.ids[6].item<std::int64_t>() % 29 + 3;
    const at::Tensor after = logits_of(loaded, input);
    CHECK(at::equal(before.narrow(0, 0, 6), after.narrow(0, 0, 6)));
    CHECK_FALSE(at::equal(before[6], after[6]));
  }
}

TEST_CASE("padding that is fed but is no key leaves the other rows as they are", "[models][packing]") {
  const at::NoGradGuard no_grad;
  for (const std::string name : {"llama_span", "gpt2_span", "bert_span"}) {
    INFO(name);
    const LoadedModel loaded = load_golden(name);
    const Input input = packed_input(golden_tensors(name));
    const at::Tensor want = logits_of(loaded, input);
    // Every sequence becomes 9 rows long; what is new has id 0.
    const std::int64_t live = input.ids.size(0);
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < 3; ++i) {
      for (std::int32_t j = 0; j < input.layout.length(i); ++j) rows.push_back(9 * i + j);
    }
    const at::Tensor index = at::tensor(rows, at::kLong);
    Input fed;
    fed.ids = at::zeros({27}, at::kLong).index_copy(0, index, input.ids);
    fed.segments = at::zeros({27}, at::kLong).index_copy(0, index, input.segments);
    fed.positions = at::arange(9, at::kLong).repeat({3});
    fed.layout = nn::make_layout({9, 9, 9});
    fed.keys = Rows{.index = index, .layout = input.layout};
    const at::Tensor got = logits_of(loaded, fed).index_select(0, index);
    REQUIRE(got.size(0) == live);
    CHECK((got - want).abs().max().item<double>() < 1e-6);
  }
}
