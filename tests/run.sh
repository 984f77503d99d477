#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test through ctest, whose summary comes last.
#   tests/run.sh [--preset release|debug|asan-ubsan|tsan|fuzz] [ctest options, for example -R gemm]
# fuzz: with clang, its sanitizers and what fuzzing needs.
source "$(dirname "${BASH_SOURCE[0]}")/../cmake/bootstrap.sh"

preset=release
if [ "${1-}" = --preset ]; then
  [ $# -ge 2 ] || die "--preset needs a name"
  preset=$2
  shift 2
fi
check_preset "$preset"
build_preset "$preset"

# Not a step(): ctest names what failed itself, and its summary stays last.
ctest --preset "$preset" --parallel "$test_jobs" --no-tests=error "$@"
