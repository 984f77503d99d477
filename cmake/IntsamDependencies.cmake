# Third-party packages of the converter, the tools and the tests. libintsam itself needs none of them.
# Each one is looked for on the machine first. With INTSAM_FETCH_DEPS=ON a missing one is downloaded as a pinned
# official GitHub archive with a fixed SHA-256; without it, configuring stops and names the package to install.
# (The hashes of oneDNN, cxxopts and GoogleTest were reproduced from the release tags; those of the others agree with
# what several independent package collections publish for the same files.)
#
# When cross compiling, headers of the build machine and the GoogleTest sources of Debian are used as well.
#
# Targets afterwards: intsam::dnnl, intsam::eigen, intsam::json, intsam::stb, intsam::cxxopts (each where an enabled part needs it),
# and, only where found, intsam::png, intsam::jpeg, intsam::webp, intsam::tiff, intsam::heif, intsam::seccomp,
# intsam::xnnpack, intsam::simde and benchmark::benchmark.
include_guard()
include(FetchContent)
if(POLICY CMP0135)
  cmake_policy(SET CMP0135 NEW)  # archives: the time of extraction
endif()

option(INTSAM_PHOTO_LIBRARIES "Read photos with libpng, libjpeg, libwebp, libtiff and libheif; OFF: with stb_image" ON)
option(INTSAM_FETCH_DEPS "Download pinned sources of packages that this machine lacks" OFF)

# intsam_missing(what debian_package): stops unless downloads are allowed.
function(intsam_missing what debian_package)
  if(NOT INTSAM_FETCH_DEPS)
    message(FATAL_ERROR "${what} was not found. Install it (Debian, Ubuntu: ${debian_package}), or configure with "
                        "-DINTSAM_FETCH_DEPS=ON to build a pinned release of it.")
  endif()
  message(STATUS "${what} was not found: fetching the pinned release")
endfunction()

# intsam_host_headers(name version prefix entry files...): packages of headers only that the build machine has serve
# any target, but the search of a toolchain file rightly looks in the target's folders alone. When cross compiling,
# `entry` (a header or a folder of /usr/include) is linked into a folder of the build, because /usr/include itself also
# holds the C library of the build machine. Defines the imported target name::name if <prefix>_VERSION_MAJOR and _MINOR,
# defined in one of `files`, are new enough.
function(intsam_host_headers name version prefix entry)
  if(NOT CMAKE_CROSSCOMPILING OR TARGET ${name}::${name})
    return()
  endif()
  foreach(root /usr/local/include /usr/include)
    set(found)
    foreach(file IN LISTS ARGN)
      if(EXISTS ${root}/${file} AND NOT found MATCHES "MINOR")
        file(STRINGS ${root}/${file} found REGEX "^#define ${prefix}_VERSION_(MAJOR|MINOR) ")
      endif()
    endforeach()
    string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*" "\\1.\\2" found "${found}")
    if(found VERSION_GREATER_EQUAL version)
      set(folder ${CMAKE_BINARY_DIR}/host_headers/${name})
      file(MAKE_DIRECTORY ${folder})
      file(CREATE_LINK ${root}/${entry} ${folder}/${entry} SYMBOLIC)
      add_library(${name}::${name} INTERFACE IMPORTED GLOBAL)
      target_include_directories(${name}::${name} SYSTEM INTERFACE ${folder})
      return()
    endif()
  endforeach()
endfunction()

function(intsam_interface name)
  add_library(intsam_${name} INTERFACE)
  add_library(intsam::${name} ALIAS intsam_${name})
  target_link_libraries(intsam_${name} INTERFACE ${ARGN})
endfunction()

# intsam_photo_libraries(): intsam::png and intsam::jpeg, which are needed unless a build is for another machine or may
# download (stb_image takes their place then), and intsam::webp, intsam::tiff and intsam::heif where they are found.
function(intsam_photo_libraries)
  if(NOT INTSAM_PHOTO_LIBRARIES)
    return()
  endif()
  foreach(package PNG JPEG TIFF)
    string(TOLOWER ${package} name)
    find_package(${package} QUIET)
    if(${package}_FOUND)
      intsam_interface(${name} ${package}::${package})
    endif()
  endforeach()
  foreach(name png jpeg)
    if(TARGET intsam::${name})
      continue()
    elseif(NOT CMAKE_CROSSCOMPILING AND NOT INTSAM_FETCH_DEPS)
      message(FATAL_ERROR "lib${name} was not found. Install it (Debian, Ubuntu: lib${name}-dev), or configure with "
                          "-DINTSAM_PHOTO_LIBRARIES=OFF to read photos with stb_image alone.")
    endif()
    message(STATUS "lib${name} was not found: stb_image takes its place")
  endforeach()
  # Neither has a module of CMake's, and pkg-config would answer for the build machine.
  find_path(INTSAM_WEBP_INCLUDE_DIR webp/demux.h)
  find_library(INTSAM_WEBP_LIBRARY webp)
  find_library(INTSAM_WEBPDEMUX_LIBRARY webpdemux)
  if(INTSAM_WEBP_INCLUDE_DIR AND INTSAM_WEBP_LIBRARY AND INTSAM_WEBPDEMUX_LIBRARY)
    intsam_interface(webp ${INTSAM_WEBPDEMUX_LIBRARY} ${INTSAM_WEBP_LIBRARY})
    target_include_directories(intsam_webp SYSTEM INTERFACE ${INTSAM_WEBP_INCLUDE_DIR})
  endif()
  find_path(INTSAM_HEIF_INCLUDE_DIR libheif/heif.h)
  find_library(INTSAM_HEIF_LIBRARY heif)
  if(INTSAM_HEIF_INCLUDE_DIR AND INTSAM_HEIF_LIBRARY)
    intsam_interface(heif ${INTSAM_HEIF_LIBRARY})
    target_include_directories(intsam_heif SYSTEM INTERFACE ${INTSAM_HEIF_INCLUDE_DIR})
  endif()
  foreach(name png jpeg webp tiff heif)
    if(TARGET intsam::${name})
      string(TOUPPER INTSAM_HAVE_LIB${name} have)
      target_compile_definitions(intsam_${name} INTERFACE ${have})
    elseif(NOT name MATCHES "png|jpeg")
      message(STATUS "lib${name} was not found: the tools do not read its pictures")
    endif()
  endforeach()
endfunction()

if(INTSAM_BUILD_CONVERTER)
  # oneDNN: the FP32 GEMMs of the float reference and of the benchmark's baseline.
  find_package(dnnl 2.5 CONFIG QUIET)
  if(NOT dnnl_FOUND)
    # The version file of 2.x refuses a request for another major version, hence the second question.
    find_package(dnnl 3.0 CONFIG QUIET)
  endif()
  if(NOT dnnl_FOUND)
    intsam_missing("oneDNN (2.5 or newer)" "libdnnl-dev and ocl-icd-opencl-dev")
    set(DNNL_LIBRARY_TYPE STATIC CACHE STRING "" FORCE)
    set(DNNL_BUILD_TESTS OFF CACHE BOOL "" FORCE)
    set(DNNL_BUILD_EXAMPLES OFF CACHE BOOL "" FORCE)
    FetchContent_Declare(onednn
      URL https://github.com/uxlfoundation/oneDNN/archive/refs/tags/v3.7.3.tar.gz
      URL_HASH SHA256=071f289dc961b43a3b7c8cbe8a305290a7c5d308ec4b2f586397749abdc88296)
    FetchContent_MakeAvailable(onednn)
    if(NOT TARGET DNNL::dnnl)
      add_library(DNNL::dnnl ALIAS dnnl)
    endif()
    set(dnnl_VERSION 3.7.3)
  endif()
  intsam_interface(dnnl DNNL::dnnl)

  # Eigen: the Cholesky factor behind error feedback (converter/quantize/round_weights.cc).
  find_package(Eigen3 3.3 CONFIG QUIET)
  if(TARGET Eigen3::Eigen)
    intsam_interface(eigen Eigen3::Eigen)
  else()
    intsam_missing("Eigen (3.3 or newer)" libeigen3-dev)
    # Headers only: SOURCE_SUBDIR names a folder without a CMakeLists.txt, so Eigen's own build stays out.
    FetchContent_Declare(eigen
      URL https://gitlab.com/libeigen/eigen/-/archive/3.4.0/eigen-3.4.0.tar.bz2
      URL_HASH SHA256=b4c198460eba6f28d34894e3a5710998818515104d6e74e5cc331ce31e46e626
      SOURCE_SUBDIR doc/none)
    FetchContent_MakeAvailable(eigen)
    intsam_interface(eigen)
    target_include_directories(intsam_eigen SYSTEM INTERFACE ${eigen_SOURCE_DIR})
  endif()
endif()

if(EMSCRIPTEN)
  # SIMDe: NEON's intrinsics as SIMD128's, for the kernel tier of that name (kernels/CMakeLists.txt).
  intsam_host_headers(simde 0.7 SIMDE simde simde/simde-common.h)
endif()

if(INTSAM_BUILD_CONVERTER OR INTSAM_BUILD_APPS)
  # JSON: safetensors headers, prompts, reports.
  find_package(nlohmann_json 3.10 CONFIG QUIET)
  intsam_host_headers(nlohmann_json 3.10 NLOHMANN_JSON nlohmann nlohmann/detail/abi_macros.hpp nlohmann/json.hpp)
  if(NOT TARGET nlohmann_json::nlohmann_json)
    intsam_missing("nlohmann-json (3.10 or newer)" nlohmann-json3-dev)
    FetchContent_Declare(nlohmann_json
      URL https://github.com/nlohmann/json/releases/download/v3.11.3/json.tar.xz
      URL_HASH SHA256=d6c65aca6b1ed68e7a182f4757257b107ae403032760ed6ef121c9d55e81757d)
    FetchContent_MakeAvailable(nlohmann_json)
  endif()
  intsam_interface(json nlohmann_json::nlohmann_json)
endif()

if(INTSAM_BUILD_APPS)
  # stb: writes PNGs, and reads PNG and JPEG where their libraries are missing. The headers only; the configuration that
  # matters for safety is set where they are compiled. It has a folder of its own, so the build machine's serves any
  # target.
  find_path(INTSAM_STB_INCLUDE_DIR stb_image.h PATH_SUFFIXES stb)
  if(CMAKE_CROSSCOMPILING)
    find_path(INTSAM_STB_INCLUDE_DIR stb_image.h PATHS /usr/include/stb /usr/local/include/stb NO_DEFAULT_PATH
              NO_CMAKE_FIND_ROOT_PATH)
  endif()
  if(INTSAM_STB_INCLUDE_DIR)
    intsam_interface(stb)
    target_include_directories(intsam_stb SYSTEM INTERFACE ${INTSAM_STB_INCLUDE_DIR})
  else()
    intsam_missing("stb_image" libstb-dev)
    # stb has no releases; this is its state of November 2024.
    FetchContent_Declare(stb
      URL https://github.com/nothings/stb/archive/5c205738c191bcb0abc65c4febfa9bd25ff35234.tar.gz
      URL_HASH SHA256=cfeab9f800961882d6d22ddf36e965523b33002f4f937de08321304c9ba72af3)
    FetchContent_MakeAvailable(stb)
    intsam_interface(stb)
    target_include_directories(intsam_stb SYSTEM INTERFACE ${stb_SOURCE_DIR})
  endif()

  intsam_photo_libraries()

  # libseccomp and the kernel's header of Landlock: --sandbox (apps/common/sandbox.h).
  find_path(INTSAM_SECCOMP_INCLUDE_DIR seccomp.h)
  find_path(INTSAM_LANDLOCK_INCLUDE_DIR linux/landlock.h)
  find_library(INTSAM_SECCOMP_LIBRARY seccomp)
  if(INTSAM_SECCOMP_INCLUDE_DIR AND INTSAM_LANDLOCK_INCLUDE_DIR AND INTSAM_SECCOMP_LIBRARY)
    intsam_interface(seccomp ${INTSAM_SECCOMP_LIBRARY})
    target_include_directories(intsam_seccomp SYSTEM INTERFACE ${INTSAM_SECCOMP_INCLUDE_DIR})
    target_compile_definitions(intsam_seccomp INTERFACE INTSAM_HAVE_LIBSECCOMP)
  else()
    message(STATUS "libseccomp was not found: the tools refuse --sandbox")
  endif()

  find_package(cxxopts 3.1 CONFIG QUIET)
  intsam_host_headers(cxxopts 3.1 CXXOPTS_ cxxopts.hpp cxxopts.hpp)
  if(NOT TARGET cxxopts::cxxopts)
    intsam_missing("cxxopts (3.1 or newer)" libcxxopts-dev)
    FetchContent_Declare(cxxopts
      URL https://github.com/jarro2783/cxxopts/archive/refs/tags/v3.1.1.tar.gz
      URL_HASH SHA256=523175f792eb0ff04f9e653c90746c12655f10cb70f1d5e6d6d9491420298a08)
    FetchContent_MakeAvailable(cxxopts)
  endif()
  intsam_interface(cxxopts cxxopts::cxxopts)
endif()

if(INTSAM_BUILD_CONVERTER AND INTSAM_BUILD_APPS)
  # XNNPACK: a second FP32 opponent (intsam-bench --fp32-library), used where the machine has it. It has no releases and
  # its build downloads packages of its own, so there is no pinned fallback.
  find_path(INTSAM_XNNPACK_INCLUDE_DIR xnnpack.h)
  find_path(INTSAM_PTHREADPOOL_INCLUDE_DIR pthreadpool.h)
  find_library(INTSAM_XNNPACK_LIBRARY XNNPACK)
  find_library(INTSAM_PTHREADPOOL_LIBRARY pthreadpool)
  if(INTSAM_XNNPACK_INCLUDE_DIR AND INTSAM_PTHREADPOOL_INCLUDE_DIR AND INTSAM_XNNPACK_LIBRARY AND INTSAM_PTHREADPOOL_LIBRARY)
    intsam_interface(xnnpack ${INTSAM_XNNPACK_LIBRARY} ${INTSAM_PTHREADPOOL_LIBRARY})
    target_include_directories(intsam_xnnpack SYSTEM INTERFACE ${INTSAM_XNNPACK_INCLUDE_DIR} ${INTSAM_PTHREADPOOL_INCLUDE_DIR})
  else()
    message(STATUS "XNNPACK was not found: the benchmark has oneDNN as its only FP32 opponent")
  endif()
endif()

if(INTSAM_BUILD_TESTS)
  find_package(GTest QUIET)
  # Debian ships its sources, which can be built for any target.
  if(NOT GTest_FOUND AND CMAKE_CROSSCOMPILING AND EXISTS /usr/src/googletest/CMakeLists.txt)
    set(INSTALL_GTEST OFF CACHE BOOL "" FORCE)
    set(BUILD_GMOCK OFF CACHE BOOL "" FORCE)
    add_subdirectory(/usr/src/googletest ${CMAKE_BINARY_DIR}/googletest EXCLUDE_FROM_ALL)
  elseif(NOT GTest_FOUND)
    intsam_missing("GoogleTest" libgtest-dev)
    set(INSTALL_GTEST OFF CACHE BOOL "" FORCE)
    set(GTEST_OVERRIDE)
    if(CMAKE_VERSION VERSION_GREATER_EQUAL 3.24)
      set(GTEST_OVERRIDE OVERRIDE_FIND_PACKAGE)  # so that later find_package(GTest) calls see it
    endif()
    FetchContent_Declare(GTest
      URL https://github.com/google/googletest/archive/refs/tags/v1.14.0.tar.gz
      URL_HASH SHA256=8ad598c73ad796e0d8280b082cebd82a630d73e73cd3c70057938a6501bba5d7 ${GTEST_OVERRIDE})
    FetchContent_MakeAvailable(GTest)
  endif()

  # SIMDe: emulates the instructions that this CPU may lack, so that their kernels are tested anyway. Headers only. The
  # file asked for is one that releases before 0.7.4 do not have.
  find_path(INTSAM_SIMDE_INCLUDE_DIR simde/x86/avx512/dpwssd.h)
  if(CMAKE_CROSSCOMPILING)
    message(STATUS "Cross compiling: no emulation of x86 instructions by SIMDe")
  elseif(INTSAM_SIMDE_INCLUDE_DIR)
    intsam_interface(simde)
    target_include_directories(intsam_simde SYSTEM INTERFACE ${INTSAM_SIMDE_INCLUDE_DIR})
  elseif(INTSAM_FETCH_DEPS)
    message(STATUS "SIMDe was not found: fetching the pinned release")
    FetchContent_Declare(simde
      URL https://github.com/simd-everywhere/simde/archive/refs/tags/v0.8.2.tar.gz
      URL_HASH SHA256=ed2a3268658f2f2a9b5367628a85ccd4cf9516460ed8604eed369653d49b25fb
      SOURCE_SUBDIR doc/none)
    FetchContent_MakeAvailable(simde)
    intsam_interface(simde)
    target_include_directories(intsam_simde SYSTEM INTERFACE ${simde_SOURCE_DIR})
  else()
    message(STATUS "SIMDe (libsimde-dev) was not found: kernels for instructions that this CPU lacks are not tested")
  endif()
endif()

if(INTSAM_BUILD_BENCHMARKS)
  # Google Benchmark: microbenchmarks, built only where it is found or where downloads are allowed.
  find_package(benchmark 1.6 CONFIG QUIET)
  if(NOT benchmark_FOUND AND INTSAM_FETCH_DEPS)
    set(BENCHMARK_ENABLE_TESTING OFF CACHE BOOL "" FORCE)
    set(BENCHMARK_ENABLE_INSTALL OFF CACHE BOOL "" FORCE)
    FetchContent_Declare(benchmark
      URL https://github.com/google/benchmark/archive/refs/tags/v1.8.3.tar.gz
      URL_HASH SHA256=6bc180a57d23d4d9515519f92b0c83d61b05b5bab188961f36ac7b06b0d9e9ce)
    FetchContent_MakeAvailable(benchmark)
  endif()
  if(NOT TARGET benchmark::benchmark)
    message(STATUS "Google Benchmark was not found: no microbenchmarks")
  endif()
endif()
