// See pack.h.
#include "attune/task/pack.h"

#include <algorithm>
#include <utility>

#include <ATen/ops/zeros.h>

#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/random.h"
#include "attune/base/strings.h"
#include "attune/data/record.h"
#include "attune/tensor/device.h"
#include "task/common.h"

namespace attune::task {

namespace {

/// As Encoded::type_ids has them: nothing for zeros alone.
std::vector<std::int32_t> types_of(const std::vector<std::int32_t>& types) {
  const bool one_type = std::ranges::all_of(types, [](std::int32_t type) { return type == 0; });
  return one_type ? std::vector<std::int32_t>() : types;
}

at::Tensor long_stream(std::int64_t total) { return at::zeros({total}, at::TensorOptions().dtype(at::kLong)); }

}  // namespace

Batch pack(std::span<const Encoded* const> rows, const BatchKey& key) {
  std::vector<std::int32_t> lengths;
  Batch batch;
  for (const Encoded* row : rows) {
    lengths.push_back(static_cast<std::int32_t>(row->ids.size()));
    batch.tokens += static_cast<std::int64_t>(row->ids.size());
  }
  batch.rows.assign(rows.begin(), rows.end());
  models::Input& input = batch.input;
  input.layout = nn::make_layout(lengths, nn::ladder_rung(batch.tokens));
  input.ids = long_stream(input.layout.total);
  input.positions = long_stream(input.layout.total);
  input.segments = long_stream(input.layout.total);
  if (key.training) {
    input.dropout.token_keys = long_stream(input.layout.total);
    input.dropout.step_key = RandomKey(key.seed, "dropout").with(key.step).value();
  }

  auto* ids = input.ids.mutable_data_ptr<std::int64_t>();
  auto* positions = input.positions.mutable_data_ptr<std::int64_t>();
  auto* segments = input.segments.mutable_data_ptr<std::int64_t>();
  auto* token_keys = key.training ? input.dropout.token_keys.mutable_data_ptr<std::int64_t>() : nullptr;
  std::int64_t t = 0;
  for (const Encoded* row : rows) {
    const RandomKey row_key = RandomKey(key.seed, "token").with(row->row).with(row->window).with(key.epoch);
    for (std::size_t i = 0; i < row->ids.size(); ++i, ++t) {
      ids[t] = row->ids[i];
      positions[t] = static_cast<std::int64_t>(i);
      segments[t] = row->type_ids.empty() ? 0 : row->type_ids[i];
      if (token_keys != nullptr) token_keys[t] = static_cast<std::int64_t>(row_key.bits(i));
    }
  }
  return batch;
}

Batch to_device(Batch batch, const at::Device& device) {
  batch.input = models::to_device(std::move(batch.input), device);
  for (at::Tensor* x : {&batch.targets, &batch.weights}) {
    if (x->defined()) *x = tensor::on_device(*x, device);
  }
  return batch;
}

void WantedTokens::add(std::int64_t row, std::int64_t label, double weight) {
  rows.push_back(row);
  labels.push_back(label);
  weights.push_back(static_cast<float>(weight));
}

void WantedTokens::set(Batch& batch, bool weighted) const {
  batch.input.wanted = long_tensor(rows);
  batch.input.defer_vocabulary = true;
  batch.labels = long_tensor(labels);
  if (weighted) batch.weights = float_tensor(weights, {static_cast<std::int64_t>(weights.size())});
}

at::Tensor row_weights(std::span<const Encoded* const> rows) {
  if (std::all_of(rows.begin(), rows.end(), [](const Encoded* row) { return row->weight == 1.0; })) return {};
  std::vector<float> weights;
  for (const Encoded* row : rows) weights.push_back(static_cast<float>(row->weight));
  return float_tensor(weights, {static_cast<std::int64_t>(weights.size())});
}

Encoded encode_text(const data::Example& example, const text::Encoding& encoding) {
  Encoded encoded;
  encoded.row = example.row;
  encoded.weight = example.weight;
  encoded.ids = encoding.ids;
  encoded.type_ids = types_of(encoding.type_ids);
  return encoded;
}

Encoded encode_ids(const data::Example& example, std::int64_t max_length, std::size_t vocab_size) {
  if (static_cast<std::int64_t>(example.input_ids.size()) > max_length) {
    throw Error(ErrorKind::data, {.file = data::place_of(example.origin),
                                  .what = concat("the row has ", example.input_ids.size(), " input_ids, data.max_length is ", max_length),
                                  .where = "",
                                  .hint = "raise data.max_length or shorten the row: input_ids are not cut"});
  }
  for (const std::int32_t id : example.input_ids) {
    if (id >= 0 && static_cast<std::size_t>(id) < vocab_size) continue;
    throw Error(ErrorKind::data, {.file = data::place_of(example.origin),
                                  .what = concat("input_ids holds ", id, ", the vocabulary has ids 0 to ", vocab_size - 1),
                                  .where = "",
                                  .hint = "make the ids with this model's own tokenizer (attune tokenize)"});
  }
  Encoded encoded;
  encoded.row = example.row;
  encoded.weight = example.weight;
  encoded.ids = *example.input_ids;
  encoded.type_ids = types_of(*example.token_type_ids);
  return encoded;
}

std::vector<Encoded> encode_texts(std::span<const data::Example> examples, const text::Tokenizer& tokenizer,
                                  std::int64_t max_length) {
  std::vector<text::TextInput> inputs;
  for (const data::Example& example : examples) {
    if (!example.input_ids.empty()) continue;
    text::TextInput input{.text = example.text};
    if (example.has_pair) input.pair = *example.text_pair;
    inputs.push_back(input);
  }
  text::EncodeOptions options;
  options.truncation = text::Truncation{.max_length = static_cast<std::size_t>(max_length)};
  options.with_tokens = false;
  const std::vector<text::Encoding> encodings = tokenizer.encode_batch(inputs, options);

  std::vector<Encoded> rows;
  rows.reserve(examples.size());
  std::size_t next = 0;
  for (const data::Example& example : examples) {
    Encoded row = example.input_ids.empty() ? encode_text(example, encodings[next++])
                                            : encode_ids(example, max_length, tokenizer.vocab_size());
    row.example = static_cast<std::int64_t>(rows.size());
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace attune::task
