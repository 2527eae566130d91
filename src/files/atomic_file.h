// A file that appears under its name complete or not at all: temporary name beside it, fsync, rename, fsync of the
// folder. Renaming also leaves whoever has the old file mapped undisturbed. Private to the module.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "descriptor.h"

namespace attune::files {

class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();  ///< removes the temporary file unless commit() ended well
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Takes the space now where the file system can, so that a full disk shows before the work and not after it.
  void reserve(std::uint64_t bytes);
  void write(std::string_view bytes);
  void commit();

 private:
  std::string path_;
  std::string temporary_;
  Descriptor descriptor_;
};

/// "<folder>/.<name>.tmp-<pid>-<count>", beside `path`.
std::string temporary_name(const std::string& path, std::string_view tag);

}  // namespace attune::files
