# SPDX-License-Identifier: Apache-2.0
# The words in which the tree describes itself. tools/check_layers.py reads the same calls, so a
# module that is declared here is a module that is checked.
#
# hm_module(<name>            a library hm::<name> and its unit tests
#   HEADERS …                 public headers, compiled alone by the target all_verify_interface_header_sets
#   SOURCES …                 translation units; none makes an interface library
#   TESTS …                   *_test.cc files, linked into one GoogleTest program hm_<name>_test
#   DEPENDS …                 other modules of this project (checked by tools/check_layers.py)
#   LIBRARIES …               external libraries (dep::…), private to the module
#   TEST_DEPENDS …            modules that only the tests need
#   TEST_LIBRARIES …          libraries that only the tests need
#   TEST_TIMEOUT <seconds>)   limit for one test, 120 unless given
#
# hm_program(<name> SOURCES … DEPENDS … LIBRARIES …)   an executable build/<preset>/<name>
# hm_bench(<name> SOURCES … DEPENDS … LIBRARIES …)     a benchmark build/<preset>/bench_<name>
# hm_fuzz_target(<name> SOURCES … DEPENDS … LIBRARIES …)
#   The sources define LLVMFuzzerTestOneInput. With HM_FUZZ (preset fuzz) the program fuzz_<name>
#   is a libFuzzer target; otherwise it replays fuzz/corpus/<name> and a fixed number of seeded
#   mutations of it, as the test fuzz.<name>.
#   The target fuzz_targets builds them all.
#
# hm_vector_sources(AVX2|AVX512|GFNI <file>…)   compiles these sources for those instructions, on
#   x86-64; the caller of their functions asks the processor first (foundation/crypto/backend.h)
include(GoogleTest)

add_custom_target(fuzz_targets)

function(hm_module name)
  cmake_parse_arguments(ARG "" "TEST_TIMEOUT"
    "HEADERS;SOURCES;TESTS;DEPENDS;LIBRARIES;TEST_DEPENDS;TEST_LIBRARIES" ${ARGN})
  hm_refuse_unparsed("${name}" "${ARG_UNPARSED_ARGUMENTS}")
  list(TRANSFORM ARG_DEPENDS PREPEND "hm_")
  list(TRANSFORM ARG_TEST_DEPENDS PREPEND "hm_")
  if(NOT ARG_TEST_TIMEOUT)
    set(ARG_TEST_TIMEOUT 120)
  endif()

  if(ARG_SOURCES)
    add_library("hm_${name}" STATIC ${ARG_SOURCES})
    target_link_libraries("hm_${name}" PUBLIC hm::options ${ARG_DEPENDS} PRIVATE ${ARG_LIBRARIES})
    set(scope PUBLIC)
  else()
    add_library("hm_${name}" INTERFACE)
    target_link_libraries("hm_${name}" INTERFACE hm::options ${ARG_DEPENDS} ${ARG_LIBRARIES})
    set(scope INTERFACE)
  endif()
  add_library("hm::${name}" ALIAS "hm_${name}")
  if(ARG_HEADERS)
    target_sources("hm_${name}" ${scope}
      FILE_SET HEADERS BASE_DIRS "${CMAKE_SOURCE_DIR}/src" FILES ${ARG_HEADERS})
    set_target_properties("hm_${name}" PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  endif()

  if(ARG_TESTS)
    add_executable("hm_${name}_test" ${ARG_TESTS})
    target_link_libraries("hm_${name}_test" PRIVATE
      "hm_${name}" ${ARG_TEST_DEPENDS} ${ARG_LIBRARIES} ${ARG_TEST_LIBRARIES} GTest::gtest_main GTest::gmock)
    gtest_discover_tests("hm_${name}_test" TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
      PROPERTIES TIMEOUT "${ARG_TEST_TIMEOUT}" LABELS unit)
  endif()
endfunction()

function(hm_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  hm_refuse_unparsed("${name}" "${ARG_UNPARSED_ARGUMENTS}")
  list(TRANSFORM ARG_DEPENDS PREPEND "hm_")
  add_executable("${name}" ${ARG_SOURCES})
  target_link_libraries("${name}" PRIVATE hm::options ${ARG_DEPENDS} ${ARG_LIBRARIES})
endfunction()

function(hm_bench name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  hm_refuse_unparsed("bench ${name}" "${ARG_UNPARSED_ARGUMENTS}")
  hm_program("bench_${name}" SOURCES ${ARG_SOURCES} DEPENDS ${ARG_DEPENDS}
    LIBRARIES ${ARG_LIBRARIES} benchmark::benchmark)
endfunction()

function(hm_fuzz_target name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  hm_refuse_unparsed("fuzz target ${name}" "${ARG_UNPARSED_ARGUMENTS}")
  set(corpus "${CMAKE_SOURCE_DIR}/fuzz/corpus/${name}")
  if(HM_FUZZ)
    hm_program("fuzz_${name}" SOURCES ${ARG_SOURCES} DEPENDS ${ARG_DEPENDS} LIBRARIES ${ARG_LIBRARIES})
    target_link_options("fuzz_${name}" PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzz_targets "fuzz_${name}")
    return()
  endif()
  hm_program("fuzz_${name}" SOURCES ${ARG_SOURCES} "${CMAKE_SOURCE_DIR}/fuzz/replay_main.cc"
    DEPENDS ${ARG_DEPENDS} LIBRARIES ${ARG_LIBRARIES})
  add_dependencies(fuzz_targets "fuzz_${name}")
  add_test(NAME "fuzz.${name}" COMMAND "fuzz_${name}" "${corpus}")
  set_tests_properties("fuzz.${name}" PROPERTIES LABELS fuzz-corpus TIMEOUT 120)
endfunction()

# Every processor with AVX2 counts bits.
set(HM_VECTOR_OPTIONS_AVX2 -mavx2 -mpopcnt)
set(HM_VECTOR_OPTIONS_AVX512 ${HM_VECTOR_OPTIONS_AVX2} -mavx512f -mavx512vl)
set(HM_VECTOR_OPTIONS_GFNI ${HM_VECTOR_OPTIONS_AVX512} -mavx512bw -mgfni)
function(hm_vector_sources instructions)
  if(NOT DEFINED "HM_VECTOR_OPTIONS_${instructions}")
    message(FATAL_ERROR "hm_vector_sources: no such instructions: ${instructions}")
  endif()
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64|AMD64")
    set_source_files_properties(${ARGN} PROPERTIES
      COMPILE_OPTIONS "${HM_VECTOR_OPTIONS_${instructions}}")
  endif()
endfunction()

# A misspelt keyword would otherwise be swallowed as one more source file or dependency.
function(hm_refuse_unparsed name unparsed)
  if(unparsed)
    message(FATAL_ERROR "${name}: not understood: ${unparsed}")
  endif()
endfunction()
