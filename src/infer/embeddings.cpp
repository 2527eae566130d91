// See embeddings.h.
#include "attune/infer/embeddings.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "attune/base/strings.h"
#include "checks.h"
#include "passes.h"

namespace attune::infer {

namespace {

/// The last hidden states of some texts as one packed stream, [tokens, hidden] on the CPU.
at::Tensor last_hidden_states(const models::Model& model, std::span<const std::vector<std::int32_t>* const> texts) {
  std::vector<std::int64_t> ids, positions;
  std::vector<std::int32_t> lengths;
  for (const auto* text : texts) {
    ids.insert(ids.end(), text->begin(), text->end());
    for (std::size_t t = 0; t < text->size(); ++t) positions.push_back(static_cast<std::int64_t>(t));
    lengths.push_back(static_cast<std::int32_t>(text->size()));
  }
  models::Input input;
  input.ids = at::tensor(ids, at::kLong);
  input.positions = at::tensor(positions, at::kLong);
  input.segments = at::zeros_like(input.ids);
  input.wanted = at::empty({0}, at::kLong);  // no logits
  input.layout = nn::make_layout(lengths);
  input.defer_vocabulary = true;
  models::Context context = model.prepare(models::to_device(std::move(input), model.execution().device), false);
  const std::string last = concat("hidden.", model.depth());
  at::Tensor hidden;
  context.trace = [&](const std::string& name, const at::Tensor& value) {
    if (name == last) hidden = value.to(at::kCPU, at::kFloat);
  };
  models::forward(model, context);
  return hidden;
}

}  // namespace

at::Tensor embeddings(const models::Model& model, std::span<const std::vector<std::int32_t>> texts) {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < texts.size(); ++i) check_text(texts[i], model, concat("text ", i + 1));
  std::vector<std::size_t> order(texts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return texts[i].size(); });
  at::Tensor result;
  for (std::size_t begin = 0; begin < order.size();) {
    std::vector<const std::vector<std::int32_t>*> some;
    std::size_t end = begin;
    for (std::size_t tokens = 0; end < order.size(); ++end) {
      tokens += texts[order[end]].size();
      if (end > begin && tokens > static_cast<std::size_t>(Passes::kPassTokens)) break;
      some.push_back(&texts[order[end]]);
    }
    const at::Tensor hidden = last_hidden_states(model, some);
    if (!result.defined()) result = at::empty({static_cast<std::int64_t>(texts.size()), hidden.size(1)}, at::kFloat);
    std::int64_t first = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const auto length = static_cast<std::int64_t>(texts[order[i]].size());
      const at::Tensor mean = hidden.narrow(0, first, length).mean(0);
      result[static_cast<std::int64_t>(order[i])].copy_(mean / mean.norm().clamp_min(1e-12));
      first += length;
    }
    begin = end;
  }
  return result;
}

}  // namespace attune::infer
