// See console.h.
#include "attune/base/console.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::console {

namespace {

[[noreturn]] void fail(int code) {
  throw Error(ErrorKind::storage, {.file = "<stdout>",
                                   .what = concat("cannot be written: ", std::strerror(code)),
                                   .where = "",
                                   .hint = code == EFBIG ? "this is the file size limit (ulimit -f): raise it or choose another place"
                                                         : "check where the output is sent to"});
}

}  // namespace

void occupy_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest free number is taken, and those below are in use by now.
    if (::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY) != stream) ::_exit(1);
  }
}

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) fail(errno);
}

void flush() {
  if (std::fflush(stdout) != 0) fail(errno);
  if (std::ferror(stdout) != 0) fail(EIO);
}

}  // namespace attune::console
