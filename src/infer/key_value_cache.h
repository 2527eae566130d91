// The books of past keys and values: pools in pages, of which texts hold lists. Texts share the pages of a common
// beginning; a text that goes on in a page that others hold too gets a copy of it first. Nothing is copied per token.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "attune/models/model.h"

namespace attune::infer {

/// One text's tokens in the pools. A copy shares the pages.
struct CachedText {
  std::vector<std::shared_ptr<const std::int32_t>> pages;  ///< a page is free again when nobody holds its number
  std::int64_t length = 0;                                 ///< tokens
  std::int64_t longest = 0;  ///< of the texts that they were computed in: rotary positions may depend on it
};

/// The first `length` tokens.
CachedText beginning(const CachedText& text, std::int64_t length);

class KeyValueCache {
 public:
  static constexpr std::int64_t kPageSize = 16;

  explicit KeyValueCache(const models::Model& model);

  /// Makes room for counts[i] more tokens of texts[i], which count as its own from now on, and says where they go.
  std::shared_ptr<const models::Past> extend(std::span<CachedText* const> texts, std::span<const std::int32_t> counts);

  std::int64_t pages() const { return pages_; }

 private:
  /// Rows to copy from page to page.
  struct Copies {
    std::vector<std::int64_t> from, to;
  };
  std::shared_ptr<const std::int32_t> take_page();
  void grow();
  void make_room(CachedText& text, std::int32_t count, Copies& copies);
  void copy_rows(const Copies& copies);

  std::int64_t blocks_, key_heads_, head_size_;
  at::Device device_;
  std::vector<at::Tensor> keys_, values_;
  std::int64_t pages_ = 0;
  std::shared_ptr<std::vector<std::int32_t>> free_;  ///< outlives the cache in the hands of pages
};

}  // namespace attune::infer
