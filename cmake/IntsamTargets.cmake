# What every intsam target shares: include root, warnings, hidden symbols.
include_guard()

set(INTSAM_SANITIZED OFF)
if(CMAKE_CXX_FLAGS MATCHES "fsanitize")
  set(INTSAM_SANITIZED ON)
  # What nobody has written on the stack holds a pattern, so that results that depend on it differ from those expected.
  include(CheckCXXCompilerFlag)
  check_cxx_compiler_flag(-ftrivial-auto-var-init=pattern INTSAM_HAS_STACK_PATTERN)
endif()

function(intsam_target_defaults target)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wno-missing-field-initializers
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # false positives of g++ 12 on std::string operator+
    $<$<CXX_COMPILER_ID:Clang>:-Wno-pass-failed>  # loops that only g++ vectorizes as it is asked to
    $<$<BOOL:${INTSAM_HAS_STACK_PATTERN}>:-ftrivial-auto-var-init=pattern>
    $<$<BOOL:${INTSAM_WERROR}>:-Werror>)
  set_target_properties(${target} PROPERTIES CXX_VISIBILITY_PRESET hidden C_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
endfunction()

# intsam_optimize(source...): sources of this folder in which the tests of sanitizer builds would spend most of their time.
function(intsam_optimize)
  if(INTSAM_SANITIZED)
    # Nor do their comparisons, of every weight, tell libFuzzer anything.
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS
      "-O2;$<$<BOOL:${INTSAM_BUILD_FUZZ}>:-fno-sanitize-coverage=trace-cmp>")
  endif()
endfunction()
