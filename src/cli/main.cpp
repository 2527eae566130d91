// The program's entry. Verbs are in app/, their command-line options in cli/verbs.cpp.
#include <stdlib.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <string_view>

#include "attune/base/console.h"
#include "attune/base/error.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/tensor/allocator.h"
#include "cli/verbs.h"

namespace {

using attune::ErrorKind;

int fail(ErrorKind kind, std::string_view message) {
  std::fprintf(stderr, "error: %.*s\n", static_cast<int>(message.size()), message.data());
  return static_cast<int>(kind);
}

int fail_for_memory(std::string_view detail) {
  return fail(ErrorKind::memory, attune::concat("out of memory", detail, "; lower training.per_device_train_batch_size or data.max_length"));
}

/// `detail` is LibTorch's: what was asked for, and what the GPU has; what follows speaks of its allocator.
int fail_for_gpu_memory(std::string_view detail) {
  const std::string_view figures = detail.substr(0, detail.find(" Including non-PyTorch memory"));
  return fail(ErrorKind::memory,
              attune::concat("out of memory on the GPU", figures.empty() ? "" : ": ", figures,
                             "; lower training.per_device_train_batch_size and raise training.gradient_accumulation_steps, lower "
                             "data.max_length, or set training.gradient_checkpointing"));
}

/// LibTorch puts a stack trace behind the first line and says by words alone that memory ran out.
int fail_unexpectedly(std::string_view message) {
  const std::string line = attune::escape_control(message.substr(0, message.find('\n')));
  for (const std::string_view said : {"can't allocate memory: ", "not enough memory: "}) {
    if (const std::size_t at = line.find(said); at != std::string::npos) return fail_for_memory(": " + line.substr(at + said.size()));
  }
  constexpr std::string_view kOnGpu = "CUDA out of memory. ";
  if (const std::size_t at = line.find(kOnGpu); at != std::string::npos) return fail_for_gpu_memory(line.substr(at + kOnGpu.size()));
  for (const std::string_view said : {"CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED"}) {
    if (line.find(said) != std::string::npos) return fail_for_gpu_memory("");
  }
  return fail(ErrorKind::internal, "internal: " + line);
}

}  // namespace

int main(int argc, char** argv) {
  attune::console::occupy_closed_streams();
  attune::ignore_file_size_signal();
  attune::tensor::align_by_hand();
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);  // cuBLAS promises equal bits in equal runs only with it
  try {
    const int code = attune::cli::run(argc, argv);
    attune::console::flush();
    return code;
  } catch (const attune::Error& error) {
    return fail(error.kind(), error.lines());
  } catch (const std::bad_alloc&) {
    return fail_for_memory("");
  } catch (const std::filesystem::filesystem_error& error) {
    const std::string path = attune::escape_control(error.path1().string());
    return fail(ErrorKind::storage, attune::concat(path, ": ", error.code().message(), "; check the path and the permissions"));
  } catch (const std::exception& error) {
    return fail_unexpectedly(error.what());
  }
}
