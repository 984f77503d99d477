#!/usr/bin/env bash
# Prints a cost model of the ARM tiers: tests/bench/arm_model/run.sh. docs/performance.md says what it tells.
source "$(dirname "${BASH_SOURCE[0]}")/../../../cmake/bootstrap.sh"

use_targets aarch64
required_packages+=" binutils-aarch64-linux-gnu"
optional_packages+=" llvm-19"
{
  build_preset aarch64 intsam
} >&2
python3 -B tests/bench/arm_model/arm_model.py build/aarch64/lib/libintsam.a
