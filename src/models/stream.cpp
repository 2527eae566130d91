// See stream.h.
#include "stream.h"

#include <ATen/ops/full_like.h>
#include <ATen/ops/tensor.h>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/tensor/device.h"

namespace attune::models {

namespace {

/// One row a sequence.
Rows rows_at(const std::vector<std::int64_t>& index, const Input& input) {
  const at::Device device = input.ids.device();
  const nn::Layout layout = nn::make_layout(std::vector<std::int32_t>(index.size(), 1));
  return {.index = tensor::on_device(at::tensor(index, at::kLong), device),
          .layout = nn::to_device(layout, device)};
}

}  // namespace

void check_length(const nn::Layout& layout, std::int64_t most) {
  if (layout.longest <= most) return;
  throw Error(ErrorKind::data,
              {.file = {},
               .what = concat("a sequence has ", layout.longest, " tokens, the model takes at most ", most),
               .where = {},
               .hint = concat("set data.max_length to at most ", most)});
}

Rows first_of_each(const Input& input) {
  const std::vector<std::int32_t>& ends = input.layout.cu_seqlens;
  return rows_at({ends.begin(), ends.end() - 1}, input);
}

Rows last_of_each(const Input& input, std::int64_t padding_id) {
  const std::vector<std::int32_t>& ends = input.layout.cu_seqlens;
  const at::Tensor ids = input.ids.cpu().contiguous();
  const auto* id = ids.const_data_ptr<std::int64_t>();
  std::vector<std::int64_t> index;
  for (std::int64_t i = 0; i < input.layout.sequences(); ++i) {
    std::int64_t row = ends[i + 1] - 1;
    while (row > ends[i] && id[row] == padding_id) --row;
    index.push_back(id[row] == padding_id ? ends[i] : row);
  }
  return rows_at(index, input);
}
at::Tensor positions_behind_padding(const Input& input, std::int64_t padding_id, std::int64_t before) {
  const at::Tensor ids = input.ids.cpu().contiguous();
  const auto* id = ids.const_data_ptr<std::int64_t>();
  const at::Tensor positions = at::full_like(ids, padding_id);
  auto* out = positions.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < input.layout.sequences(); ++i) {
    std::int64_t next = padding_id + before;
    for (std::int64_t row = input.layout.cu_seqlens[i]; row < input.layout.cu_seqlens[i + 1]; ++row) {
      if (id[row] != padding_id) out[row] = ++next;
    }
  }
  return tensor::on_device(positions, input.ids.device());
}

Output vocabulary_output(const nn::Vocabulary& vocabulary, const Context& context) {
  if (context.input.defer_vocabulary) return {.logits = {}, .pooled = {}, .vocabulary = vocabulary};
  return {.logits = nn::vocabulary_logits(vocabulary), .pooled = {}};
}

}  // namespace attune::models
