#!/usr/bin/env bash
# Times the kernels alone: builds the microbenchmarks and runs them with the arguments given, which are Google
# Benchmark's. One group, for example, of names as kernel/tier/coding/shape:
#   tests/bench/micro.sh --benchmark_filter='^linear/.*/64x'
source "$(dirname "${BASH_SOURCE[0]}")/../../cmake/bootstrap.sh"

build_preset release micro
build/release/bin/micro "$@"
