# Compiler flags shared by every target, as the interface library attune_flags.
add_library(attune_flags INTERFACE)
target_compile_options(attune_flags INTERFACE -Wall -Wextra -Wno-unused-parameter)
if(ATTUNE_WERROR)
  target_compile_options(attune_flags INTERFACE -Werror)
endif()
if(ATTUNE_SANITIZE)
  target_compile_options(attune_flags INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  target_link_options(attune_flags INTERFACE -fsanitize=address,undefined)
endif()

if(ATTUNE_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "ATTUNE_FUZZ needs clang with libFuzzer; use the preset `fuzz` or pass -DCMAKE_CXX_COMPILER=clang++.")
  endif()
  # Only the fuzz targets link libFuzzer's main; everything is instrumented for its coverage.
  target_compile_options(attune_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_program(ATTUNE_CCACHE ccache)
if(ATTUNE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${ATTUNE_CCACHE}")
endif()
