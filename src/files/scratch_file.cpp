// See scratch_file.h.
#include "attune/files/scratch_file.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "descriptor.h"

namespace attune::files {

namespace {

/// Where the file system has no nameless files, one whose name is taken away at once.
int open_nameless(const std::string& folder) {
  const int nameless = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (nameless >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)) return nameless;
  std::string path = (std::filesystem::path(folder) / ".scratch.tmp-XXXXXX").string();
  const int named = ::mkostemp(path.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(path.c_str());
  return named;
}

/// What this process may still write to the disk of the file; 0 where the system does not say.
std::int64_t free_bytes(int descriptor) {
  struct statvfs disk {};
  if (::fstatvfs(descriptor, &disk) != 0) return 0;
  return static_cast<std::int64_t>(disk.f_bavail) * static_cast<std::int64_t>(disk.f_frsize);
}

}  // namespace

ScratchFile::ScratchFile(std::string folder) : folder_(std::move(folder)), descriptor_(open_nameless(folder_)) {
  if (descriptor_ < 0) throw_system_error(ErrorKind::storage, folder_, "make a temporary file in it", errno);
}

ScratchFile::~ScratchFile() {
  ::close(descriptor_);
}

bool ScratchFile::has_room(std::int64_t bytes) {
  constexpr std::int64_t kAskedAfter = std::int64_t{4} << 20;
  const std::int64_t grown = size_ + bytes;
  if (grown > sure_size_) sure_size_ = std::min((size_ + free_bytes(descriptor_)) / 2, std::max(grown, size_ + kAskedAfter));
  return grown <= sure_size_;
}

std::int64_t ScratchFile::append(std::span<const std::byte> bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::pwrite(descriptor_, bytes.data() + done, bytes.size() - done, size_ + static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_system_error(ErrorKind::storage, folder_, "write to a temporary file in it", errno);
    done += static_cast<std::size_t>(got);
  }
  return std::exchange(size_, size_ + static_cast<std::int64_t>(bytes.size()));
}

void ScratchFile::read(std::int64_t offset, std::span<std::byte> bytes) const {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::pread(descriptor_, bytes.data() + done, bytes.size() - done, offset + static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw_system_error(ErrorKind::storage, folder_, "read a temporary file in it", got < 0 ? errno : EIO);
    done += static_cast<std::size_t>(got);
  }
}

}  // namespace attune::files
