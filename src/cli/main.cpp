// The program's entry. Verbs are in app/, their command-line options in cli/verbs.cpp.
#include <cstdio>
#include <exception>
#include <new>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "cli/verbs.h"

int main(int argc, char** argv) {
  try {
    return attune::cli::run(argc, argv);
  } catch (const attune::Error& error) {
    std::fprintf(stderr, "error: %s\n", error.lines().c_str());
    return static_cast<int>(error.kind());
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "error: out of memory; lower training.per_device_train_batch_size or data.max_length\n");
    return static_cast<int>(attune::ErrorKind::memory);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: internal: %s\n", attune::escape_control(error.what()).c_str());
    return static_cast<int>(attune::ErrorKind::internal);
  }
}
