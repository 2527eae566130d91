// See mapped_file.h.
#include "attune/files/mapped_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>

#include "descriptor.h"

namespace attune::files {

namespace {

// A mapped file that another process cuts raises SIGBUS at the next access. The handler looks the address up here (no
// locks, no allocation), so that the user reads which file changed. Files beyond the table's size are mapped all the
// same.
std::array<std::atomic<const MappedFile*>, 4096> mapped_files{};

void put(std::string_view text) {
  [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, text.data(), text.size());
}

void on_bus_error(int signal, siginfo_t* info, void*) {
  const auto* address = static_cast<const std::byte*>(info->si_addr);
  for (const auto& slot : mapped_files) {
    const MappedFile* file = slot.load(std::memory_order_acquire);
    if (file == nullptr) continue;
    const auto bytes = file->bytes();
    if (address < bytes.data() || address >= bytes.data() + bytes.size()) continue;
    put("error: ");
    put(file->path());
    put(": the file changed during reading; start again when nothing writes to it\n");
    ::_exit(static_cast<int>(ErrorKind::model));
  }
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

void install_handler() {
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, nullptr);
}

void enter(const MappedFile* file) {
  for (auto& slot : mapped_files) {
    const MappedFile* empty = nullptr;
    if (slot.compare_exchange_strong(empty, file, std::memory_order_release)) return;
  }
}

void leave(const MappedFile* file) {
  for (auto& slot : mapped_files) {
    const MappedFile* expected = file;
    if (slot.compare_exchange_strong(expected, nullptr)) return;
  }
}

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::string& path) {
  static std::once_flag once;
  std::call_once(once, install_handler);

  const RegularFile file = open_regular(path, ErrorKind::model);
  const std::byte* data = nullptr;
  if (file.size > 0) {
    void* address = ::mmap(nullptr, file.size, PROT_READ, MAP_PRIVATE, file.descriptor.get(), 0);
    if (address == MAP_FAILED) throw_system_error(ErrorKind::model, path, "map it into memory", errno);
    data = static_cast<const std::byte*>(address);
  }
  const std::shared_ptr<const MappedFile> mapped(new MappedFile(path, data, file.size));
  enter(mapped.get());
  return mapped;
}

MappedFile::~MappedFile() {
  leave(this);
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace attune::files
