// A read-only memory mapping of a regular file. When another process cuts the file short, the next access ends the
// program with exit code 3 and a message that names the file (instead of a bare SIGBUS).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace attune::files {

class MappedFile {
 public:
  /// Throws Error{model} unless `path` is a readable regular file (no folder, FIFO or device).
  static std::shared_ptr<const MappedFile> open(const std::string& path);

  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  const std::string& path() const { return path_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  MappedFile(std::string path, const std::byte* data, std::size_t size)
      : path_(std::move(path)), data_(data), size_(size) {}
  std::string path_;
  const std::byte* data_;
  std::size_t size_;
};

}  // namespace attune::files
