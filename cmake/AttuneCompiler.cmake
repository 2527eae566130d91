# Compiler flags shared by every target, as the interface library attune_flags.
add_library(attune_flags INTERFACE)
target_compile_options(attune_flags INTERFACE -Wall -Wextra -Wno-unused-parameter)
# g++ 12 warns of what does not happen: overlapping copies and writes out of bounds in std::string's own + (GCC bug 105651,
# mended in 13), and kept addresses of locals whose destructor puts the old one back.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(attune_flags INTERFACE -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-dangling-pointer)
endif()
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
  # What ccache's manual asks for with precompiled headers: GCC keeps the inclusion visible, and macros and times are not compared.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros;${ATTUNE_CCACHE}")
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(attune_flags INTERFACE -fpch-preprocess)
  endif()
endif()
