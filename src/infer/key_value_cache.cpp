// See key_value_cache.h.
#include "key_value_cache.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

#include "attune/tensor/device.h"

namespace attune::infer {

namespace {

constexpr std::int64_t kFirstPages = 16;

std::int64_t pages_for(std::int64_t tokens) {
  return (tokens + KeyValueCache::kPageSize - 1) / KeyValueCache::kPageSize;
}

}  // namespace

CachedText beginning(const CachedText& text, std::int64_t length) {
  CachedText part = text;
  part.pages.resize(pages_for(length));
  part.length = length;
  if (length == 0) part.longest = 0;
  return part;
}

KeyValueCache::KeyValueCache(const models::Model& model)
    : blocks_(model.depth()),
      key_heads_(model.spec().decoder.num_key_value_heads),
      head_size_(model.spec().decoder.head_dim),
      device_(model.execution().device),
      keys_(blocks_),
      values_(blocks_),
      free_(std::make_shared<std::vector<std::int32_t>>()) {}

std::shared_ptr<const std::int32_t> KeyValueCache::take_page() {
  if (free_->empty()) grow();
  const std::int32_t number = free_->back();
  free_->pop_back();
  return {new std::int32_t(number), [home = free_](const std::int32_t* page) {
            home->push_back(*page);
            delete page;
          }};
}

/// Twice the size, so that a text of n tokens moves its keys log n times.
void KeyValueCache::grow() {
  const std::int64_t more = std::max(pages_, kFirstPages);
  for (auto* pools : {&keys_, &values_}) {
    for (at::Tensor& pool : *pools) {
      const at::Tensor larger = at::empty({(pages_ + more) * kPageSize, key_heads_, head_size_},
                                          at::TensorOptions().dtype(at::kFloat).device(device_));
      if (pool.defined()) larger.narrow(0, 0, pool.size(0)).copy_(pool);
      pool = larger;
    }
  }
  // The lowest numbers go first.
  for (std::int64_t page = pages_ + more - 1; page >= pages_; --page) free_->push_back(static_cast<std::int32_t>(page));
  pages_ += more;
}

void KeyValueCache::make_room(CachedText& text, std::int32_t count, Copies& copies) {
  const std::int64_t used = text.length % kPageSize;
  if (count > 0 && used > 0 && text.pages.back().use_count() > 1) {
    const auto page = take_page();
    for (std::int64_t row = 0; row < used; ++row) {
      copies.from.push_back(*text.pages.back() * kPageSize + row);
      copies.to.push_back(*page * kPageSize + row);
    }
    text.pages.back() = page;
  }
  text.length += count;
  text.longest = std::max(text.longest, text.length);
  while (static_cast<std::int64_t>(text.pages.size()) < pages_for(text.length)) text.pages.push_back(take_page());
}

void KeyValueCache::copy_rows(const Copies& copies) {
  if (copies.from.empty()) return;
  const at::Tensor from = tensor::on_device(at::tensor(copies.from, at::kLong), device_);
  const at::Tensor to = tensor::on_device(at::tensor(copies.to, at::kLong), device_);
  for (auto* pools : {&keys_, &values_}) {
    for (at::Tensor& pool : *pools) pool.index_copy_(0, to, pool.index_select(0, from));
  }
}

std::shared_ptr<const models::Past> KeyValueCache::extend(std::span<CachedText* const> texts,
                                                          std::span<const std::int32_t> counts) {
  Copies copies;
  // Of those who share a page the last one keeps it, so no page becomes free before its rows are copied.
  for (std::size_t i = 0; i < texts.size(); ++i) make_room(*texts[i], counts[i], copies);
  copy_rows(copies);

  auto pages = std::make_shared<nn::Pages>();
  pages->size = kPageSize;
  pages->ends.push_back(0);
  std::vector<std::int32_t> lengths;
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const CachedText& text = *texts[i];
    for (const auto& page : text.pages) pages->numbers.push_back(*page);
    pages->ends.push_back(static_cast<std::int32_t>(pages->numbers.size()));
    lengths.push_back(static_cast<std::int32_t>(text.length));
    for (std::int64_t t = text.length - counts[i]; t < text.length; ++t) {
      rows.push_back(*text.pages[t / kPageSize] * kPageSize + t % kPageSize);
    }
  }
  models::Past past{.keys = keys_, .values = values_, .rows = tensor::on_device(at::tensor(rows, at::kLong), device_), .layout = {}};
  nn::Layout layout = nn::make_layout(lengths);
  layout.pages = std::move(pages);
  past.layout = nn::to_device(std::move(layout), device_);
  return std::make_shared<const models::Past>(std::move(past));
}

}  // namespace attune::infer
