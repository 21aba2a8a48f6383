# SPDX-License-Identifier: Apache-2.0
# hm_module(<name>
#   HEADERS …    public headers, compiled alone by the target all_verify_interface_header_sets
#   SOURCES …    translation units; none makes an interface library
#   TESTS …      *_test.cc files, linked into one GoogleTest program hm_<name>_test
#   DEPENDS …    other modules of this project (checked by tools/check_layers.py)
#   LIBRARIES …  external libraries (dep::…), private to the module
#   TEST_DEPENDS …    modules that only the tests need
#   TEST_LIBRARIES …) libraries that only the tests need
include(GoogleTest)

function(hm_module name)
  cmake_parse_arguments(ARG "" "" "HEADERS;SOURCES;TESTS;DEPENDS;LIBRARIES;TEST_DEPENDS;TEST_LIBRARIES" ${ARGN})
  list(TRANSFORM ARG_DEPENDS PREPEND "hm_")
  list(TRANSFORM ARG_TEST_DEPENDS PREPEND "hm_")

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
      PROPERTIES TIMEOUT 120 LABELS unit)
  endif()
endfunction()
