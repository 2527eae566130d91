// See virtual_stream.h.
#include "virtual_stream.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include <utility>
#include <vector>

#include "attune/base/random.h"
#include "attune/tensor/device.h"

namespace attune::models {

namespace {

/// A stream that is longer by `count` rows in front of each sequence.
class LongerStream {
 public:
  LongerStream(const nn::Layout& layout, std::int64_t count) {
    std::vector<std::int32_t> lengths;
    for (std::int64_t i = 0; i < layout.sequences(); ++i) {
      lengths.push_back(layout.length(i) + static_cast<std::int32_t>(count));
      for (std::int64_t j = 0; j < count; ++j) fresh_.push_back(layout.cu_seqlens[i] + i * count + j);
      for (std::int32_t t = 0; t < layout.length(i); ++t) given_.push_back(layout.cu_seqlens[i] + (i + 1) * count + t);
      firsts_.push_back(layout.cu_seqlens[i]);
    }
    // As far as rows are rounded up, they are afterwards too.
    const std::int64_t total = layout.total + layout.sequences() * count;
    layout_ = nn::make_layout(lengths, layout.total > layout.live() ? nn::ladder_rung(total) : total);
    for (std::int64_t dead = layout.live(); dead < layout.total; ++dead) {
      given_.push_back(layout_.live() + dead - layout.live());
    }
  }

  const nn::Layout& layout() const { return layout_; }
  /// The rows in which those of the given stream lie, dead ones too, and those of the new ones.
  at::Tensor given(const at::Device& device) const { return on(given_, device); }
  at::Tensor fresh(const at::Device& device) const { return on(fresh_, device); }
  /// The first row of each sequence in the given stream.
  at::Tensor firsts(const at::Device& device) const { return on(firsts_, device); }
  std::int64_t row_of(std::int64_t given_row) const { return given_[given_row]; }

  /// The numbers of a stream, and those of the new rows [B · count]; dead rows 0.
  at::Tensor stretch(const at::Tensor& numbers, const at::Tensor& fresh_numbers) const {
    if (!numbers.defined()) return {};
    const at::Device device = numbers.device();
    at::Tensor longer = numbers.new_zeros({layout_.total});
    longer.index_copy_(0, given(device), numbers);
    return longer.index_copy_(0, fresh(device), fresh_numbers);
  }

 private:
  static at::Tensor on(const std::vector<std::int64_t>& index, const at::Device& device) {
    return tensor::on_device(at::tensor(index, at::kLong), device);
  }

  std::vector<std::int64_t> given_, fresh_, firsts_;
  nn::Layout layout_;
};

/// 0 … count - 1 for each sequence.
at::Tensor numbers_of_tokens(std::int64_t count, std::int64_t sequences, const at::Device& device) {
  return at::arange(count, at::TensorOptions().dtype(at::kLong).device(device)).repeat({sequences});
}

/// Keys of dropout for the new rows, pure in those of the text's first token.
at::Tensor fresh_keys(const at::Tensor& token_keys, const LongerStream& stream, std::int64_t count) {
  if (!token_keys.defined()) return {};
  const at::Tensor first = token_keys.index_select(0, stream.firsts(token_keys.device())).unsqueeze(1);
  const at::Tensor number = at::arange(1, count + 1, token_keys.options()).unsqueeze(0);
  return (first + number * static_cast<std::int64_t>(mix64(0))).flatten();
}

Rows longer_keys(const Rows& keys, const nn::Layout& given, const LongerStream& stream, std::int64_t count) {
  const at::Tensor index = keys.index.cpu().contiguous();
  const auto* row = index.const_data_ptr<std::int64_t>();
  std::vector<std::int64_t> rows;
  std::vector<std::int32_t> lengths;
  for (std::int64_t i = 0; i < given.sequences(); ++i) {
    for (std::int64_t j = 0; j < count; ++j) rows.push_back(stream.layout().cu_seqlens[i] + j);
    for (std::int32_t k = keys.layout.cu_seqlens[i]; k < keys.layout.cu_seqlens[i + 1]; ++k)
      rows.push_back(stream.row_of(row[k]));
    lengths.push_back(keys.layout.length(i) + static_cast<std::int32_t>(count));
  }
  const at::Device device = keys.index.device();
  return {.index = tensor::on_device(at::tensor(rows, at::kLong), device),
          .layout = nn::to_device(nn::make_layout(lengths), device)};
}

void lengthen(const VirtualTokens& tokens, std::int64_t vocab_size, Input& input, VirtualRows& rows) {
  const at::Device device = input.ids.device();
  const LongerStream stream(input.layout, tokens.count);
  const at::Tensor numbers = numbers_of_tokens(tokens.count, input.layout.sequences(), device);
  const at::Tensor keys = fresh_keys(input.dropout.token_keys, stream, tokens.count);
  input.ids = stream.stretch(input.ids, numbers + vocab_size);
  input.positions = stream.stretch(input.positions + tokens.count, numbers);
  input.segments = stream.stretch(input.segments, numbers.new_zeros(numbers.sizes()));
  input.dropout.token_keys = stream.stretch(input.dropout.token_keys, keys);
  if (input.keys) input.keys = longer_keys(*input.keys, input.layout, stream, tokens.count);
  rows.given = {.index = stream.given(device), .layout = input.layout};
  if (input.wanted.defined()) input.wanted = rows.given.index.index_select(0, input.wanted);
  input.layout = nn::to_device(stream.layout(), device);
}

/// Of the rows of [virtual; those of the pass]: each sequence's keys, the virtual ones first.
Rows keys_behind(std::int64_t count, const nn::Layout& own, const at::Device& device) {
  std::vector<std::int64_t> rows;
  std::vector<std::int32_t> lengths;
  for (std::int64_t i = 0; i < own.sequences(); ++i) {
    for (std::int64_t j = 0; j < count; ++j) rows.push_back(j);
    for (std::int32_t t = own.cu_seqlens[i]; t < own.cu_seqlens[i + 1]; ++t) rows.push_back(count + t);
    lengths.push_back(own.length(i) + static_cast<std::int32_t>(count));
  }
  return {.index = tensor::on_device(at::tensor(rows, at::kLong), device),
          .layout = nn::to_device(nn::make_layout(lengths), device)};
}

/// Where the stream has embedded virtual tokens; their ids become 0, which every vocabulary has.
void find_embedded(std::int64_t vocab_size, Input& input, VirtualRows& rows) {
  const at::Tensor ids = input.ids.cpu().contiguous();
  const auto* id = ids.const_data_ptr<std::int64_t>();
  std::vector<std::int64_t> found, numbers;
  for (std::int64_t row = 0; row < ids.numel(); ++row) {
    if (id[row] < vocab_size) continue;
    found.push_back(row);
    numbers.push_back(id[row] - vocab_size);
  }
  if (found.empty()) return;
  const at::Device device = input.ids.device();
  rows.rows = tensor::on_device(at::tensor(found, at::kLong), device);
  rows.numbers = tensor::on_device(at::tensor(numbers, at::kLong), device);
  input.ids = input.ids.index_fill(0, rows.rows, 0);
}

}  // namespace

KeysAndValues keys_and_values(const VirtualTokens& tokens, int block, int blocks, std::int64_t key_heads) {
  const std::int64_t size = tokens.width / (2 * blocks);
  const at::Tensor both = tokens.columns(2 * block * size, 2 * size);
  const auto part = [&](std::int64_t first) {
    return both.narrow(1, first, size).reshape({tokens.count, key_heads, size / key_heads});
  };
  return {part(0), part(size)};
}

std::int64_t positions_to_come(const VirtualTokens* tokens, const Input& input) {
  return tokens != nullptr && !input.has_virtual_tokens ? tokens->count : 0;
}

void take_in_virtual_tokens(const VirtualTokens* tokens, std::int64_t vocab_size, Input& input, VirtualRows& rows) {
  if (tokens == nullptr) return;
  rows.tokens = tokens;
  const bool come = !std::exchange(input.has_virtual_tokens, true);
  if (come) {
    for (std::int32_t& length : input.text_lengths) length += static_cast<std::int32_t>(tokens->count);
  }
  if (tokens->place == VirtualTokens::Place::embeddings) {
    if (come) lengthen(*tokens, vocab_size, input, rows);
    find_embedded(vocab_size, input, rows);
  } else if (come) {
    input.positions = input.positions + tokens->count;
    rows.keys = keys_behind(tokens->count, input.keys ? input.keys->layout : input.layout, input.ids.device());
  }
}

at::Tensor with_virtual_embeddings(const at::Tensor& x, const Context& context) {
  const VirtualRows& virtual_rows = context.virtual_rows;
  if (!virtual_rows.embedded()) return x;
  const at::Tensor values = virtual_rows.tokens->values().index_select(0, virtual_rows.numbers);
  return x.index_copy(0, virtual_rows.rows, values.to(x.scalar_type()));
}

void put_before(int block, int blocks, const Context& context, at::Tensor& key, at::Tensor& value) {
  const VirtualRows& virtual_rows = context.virtual_rows;
  if (!virtual_rows.before_keys()) return;
  const KeysAndValues before = keys_and_values(*virtual_rows.tokens, block, blocks, key.size(1));
  const auto joined = [&](const at::Tensor& first, const at::Tensor& own) {
    return virtual_rows.keys.of(at::cat(std::vector<at::Tensor>{first.to(own.scalar_type()), own}, 0));
  };
  key = joined(before.keys, key);
  value = joined(before.values, value);
}

const nn::Layout& key_layout(const Context& context) {
  if (context.virtual_rows.before_keys()) return context.virtual_rows.keys.layout;
  return context.input.keys ? context.input.keys->layout : context.input.layout;
}

}  // namespace attune::models
