// See storage.h: single files. Folders are in staged_folder.cpp and folder_lock.cpp.
#include "attune/files/storage.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "atomic_file.h"
#include "attune/base/sha256.h"
#include "descriptor.h"

namespace attune::files {

namespace {

/// Calls `take` with the file's bytes, piece by piece, while it wants more.
template <typename Take>
void stream_file(const std::string& path, ErrorKind kind, Take take) {
  const RegularFile file = open_regular(path, kind);
  std::vector<char> buffer(1 << 20);
  while (true) {
    const ssize_t got = ::read(file.descriptor.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_system_error(kind, path, "read it", errno);
    if (got == 0) return;
    if (!take(std::string_view(buffer.data(), static_cast<std::size_t>(got)))) return;
  }
}

}  // namespace

std::string read_file(const std::string& path, ErrorKind kind) {
  return read_all(open_regular(path, kind), path, kind);
}

void write_file_atomically(const std::string& path, std::string_view content) {
  write_file_atomically(path, [&](const Sink& sink) { sink(content); });
}

void write_file_atomically(const std::string& path, const std::function<void(const Sink&)>& make) {
  AtomicFile file(path);
  make([&](std::string_view bytes) { file.write(bytes); });
  file.commit();
}

void copy_file_atomically(const std::string& from, const std::string& to) {
  AtomicFile file(to);
  stream_file(from, ErrorKind::storage, [&](std::string_view bytes) {
    file.write(bytes);
    return true;
  });
  file.commit();
}

std::string sha256_file(const std::string& path, ErrorKind kind, const std::stop_token& stop) {
  Sha256 hash;
  stream_file(path, kind, [&](std::string_view bytes) {
    hash.update(bytes);
    return !stop.stop_requested();
  });
  return stop.stop_requested() ? "" : hash.hex();
}

}  // namespace attune::files
