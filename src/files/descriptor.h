// File descriptors that close themselves, and system errors as sentences. Private to the module.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "attune/base/error.h"

namespace attune::files {

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor();

  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

/// Throws Error{kind} for the system error `code`: "<path>: cannot <action>: No such file or directory".
[[noreturn]] void throw_system_error(ErrorKind kind, const std::string& path, std::string_view action, int code);

struct RegularFile {
  Descriptor descriptor;
  std::size_t size;
};

/// Opens `path` for reading. Error{kind} unless it is a readable regular file (no folder, FIFO or device).
RegularFile open_regular(const std::string& path, ErrorKind kind);

/// Reads `size` bytes; Error{kind} when the file has become shorter meanwhile.
std::string read_all(const RegularFile& file, const std::string& path, ErrorKind kind);

/// Writes everything or throws Error{storage} that says how many bytes were wanted.
void write_all(int descriptor, std::string_view bytes, const std::string& path);

/// Makes what was written to a file or folder durable; Error{storage}.
void sync_descriptor(int descriptor, const std::string& path);
void sync_folder(const std::string& folder);

/// The folder that holds `path` ("." for a bare name).
std::string parent_of(const std::string& path);

}  // namespace attune::files
