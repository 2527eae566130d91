// See descriptor.h.
#include "descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "attune/base/strings.h"

namespace attune::files {

namespace {

std::string hint_for(int code) {
  switch (code) {
    case ENOSPC:
    case EDQUOT:
      return "free some space or choose another folder";
    case EFBIG:
      return "this is the file size limit (ulimit -f) or that of the file system: raise it or choose another folder";
    case EROFS:
    case EACCES:
    case EPERM:
      return "check the permissions";
    case EIO:
      return "the disk or the network file system reports a fault";
    case ENOENT:
      return "check the path";
    default:
      return "";
  }
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

void throw_system_error(ErrorKind kind, const std::string& path, std::string_view action, int code) {
  throw Error(kind, {.file = path,
                     .what = concat("cannot ", action, ": ", std::strerror(code)),
                     .where = "",
                     .hint = hint_for(code)});
}

RegularFile open_regular(const std::string& path, ErrorKind kind) {
  // O_NONBLOCK: opening a FIFO must not wait for its writer.
  Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (descriptor.get() < 0) throw_system_error(kind, path, "open it", errno);
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) throw_system_error(kind, path, "read it", errno);
  if (!S_ISREG(status.st_mode)) {
    throw Error(kind, {.file = path,
                       .what = S_ISDIR(status.st_mode) ? "this is a folder, not a regular file" : "not a regular file",
                       .where = "",
                       .hint = "give the path of a file"});
  }
  return {std::move(descriptor), static_cast<std::size_t>(status.st_size)};
}

std::string read_all(const RegularFile& file, const std::string& path, ErrorKind kind) {
  std::string content(file.size, '\0');
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t got = ::read(file.descriptor.get(), content.data() + done, content.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_system_error(kind, path, "read it", errno);
    if (got == 0) {
      throw Error(kind, {.file = path,
                         .what = "the file became shorter while it was read",
                         .where = "",
                         .hint = "wait until whatever writes it has ended"});
    }
    done += static_cast<std::size_t>(got);
  }
  return content;
}

void write_all(int descriptor, std::string_view bytes, const std::string& path) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t put = ::write(descriptor, bytes.data() + done, bytes.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      const int code = errno;
      throw_system_error(ErrorKind::storage, path, concat("write ", bytes.size() - done, " bytes"), code);
    }
    done += static_cast<std::size_t>(put);
  }
}

void sync_descriptor(int descriptor, const std::string& path) {
  if (::fsync(descriptor) != 0) throw_system_error(ErrorKind::storage, path, "store it durably (fsync)", errno);
}

void sync_folder(const std::string& folder) {
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0) throw_system_error(ErrorKind::storage, folder, "open the folder", errno);
  sync_descriptor(descriptor.get(), folder);
}

std::string parent_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

}  // namespace attune::files
