# Finds every dependency among the system's packages and LibTorch; nothing is vendored.
# LibTorch: pass CMAKE_PREFIX_PATH (or the variable LIBTORCH) naming <site-packages>/torch or an unpacked libtorch folder.
set(ATTUNE_TORCH_TESTED "2.13.0")
set(ATTUNE_TORCH_MINIMUM "2.6")

find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(nlohmann_json 3.10 REQUIRED)
find_package(spdlog REQUIRED)

# PCRE2 and utf8proc ship no CMake package on Debian.
function(attune_find_library target header library debian_package)
  find_path(${target}_INCLUDE ${header} REQUIRED)
  find_library(${target}_LIBRARY ${library} REQUIRED)
  add_library(attune::${target} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(attune::${target} PROPERTIES
    IMPORTED_LOCATION "${${target}_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${${target}_INCLUDE}")
endfunction()
attune_find_library(pcre2 pcre2.h pcre2-8 libpcre2-dev)
attune_find_library(utf8proc utf8proc.h utf8proc libutf8proc-dev)

if(ATTUNE_BUILD_TESTS)
  find_package(Catch2 REQUIRED)
  add_library(attune_catch2 INTERFACE)
  if(Catch2_VERSION VERSION_LESS 3)
    target_link_libraries(attune_catch2 INTERFACE Catch2::Catch2)
  else()
    target_link_libraries(attune_catch2 INTERFACE Catch2::Catch2)
    target_compile_definitions(attune_catch2 INTERFACE ATTUNE_CATCH2_V3)
  endif()
  add_library(attune::catch2 ALIAS attune_catch2)
endif()

if(ATTUNE_PLAIN_ONLY)
  return()
endif()

find_package(CLI11 REQUIRED)
if(LIBTORCH)
  list(PREPEND CMAKE_PREFIX_PATH "${LIBTORCH}")
elseif(DEFINED ENV{LIBTORCH})
  list(PREPEND CMAKE_PREFIX_PATH "$ENV{LIBTORCH}")
endif()
find_package(Torch ${ATTUNE_TORCH_MINIMUM} QUIET)
if(NOT Torch_FOUND)
  message(FATAL_ERROR "LibTorch was not found. Run ./scripts/setup.sh, which finds or fetches it, or pass -DCMAKE_PREFIX_PATH=<folder of torch or libtorch>.")
endif()
if(TORCH_CXX_FLAGS MATCHES "_GLIBCXX_USE_CXX11_ABI=0")
  message(FATAL_ERROR "This LibTorch (${Torch_VERSION}) was built with the old C++ ABI and cannot be linked with the system's libraries. "
    "Use a wheel from 2.7 on, or the libtorch-cxx11-abi archive.")
endif()
message(STATUS "LibTorch ${Torch_VERSION} (tested with ${ATTUNE_TORCH_TESTED})")
find_package(OpenMP REQUIRED COMPONENTS CXX)

# Link `torch`, not ${TORCH_LIBRARIES}: the latter can hold NOTFOUND entries on CUDA builds without nvrtc.
add_library(attune_torch_dependency INTERFACE)
target_link_libraries(attune_torch_dependency INTERFACE torch)
target_compile_definitions(attune_torch_dependency INTERFACE AT_PER_OPERATOR_HEADERS)
# at::parallel_for is a template: without OpenMP flags it is silently serial in our files. Only the flag is taken, so that the
# process keeps the one libgomp that LibTorch brings.
target_compile_options(attune_torch_dependency INTERFACE ${OpenMP_CXX_FLAGS})
target_link_options(attune_torch_dependency INTERFACE ${OpenMP_CXX_FLAGS})
add_library(attune::torch ALIAS attune_torch_dependency)
get_target_property(ATTUNE_TORCH_LIB_DIR torch_cpu IMPORTED_LOCATION_RELEASE)
if(NOT ATTUNE_TORCH_LIB_DIR)
  get_target_property(ATTUNE_TORCH_LIB_DIR torch_cpu IMPORTED_LOCATION)
endif()
get_filename_component(ATTUNE_TORCH_LIB_DIR "${ATTUNE_TORCH_LIB_DIR}" DIRECTORY)
