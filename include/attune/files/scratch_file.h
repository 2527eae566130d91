// A file without a name, for what does not fit into memory: it is gone when the process ends, however it ends. Read and
// written by calls, not mapped: a disk that is full or fails is an error then, not a fault.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace attune::files {

class ScratchFile {
 public:
  /// In `folder`. Error{storage}.
  explicit ScratchFile(std::string folder);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  /// Whether the disk would have at least as much free as the file holds when it has grown by so many bytes. What others write
  /// meanwhile counts: the disk is asked again and again.
  bool has_room(std::int64_t bytes);
  /// Writes the bytes behind what is there and returns where they begin. Error{storage}; the file is then as before.
  std::int64_t append(std::span<const std::byte> bytes);
  /// Fills `bytes` with what lies at `offset`. Error{storage}.
  void read(std::int64_t offset, std::span<std::byte> bytes) const;
  std::int64_t size() const { return size_; }

 private:
  std::string folder_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;
  std::int64_t sure_size_ = 0;  ///< up to here the disk had room when it was asked last
};

}  // namespace attune::files
