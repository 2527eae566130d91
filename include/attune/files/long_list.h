// Lists that may be longer than memory: their first values lie in memory, the others in a nameless file.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "attune/base/error.h"
#include "attune/files/packed.h"
#include "attune/files/record_file.h"

namespace attune::files {

/// A std::vector that only grows, until spill_to gives a limit of memory. Beside T there are pack(), unpack()
/// (packed.h) and memory_of(), the bytes that a value takes. What needs all values at once (begin, end, [], spans) is
/// for lists without a limit and a defect of the caller elsewhere. A copy shares the file: only one of the two may grow
/// or be edited.
template <class T>
class LongList {
 public:
  LongList() = default;
  LongList(std::vector<T> values) : near_(std::move(values)) {}  // NOLINT: stands for them

  /// From now on values beyond `bytes` of memory go into a file in `folder`.
  void spill_to(std::string folder, std::size_t bytes) {
    folder_ = std::move(folder);
    limit_ = bytes;
    bytes_ = 0;
    for (const T& value : near_) bytes_ += memory_of(value);
  }
  void push_back(T value) {
    if (limit_ != kNoLimit) {
      if (far_ || bytes_ + memory_of(value) > limit_) return write(value);
      bytes_ += memory_of(value);
    }
    near_.push_back(std::move(value));
  }
  void reserve(std::size_t size) {
    if (limit_ == kNoLimit) near_.reserve(size);
  }
  void clear() {
    near_.clear();
    far_.reset();
    bytes_ = 0;
  }

  std::size_t size() const { return near_.size() + far_size(); }
  bool empty() const { return size() == 0; }
  bool is_in_file() const { return far_ != nullptr; }  ///< partly
  std::int64_t file_bytes() const { return far_ ? far_->records.file_bytes() : 0; }
  /// Value i, which lies in the list or, where it was read from the file, is the caller's.
  std::shared_ptr<const T> get(std::size_t i) const {
    if (i < near_.size()) return {std::shared_ptr<const T>(), &near_[i]};
    auto value = std::make_shared<T>();
    read(*far_, i - near_.size(), *value);
    return value;
  }
  /// Calls visit(value) for all in order. What was read from the file is gone after the call.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const T& value : near_) visit(value);
    T value;
    for (std::size_t i = 0; i < far_size(); ++i) {
      read(*far_, i, value);
      visit(std::as_const(value));
    }
  }
  /// Calls edit(value) for all in order, which may change it.
  template <class Edit>
  void edit(Edit edit) {
    for (T& value : near_) edit(value);
    const auto edit_all = [&](std::vector<T>& some) {
      for (T& value : some) edit(value);
    };
    rewrite_far(kEditedBytes, edit_all);
  }
  /// Calls edit(std::vector<T>&) for all in order, some neighbours at a time that take about `bytes` of memory. What it
  /// leaves in the vector, which may be fewer, is what the list then holds.
  template <class Edit>
  void rewrite(std::size_t bytes, Edit edit) {
    std::vector<T> some;
    std::size_t kept = 0;
    for (std::size_t next = 0; next < near_.size();) {
      some.clear();
      for (std::size_t taken = 0; next < near_.size() && taken < bytes;) {
        taken += memory_of(near_[next]);
        some.push_back(std::move(near_[next++]));
      }
      edit(some);
      std::ranges::move(some, near_.begin() + static_cast<std::ptrdiff_t>(kept));
      kept += some.size();
    }
    near_.erase(near_.begin() + static_cast<std::ptrdiff_t>(kept), near_.end());
    rewrite_far(bytes, edit);
  }

  // What needs all values in memory.
  std::vector<T>& values() { return far_ ? refuse() : near_; }
  const std::vector<T>& values() const { return far_ ? const_cast<LongList*>(this)->refuse() : near_; }
  auto begin() { return values().begin(); }
  auto end() { return values().end(); }
  auto begin() const { return values().begin(); }
  auto end() const { return values().end(); }
  T& operator[](std::size_t i) { return values()[i]; }
  const T& operator[](std::size_t i) const { return values()[i]; }

 private:
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t kEditedBytes = std::size_t{1} << 20;

  struct Far {
    explicit Far(const std::string& folder) : records(folder) {}
    RecordFile records;
    SharedTexts shared;
    mutable std::mutex mutex;  ///< over reading: several threads may ask for values
  };

  [[noreturn]] static std::vector<T>& refuse() {
    internal_error("a list that is partly in a file is read as if it were in memory");
  }
  std::size_t far_size() const { return far_ ? far_->records.size() : 0; }
  static void read(const Far& far, std::size_t i, T& value) {
    const std::scoped_lock lock(far.mutex);
    Unpacker packed(far.records.record(i), far.shared);
    unpack(packed, value);
  }
  void write(const T& value) {
    if (!far_) far_ = std::make_shared<Far>(folder_);
    packed_.clear();
    Packer packer(packed_, far_->shared);
    pack(value, packer);
    far_->records.append(packed_);
  }
  template <class Edit>
  void rewrite_far(std::size_t bytes, Edit& edit) {
    if (!far_) return;
    const std::shared_ptr<Far> old = std::exchange(far_, std::make_shared<Far>(folder_));
    std::vector<T> some;
    for (std::size_t next = 0; next < old->records.size();) {
      some.clear();
      for (std::size_t taken = 0; next < old->records.size() && taken < bytes; ++next) {
        read(*old, next, some.emplace_back());
        taken += memory_of(some.back());
      }
      edit(some);
      for (const T& value : some) write(value);
    }
  }

  std::vector<T> near_;
  std::shared_ptr<Far> far_;  ///< the values behind them
  std::string folder_, packed_;
  std::size_t limit_ = kNoLimit, bytes_ = 0;
};

/// The values of a LongList, or of memory, to be read; they must outlive it.
template <class T>
class ListView {
 public:
  ListView() = default;
  ListView(std::span<const T> values) : near_(values) {}     // NOLINT: stands for them
  ListView(const std::vector<T>& values) : near_(values) {}  // NOLINT
  ListView(const LongList<T>& values) : list_(&values) {}    // NOLINT

  std::size_t size() const { return list_ != nullptr ? list_->size() : near_.size(); }
  bool empty() const { return size() == 0; }
  /// As LongList::get.
  std::shared_ptr<const T> get(std::size_t i) const {
    if (list_ != nullptr) return list_->get(i);
    return {std::shared_ptr<const T>(), &near_[i]};
  }
  /// As LongList::for_each.
  template <class Visit>
  void for_each(Visit visit) const {
    if (list_ != nullptr) return list_->for_each(visit);
    for (const T& value : near_) visit(value);
  }

 private:
  std::span<const T> near_;
  const LongList<T>* list_ = nullptr;
};

}  // namespace attune::files
