# Shared by apps/demo.sh and the scripts of tests/ (sourced, not executed): named steps with wall times, installing
# what is missing, configuring and building a preset. Needs no network where everything is installed already.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
test_jobs=$((jobs + 1))  # some tests wait more than they compute
current_step=
configure_options=()
# What a build for this machine needs, and what it uses where the distribution has it.
# ocl-icd-opencl-dev: the CMake package of Debian's oneDNN asks for OpenCL, but libdnnl-dev only recommends it.
required_packages="g++ cmake ninja-build python3 pkg-config binutils libdnnl-dev ocl-icd-opencl-dev libstb-dev libjpeg-dev libpng-dev libcxxopts-dev nlohmann-json3-dev libeigen3-dev libgtest-dev"
optional_packages="libwebp-dev libtiff-dev libheif-dev libseccomp-dev python3-pil python3-jsonschema python3-dev python3-venv libxnnpack-dev libpthreadpool-dev libbenchmark-dev libsimde-dev ccache"

say() { printf '%s\n' "$*"; }
die() {
  printf 'error: %s\n' "$*" >&2
  current_step=
  exit 1
}

report_failure() {
  local status=$?
  [ "$status" -eq 0 ] || [ -z "$current_step" ] || printf '\nFAILED: %s (exit status %s)\n' "$current_step" "$status" >&2
  exit "$status"
}
trap report_failure EXIT

# step "what it does" command...: runs the command, prints how long it took, names itself when it fails.
step() {
  current_step=$1
  shift
  local start=$EPOCHREALTIME
  say "== $current_step"
  "$@"
  local elapsed=$(((${EPOCHREALTIME/[.,]/} - ${start/[.,]/}) / 1000))
  printf '== done in %d.%03d s: %s\n\n' $((elapsed / 1000)) $((elapsed % 1000)) "$current_step"
  current_step=
}

# is_installed package: whether dpkg has it. Only asked where dpkg exists.
is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# package_version package: the upstream part of its version, or nothing.
package_version() { dpkg-query -W -f '${Version}' "$1" 2>/dev/null | sed -e 's/^[0-9]*://' -e 's/-[^-]*$//' || true; }

install_packages() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "This is not Debian or Ubuntu: what is needed must be there already, or configure with -DINTSAM_FETCH_DEPS=ON."
    return
  fi
  local package missing=()
  for package in $required_packages $optional_packages; do
    is_installed "$package" || missing+=("$package")
  done
  if [ "${#missing[@]}" -gt 0 ]; then
    say "missing: ${missing[*]}"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
      command -v sudo >/dev/null || die "not root and no sudo here; as root, run: apt-get install ${missing[*]}"
      as_root=(sudo)
    fi
    "${as_root[@]}" apt-get update -qq || say "apt-get update failed; trying with the package lists that are here"
    local available=()
    for package in "${missing[@]}"; do
      if [[ " $optional_packages " == *" $package "* ]] && ! apt-cache show "$package" >/dev/null 2>&1; then
        say "not offered by this distribution, going on without it: $package"
      else
        available+=("$package")
      fi
    done
    if [ "${#available[@]}" -gt 0 ]; then
      "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${available[@]}" >/dev/null ||
        die "apt-get could not install: ${available[*]}"
    fi
  else
    say "nothing is missing"
  fi
  if dpkg --compare-versions "$(package_version libcxxopts-dev)" lt 3.1; then
    say "cxxopts $(package_version libcxxopts-dev) of this distribution is older than 3.1: the pinned release will be fetched from GitHub"
    configure_options+=(-DINTSAM_FETCH_DEPS=ON)
  fi
}

# use_ccache: compilers run through it where it is installed, those of nested builds (tests/install) too.
use_ccache() {
  command -v ccache >/dev/null || return 0
  export CMAKE_C_COMPILER_LAUNCHER=${CMAKE_C_COMPILER_LAUNCHER-ccache}
  export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-ccache}
  export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS-pch_defines,time_macros}  # or it keeps nothing of precompiled headers
}

check_preset() {
  case $1 in
    release | debug | asan-ubsan | tsan | fuzz) ;;
    *) die "unknown preset '$1': release, debug, asan-ubsan, tsan or fuzz" ;;
  esac
}

# use_targets target...: adds what cross compiling for these presets and running their programs needs.
use_targets() {
  local target
  for target in "$@"; do
    case $target in
      aarch64) required_packages+=" g++-aarch64-linux-gnu qemu-user-static" ;;
      armhf) required_packages+=" g++-arm-linux-gnueabihf qemu-user-static" ;;
      armel) required_packages+=" g++-arm-linux-gnueabi qemu-user-static" ;;
      riscv64) required_packages+=" g++-riscv64-linux-gnu qemu-user-static" ;;
      wasm32) required_packages+=" emscripten llvm nodejs" ;;
      *) die "unknown target '$target': aarch64, armhf, armel, riscv64 or wasm32" ;;
    esac
  done
}

# build_preset preset [target...]: binaries end up in build/<preset>/bin. Without targets, everything is built.
build_preset() {
  local preset=$1
  shift
  cd "$root"
  case $preset in
    fuzz | coverage) required_packages+=" clang libomp-dev" ;;
  esac
  step "install what is missing" install_packages
  use_ccache
  step "configure ($preset)" cmake --preset "$preset" ${configure_options[@]+"${configure_options[@]}"}
  step "build ($preset, $jobs jobs)" cmake --build --preset "$preset" --parallel "$jobs" ${@:+--target "$@"}
}
