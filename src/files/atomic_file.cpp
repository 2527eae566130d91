// See atomic_file.h.
#include "atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "attune/base/strings.h"

namespace attune::files {

std::string temporary_name(const std::string& path, std::string_view tag) {
  static std::atomic<int> count{0};
  const std::filesystem::path full(path);
  const std::string name = concat(".", full.filename().string(), ".", tag, "-", ::getpid(), "-", count++);
  return (full.parent_path() / name).string();
}

AtomicFile::AtomicFile(std::string path)
    : path_(std::move(path)),
      temporary_(temporary_name(path_, "tmp")),
      descriptor_(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) {
  if (descriptor_.get() < 0) throw_system_error(ErrorKind::storage, path_, "create it", errno);
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::reserve(std::uint64_t bytes) {
  // The system call itself: posix_fallocate would write the zeros where the file system cannot reserve.
  if (bytes == 0 || ::fallocate(descriptor_.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes)) == 0) return;
  const int code = errno;
  if (code == ENOSPC || code == EDQUOT || code == EFBIG || code == EIO) {
    throw_system_error(ErrorKind::storage, path_, concat("reserve ", bytes, " bytes"), code);
  }
}

void AtomicFile::write(std::string_view bytes) {
  write_all(descriptor_.get(), bytes, path_);
}

void AtomicFile::commit() {
  sync_descriptor(descriptor_.get(), path_);
  // Network file systems and quotas report a failed write as late as here.
  if (::close(descriptor_.release()) != 0) throw_system_error(ErrorKind::storage, path_, "close it", errno);
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    throw_system_error(ErrorKind::storage, path_, "rename the finished file to this name", errno);
  }
  temporary_.clear();
  sync_folder(parent_of(path_));
}

}  // namespace attune::files
