// Records of bytes in a nameless file (scratch_file.h), which take half a byte of memory each. What the file has no
// room for, or what cannot be written, stays in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/files/scratch_file.h"

namespace attune::files {

class RecordFile {
 public:
  /// The file is made in `folder` with the first records that are written.
  explicit RecordFile(std::string folder) : folder_(std::move(folder)) {}

  void append(std::string_view record);
  std::size_t size() const { return size_; }
  std::int64_t file_bytes() const { return file_ ? file_->size() : 0; }
  /// The bytes of a record, good until the next call of a member. Not for several threads at once. Error{storage}.
  std::string_view record(std::size_t i) const;

 private:
  /// So many neighbours are written, read and found together.
  static constexpr std::size_t kRecordsInBlock = 16;

  void close_block();
  std::string_view block(std::size_t number) const;

  std::string folder_;
  std::size_t size_ = 0;
  std::string open_;                 ///< the last block while it fills: records one after another
  std::vector<std::uint32_t> ends_;  ///< of its records
  std::unique_ptr<ScratchFile> file_;
  std::vector<std::int64_t> starts_ = {0};  ///< of the blocks in the file, and the end of the last
  std::vector<std::string> held_;           ///< the blocks behind them, which are in memory
  mutable std::string read_;                ///< the block that was read last
  mutable std::size_t read_number_ = 0;
  mutable bool has_read_ = false;
};

}  // namespace attune::files
