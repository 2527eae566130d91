// FolderLock (see storage.h). The kernel's flock is the lock; the file's content only tells people who holds it. A
// process that died holds no flock, so its lock is taken over without asking.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "attune/base/clock.h"
#include "attune/base/strings.h"
#include "attune/files/storage.h"
#include "descriptor.h"

namespace attune::files {

namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown host";
}

/// Whether `path` still names the opened file; its last holder may have removed it between our open and flock.
bool is_current(int descriptor, const std::string& path) {
  struct stat opened {
  }, named{};
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

[[noreturn]] void throw_locked(const std::string& folder, int descriptor) {
  std::array<char, 512> content{};
  const ssize_t got = ::pread(descriptor, content.data(), content.size(), 0);
  const std::string holder(trim({content.data(), got > 0 ? static_cast<std::size_t>(got) : 0}));
  throw Error(ErrorKind::locked,
              {.file = folder,
               .what = concat("the folder is in use by ", holder.empty() ? "another process" : holder),
               .where = "",
               .hint = "wait until it ends or choose another output folder"});
}

std::string lock_path(const std::string& folder) {
  return (std::filesystem::path(folder) / ".lock").string();
}

}  // namespace

void refuse_locked_folder(const std::string& folder) {
  const Descriptor descriptor(::open(lock_path(folder).c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) return;
  if (::flock(descriptor.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) throw_locked(folder, descriptor.get());
}

FolderLock::FolderLock(const std::string& folder) : descriptor_(-1), path_(lock_path(folder)) {
  while (true) {
    Descriptor descriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (descriptor.get() < 0) throw_system_error(ErrorKind::storage, path_, "create the lock file", errno);
    if (::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno == EWOULDBLOCK) throw_locked(folder, descriptor.get());
      throw_system_error(ErrorKind::storage, path_, "lock the folder", errno);
    }
    if (!is_current(descriptor.get(), path_)) continue;
    if (::ftruncate(descriptor.get(), 0) != 0)
      throw_system_error(ErrorKind::storage, path_, "write the lock file", errno);
    write_all(descriptor.get(), concat("process ", ::getpid(), " on ", host_name(), " since ", utc_timestamp(), "\n"),
              path_);
    descriptor_ = descriptor.release();
    return;
  }
}

FolderLock::~FolderLock() {
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

}  // namespace attune::files
