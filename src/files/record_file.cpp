// See record_file.h. A block is the ends of its records, counted from the first record's beginning, then the records.
#include "attune/files/record_file.h"

#include <array>
#include <cstring>
#include <span>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/strings.h"

namespace attune::files {

namespace {

/// Record `i` of `count` records that lie behind their ends.
std::string_view record_in(std::string_view block, std::size_t count, std::size_t i) {
  std::array<std::uint32_t, 2> bounds = {0, 0};
  const std::size_t first = i == 0 ? 0 : i - 1;
  std::memcpy(i == 0 ? &bounds[1] : bounds.data(), block.data() + first * sizeof(std::uint32_t),
              (i == 0 ? 1 : 2) * sizeof(std::uint32_t));
  return block.substr(count * sizeof(std::uint32_t) + bounds[0], bounds[1] - bounds[0]);
}

}  // namespace

void RecordFile::append(std::string_view record) {
  open_ += record;
  ends_.push_back(static_cast<std::uint32_t>(open_.size()));
  ++size_;
  if (ends_.size() == kRecordsInBlock) close_block();
}

void RecordFile::close_block() {
  std::string bytes(reinterpret_cast<const char*>(ends_.data()), ends_.size() * sizeof(std::uint32_t));
  bytes += open_;
  open_.clear();
  ends_.clear();
  if (held_.empty()) {
    try {
      if (!file_) file_ = std::make_unique<ScratchFile>(folder_);
      if (file_->has_room(static_cast<std::int64_t>(bytes.size()))) {
        starts_.push_back(file_->append(std::as_bytes(std::span(bytes))) + static_cast<std::int64_t>(bytes.size()));
        return;
      }
      log::warning(concat(folder_, ": there is little room on the disk; the rows that would lie there stay in memory"));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::storage) throw;
      log::warning(concat("the rows that would lie in a temporary file stay in memory: ", error.what()));
    }
  }
  held_.push_back(std::move(bytes));
}

std::string_view RecordFile::block(std::size_t number) const {
  const std::size_t in_file = starts_.size() - 1;
  if (number >= in_file) return held_[number - in_file];
  if (!has_read_ || read_number_ != number) {
    has_read_ = false;
    read_.resize(static_cast<std::size_t>(starts_[number + 1] - starts_[number]));
    file_->read(starts_[number], std::as_writable_bytes(std::span(read_)));
    read_number_ = number;
    has_read_ = true;
  }
  return read_;
}

std::string_view RecordFile::record(std::size_t i) const {
  if (i >= size_) internal_error("there is no such record");
  const std::size_t place = i % kRecordsInBlock;
  if (i / kRecordsInBlock < size_ / kRecordsInBlock)
    return record_in(block(i / kRecordsInBlock), kRecordsInBlock, place);
  const std::uint32_t begin = place == 0 ? 0 : ends_[place - 1];
  return std::string_view(open_).substr(begin, ends_[place] - begin);
}

}  // namespace attune::files
