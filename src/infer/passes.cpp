// See passes.h.
#include "passes.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "attune/base/error.h"
#include "attune/nn/vocabulary.h"

namespace attune::infer {

namespace {

/// longrope: whether a text of this length has the frequencies of long texts.
bool is_long(const nn::RotarySpec& rotary, std::int64_t length) {
  return length > rotary.original_positions;
}

}  // namespace

Passes::Passes(const models::Model& model) : model_(model), cache_(model) {
  if (model.virtual_tokens()) virtual_ = model.virtual_tokens()->count;
}

bool Passes::has_virtual_keys() const {
  return model_.virtual_tokens()->place == models::VirtualTokens::Place::keys;
}

CachedText Passes::fresh(std::int64_t text_class) {
  if (virtual_ == 0) return {};
  // No frequencies turn keys that an adapter brings.
  const std::int64_t wanted = has_virtual_keys() ? 0 : text_class;
  if (before_.length == 0 || before_class_ != wanted) {
    before_ = has_virtual_keys() ? virtual_keys() : embedded_tokens(wanted);
    before_class_ = wanted;
  }
  return before_;
}

CachedText Passes::virtual_keys() {
  const at::NoGradGuard no_grad;
  CachedText made;
  CachedText* const texts[] = {&made};
  const std::int32_t counts[] = {static_cast<std::int32_t>(virtual_)};
  const auto past = cache_.extend(texts, counts);
  for (int block = 0; block < model_.depth(); ++block) {
    const at::Tensor &keys = past->keys[block], &values = past->values[block];
    const models::KeysAndValues found =
        models::keys_and_values(*model_.virtual_tokens(), block, model_.depth(), keys.size(1));
    keys.index_copy_(0, past->rows, found.keys);
    values.index_copy_(0, past->rows, found.values);
  }
  return made;
}

CachedText Passes::embedded_tokens(std::int64_t text_class) {
  Row row{.ids = {}, .text_length = text_class};
  Row* const rows[] = {&row};
  run(rows, {});
  return std::move(row.cached);
}

models::Input Passes::packed(std::span<Row* const> rows) const {
  std::vector<std::int64_t> ids, positions;
  std::vector<std::int32_t> lengths, text_lengths;
  for (const Row* row : rows) {
    for (std::int64_t t = row->cached.length; t < length_of(*row); ++t) {
      ids.push_back(t < virtual_ ? model_.spec().vocab_size + t : row->ids[static_cast<std::size_t>(t - virtual_)]);
      positions.push_back(t);
    }
    lengths.push_back(static_cast<std::int32_t>(fresh_tokens(*row)));
    text_lengths.push_back(static_cast<std::int32_t>(std::max(row->text_length, length_of(*row))));
  }
  models::Input input;
  input.ids = at::tensor(ids, at::kLong);
  input.positions = at::tensor(positions, at::kLong);
  input.segments = at::zeros_like(input.ids);
  input.layout = nn::make_layout(lengths);
  input.text_lengths = std::move(text_lengths);
  input.has_virtual_tokens = true;
  return input;
}

std::int64_t Passes::frequency_class(std::int64_t text_length) const {
  const std::int64_t length = virtual_ + text_length;
  std::int64_t found = 0;
  for (const nn::RotarySpec& rotary : model_.spec().decoder.rotary) {
    const bool is_dynamic = rotary.scaling == nn::RotaryScaling::dynamic;
    if (is_dynamic && length > rotary.max_positions) return length;
    if (rotary.scaling == nn::RotaryScaling::longrope && is_long(rotary, length)) found = rotary.original_positions + 1;
  }
  return found;
}

at::Tensor log_probabilities(const models::Output& output, const at::Tensor& rows, const at::Tensor& ids) {
  const at::Tensor log_p = output.vocabulary.defined() ? nn::vocabulary_log_probabilities(output.vocabulary, rows, ids)
                                                       : nn::log_probabilities(output.logits, rows, ids);
  const std::span<const float> values(log_p.const_data_ptr<float>(), static_cast<std::size_t>(log_p.numel()));
  if (std::ranges::none_of(values, [](float value) { return std::isnan(value); })) return log_p;
  throw Error(ErrorKind::diverged, {.file = {},
                                    .what = "the model's scores of a text are no numbers",
                                    .where = {},
                                    .hint = "check the model's weights"});
}

CachedText Passes::reusable(const CachedText& text, std::int64_t common, std::int64_t length) const {
  const CachedText part = first_tokens(text, std::min(common, cached_tokens(text)));
  length += virtual_;
  for (const nn::RotarySpec& rotary : model_.spec().decoder.rotary) {
    const bool is_dynamic = rotary.scaling == nn::RotaryScaling::dynamic;
    if (is_dynamic && std::max(part.longest, length) > rotary.max_positions) return {};
    if (rotary.scaling == nn::RotaryScaling::longrope && is_long(rotary, part.longest) != is_long(rotary, length))
      return {};
  }
  return part;
}

/// A text that outgrows longrope's original length changes all its frequencies, so it is computed anew, once. Dynamic
/// frequencies change with every token; the reference keeps the keys as they were computed, and so does this.
void Passes::forget_other_frequencies(Row& row) {
  for (const nn::RotarySpec& rotary : model_.spec().decoder.rotary) {
    if (rotary.scaling != nn::RotaryScaling::longrope || cached_tokens(row.cached) == 0) continue;
    if (is_long(rotary, row.cached.longest) != is_long(rotary, length_of(row))) {
      row.cached = fresh(frequency_class(static_cast<std::int64_t>(row.ids.size())));
    }
  }
}

models::Output Passes::pass(std::span<Row* const> rows, const std::vector<std::int64_t>& wanted, bool defers) {
  models::Input input = packed(rows);
  input.wanted = at::tensor(wanted, at::kLong);
  input.defer_vocabulary = defers;
  input = models::to_device(std::move(input), model_.execution().device);
  std::vector<CachedText*> texts;
  std::vector<std::int32_t> counts;
  for (Row* row : rows) {
    texts.push_back(&row->cached);
    counts.push_back(static_cast<std::int32_t>(fresh_tokens(*row)));
  }
  computed_ += input.layout.total;
  input.past = cache_.extend(texts, counts);
  return models::forward(model_, model_.prepare(std::move(input), false));
}

models::Output Passes::run(std::span<Row* const> rows, const std::vector<std::int64_t>& wanted) {
  const at::NoGradGuard no_grad;
  return pass(rows, wanted, /*defers=*/true);
}

at::Tensor Passes::next_logits(std::span<Row* const> rows) {
  const at::NoGradGuard no_grad;
  for (Row* row : rows) forget_other_frequencies(*row);
  std::vector<at::Tensor> parts;
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t end = begin;
    for (std::int64_t tokens = 0; end < rows.size(); ++end) {
      tokens += fresh_tokens(*rows[end]);
      if (end > begin && tokens > kPassTokens) break;
    }
    const std::span<Row* const> some = rows.subspan(begin, end - begin);
    std::vector<std::int64_t> last;  // of each row's new tokens
    for (std::int64_t tokens = 0; const Row* row : some) last.push_back((tokens += fresh_tokens(*row)) - 1);
    parts.push_back(pass(some, last, /*defers=*/false).logits.to(at::kCPU, at::kFloat));
    begin = end;
  }
  return parts.size() == 1 ? parts.front().contiguous() : at::cat(parts, 0).contiguous();
}

}  // namespace attune::infer
