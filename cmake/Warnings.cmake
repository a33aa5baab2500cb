# Warnings are errors, everywhere the same. `thumb_library(name SOURCES ... DEPS ...)` declares a layer.
add_library(thumb_options INTERFACE)
target_compile_options(thumb_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Werror)
target_include_directories(thumb_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(thumb_options INTERFACE THUMB_VERSION="${PROJECT_VERSION}")

function(thumb_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC thumb_options ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
endfunction()

function(thumb_binary name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE thumb_options ${ARG_DEPS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()

# One GoogleTest binary; `thumb_test(name TIER unit SOURCES ... DEPS ...)`. TIER becomes the ctest label.
function(thumb_test name)
  cmake_parse_arguments(ARG "" "TIER;TIMEOUT" "SOURCES;DEPS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(THUMB_SANITIZE STREQUAL "thread")  # which makes everything five to fifteen times slower
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 5")
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE thumb_options ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE THUMB_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  add_test(NAME ${ARG_TIER}.${name} COMMAND ${name})
  set_tests_properties(${ARG_TIER}.${name} PROPERTIES LABELS ${ARG_TIER} TIMEOUT ${ARG_TIMEOUT})
endfunction()
