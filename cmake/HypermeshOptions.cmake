# SPDX-License-Identifier: Apache-2.0
# Compiler settings shared by every target, carried by one interface target: hm::options.
option(HM_WERROR "Treat warnings as errors" ON)
option(HM_FUZZ "Build the libFuzzer targets (clang only)" OFF)
option(HM_PLANTED_BUG "Build consensus with one deliberate safety bug, for testing the simulator" OFF)
set(HM_SANITIZE "" CACHE STRING "Comma-separated list for -fsanitize=, empty for none")

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")

find_program(HM_CCACHE ccache)
if(HM_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${HM_CCACHE}")
endif()
find_program(HM_MOLD mold)
if(HM_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_library(hm_options INTERFACE)
add_library(hm::options ALIAS hm_options)
target_compile_options(hm_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-missing-field-initializers
  -fno-omit-frame-pointer -fstack-protector-strong)
target_include_directories(hm_options INTERFACE "${CMAKE_SOURCE_DIR}/src")
if(HM_WERROR)
  target_compile_options(hm_options INTERFACE -Werror)
endif()
if(HM_SANITIZE)
  target_compile_options(hm_options INTERFACE "-fsanitize=${HM_SANITIZE}" -fno-sanitize-recover=all)
  target_link_options(hm_options INTERFACE "-fsanitize=${HM_SANITIZE}")
endif()
if(HM_PLANTED_BUG)
  target_compile_definitions(hm_options INTERFACE HM_PLANTED_BUG)
endif()
