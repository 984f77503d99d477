#!/usr/bin/env bash
# Cross compiles for the targets, all of them if none is named, and runs their tests under an emulator. Installs what is
# missing first. The tests that need the converter are not among them: it is a tool of the build machine.
#   tests/cross.sh [--proof] [aarch64|armhf|armel|riscv64|wasm32]...
# --proof: the library and its golden tests alone: the same integers, and no floating point.
source "$(dirname "${BASH_SOURCE[0]}")/../cmake/bootstrap.sh"

built=()
chosen=()
if [ "${1-}" = --proof ]; then
  shift
  built=(intsam golden_test)
  chosen=(-R "Models/GoldenTest|lint[.]no_float_(objects|helpers)")
fi
[ $# -gt 0 ] || set -- aarch64 armhf armel riscv64 wasm32
required_packages="g++ cmake ninja-build python3 pkg-config libstb-dev libcxxopts-dev nlohmann-json3-dev libgtest-dev"
optional_packages=
use_targets "$@"
for target in "$@"; do
  build_preset "$target" ${built[@]+"${built[@]}"}
  step "test ($target)" ctest --preset "$target" --parallel "$test_jobs" --no-tests=error ${chosen[@]+"${chosen[@]}"}
done
