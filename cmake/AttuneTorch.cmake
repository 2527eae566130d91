# Finds LibTorch and defines attune::torch, which every target with tensors links.
# Searched in LIBTORCH (variable or environment), CMAKE_PREFIX_PATH (<site-packages>/torch or an unpacked libtorch), the system.
set(ATTUNE_TORCH_TESTED "2.13.0")
set(ATTUNE_TORCH_MINIMUM "2.6")

if(LIBTORCH)
  list(PREPEND CMAKE_PREFIX_PATH "${LIBTORCH}")
elseif(DEFINED ENV{LIBTORCH})
  list(PREPEND CMAKE_PREFIX_PATH "$ENV{LIBTORCH}")
endif()

find_library(ATTUNE_TORCH_LIBRARY torch_cpu)
if(NOT ATTUNE_TORCH_LIBRARY)
  message(FATAL_ERROR "LibTorch was not found. Run ./scripts/setup.sh, which finds or fetches it, or pass "
    "-DCMAKE_PREFIX_PATH=<folder of torch or libtorch> (tested with ${ATTUNE_TORCH_TESTED}).")
endif()
get_filename_component(torch_libraries "${ATTUNE_TORCH_LIBRARY}" DIRECTORY)
find_path(ATTUNE_TORCH_INCLUDE torch/csrc/api/include/torch/version.h HINTS "${torch_libraries}/../include" REQUIRED)
mark_as_advanced(ATTUNE_TORCH_LIBRARY ATTUNE_TORCH_INCLUDE)

# The numbers moved to torch/headeronly in 2.10.
set(torch_version "")
foreach(header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
  if(NOT torch_version AND EXISTS "${ATTUNE_TORCH_INCLUDE}/${header}")
    file(STRINGS "${ATTUNE_TORCH_INCLUDE}/${header}" numbers REGEX "^#define TORCH_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+")
    list(TRANSFORM numbers REPLACE "^.* ([0-9]+).*$" "\\1")
    list(JOIN numbers "." torch_version)
  endif()
endforeach()
if(torch_version VERSION_LESS ATTUNE_TORCH_MINIMUM)
  message(FATAL_ERROR "The LibTorch in ${torch_libraries} is ${torch_version}; attune needs ${ATTUNE_TORCH_MINIMUM} or newer and is "
    "tested with ${ATTUNE_TORCH_TESTED}. Run ./scripts/setup.sh, which fetches it, or pass -DCMAKE_PREFIX_PATH.")
endif()

# Wheels of 2.6 and older speak the old std::string; the system's C++ libraries speak the new one, and both cannot be linked.
set(torch_config "${torch_libraries}/../share/cmake/Torch/TorchConfig.cmake")
if(EXISTS "${torch_config}")
  file(STRINGS "${torch_config}" old_abi REGEX "_GLIBCXX_USE_CXX11_ABI=0" LIMIT_COUNT 1)
  if(old_abi)
    message(FATAL_ERROR "The LibTorch ${torch_version} in ${torch_libraries} was built with the old C++ ABI and cannot be linked with the "
      "system's libraries. Use a wheel from 2.7 on or a libtorch-cxx11-abi archive (tested with ${ATTUNE_TORCH_TESTED}).")
  endif()
endif()

# A CUDA build's own CMake package stops where there is no CUDA toolkit. attune compiles no CUDA code and needs none, so such a
# build is linked by its files; of it libtorch_cpu still loads libcudart and libcupti, which pip puts beside it.
if(EXISTS "${torch_libraries}/libtorch_cuda.so")
  set(torch_kind "CUDA build, only its CPU part is linked")
  add_library(attune_torch_files INTERFACE)
  target_include_directories(attune_torch_files SYSTEM INTERFACE
    "${ATTUNE_TORCH_INCLUDE}" "${ATTUNE_TORCH_INCLUDE}/torch/csrc/api/include")
  target_link_libraries(attune_torch_files INTERFACE "${torch_libraries}/libtorch_cpu.so" "${torch_libraries}/libc10.so")
  if(ATTUNE_CUDA)
    set(torch_kind "CUDA build, linked")
    # src/nn/jit.cpp calls its run-time compiler by name; the rest of its kernels register themselves when it is loaded.
    target_compile_definitions(attune_torch_files INTERFACE ATTUNE_CUDA)
    target_link_libraries(attune_torch_files INTERFACE
      -Wl,--no-as-needed "${torch_libraries}/libtorch_cuda.so" "${torch_libraries}/libc10_cuda.so" -Wl,--as-needed)
  endif()
  set(torch_target attune_torch_files)
elseif(ATTUNE_CUDA)
  message(FATAL_ERROR "ATTUNE_CUDA needs a CUDA build of LibTorch; the one in ${torch_libraries} is for the CPU.")
else()
  set(torch_kind "CPU build")
  find_package(Torch ${ATTUNE_TORCH_MINIMUM} REQUIRED)
  # Not ${TORCH_LIBRARIES}, which repeats the libraries behind this target and may hold NOTFOUND entries.
  set(torch_target torch)
endif()
message(STATUS "LibTorch ${torch_version} in ${torch_libraries}: ${torch_kind} (tested with ${ATTUNE_TORCH_TESTED})")

add_library(attune_torch_dependency INTERFACE)
target_link_libraries(attune_torch_dependency INTERFACE ${torch_target})
target_compile_definitions(attune_torch_dependency INTERFACE AT_PER_OPERATOR_HEADERS)
# at::parallel_for is a template: without OpenMP flags it is silently serial in our files. Only the flag is taken, so that the
# process keeps the one libgomp that LibTorch brings.
target_compile_options(attune_torch_dependency INTERFACE ${OpenMP_CXX_FLAGS})
target_link_options(attune_torch_dependency INTERFACE ${OpenMP_CXX_FLAGS})
# GCC 14 sees a copy out of bounds in LibTorch's Function<T>::apply (vector<bool>::reserve, inlined) that is not there.
target_compile_options(attune_torch_dependency INTERFACE
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_GREATER_EQUAL:$<CXX_COMPILER_VERSION>,13>>:-Wno-array-bounds>)
add_library(attune::torch ALIAS attune_torch_dependency)
