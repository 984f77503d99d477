#!/usr/bin/env bash
# Cross compiles for the targets, all of them if none is named, and runs their tests under an emulator. Installs what is
# missing first. The tests that need the converter are not among them: it is a tool of the build machine.
#   tests/cross.sh [aarch64|armhf|armel|riscv64|wasm32]...
source "$(dirname "${BASH_SOURCE[0]}")/../cmake/bootstrap.sh"

[ $# -gt 0 ] || set -- aarch64 armhf armel riscv64 wasm32
required_packages="g++ cmake ninja-build python3 pkg-config libstb-dev libcxxopts-dev nlohmann-json3-dev libgtest-dev"
optional_packages=
use_targets "$@"
for target in "$@"; do
  build_preset "$target"
  step "test ($target)" ctest --preset "$target" --parallel "$jobs" --no-tests=error
done
