#!/usr/bin/env bash
# The parsers under valgrind's memcheck, which also sees what depends on memory that nobody has written, in the decoders'
# libraries, too: every fuzz target over its seeds and seeded mutations of them, and the parsers' tests. Prints a line
# for each; exit status 1 at the first error.
#   tests/fuzz/memcheck.sh [--mutations N] [PROGRAM...]     300 mutations; for example tests/fuzz/memcheck.sh pickle_fuzz
source "$(dirname "${BASH_SOURCE[0]}")/../../cmake/bootstrap.sh"
source "$root/tests/fuzz/arguments.sh"

number=300
read_arguments --mutations '[0-9]+' "$@"
mutations=$number
programs=("${words[@]}")
[ "${#programs[@]}" -gt 0 ] || programs=("${fuzz_targets[@]/%/_fuzz}" batch_test checkpoint_test common_test format_test
  import_test photo_test)
required_packages+=" valgrind"
build_preset release "${programs[@]}"

# Tests of thousands of inputs each, which are what the mutations are.
sweeps='*Sweep*:Truncation.*:*Every*:*Sealed*'

check() {
  local arguments=(--mutations "$mutations")
  [[ $1 == *_fuzz ]] || arguments=(--gtest_filter="-$sweeps" --gtest_brief=1)
  valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite "build/release/bin/$1" \
    "${arguments[@]}"
}

for program in "${programs[@]}"; do step "memcheck $program" check "$program"; done
